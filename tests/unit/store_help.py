"""What the tests of the store share: a clock's day, and short makers of records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.system import SHANGHAI
from mailbot.app.ports import Transaction
from mailbot.app.records import (
    Envelope,
    ItemState,
    NewDecision,
    NewItem,
    NewVersion,
    Origin,
    Outgoing,
)
from mailbot.core.mail.model import Address, IncomingMail

NOON = datetime(2026, 8, 12, 12, 0, tzinfo=SHANGHAI)
AUGUST = date(2026, 8, 1)
OFFICE = "otog"
ADDRESS = "zhangsan@example.com"

Asked = tuple[str, Any]
"""A statement, and its values."""


def fresh(folder: Path) -> SqlStore:
    return open_store(f"sqlite:///{folder}/mailbot.db")


def envelope(uid: int, received: datetime = NOON) -> Envelope:
    return Envelope(Origin("box", "INBOX", 1, uid), 2000, received)


def arrive(tx: Transaction, count: int = 1, first_uid: int = 1) -> list[int]:
    """Registers mails; their ids."""
    before = {r.id for r in tx.read.pending("box")}
    tx.register([envelope(first_uid + i) for i in range(count)], "internaldate", NOON)
    return [r.id for r in tx.read.pending("box") if r.id not in before]


def mail(
    n: int = 1, sender: str = ADDRESS, subject: str = "教体局+标题+张三+7622029"
) -> IncomingMail:
    return IncomingMail(
        size=2000,
        sha256=f"{n:064x}",
        content_key=f"key{n}",
        subject=subject,
        from_=(Address(sender, "张三"),),
        message_id=f"m{n}@example.com",
        text="正文",
    )


def decided(inbound_id: int, kind: str = "accept", **changes: Any) -> NewDecision:
    values: dict[str, Any] = {
        "inbound_id": inbound_id,
        "kind": kind,
        "office": OFFICE,
        "unit_id": "jiaotiju",
        "reasons": ("四项齐全。",),
        "log": ("fields:complete",),
        "answer": "acknowledgement",
        "book_digest": "d" * 64,
    }
    return NewDecision(**(values | changes))


def version(title: str = "全旗秋季开学准备就绪", **changes: Any) -> NewVersion:
    values: dict[str, Any] = {
        "title": title,
        "submitter": "张三",
        "contact": ("7622029",),
        "unit_written": "教体局",
        "fields": {"title": {"value": title, "source": "subject"}},
        "category": "brief",
        "category_by": "mark",
    }
    return NewVersion(**(values | changes))


def new_item(title: str = "全旗秋季开学准备就绪", **changes: Any) -> NewItem:
    values: dict[str, Any] = {
        "office": OFFICE,
        "unit_id": "jiaotiju",
        "state": ItemState.ACCEPTED,
        "received": NOON,
        "month": AUGUST,
        "version": version(title),
    }
    return NewItem(**(values | changes))


def letter(n: int, kind: str = "acknowledgement", **changes: Any) -> Outgoing:
    values: dict[str, Any] = {
        "key": f"answer:{n}:{kind}",
        "kind": kind,
        "office": OFFICE,
        "sender": "office@example.org",
        "recipient": ADDRESS,
        "message_id": f"{n}.{kind}@example.org",
        "raw": b"Subject: x\r\n\r\nx\r\n",
        "subject": f"回执 {n}",
    }
    return Outgoing(**(values | changes))


@contextmanager
def noted(store: SqlStore) -> Iterator[list[Asked]]:
    """The statements the store runs within the block, with their values."""
    seen: list[Asked] = []

    def note(_db: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        seen.append((statement, values))

    event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(store.engine, "before_cursor_execute", note)


def plan_of(store: SqlStore, asked: Asked) -> list[str]:
    """The steps by which the database finds what a statement asks for."""
    statement, values = asked
    with store.snapshot() as db:
        if db.dialect.name == "sqlite":
            rows = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            return [str(row[3]) for row in rows]
        # An empty table is quickest read whole: said so only where no index would do.
        db.exec_driver_sql("SET LOCAL enable_seqscan = off")
        found = db.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()
        return list(_steps(found[0]["Plan"]))


def plans_of(store: SqlStore, seen: list[Asked]) -> list[str]:
    """The steps of every SELECT among the statements."""
    selects = [asked for asked in seen if asked[0].startswith("SELECT")]
    assert selects, "nothing was asked"
    return [step for asked in selects for step in plan_of(store, asked)]


def whole_reads(steps: list[str]) -> list[str]:
    """The steps that read a whole table, or a whole index."""
    return [step for step in steps if step.startswith("SCAN")]


def _steps(node: dict[str, Any]) -> Iterator[str]:
    """PostgreSQL's plan in words like SQLite's."""
    kind, index = node["Node Type"], node.get("Index Name", "")
    if "Scan" in kind and kind not in ("Bitmap Heap Scan", "Subquery Scan"):
        how = "SEARCH" if "Index Cond" in node else "SCAN"
        yield f"{how} {node.get('Relation Name', '')} USING INDEX {index} ({kind})"
    elif kind == "Sort":
        yield "USE TEMP B-TREE FOR ORDER BY"
    for inner in node.get("Plans", ()):
        yield from _steps(inner)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)
