"""`IncomingMail` as JSON and back, exactly. For the reading child's answer and for the database.

The form follows the dataclasses: objects with the fields' names, tuples as arrays, times in ISO 8601
with their offset. Fields at their default are left out when writing and filled in when reading, so
that a mail stored by an earlier version is still read; unknown fields are ignored. Reading checks
every type, because the child that wrote it handled hostile bytes.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from mailbot.core.mail.model import IncomingMail


def to_json(mail: IncomingMail) -> str:
    """The mail as one line of JSON."""
    return json.dumps(_plain(mail), ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> IncomingMail:
    """The mail of `to_json`. Raises ValueError when the text is not one."""
    try:
        mail = _reader(IncomingMail)(json.loads(text))
    except (TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"not a mail: {error}") from error
    assert isinstance(mail, IncomingMail)
    return mail


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value):
        return {
            name: _plain(one)
            for name, default in _defaults(value.__class__)
            if (one := getattr(value, name)) != default
        }
    return value


_REQUIRED = object()


@cache
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (f.name, _REQUIRED if f.default is dataclasses.MISSING else f.default)
        for f in dataclasses.fields(kind)
    )


_Read = Callable[[Any], Any]


@cache
def _reader(kind: Any) -> _Read:
    """A function that turns parsed JSON into a value of the type, raising ValueError or TypeError."""
    if dataclasses.is_dataclass(kind):
        return _dataclass_reader(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _tuple_reader(arguments)
    if origin in (Union, types.UnionType):
        (inner,) = [a for a in arguments if a is not type(None)]
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if kind is datetime:
        return _moment
    return lambda value: _checked(value, kind)


def _dataclass_reader(kind: Any) -> _Read:
    hints = get_type_hints(kind)
    # Looked up when first used: nested types refer to one another.
    readers = {f.name: hints[f.name] for f in dataclasses.fields(kind)}

    def read(value: Any) -> Any:
        known = _checked(value, dict)
        return kind(**{n: _reader(t)(known[n]) for n, t in readers.items() if n in known})

    return read


def _tuple_reader(arguments: tuple[Any, ...]) -> _Read:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        one = _reader(arguments[0])
        return lambda value: tuple([one(v) for v in _checked(value, list)])
    readers = [_reader(a) for a in arguments]
    return lambda value: tuple(
        read(v) for read, v in zip(readers, _checked(value, list), strict=True)
    )


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(_checked(value, str))
    if moment.tzinfo is None:
        raise ValueError("a time without zone")
    return moment


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} expected, not {type(value).__name__}")
    return value
