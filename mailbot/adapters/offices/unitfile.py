"""Reads `units.toml`: groups, units with their dated names, contacts and bound addresses.

Schema: `prefixes`; `[[group]] id, name, basis`; `[[unit]] id, name, aliases = [text or {text,
start?, end?}], group, earlier_groups? = [{group, end}], note?, addresses?, recommender?, start?,
end?` with `[[unit.contact]] role, name?, phone?, address?, start?, end?`. Beside the shapes it
refuses what would make a reading ambiguous: one name or one address that belongs to two units on
the same day. A contact's address that is none is no fault: the person cannot be written to, which
`rules check`, every draft and every summary say, and everybody else still can.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from mailbot.adapters.offices.ruletables import read_basis
from mailbot.adapters.offices.tablereader import STAND_IN_DATE, Table, TomlSource, nearest
from mailbot.core.rules.rulebook import Group
from mailbot.core.subject.roster import Contact, EarlierGroup, Roster, Unit, UnitName

ROLES = ("liaison", "head", "deputy", "counterpart")
SHORTEST_NAME = 2
"""Characters. A name of one would be found inside every subject line."""
ADDRESS = re.compile(r"[^@\s<>,;，；]+@[^@\s<>,;，；]+\.[^@\s<>,;，；]+")


def read_units(source: TomlSource) -> tuple[tuple[Group, ...], Roster]:
    root = source.root()
    prefixes = root.texts("prefixes")
    groups = _read_groups(root)
    claims = _Claims(prefixes)
    units: list[Unit] = []
    recommended: list[tuple[Table, Unit]] = []
    for table in root.tables("unit"):
        unit = _read_unit(table, [g.id for g in groups], claims)
        if unit.id and unit.id in {u.id for u in units}:
            table.fault("id", f"单位标识“{unit.id}”写了两次", "每个单位的 id 各不相同")
        units.append(unit)
        if unit.recommender:
            recommended.append((table, unit))
    root.close()
    for table, unit in recommended:
        _check_recommender(table, unit, units)
    return groups, Roster(tuple(units), prefixes)


def _read_groups(root: Table) -> tuple[Group, ...]:
    groups: list[Group] = []
    for table in root.tables("group", required=True):
        group = Group(table.identifier("id"), table.text("name"), read_basis(table))
        table.close()
        for key, value in (("id", group.id), ("name", group.name)):
            if value and value in [getattr(g, key) for g in groups]:
                table.fault(key, f"“{value}”写了两次", "每个组只写一次")
        groups.append(group)
    return tuple(groups)


def _read_unit(table: Table, groups: list[str], claims: _Claims) -> Unit:
    start, end = _read_span(table)
    name = table.text("name")
    group = table.identifier("group")
    if group and group not in groups:
        table.fault("group", f"没有这个组“{group}”", nearest(group, groups))
    unit = Unit(
        id=table.identifier("id"),
        names=(UnitName(name), *_read_aliases(table)),
        group=group,
        contacts=tuple(read_contact(c) for c in table.tables("contact")),
        addresses=tuple(_address(table, "addresses", a) for a in table.texts("addresses")),
        start=start,
        end=end,
        note=table.text("note", ""),
        recommender=table.text("recommender", ""),
        earlier_groups=_read_earlier_groups(table, groups),
    )
    table.close()
    _claim_all(table, unit, claims)
    return unit


def _read_earlier_groups(table: Table, groups: list[str]) -> tuple[EarlierGroup, ...]:
    """Where a unit changed groups: what was judged before stays as it was."""
    found: list[EarlierGroup] = []
    for number, value in enumerate(table.list_of("earlier_groups"), 1):
        label = f"{table.label} earlier_groups 第 {number} 项"
        if not isinstance(value, dict):
            example = "{ group = “原来的组”, end = 2026-09-30 }"
            table.fault("earlier_groups", f"第 {number} 项不是一个表", f"写成 {example}")
            continue
        inner = Table(table.source, value, (*table.path, "earlier_groups"), label)
        group, end = inner.identifier("group"), inner.day("end")
        inner.close()
        if group and group not in groups:
            inner.fault("group", f"没有这个组“{group}”", nearest(group, groups))
        if found and end != STAND_IN_DATE and end <= found[-1].end:
            inner.fault("end", f"{end} 不晚于前一项的 {found[-1].end}", "按时间先后写")
        found.append(EarlierGroup(group, end))
    return tuple(found)


def _check_recommender(table: Table, unit: Unit, units: list[Unit]) -> None:
    """A unit of the roster is named by its id, so that points can be booked to it; a name that
    looks like an id and is none is a slip."""
    word = unit.recommender
    named = next((u for u in units if word in [n.text for n in u.names]), None)
    if word == unit.id:
        table.fault("recommender", "写的是它自己", "写推荐单位的 id 或名称")
    elif word in [u.id for u in units]:
        return
    elif named is not None:
        table.fault("recommender", f"“{word}”在名册里", f"写它的 id：{named.id}")
    elif word.isascii():
        table.fault("recommender", f"没有这个单位“{word}”", nearest(word, [u.id for u in units]))


def _read_span(table: Table) -> tuple[date | None, date | None]:
    start, end = table.maybe_day("start"), table.maybe_day("end")
    if start and end and end < start:
        table.fault("end", f"结束 {end} 早于开始 {start}", "改正日期（结束日当天仍有效）")
    return start, end


def _read_aliases(table: Table) -> list[UnitName]:
    names: dict[UnitName, None] = {}
    for number, value in enumerate(table.list_of("aliases"), 1):
        if isinstance(value, dict):
            label = f"{table.label} aliases 第 {number} 项"
            inner = Table(table.source, value, (*table.path, "aliases"), label)
            start, end = _read_span(inner)
            names.setdefault(UnitName(inner.text("text"), start, end))
            inner.close()
        else:
            for text in table.each_text("aliases", [value], number):
                names.setdefault(UnitName(text))
    return list(names)


def read_contact(table: Table) -> Contact:
    start, end = _read_span(table)
    address = table.text("address", "")
    contact = Contact(
        role=table.choice("role", ROLES),
        name=table.text("name", ""),
        phone=table.text("phone", ""),
        address=address.lower(),
        start=start,
        end=end,
    )
    table.close()
    return contact


def _address(table: Table, key: str, value: str) -> str:
    """Lower case: addresses are compared without case."""
    if not ADDRESS.fullmatch(value):
        table.fault(key, f"“{value}”不是邮箱地址", "例如 nongmuju@163.com，每项一个地址")
    return value.lower()


# --- one name, one unit -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Claim:
    unit: Unit
    text: str
    start: date
    end: date


class _Claims:
    """Who holds which name and address when. Names are compared as a reader of subjects does:
    without widths, case, spaces, and without a place prefix before them."""

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        self._prefixes = tuple(p for p in map(_fold, prefixes) if p)
        self._held: dict[str, list[_Claim]] = {}

    def is_prefix(self, name: str) -> bool:
        return _fold(name) in self._prefixes

    def claim(self, unit: Unit, text: str, start: date | None, end: date | None) -> _Claim | None:
        """Notes the claim; returns another unit's claim on the same name and day, if any."""
        begins = max(start or date.min, unit.start or date.min)
        ends = min(end or date.max, unit.end or date.max)
        mine = _Claim(unit, text, begins, ends)
        rival = None
        for key in self._keys(_fold(text)):
            for other in self._held.setdefault(key, []):
                if other.unit is not unit and other.start <= ends and begins <= other.end:
                    rival = rival or other
            self._held[key].append(mine)
        return rival

    def _keys(self, name: str) -> set[str]:
        """The name, and what is left of it behind any chain of prefixes."""
        keys, rest = {name}, [name]
        while rest:
            text = rest.pop()
            for prefix in self._prefixes:
                shorter = text.removeprefix(prefix)
                if len(shorter) >= SHORTEST_NAME and shorter not in keys:
                    keys.add(shorter)
                    rest.append(shorter)
        return keys


