"""Loads an office's data: `config/offices/<office>/*.toml` to an `OfficeBook`.

Promises all or nothing: every fault of every file is collected and raised as one `OperatorFault`,
each with file, line, key, what was found and what was expected; a book that is returned is whole
and consistent. Most files are read by modules of their own. What the rules mean is the core's
business; the cases beside the rules (`cases/*.toml`) are no part of the book nor of its digest, the
letters (`letters.toml`) are part of the book only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import date
from hashlib import sha256
from pathlib import Path

from mailbot.adapters.offices.categoryfile import read_categories
from mailbot.adapters.offices.letterfile import read_letters
from mailbot.adapters.offices.letterwords import LetterWords
from mailbot.adapters.offices.noticefile import read_notices
from mailbot.adapters.offices.opening import open_source
from mailbot.adapters.offices.quotafile import read_quotas
from mailbot.adapters.offices.retentionfile import read_retention, without_retention
from mailbot.adapters.offices.ruletables import read_versions
from mailbot.adapters.offices.rulewords import Words
from mailbot.adapters.offices.scoringfile import read_scoring, read_terms
from mailbot.adapters.offices.tablereader import Table, TomlSource, nearest
from mailbot.adapters.offices.taskfile import read_tasks
from mailbot.adapters.offices.unitfile import ADDRESS, read_units
from mailbot.adapters.toml.file import read_bytes
from mailbot.app.errors import Fault, OperatorFault
from mailbot.core.duties.model import LetterBook
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.retention import Retention
from mailbot.core.rules.rulebook import (
    Categories,
    Convention,
    Elsewhere,
    Limits,
    OfficeBook,
    OfficeInfo,
    SenderPolicy,
)
from mailbot.core.rules.scorebook import Quota, Scoring
from mailbot.core.subject.model import FieldName

OFFICE = "office.toml"
FILES = (
    OFFICE,
    "units.toml",
    "subject.toml",
    "categories.toml",
    "quota.toml",
    "scoring.toml",
    "notices.toml",
)
"""All of them required."""
LETTERS = "letters.toml"
OPTIONAL = ("tasks.toml", LETTERS)


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
        if path.name not in (*FILES, *OPTIONAL):
            remedy = f"{nearest(path.name, (*FILES, *OPTIONAL))} 备份请改扩展名或移到别处"
            faults.append(Fault(str(path), "程序不读这个名字的文件", remedy))
    sources: dict[str, TomlSource] = {}
    for name in (*FILES, *OPTIONAL):
        where = str(directory / name)
        if name not in contents:
            if name in FILES and not (directory / name).exists():
                faults.append(Fault(where, "缺少这个文件", "从随附的样本复制一份再改"))
            continue
        try:
            sources[name] = open_source(contents[name], where)
        except OperatorFault as error:
            faults.extend(error.faults)
    book = _assemble(sources, _digest(contents))
    faults.extend(fault for source in sources.values() for fault in source.faults)
    if faults or book is None:
        raise OperatorFault(*faults)
    return book


def _digest(contents: dict[str, bytes]) -> str:
    """SHA-256 over names and bytes, lengths first so that no two sets of files share one.

    It says by which rules a mail was answered and a period reckoned. Letters decide no point and no
    answer: another hour for a reminder, or a new reader's address, must not look as if the rules of
    a sealed period had changed; nor does it matter there how long mail is kept.
    """
    digest = sha256()
    for name in sorted(contents.keys() - {LETTERS}):
        data = without_retention(contents[name]) if name == OFFICE else contents[name]
        for part in (name.encode(), data):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _assemble(sources: dict[str, TomlSource], digest: str) -> OfficeBook | None:
    """Reads every file that could be parsed, whatever is wrong with the others. None when one of
    them is missing; with faults the book is incomplete and must not be used."""
    office, units = sources.get(OFFICE), sources.get("units.toml")
    subject, classes = sources.get("subject.toml"), sources.get("categories.toml")
    info, limits, retention = _read_office(office) if office else (None, Limits(), Retention())
    groups, roster = read_units(units) if units else (None, None)
    conventions = _read_subject(subject) if subject else ()
    categories = read_categories(classes) if classes else ()
    words = Words(
        categories=_category_ids(categories),
        groups=[g.id for g in groups] if groups is not None else None,
        units=[u.id for u in roster.units] if roster is not None else None,
    )
    quotas, scoring = _read_rules(sources, words, categories)
    letters = _read_letters(sources, quotas, scoring)
    if info is None or roster is None:
        return None
    return OfficeBook(
        info,
        roster,
        conventions,
        categories,
        quotas,
        limits,
        digest,
        groups or (),
        scoring,
        letters,
        retention,
    )


def _read_rules(
    sources: dict[str, TomlSource], words: Words, categories: Sequence[Categories]
) -> tuple[tuple[Quota, ...], Scoring]:
    """Terms before quotas, quotas before rules: each speaks of what stands before it."""
    scores, quota = sources.get("scoring.toml"), sources.get("quota.toml")
    notices, tasks = sources.get("notices.toml"), sources.get("tasks.toml")
    terms = read_terms(scores) if scores else None
    if terms is not None:
        words = replace(words, journals=[j.id for j in terms.journals], levels=terms.levels)
    quotas = read_quotas(quota, words) if quota else ()
    if quota is not None:
        words = replace(words, quotas={q.id: q.remark_only for q in quotas})
    scoring = read_scoring(terms, words, categories) if terms is not None else Scoring()
    rankings = scoring.rankings if terms is not None else None
    lists = read_notices(notices, words, rankings) if notices else ()
    return quotas, replace(scoring, lists=lists, tasks=read_tasks(tasks) if tasks else ())


def _read_letters(
    sources: dict[str, TomlSource], quotas: Sequence[Quota], scoring: Scoring
) -> LetterBook:
    """Last of all: letters speak of quotas, lists and columns, and nothing speaks of letters."""
    source = sources.get(LETTERS)
    if source is None:
        return LetterBook()
    scored = "scoring.toml" in sources
    words = LetterWords(
        quotas={q.id: q.period for q in quotas} if "quota.toml" in sources else None,
        lists={one.id: one.periods for one in scoring.lists} if "notices.toml" in sources else None,
        columns=[c.id for r in scoring.rankings for c in r.columns] if scored else None,
        settles=scoring.settles if scored and not sources["scoring.toml"].faults else None,
    )
    return read_letters(source, words)


def _category_ids(versions: Sequence[Categories]) -> tuple[str, ...] | None:
    """Of all versions: what was once a category may be named by a rule of that time."""
    return tuple({c.id: None for v in versions for c in v.categories}) or None


# --- office.toml ------------------------------------------------------------------------------

_PREFIX = re.compile(r"[A-Z]{2,6}")


def _read_office(source: TomlSource) -> tuple[OfficeInfo, Limits, Retention]:
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
    retention = read_retention(root)
    root.close()
    return info, limits, retention


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
