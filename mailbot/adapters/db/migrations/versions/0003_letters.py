"""Letters of our own accord: duties, drafts with their files, objections, one-time codes; and what
a letter in the outbox belongs to.

What 0002 kept stays: its letters all answer mail and belong to nothing else.

Written by hand and frozen once released, as 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Column = sa.Column[object]


def _id() -> Column:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(name: str, *, default: str | None = None) -> Column:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _time(name: str, *, null: bool = False) -> Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _refers(name: str, target: str, *, null: bool = False) -> Column:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{target}.id"), nullable=null)


def _bytes(name: str) -> Column:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def upgrade() -> None:
    _outbox()
    _duties()
    _drafts()
    _appeals()
    _tokens()
    _index("inbound", "office", "decided_at")
    _index("inbound", "decided_at")
    _index("record", "office", "id")


def _outbox() -> None:
    with op.batch_alter_table("outbox") as outbox:
        for name in ("unit_id", "role", "about"):
            outbox.add_column(_text(name, default=""))
        outbox.add_column(_time("not_after", null=True))
    _index("outbox", "about", "id")
    _index("outbox", "office", "state", "finished")


def _duties() -> None:
    op.create_table(
        "duty",
        _id(),
        _text("key"),
        _text("office"),
        _text("letter"),
        _text("period"),
        _text("stage"),
        _time("due"),
        _text("state"),
        _text("why"),
        _text("detail"),
        _time("at"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    _index("duty", "office", "at")
    _index("duty", "office", "letter", "state", "id")


def _drafts() -> None:
    op.create_table(
        "draft",
        _id(),
        _text("office"),
        _text("letter"),
        _text("period"),
        sa.Column("no", sa.Integer(), nullable=False),
        _text("title"),
        _text("digest"),
        _text("summary"),
        _text("flags"),
        _text("state"),
        _time("created"),
        _text("who"),
        _text("number"),
        sa.Column("issued", sa.Date(), nullable=True),
        _time("decided_at", null=True),
        _text("decided_by"),
        _text("why"),
        sa.UniqueConstraint("office", "letter", "period", "no"),
        sqlite_autoincrement=True,
    )
    _index("draft", "state", "office")
    op.create_table(
        "draft_recipient",
        _id(),
        _refers("draft_id", "draft"),
        _text("key"),
        _text("kind"),
        _text("unit_id"),
        _text("role"),
        _text("name"),
        _text("address"),
        _text("phone"),
        _text("sms"),
        sa.UniqueConstraint("draft_id", "key"),
    )
    op.create_table(
        "draft_file",
        _id(),
        _refers("draft_id", "draft"),
        _text("role"),
        _text("name"),
        _bytes("content"),
    )
    _index("draft_file", "draft_id")


def _appeals() -> None:
    op.create_table(
        "appeal",
        _id(),
        _text("office"),
        _text("unit_id"),
        _text("about"),
        _refers("inbound_id", "inbound"),
        _refers("item_id", "item", null=True),
        _refers("record_id", "record", null=True),
        _time("opened"),
        _text("answer"),
        _time("answered_at", null=True),
        _text("answered_by"),
        sqlite_autoincrement=True,
    )
    _index("appeal", "office", "unit_id", "id")
    _index("appeal", "answered_at", "office")
    _index("appeal", "inbound_id")
    _index("appeal", "item_id")
    _index("appeal", "record_id")


def _tokens() -> None:
    op.create_table(
        "token",
        _id(),
        _text("digest"),
        _text("office"),
        _text("purpose"),
        _text("subject"),
        _text("address"),
        _time("expires"),
        _time("created"),
        _time("used", null=True),
        sa.UniqueConstraint("digest"),
    )
