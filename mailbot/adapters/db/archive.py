"""Raw mail in the database (`app.ports.Archive`), for several machines without a shared disk.

A mail lies under the SHA-256 of its bytes, once however often it arrives. What `put` wrote is durable
when it returns, as every commit is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from sqlalchemy import Connection, bindparam, delete, select

from mailbot.adapters.db import dialect
from mailbot.adapters.db import tables as t
from mailbot.app.errors import Permanent

GROUP_BYTES = 8_000_000
"""Of one transaction, or one mail where that is larger."""
_PAGE = 1000
_RAW = select(t.raw.c.raw).where(t.raw.c.sha256 == bindparam("sha256"))
_THERE = select(t.raw.c.sha256).where(t.raw.c.sha256 == bindparam("sha256"))
_KNOWN = select(t.raw.c.sha256).where(t.raw.c.sha256.in_(bindparam("some", expanding=True)))
_NEXT = (
    select(t.raw.c.sha256)
    .where(t.raw.c.sha256 > bindparam("after"))
    .order_by(t.raw.c.sha256)
    .limit(_PAGE)
)
_Begin = Callable[[], AbstractContextManager[Connection]]


class DbArchive:
    """`writing` and `reading` each give a connection inside a transaction of its own."""

    def __init__(self, writing: _Begin, reading: _Begin) -> None:
        self._writing, self._reading = writing, reading

    def put(self, raws: Iterable[tuple[str, bytes]]) -> None:
        """(sha256, raw) pairs; all durable on return. Known ones are not written again. Raises
        ValueError when a digest does not fit its bytes."""
        group: dict[str, bytes] = {}
        size = 0
        for sha256, raw in raws:
            if hashlib.sha256(raw).hexdigest() != sha256:
                raise ValueError("the digest does not fit the mail's bytes")
            if group and size + len(raw) > GROUP_BYTES:
                self._put_group(group)
                group, size = {}, 0
            group[sha256] = raw
            size += len(raw)
        if group:
            self._put_group(group)

    def get(self, sha256: str) -> bytes:
        with self._reading() as db:
            found = db.scalar(_RAW, {"sha256": sha256})
        if found is None:
            raise KeyError(sha256)
        raw = bytes(found)
        if hashlib.sha256(raw).hexdigest() != sha256:
            raise Permanent(f"archived mail {sha256} is damaged", code="archive_damaged")
        return raw

    def __contains__(self, sha256: object) -> bool:
        with self._reading() as db:
            return db.scalar(_THERE, {"sha256": str(sha256)}) is not None

    def digests(self) -> Iterator[str]:
        """All it holds, in ascending order."""
        after = ""
        while True:
            with self._reading() as db:
                page = db.scalars(_NEXT, {"after": after}).all()
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1]

    def path_of(self, sha256: str) -> None:
        """No file."""
        return

    def remove(self, sha256: str) -> None:
        """Harmless when it is not there."""
        with self._writing() as db:
            db.execute(delete(t.raw).where(t.raw.c.sha256 == sha256))

    def _put_group(self, group: dict[str, bytes]) -> None:
        with self._reading() as db:  # the bytes of a known mail need not cross the network
            known = set(db.scalars(_KNOWN, {"some": list(group)}))
        rows = [
            {"sha256": sha256, "size": len(raw), "raw": raw}
            for sha256, raw in group.items()
            if sha256 not in known
        ]
        if rows:
            with self._writing() as db:
                insert = dialect.insert_or(db.dialect.name, t.raw)
                db.execute(insert.on_conflict_do_nothing(), rows)
