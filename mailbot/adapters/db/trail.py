"""What every write leaves behind: an audit line, and a task where a person should look."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mailbot.adapters.db.statements import INSERTS
from mailbot.app.records import NewTask

BOT = "mailbot"
"""Who did it, where no person did."""


def add_task(db: Connection, task: NewTask, now: datetime, *, outbox_id: int | None = None) -> None:
    values = {
        "office": task.office,
        "kind": task.kind,
        "text": task.text,
        "inbound_id": task.inbound_id,
        "item_id": task.item_id,
        "outbox_id": outbox_id,
        "created": now,
    }
    db.execute(INSERTS["task"], values)


def add_audit(
    db: Connection, who: str, action: str, subject: str, detail: dict[str, Any], now: datetime
) -> None:
    values = {"at": now, "who": who, "action": action, "subject": subject, "detail": detail}
    db.execute(INSERTS["audit"], values)
