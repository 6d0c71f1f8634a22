"""Rows to `app.records`, and back. No query stands here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, select

from mailbot.adapters.db.tables import inbound, item, item_version
from mailbot.app.records import InboundRow, InboundState, ItemRow, ItemState, NewVersion, Origin

_INBOUND = (
    "id",
    "account",
    "folder",
    "uidvalidity",
    "uid",
    "size",
    "received",
    "received_source",
    "state",
    "attempts",
    "sha256",
    "content_key",
    "message_id",
    "from_addr",
    "subject",
    "office",
    "decision",
    "first_seen",
)
_ITEM = (
    "id",
    "receipt",
    "office",
    "unit_id",
    "state",
    "received",
    "month",
    "version_no",
    "inbound_id",
    "first_inbound_id",
    "from_addr",
    "flags",
    "lane",
    "channel",
    "evidence",
    "commissioned",
)
_VERSION = (
    "title",
    "submitter",
    "contact",
    "unit_written",
    "fields",
    "category",
    "category_by",
    "category_evidence",
    "attachments_from",
    "attachment_paths",
    "topics",
    "scope",
)

INBOUND_COLUMNS = tuple(inbound.c[name] for name in _INBOUND)
ITEM_COLUMNS = (
    *(item.c[name] for name in _ITEM),
    *(item_version.c[name] for name in _VERSION),
)
VERSION_COLUMNS = tuple(item_version.c[name] for name in _VERSION)


def select_inbound() -> Select[Any]:
    return select(*INBOUND_COLUMNS)


def select_items() -> Select[Any]:
    """Items with their current version."""
    return select(*ITEM_COLUMNS).join(
        item_version,
        (item_version.c.item_id == item.c.id) & (item_version.c.no == item.c.version_no),
    )


def to_inbound(row: Row[Any]) -> InboundRow:
    """From the first columns of a row of `select_inbound`."""
    v = dict(zip(_INBOUND, row, strict=False))
    origin = Origin(v.pop("account"), v.pop("folder"), v.pop("uidvalidity"), v.pop("uid"))
    return InboundRow(origin=origin, state=InboundState(v.pop("state")), **v)


def to_item(row: Row[Any]) -> ItemRow:
    """From the first columns of a row of `select_items`."""
    v = dict(zip(_ITEM, row, strict=False))
    return ItemRow(
        state=ItemState(v.pop("state")),
        flags=tuple(v.pop("flags")),
        version=to_version(row[len(_ITEM) :]),
        **v,
    )


def to_version(values: Any) -> NewVersion:
    """From values in the order of `VERSION_COLUMNS`."""
    v = dict(zip(_VERSION, values, strict=False))
    for name in ("contact", "category_evidence", "attachment_paths", "topics"):
        v[name] = tuple(v[name])
    return NewVersion(**v)


def version_values(version: NewVersion) -> dict[str, Any]:
    """The version's columns, ready to insert."""
    return {name: getattr(version, name) for name in _VERSION}
