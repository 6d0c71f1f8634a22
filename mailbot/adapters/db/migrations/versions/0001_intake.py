"""Intake: mails, decisions, items with their versions, letters, tasks, bindings, audit.

Written by hand and frozen once released: a later change is a later migration. There is no way
back down; a person who needs the old program restores the copy made before the upgrade.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mailbot.adapters.db.dialect import append_only_sql

revision = "0001"
down_revision = None

Column = sa.Column[object]


def _id() -> Column:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(name: str, *, null: bool = False) -> Column:
    return sa.Column(name, sa.Text(), nullable=null)


def _json(name: str) -> Column:
    return sa.Column(name, sa.Text(), nullable=False)


def _time(name: str, *, null: bool = False) -> Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _number(name: str) -> Column:
    return sa.Column(name, sa.Integer(), nullable=False)


def _big(name: str) -> Column:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _refers(name: str, target: str, *, null: bool = False) -> Column:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{target}.id"), nullable=null)


def _index(table: str, *columns: str, name: str | None = None) -> None:
    op.create_index(name or op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def upgrade() -> None:
    op.create_table(
        "folder",
        _id(),
        _text("account"),
        _text("folder"),
        _big("uidvalidity"),
        _time("searched"),
        sa.UniqueConstraint("account", "folder"),
    )
    op.create_table(
        "inbound",
        _id(),
        _text("account"),
        _text("folder"),
        _big("uidvalidity"),
        _big("uid"),
        _big("size"),
        _time("received"),
        _text("received_source"),
        _text("state"),
        _number("attempts"),
        _time("first_seen"),
        _text("sha256"),
        _text("content_key"),
        _text("message_id"),
        _text("from_addr"),
        _text("subject"),
        _text("office"),
        _text("decision"),
        _time("decided_at", null=True),
        sa.UniqueConstraint("account", "folder", "uidvalidity", "uid", name="uq_inbound_origin"),
        sqlite_autoincrement=True,
    )
    _index("inbound", "account", "state", "id", name="ix_inbound_work")
    _index("inbound", "content_key", "id")
    _index("inbound", "message_id", "id")
    _index("inbound", "from_addr", "office", "decision", name="ix_inbound_sender")
    _index("inbound", "office", "received")
    _index("inbound", "received")

    op.create_table(
        "mail",
        sa.Column("inbound_id", sa.Integer(), primary_key=True, autoincrement=False),
        _text("content"),
        sa.ForeignKeyConstraint(["inbound_id"], ["inbound.id"]),
    )
    op.create_table(
        "decision",
        _id(),
        _refers("inbound_id", "inbound"),
        _time("at"),
        _text("who"),
        _text("kind"),
        _text("office"),
        _text("unit_id", null=True),
        _json("reasons"),
        _json("log"),
        _text("answer"),
        _text("book_digest"),
        sqlite_autoincrement=True,
    )
    _index("decision", "inbound_id")

    op.create_table(
        "item",
        _id(),
        _text("receipt"),
        _text("office"),
        _text("unit_id", null=True),
        _text("state"),
        _time("received"),
        sa.Column("month", sa.Date(), nullable=False),
        _number("version_no"),
        _refers("inbound_id", "inbound"),
        _refers("first_inbound_id", "inbound"),
        _text("from_addr"),
        _text("first_from_addr"),
        _text("title_key"),
        _json("flags"),
        _text("lane"),
        _time("created"),
        sa.UniqueConstraint("receipt"),
        sqlite_autoincrement=True,
    )
    _index("item", "office", "unit_id", "title_key", "received", name="ix_item_title")
    _index("item", "office", "unit_id", "month", "state", name="ix_item_month")
    _index("item", "office", "from_addr", "received", name="ix_item_sender")
    _index("item", "office", "first_from_addr", "received", name="ix_item_first_sender")
    _index("item", "inbound_id")
    _index("item", "office", "received")

    op.create_table(
        "item_version",
        _id(),
        _refers("item_id", "item"),
        _number("no"),
        _refers("inbound_id", "inbound"),
        _text("title"),
        _text("submitter"),
        _json("contact"),
        _text("unit_written"),
        _json("fields"),
        _text("category"),
        _text("category_by"),
        _json("category_evidence"),
        _refers("attachments_from", "inbound", null=True),
        _json("attachment_paths"),
        _json("topics"),
        _text("scope"),
        _time("created"),
        sa.UniqueConstraint("item_id", "no"),
    )
    _index("item_version", "inbound_id")

    op.create_table(
        "outbox",
        _id(),
        _text("key"),
        _text("kind"),
        _text("office"),
        _text("sender"),
        _text("recipient"),
        _text("message_id"),
        _text("subject"),
        _refers("inbound_id", "inbound", null=True),
        _text("thread"),
        _text("state"),
        _number("attempts"),
        _time("queued"),
        _time("due", null=True),
        _time("claimed", null=True),
        _time("dot_sent", null=True),
        _time("finished", null=True),
        _text("answer"),
        _text("error"),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    _index("outbox", "state", "id")
    _index("outbox", "state", "due")
    _index("outbox", "office", "recipient", "queued", "kind", "state", name="ix_outbox_recipient")
    _index("outbox", "office", "queued", "kind", "state", name="ix_outbox_hour")
    _index("outbox", "thread", "kind", "state", name="ix_outbox_thread")
    _index("outbox", "message_id")
    _index("outbox", "inbound_id")

    op.create_table(
        "link",
        _id(),
        _refers("inbound_id", "inbound"),
        _text("relation"),
        _refers("to_inbound", "inbound", null=True),
        _refers("to_item", "item", null=True),
        _refers("to_outbox", "outbox", null=True),
    )
    for column in ("inbound_id", "to_inbound", "to_item", "to_outbox"):
        _index("link", column)

    op.create_table(
        "task",
        _id(),
        _text("office"),
        _text("kind"),
        _text("text"),
        _refers("inbound_id", "inbound", null=True),
        _refers("item_id", "item", null=True),
        _refers("outbox_id", "outbox", null=True),
        _time("created"),
        _time("done_at", null=True),
        _text("done_by"),
    )
    _index("task", "done_at", "office", "kind")
    for column in ("inbound_id", "item_id", "outbox_id"):
        _index("task", column)

    op.create_table(
        "binding",
        _id(),
        _text("office"),
        _text("address"),
        _text("unit_id"),
        _text("state"),
        _time("changed"),
        sa.UniqueConstraint("office", "address"),
    )
    op.create_table(
        "audit",
        _id(),
        _time("at"),
        _text("who"),
        _text("action"),
        _text("subject"),
        _json("detail"),
        sqlite_autoincrement=True,
    )
    _index("audit", "subject")

    op.create_table(
        "receipt_counter",
        sa.Column("prefix", sa.Text(), primary_key=True),
        sa.Column("month", sa.Text(), primary_key=True),
        _number("last"),
    )

    for table in ("decision", "audit"):
        for statement in append_only_sql(op.get_bind().dialect.name, table):
            op.execute(statement)
