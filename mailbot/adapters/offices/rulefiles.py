"""Loads an office's data: `config/offices/<office>/*.toml` to an `OfficeBook`.

Promises all or nothing: every fault of every file is collected and raised as one `OperatorFault`,
each with file, line, key, what was found and what was expected; a book that is returned is whole
and consistent. `units.toml` and `categories.toml` are read by modules of their own. What the rules mean is the core's
business, cases and scoring come with their own files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date
from hashlib import sha256
from pathlib import Path

from mailbot.adapters.offices.categoryfile import read_categories
from mailbot.adapters.offices.ruletables import read_versions
from mailbot.adapters.offices.tablereader import Table, TomlSource, nearest
from mailbot.adapters.offices.unitfile import ADDRESS, read_units
from mailbot.adapters.toml.file import decode, parse_text, read_bytes
from mailbot.app.errors import Fault, OperatorFault
from mailbot.core.rules.rulebook import (
    Basis,
    Convention,
    Elsewhere,
    Limits,
    OfficeBook,
    OfficeInfo,
    Quota,
    SenderPolicy,
)
from mailbot.core.subject.model import FieldName

FILES = ("office.toml", "units.toml", "subject.toml", "categories.toml", "quota.toml")
"""All of them required."""
MOST_PER_MONTH = 10_000
"""A larger number is a slip of the finger."""


def load_offices(root: Path, names: Sequence[str]) -> dict[str, OfficeBook]:
    """The named offices (folders of `root`) by name. Raises one `OperatorFault` for all."""
    books: dict[str, OfficeBook] = {}
    faults: list[Fault] = []
    for name in dict.fromkeys(names):
        if not (root / name).is_dir():
            known = [p.name for p in root.iterdir() if p.is_dir()] if root.is_dir() else []
            faults.append(Fault(str(root / name), "没有这个单位的文件夹", nearest(name, known)))
            continue
        try:
            books[name] = load_office(root / name)
        except OperatorFault as error:
            faults.extend(error.faults)
    faults.extend(_across_offices(root, books))
    if faults:
        raise OperatorFault(*faults)
    return books


def _across_offices(root: Path, books: dict[str, OfficeBook]) -> Iterable[Fault]:
    prefixes: dict[str, str] = {}
    for name, book in books.items():
        where = f"{root / name / 'office.toml'} [office]"
        if book.info.id != name:
            found = f"id 是“{book.info.id}”，文件夹叫“{name}”"
            yield Fault(f"{where} id", found, "两处写成一样")
        first = prefixes.setdefault(book.info.receipt_prefix, name)
        if first != name:
            found = f"回执号开头 {book.info.receipt_prefix} 已由 {first} 使用"
            yield Fault(f"{where} receipt_prefix", found, "换一个，不同单位的回执号不能混")


def load_office(directory: Path) -> OfficeBook:
    """One office's book. Raises one `OperatorFault` with everything that is wrong."""
    faults: list[Fault] = []
    contents: dict[str, bytes] = {}
    if not directory.is_dir():
        raise OperatorFault(Fault(str(directory), "没有这个文件夹", "核对单位文件夹的名字"))
    for path in sorted(directory.glob("*.toml"), key=lambda p: p.name):
        if path.name.startswith((".", "~")):
            continue  # what editors and network shares leave behind
        try:
            contents[path.name] = read_bytes(path)
        except OperatorFault as error:
            faults.extend(error.faults)
        if path.name not in FILES:
            remedy = f"{nearest(path.name, FILES)} 备份请改扩展名或移到别处"
            faults.append(Fault(str(path), "程序不读这个名字的文件", remedy))
    sources: dict[str, TomlSource] = {}
    for name in FILES:
        where = str(directory / name)
        if name not in contents:
            if not (directory / name).exists():
                faults.append(Fault(where, "缺少这个文件", "从随附的样本复制一份再改"))
            continue
        try:
            text = decode(contents[name], where)
            sources[name] = TomlSource(where, parse_text(text, where), text)
        except OperatorFault as error:
            faults.extend(error.faults)
    book = _assemble(sources, _digest(contents))
    faults.extend(fault for source in sources.values() for fault in source.faults)
    if faults or book is None:
        raise OperatorFault(*faults)
    return book


