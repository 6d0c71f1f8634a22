"""What every table is made of: the metadata with its naming, and short makers of columns."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from sqlalchemy import ForeignKey, MetaData
from sqlmodel import Field, SQLModel

from mailbot.adapters.db.columns import CleanText, JsonText, KeyText, UtcTime

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every index and constraint has a name, or no later migration could alter it."""

metadata = MetaData(naming_convention=NAMES)

NEVER_REUSE_IDS = {"sqlite_autoincrement": True}


def string(default: str | None = "") -> Any:
    return Field(default=default, sa_type=CleanText)


def key_text(default: str = "") -> Any:
    """Of others' words that are looked up by."""
    return Field(default=default, sa_type=KeyText)


def json_list() -> Any:
    return Field(default_factory=list, sa_type=cast(Any, JsonText))


def json_object() -> Any:
    return Field(default_factory=dict, sa_type=cast(Any, JsonText))


def moment(**options: Any) -> Any:
    return Field(sa_type=cast(Any, UtcTime), **options)


def refers(target: str, **options: Any) -> Any:
    return Field(default=None, sa_column_args=[ForeignKey(target)], **options)


class Base(SQLModel):
    metadata: ClassVar[MetaData] = metadata
