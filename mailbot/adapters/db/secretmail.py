"""Mails of whose content nothing was kept (`app.secretmail`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Row, func, select

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.db.records import INBOUND_COLUMNS, to_inbound
from mailbot.adapters.db.tables import decision, inbound, mail
from mailbot.app.secretmail import SecretMail

_NEWEST = (
    select(func.max(decision.c.id))
    .where(decision.c.inbound_id == inbound.c.id)
    .correlate(inbound)
    .scalar_subquery()
)
_SECRET = (
    select(*INBOUND_COLUMNS, decision.c.at, decision.c.log)
    .join(decision, decision.c.id == _NEWEST)
    .outerjoin(mail, mail.c.inbound_id == inbound.c.id)
    .where(inbound.c.decision == "quarantine", mail.c.inbound_id.is_(None), inbound.c.sha256 != "")
    .order_by(inbound.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class SqlSecretRecords:
    """Implements `app.secretmail.SecretRecords`."""

    store: SqlStore

    def secret_mails(self) -> list[SecretMail]:
        with self.store.snapshot() as db:
            rows = [cast("Row[Any]", row) for row in db.execute(_SECRET)]
        return [SecretMail(to_inbound(row), row.at, tuple(row.log)) for row in rows]
