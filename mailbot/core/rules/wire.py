"""Standings and entries as JSON-able values and back, exactly. For seals, for `--json`, and for
whoever compares a printed table with the books years later.

Objects carry the fields' names, tuples are arrays, points are text (no digit may be lost to binary
fractions), days ISO 8601, periods their code (2026-Q3). Writing leaves nothing out. Reading fills
in what an earlier version did not write, passes over what a later one added, and raises ValueError
for anything else.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from mailbot.core.rules.entries import Entry, Standings
from mailbot.core.rules.periods import Period


def standings_json(standings: Standings) -> dict[str, Any]:
    return _object(standings)


def standings_from(data: dict[str, Any]) -> Standings:
    found = _read(Standings, data, "standings")
    assert isinstance(found, Standings)
    return found


def entry_json(entry: Entry) -> dict[str, Any]:
    return _object(entry)


def entry_from(data: dict[str, Any]) -> Entry:
    found = _read(Entry, data, "entry")
    assert isinstance(found, Entry)
    return found


def _object(value: Any) -> dict[str, Any]:
    return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}


def _plain(value: Any) -> Any:
    match value:
        case tuple():
            return [_plain(one) for one in value]
        case Period():
            return value.code
        case Enum():
            return value.value
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
    return _object(value) if dataclasses.is_dataclass(value) else value


def _read(kind: type, data: Any, name: str) -> Any:
    try:
        return _reader(kind)(data)
    except (TypeError, ValueError, InvalidOperation) as error:
        raise ValueError(f"not {name}: {error}") from error


_Reader = Callable[[Any], Any]


@cache
def _reader(kind: Any) -> _Reader:
    """Turns plain values into those of the type; raises ValueError, TypeError, InvalidOperation."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    if dataclasses.is_dataclass(kind):
        return _object_reader(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _array_reader(arguments)
    if origin in (Union, types.UnionType):
        (inner,) = (a for a in arguments if a is not types.NoneType)
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return lambda value: _checked(value, kind)


def _object_reader(kind: Any) -> _Reader:
    hints = get_type_hints(kind)
    readers = {f.name: _reader(hints[f.name]) for f in dataclasses.fields(kind)}

    def read(value: Any) -> Any:
        known = _checked(value, dict)
        return kind(**{name: one(known[name]) for name, one in readers.items() if name in known})

    return read


def _array_reader(arguments: tuple[Any, ...]) -> _Reader:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        one = _reader(arguments[0])
        return lambda value: tuple([one(v) for v in _checked(value, list)])
    readers = [_reader(a) for a in arguments]
    return lambda value: tuple(
        read(v) for read, v in zip(readers, _checked(value, list), strict=True)
    )


def _decimal(value: Any) -> Decimal:
    number = Decimal(_checked(value, str))
    if not number.is_finite():
        raise ValueError(f"{value} is no number of points")
    return number


_SCALARS: dict[Any, _Reader] = {
    Decimal: _decimal,
    date: lambda value: date.fromisoformat(_checked(value, str)),
    Period: lambda value: Period.parse(_checked(value, str)),
}


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} expected, not {type(value).__name__}")
    return value
