"""Reads `letters.toml`: which letters the office sends of its own accord, when, to whom.

Schema: `[people] staff?, approvers?`, `[[people.reader]] name, title?, address?, phone?`;
`[[letter]] id, name, kind, from, basis, stages` and what its kind looks at (`KEYS`); `[[left]]`. A
stage is `{ id, days, at, to }`. Documents are `letterdocument`'s business, when a stage is due that
of `core.duties.schedule`. A key that the kind of letter does not look at is refused, or it would
seem to do something.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.adapters.offices.letterdocument import read_document, read_own
from mailbot.adapters.offices.letterwords import (
    PERIOD_NAMES,
    LetterWords,
    address,
    check_braces,
    roles,
)
from mailbot.adapters.offices.ruletables import read_basis, read_left
from mailbot.adapters.offices.tablereader import STAND_IN_DATE, Table, TomlSource, nearest
from mailbot.core.duties.model import (
    SMS_WORDS,
    DutyKind,
    LetterBook,
    LetterRule,
    NewsMode,
    Part,
    Reader,
    Stage,
)
from mailbot.core.rules.periods import PeriodKind

KEYS: dict[DutyKind, tuple[str, ...]] = {
    DutyKind.REMINDER: ("quota", "thanks"),
    DutyKind.RESULT: ("quota", "thanks"),
    DutyKind.NOTICE: (
        *("period", "document", "own", "to", "readers"),
        *("seals", "skip_empty", "auto_approve", "sms"),
    ),
    DutyKind.TASKS: (),
    DutyKind.COMMISSIONS: (),
    DutyKind.DIGEST: (),
    DutyKind.NEWS: ("news",),
}
"""What each kind looks at, beside what every letter has."""
SPECIAL = tuple(dict.fromkeys(key for keys in KEYS.values() for key in keys))

BY_DAY = (DutyKind.DIGEST, DutyKind.NEWS)
"""Sent on days of their own: a stage has no `days`."""
STAGED_TO = (DutyKind.REMINDER, DutyKind.RESULT, DutyKind.TASKS, DutyKind.COMMISSIONS)
"""Each stage says to whom. A notice says it once, for all of it."""
ONCE = (DutyKind.NOTICE, *BY_DAY)

WORKING_DAYS = {
    PeriodKind.WEEK: 4,
    PeriodKind.MONTH: 15,
    PeriodKind.QUARTER: 50,
    PeriodKind.HALF: 110,
    PeriodKind.YEAR: 230,
}
"""About as many as the shortest such period has: a reminder farther back would be due before it."""
FARTHEST = 60
"""Working days after a period, or around a due day. More is a slip of the finger."""
LONGEST_SMS = 300
"""Characters. Four text messages in one; more is a letter."""


def read_letters(source: TomlSource, words: LetterWords) -> LetterBook:
    root = source.root()
    book = _people(root.table("people")) if "people" in root.data else LetterBook()
    letters: list[LetterRule] = []
    for table in root.tables("letter"):
        letter = _letter(table, words)
        if letter.id and letter.id in {one.id for one in letters}:
            table.fault("id", f"信件“{letter.id}”写了两次", "每种信件的 id 各不相同")
        if letter.readers and not book.readers:
            found = "没有写单位以外的收件人"
            table.fault("readers", found, "加上 [[people.reader]]，或删掉 readers")
        if letter.seals and any(one.seals for one in letters):
            table.fault("seals", "已有一种通报封账", "只由一种通报封账，从另一处删掉")
        letters.append(letter)
    if book.readers and letters and not any(one.readers for one in letters):
        found = "没有一种通报写 readers = true，不会发给他们"
        root.table("people").fault("reader", found, "在通报里加上 readers = true，或删掉")
    left = read_left(root)
    root.close()
    return replace(book, letters=tuple(letters), left=left)


# --- people -----------------------------------------------------------------------------------


def _people(table: Table) -> LetterBook:
    book = LetterBook(
        staff=_addresses(table, "staff"),
        approvers=_addresses(table, "approvers"),
        readers=tuple(_reader(inner) for inner in table.tables("reader")),
    )
    seen: set[str] = set()
    for reader in book.readers:
        if reader.address and reader.address.lower() in seen:
            table.fault("reader", f"邮箱 {reader.address} 写了两次", "一个邮箱只写一次")
        seen.add(reader.address.lower())
    table.close()
    return book


def _addresses(table: Table, key: str) -> tuple[str, ...]:
    """Each once, whatever its case."""
    found: dict[str, str] = {}
    for number, one in enumerate(table.texts(key), 1):
        found.setdefault(one.lower(), address(table, f"{key} 第 {number} 项", one))
    return tuple(found.values())


def _reader(table: Table) -> Reader:
    written = table.text("address", "")
    reader = Reader(
        name=table.text("name"),
        title=table.text("title", ""),
        address=address(table, "address", written) if written else "",
        phone=table.text("phone", ""),
    )
    table.close()
    return reader


# --- letters ----------------------------------------------------------------------------------


def _letter(table: Table, words: LetterWords) -> LetterRule:
    kind = DutyKind(table.choice("kind", DutyKind))
    known_kind = table.data.get("kind") == kind.value
    letter = LetterRule(
        id=table.identifier("id"),
        kind=kind,
        name=table.text("name"),
        basis=read_basis(table),
        start=table.recent_day("from") or STAND_IN_DATE,
        stages=(),
    )
    if not known_kind:
        table.forgive()  # what it should hold depends on the kind
        return letter
    wanted = KEYS[kind]
    for key in SPECIAL:
        if key in table.data and key not in wanted:
            options = "、".join(("id", "name", "from", "basis", "stages", *wanted))
            what = f"{kind.value} 一类的信件不看 {key}"
            table.fault(key, what, f"删掉；可写的有：{options}")
    table.offer(*SPECIAL)
    if "quota" in wanted:
        letter = _of_quota(table, letter, words)
    elif kind is DutyKind.NOTICE:
        letter = _notice(table, letter, words)
    elif kind is DutyKind.NEWS:
        letter = replace(letter, news=NewsMode(table.choice("news", NewsMode)))
    letter = replace(letter, stages=_stages(table, kind, letter.period))
    table.close()
    return letter


def _of_quota(table: Table, letter: LetterRule, words: LetterWords) -> LetterRule:
    quota = table.text("quota")
    if quota and words.quotas is not None and quota not in words.quotas:
        table.fault("quota", f"没有这项报送任务“{quota}”", nearest(quota, words.quotas))
    period = (words.quotas or {}).get(quota)
    return replace(letter, quota=quota, period=period, thanks=table.flag("thanks"))


def _notice(table: Table, letter: LetterRule, words: LetterWords) -> LetterRule:
    written = PeriodKind(table.choice("period", PeriodKind))
    period = written if table.data.get("period") == written.value else None
    sms = check_braces(table, "sms", table.text("sms", "", longest=LONGEST_SMS), SMS_WORDS)
    letter = replace(
        letter,
        period=period,
        document=read_document(table.table("document"), period, words),
        own=read_own(table, period, words),
        to=roles(table, "to"),
        readers=table.flag("readers"),
        seals=table.flag("seals"),
        skip_empty=table.flag("skip_empty"),
        auto_approve=table.flag("auto_approve"),
        sms=sms,
    )
    _check_seal(table, letter, words)
    if letter.skip_empty and not _has_lists(letter) and not table.stand_in:
        found = '正文和附件里没有名单（part = "lists"），不知道什么时候算没有内容'
        table.fault("skip_empty", found, "删掉 skip_empty，或加上名单")
    return letter


def _check_seal(table: Table, letter: LetterRule, words: LetterWords) -> None:
    if not letter.seals:
        return
    if letter.period and words.settles and letter.period is not words.settles:
        settled, own = PERIOD_NAMES[words.settles], PERIOD_NAMES[letter.period]
        found = f"账按{settled}封（scoring.toml 的 settles），这份通报是{own}的"
        table.fault("seals", found, "删掉 seals，写到按同一时段出的通报里")
    if letter.skip_empty:
        found = "封账的通报又写了 skip_empty：名单没有人的时段就不会封账"
        table.fault("skip_empty", found, "从两项里删掉一项")


def _has_lists(letter: LetterRule) -> bool:
    document = letter.document
    parts = (*document.sections, *document.annexes) if document else ()
    return any(section.part is Part.LISTS for section in parts)


# --- stages -----------------------------------------------------------------------------------


def _stages(table: Table, kind: DutyKind, period: PeriodKind | None) -> tuple[Stage, ...]:
    found: list[Stage] = []
    last: Stage | None = None
    tables = table.tables("stages", required=True)
    if kind in ONCE and len(tables) > 1:
        table.fault("stages", f"{kind.value} 一类的信件写了 {len(tables)} 次", "只写一次")
    for inner in tables:
        before = len(table.source.faults)
        stage = _stage(inner, kind, period)
        if stage.id and stage.id in {s.id for s in found}:
            inner.fault("id", f"“{stage.id}”写了两次", "一种信件里每次的 id 各不相同")
        found.append(stage)
        if len(table.source.faults) > before:
            continue  # its day or hour is a stand-in
        if last is not None and (stage.days, stage.at) <= (last.days, last.at):
            what = f"比前一次（{last.id}）早，或是同一时刻"
            inner.fault("days", what, "从早到晚写：days 从小到大，同一天的 at 从早到晚")
        last = stage
    return tuple(found)


def _stage(table: Table, kind: DutyKind, period: PeriodKind | None) -> Stage:
    stage = Stage(
        id=table.identifier("id"),
        days=_days(table, kind, period),
        at=table.time_of_day("at"),
        to=_to(table, kind),
    )
    table.close()
    return stage


def _days(table: Table, kind: DutyKind, period: PeriodKind | None) -> int:
    if kind in BY_DAY:
        _refuse(table, "days", f"{kind.value} 一类的信件不数工作日", "删掉，只写 id 和 at")
        return 0
    if kind is DutyKind.REMINDER:
        least = -(WORKING_DAYS[period] if period else max(WORKING_DAYS.values()))
        return table.number("days", least=least, most=0)
    if kind in (DutyKind.RESULT, DutyKind.NOTICE):
        return table.number("days", least=1, most=FARTHEST)
    return table.number("days", least=-FARTHEST, most=FARTHEST)


def _to(table: Table, kind: DutyKind) -> tuple[str, ...]:
    if kind in STAGED_TO:
        if "to" not in table.data and not table.stand_in:
            expected = '写给谁，例如 to = ["liaison"]；只发给本室的写 to = []'
            table.fault("to", "缺少 to", expected)
        return roles(table, "to", copies=True)
    if kind is DutyKind.NEWS:  # left out: the submitter (else the liaison) and the head
        return roles(table, "to")
    where = "收件人写在 [[letter]] 的 to" if kind is DutyKind.NOTICE else "简报只发给本室"
    _refuse(table, "to", where, "从这里删掉")
    return ()


def _refuse(table: Table, key: str, found: str, expected: str) -> None:
    table.offer(key)
    if key in table.data:
        table.fault(key, found, expected)
