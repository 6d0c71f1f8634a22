"""What is true of the installation as a whole (table `fact`): reading and writing one word by name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from mailbot.adapters.db.dialect import insert_or
from mailbot.adapters.db.tables import fact, folder, inbound

_VALUE = select(fact.c.value).where(fact.c.name == bindparam("name"))
_LAST_SEARCH = select(func.max(folder.c.searched))
_NEWEST_MAIL = select(func.max(inbound.c.received)).where(inbound.c.received <= bindparam("until"))
_LAST_REGISTERED = select(inbound.c.received).order_by(inbound.c.id.desc()).limit(1)


class FactReads:
    """The part of `SqlReads` about the installation."""

    _db: Connection

    def fact(self, name: str) -> str:
        return self._db.execute(_VALUE, {"name": name}).scalar_one_or_none() or ""

    def last_moment(self) -> datetime | None:
        found: datetime | None = self._db.execute(_LAST_SEARCH).scalar_one()
        return found

    def newest_mail(self, until: datetime) -> datetime | None:
        found: datetime | None = self._db.execute(_NEWEST_MAIL, {"until": until}).scalar_one()
        return found

    def last_mail(self) -> datetime | None:
        found: datetime | None = self._db.execute(_LAST_REGISTERED).scalar_one_or_none()
        return found


class FactWrites:
    """The part of `SqlTransaction` about the installation."""

    _db: Connection

    def set_fact(self, name: str, value: str, now: datetime) -> None:
        values: dict[str, Any] = {"value": value, "changed": now}
        statement = insert_or(self._db.dialect.name, fact).values(name=name, **values)
        self._db.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    def first_fact(self, name: str, value: str, now: datetime) -> str:
        """Writes it unless there is one already; what stands there now."""
        statement = insert_or(self._db.dialect.name, fact).values(
            name=name, value=value, changed=now
        )
        self._db.execute(statement.on_conflict_do_nothing())
        return str(self._db.execute(_VALUE, {"name": name}).scalar_one())
