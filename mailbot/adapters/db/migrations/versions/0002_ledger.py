"""The ledger: items of other channels, what people record, what a notice seals.

What 0001 kept stays: items get what could always be read from their versions (category, and the
commission their mail was marked with), and were all mail.

Written by hand and frozen once released, as 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mailbot.adapters.db.dialect import append_only_sql

revision = "0002"
down_revision = "0001"

Column = sa.Column[object]


def _id() -> Column:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(name: str, *, default: str | None = None) -> Column:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _flag(name: str, *, default: bool | None = None) -> Column:
    value = None if default is None else sa.true() if default else sa.false()
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=value)


def _time(name: str) -> Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _day(name: str) -> Column:
    return sa.Column(name, sa.Date(), nullable=False)


def _number(name: str) -> Column:
    return sa.Column(name, sa.Integer(), nullable=False)


def _refers(name: str, target: str, *, null: bool = False) -> Column:
    return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{target}.id"), nullable=null)


def _index(table: str, *columns: str, name: str | None = None) -> None:
    op.create_index(name or op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def upgrade() -> None:
    _items()
    _records()
    _seals()
    for table in ("record", "seal", "seal_entry"):
        for statement in append_only_sql(op.get_context().dialect.name, table):
            op.execute(statement)


def _items() -> None:
    sqlite = op.get_context().dialect.name == "sqlite"
    if sqlite:
        # Rebuilding the table forgets the highest id ever given, and ids are never given twice.
        op.execute("CREATE TEMP TABLE kept AS SELECT seq FROM sqlite_sequence WHERE name = 'item'")
    with op.batch_alter_table("item", table_kwargs={"sqlite_autoincrement": True}) as item:
        item.add_column(_text("channel", default="mail"))
        item.add_column(_text("evidence", default=""))
        item.add_column(_text("category", default=""))
        item.add_column(_flag("commissioned", default=False))
        item.add_column(_flag("follow_up", default=False))
        item.alter_column("inbound_id", existing_type=sa.Integer(), nullable=True)
        item.alter_column("first_inbound_id", existing_type=sa.Integer(), nullable=True)
    if sqlite:
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'item'")
        op.execute("INSERT INTO sqlite_sequence (name, seq) SELECT 'item', seq FROM kept")
        op.execute("DROP TABLE kept")
    with op.batch_alter_table("item_version") as version:
        version.alter_column("inbound_id", existing_type=sa.Integer(), nullable=True)

    op.execute(
        "UPDATE item SET category = (SELECT v.category FROM item_version v "
        "WHERE v.item_id = item.id AND v.no = item.version_no)"
    )
    # A key of the JSON as it is written, not words in a value: there a quotation mark is escaped.
    op.execute(
        "UPDATE item SET commissioned = (1 = 1) WHERE id IN "
        "(SELECT v.item_id FROM item_version v WHERE v.fields LIKE '%\"marks\":[%')"
    )
    _index(
        "item",
        "office",
        "month",
        "unit_id",
        "category",
        "lane",
        "commissioned",
        "follow_up",
        "state",
        "received",
        name="ix_item_ledger",
    )


def _records() -> None:
    op.create_table(
        "record",
        _id(),
        _text("office"),
        _text("kind"),
        _text("unit_id"),
        _day("day"),
        _refers("item_id", "item", null=True),
        _text("facts"),
        _flag("joint"),
        _text("reason"),
        _text("evidence"),
        _refers("reverses", "record", null=True),
        _text("source"),
        _text("who"),
        _time("at"),
        sa.UniqueConstraint("reverses"),
        sqlite_autoincrement=True,
    )
    _index("record", "office", "day")
    _index("record", "office", "unit_id", "day")
    _index("record", "office", "kind", "day")
    _index("record", "office", "joint", "day")
    _index("record", "item_id")


def _seals() -> None:
    op.create_table(
        "seal",
        _id(),
        _text("office"),
        _text("period"),
        _day("first"),
        _day("last"),
        _text("book_digest"),
        _text("ledger_digest"),
        _text("standings"),
        _text("who"),
        _time("at"),
        sa.UniqueConstraint("office", "period"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "seal_entry",
        _id(),
        _refers("seal_id", "seal"),
        _text("unit"),
        _day("day"),
        _text("rule"),
        _day("version"),
        _text("points"),
        _text("document"),
        _text("clause"),
        _text("text"),
        _text("item"),
        _text("events"),
        _number("times"),
        _number("stars"),
        _text("corrects"),
    )
    _index("seal_entry", "seal_id", "unit")
    _index("seal_entry", "seal_id", "corrects")