def _digest(contents: dict[str, bytes]) -> str:
    """SHA-256 over names and bytes, lengths first so that no two sets of files share one."""
    digest = sha256()
    for name in sorted(contents):
        for part in (name.encode(), contents[name]):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _assemble(sources: dict[str, TomlSource], digest: str) -> OfficeBook | None:
    """Reads every file that could be parsed, whatever is wrong with the others. None when one of
    them is missing; with faults the book is incomplete and must not be used."""
    office, units = sources.get("office.toml"), sources.get("units.toml")
    subject, quota = sources.get("subject.toml"), sources.get("quota.toml")
    classes = sources.get("categories.toml")
    info, limits = _read_office(office) if office else (None, Limits())
    groups, roster = read_units(units) if units else (None, None)
    conventions = _read_subject(subject) if subject else ()
    categories = read_categories(classes) if classes else ()
    group_ids = [g.id for g in groups] if groups is not None else None
    unit_ids = [u.id for u in roster.units] if roster is not None else None
    quotas = _read_quotas(quota, group_ids, unit_ids) if quota else ()
    if info is None or roster is None:
        return None
    return OfficeBook(info, roster, conventions, categories, quotas, limits, digest, groups or ())


# --- office.toml ------------------------------------------------------------------------------

_PREFIX = re.compile(r"[A-Z]{2,6}")


def _read_office(source: TomlSource) -> tuple[OfficeInfo, Limits]:
    root = source.root()
    table = root.table("office")
    prefix = table.text("receipt_prefix")
    if prefix and not _PREFIX.fullmatch(prefix):
        table.fault(
            "receipt_prefix", f"“{prefix}”不能作回执号开头", "二至六个大写英文字母，例如 EQ"
        )
    mailbox = table.text("mailbox", "")
    if mailbox and not ADDRESS.fullmatch(mailbox):
        table.fault("mailbox", f"“{mailbox}”不是邮箱地址", "例如 xinxi@163.com")
    info = OfficeInfo(
        id=table.identifier("id"),
        name=table.text("name"),
        signature=table.text("signature"),
        phone=table.text("phone"),
        receipt_prefix=prefix,
        mailbox=mailbox,
        urgent_lane=table.flag("urgent_lane"),
    )
    table.close()
    limits = _read_limits(root.table("limits")) if "limits" in root.data else Limits()
    root.close()
    return info, limits


_LEAST = {"correction_days": 0, "duplicate_days": 0}
"""The other limits are counts of letters: 0 would silence the office, which `mailbot.toml` does."""


def _read_limits(table: Table) -> Limits:
    numbers = {
        f.name: table.number(
            f.name, getattr(Limits(), f.name), least=_LEAST.get(f.name, 1), most=100_000
        )
        for f in fields(Limits)
    }
    table.close()
    return Limits(**numbers)


# --- subject.toml -----------------------------------------------------------------------------


def _read_subject(source: TomlSource) -> tuple[Convention, ...]:
    root = source.root()
    conventions = read_versions(root, "convention", _read_convention)
    root.close()
    return conventions


def _read_convention(table: Table, start: date, basis: Basis) -> Convention:
    required = table.texts("required", required=True)
    known = [f.value for f in FieldName]
    for name in required:
        if name not in known:
            table.fault("required", f"不认识“{name}”", nearest(name, known))
    return Convention(
        start=start,
        basis=basis,
        required=tuple(FieldName(name) for name in required if name in known),
        elsewhere=Elsewhere(table.choice("elsewhere", Elsewhere)),
        senders=SenderPolicy(table.choice("senders", SenderPolicy)),
        example=table.text("example"),
        noise=table.texts("noise"),
    )


# --- quota.toml -------------------------------------------------------------------------------


def _read_quotas(
    source: TomlSource, groups: Sequence[str] | None, units: Sequence[str] | None
) -> tuple[Quota, ...]:
    """`groups` and `units` are the known ids; None when `units.toml` could not be read, then
    their names cannot be checked."""

    def read(table: Table, start: date, basis: Basis) -> Quota:
        numbers = table.table("per_month")
        per_month = {key: numbers.number(key, least=0, most=MOST_PER_MONTH) for key in numbers.data}
        if groups is not None and units is not None:
            known = (*groups, *units)
            for key in per_month:
                if key not in known:
                    numbers.fault(key, f"没有这个组或单位“{key}”", nearest(key, known))
            for group in groups:
                if group not in per_month and not numbers.stand_in:
                    numbers.fault(
                        group, f"没有组“{group}”的条数", f"补上：{group} = 条数（没有任务写 0）"
                    )
        return Quota(start, basis, per_month)

    root = source.root()
    quotas = read_versions(root, "quota", read)
    root.close()
    return quotas