def _claim_all(table: Table, unit: Unit, claims: _Claims) -> None:
    for index, name in enumerate(unit.names):
        key = "aliases" if index else "name"
        if not name.text:
            continue
        if len(name.text) < SHORTEST_NAME:
            table.fault(key, f"名称“{name.text}”太短", "至少两个字，否则每个主题里都会认出它")
        if claims.is_prefix(name.text):
            table.fault(key, f"“{name.text}”同时是地名前缀 prefixes", "从一处删掉")
        if rival := claims.claim(unit, name.text, name.start, name.end):
            found = f"“{name.text}”同一天也是 {_who(rival.unit)} 的名称“{rival.text}”"
            table.fault(key, found, "一个名称一天只能属于一个单位；换说法，或用 start、end 分开")
    spans: dict[str, tuple[date | None, date | None]] = dict.fromkeys(unit.addresses, (None, None))
    for contact in unit.contacts:
        if contact.address:
            spans.setdefault(contact.address, (contact.start, contact.end))
    for address, (start, end) in spans.items():
        if rival := claims.claim(unit, address, start, end):
            found = f"邮箱 {address} 同一天也绑定给 {_who(rival.unit)}"
            table.fault("addresses", found, "一个邮箱一天只能绑定一个单位")


def _who(unit: Unit) -> str:
    return f"{unit.name}（{unit.id}）" if unit.id else unit.name


def _fold(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())
