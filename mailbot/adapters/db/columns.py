"""Column types that hold the store's promises about values.

* Times go in aware and are kept in UTC; they come out aware, in Asia/Shanghai.
* Text holds neither NUL (PostgreSQL refuses it) nor lone surrogates (no encoding takes them).
  `core.mail` promises both; one that arrives here is our bug and is refused before any SQL runs.
* Text that others wrote and mails are looked up by (`KeyText`) is cut short where it is absurdly
  long, for an index of PostgreSQL refuses it.
* Lists and objects are kept as JSON text, the same on every database.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

from mailbot.adapters.system import SHANGHAI


def checked(text: str) -> str:
    """The text unchanged. Raises ValueError, without quoting it, when it cannot be stored."""
    if "\x00" in text:
        raise ValueError("text with NUL reached the store")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("text with a lone surrogate reached the store") from None
    return text


def _check_deep(value: Any) -> None:
    if isinstance(value, str):
        checked(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_deep(key)
            _check_deep(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_deep(inner)


class CleanText(TypeDecorator[str]):
    """Text of any length, checked. An enum member is kept as its value."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else checked(str(value))


KEY_BYTES = 1_000
"""No address, title or Message-ID that is meant is longer. A row of an index holds 2,700."""
_KEY_SHOWN = 80


class KeyText(CleanText):
    """Text that is looked up by. One that is too long becomes its beginning and a digest, whether
    stored or looked for: equal stays equal, different stays different."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        text = super().process_bind_param(value, dialect)
        if text is None or len(text) * 4 <= KEY_BYTES:
            return text
        raw = text.encode()
        if len(raw) <= KEY_BYTES:
            return text
        return f"{text[:_KEY_SHOWN]}… sha256:{sha256(raw).hexdigest()}"


class UtcTime(TypeDecorator[datetime]):
    """A moment. Refuses naive times, and those whose Shanghai wall time no datetime can hold."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone reached the store")
        try:
            utc = value.astimezone(UTC)
            utc.astimezone(SHANGHAI)
        except OverflowError:
            raise ValueError("a time outside the calendar reached the store") from None
        # SQLite keeps text: always UTC and with microseconds, so that it sorts as time does.
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(SHANGHAI)


class JsonText(TypeDecorator[Any]):
    """A JSON list or object as readable UTF-8 text. Tuples come back as lists."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        _check_deep(value)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)
