"""Several machines on one database (workers, leases), alarms, facts about the installation, an archive
in the database; and of a letter: who claimed it, and how an uncertain one was looked for.

Written by hand and frozen once released, as 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

Column = sa.Column[object]


def _text(name: str, *, default: str | None = None) -> Column:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _number(name: str, *, default: str | None = None) -> Column:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=default)


def _large(name: str, *, default: str | None = None) -> Column:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default=default)


def _time(name: str, *, null: bool = False) -> Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def upgrade() -> None:
    with op.batch_alter_table("inbound") as inbound:
        # A default given as text: an expression would have SQLite copy the table, and lose the
        # promise that ids are never used twice.
        inbound.add_column(sa.Column("marked", sa.Boolean(), nullable=False, server_default="0"))
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(_text("claimed_by", default=""))
        outbox.add_column(_number("looks", default="0"))
        outbox.add_column(_time("looked", null=True))
        outbox.add_column(_number("copies", default="0"))
    op.create_table(
        "worker",
        _text("id"),
        _text("host"),
        _number("pid"),
        _text("version"),
        _time("started"),
        _time("seen"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_table(
        "lease",
        _text("name"),
        _text("holder"),
        _large("fence"),
        _time("until"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "fact",
        _text("name"),
        _text("value"),
        _time("changed"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_fact")),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("key"),
        _text("host"),
        _text("text"),
        _time("began"),
        _time("told", null=True),
        _text("told_by"),
        _time("over", null=True),
        _time("told_over", null=True),
        _text("over_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(op.f("ix_alert_told_over"), "alert", ["told_over"])
    held = sa.text("state = 'held'")
    op.create_index("ix_item_held", "item", ["state"], sqlite_where=held, postgresql_where=held)
    op.create_table(
        "raw",
        _text("sha256"),
        _large("size"),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_raw")),
    )
    op.create_table(
        "removal",
        _number("inbound_id"),
        _time("content", null=True),
        _time("raw", null=True),
        _time("raw_gone", null=True),
        sa.ForeignKeyConstraint(
            ["inbound_id"], ["inbound.id"], name=op.f("fk_removal_inbound_id_inbound")
        ),
        sa.PrimaryKeyConstraint("inbound_id", name=op.f("pk_removal")),
    )
    op.create_index(op.f("ix_removal_raw_gone_raw"), "removal", ["raw_gone", "raw"])
