"""Rosters for the tests of this folder: the shipped one of otog, and ones made of names."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from mailbot.core.subject.roster import Roster, Unit, UnitName

ROOT = Path(__file__).resolve().parents[2]


def load(path: Path) -> tuple[Roster, dict[str, Any]]:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    units = tuple(
        Unit(
            id=u["id"],
            names=(UnitName(u["name"]), *(_alias(a) for a in u.get("aliases", []))),
            group=u["group"],
            addresses=tuple(u.get("addresses", [])),
            note=u.get("note", ""),
        )
        for u in data["unit"]
    )
    return Roster(units, tuple(data["prefixes"])), data


def _alias(raw: str | dict[str, Any]) -> UnitName:
    return UnitName(raw) if isinstance(raw, str) else UnitName(**raw)


@cache
def otog() -> Roster:
    return load(ROOT / "config/offices/otog/units.toml")[0]


@cache
def made_of(*names: str) -> Roster:
    """A roster without prefixes whose units are called (and identified by) the given names."""
    return Roster(tuple(Unit(n, (UnitName(n),), "g") for n in names))


@cache
def shipped_noise() -> tuple[str, ...]:
    """The noise words that otog ships."""
    path = ROOT / "config/offices/otog/subject.toml"
    return tuple(tomllib.loads(path.read_text(encoding="utf-8"))["convention"][0]["noise"])
