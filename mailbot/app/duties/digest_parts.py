"""What the morning's digest lists, part by part. Of quarantined mail no word of content is shown;
titles elsewhere are those of mail whose content may be kept (`MailLine.titles`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailbot.app.answers import WITHHELD
from mailbot.app.duties.rulings import Ruling, rulings
from mailbot.app.letter_content import without_links
from mailbot.app.letter_records import (
    AnswerLine,
    AppealRow,
    DraftRow,
    DraftState,
    DutyState,
    MailLine,
    NewDuty,
    SentLetter,
)
from mailbot.app.ports import Reads
from mailbot.app.records import Binding, ItemRow, ItemState
from mailbot.core.duties.occurrence import Occurrence
from mailbot.core.intake.model import DecisionKind
from mailbot.core.letters.answers import AnswerKind
from mailbot.core.letters.office import DigestLine, DigestPart
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.units import unit_name

MOST = 50
"""Lines of a part; its total tells of all."""
MOST_OLD = 10
"""Of those that were told before."""
_LONGEST = 300
"""Characters of a subject that are looked at."""
STILL_OPEN = timedelta(days=30)
"""How long a returned item is recalled every morning."""

_RECEIPTS = (AnswerKind.ACKNOWLEDGEMENT.value, AnswerKind.REPEAT.value)
_OTHER = {
    AnswerKind.RETURN.value: "退回通知",
    AnswerKind.PENDING.value: "待核通知",
    AnswerKind.LIMIT.value: "回复上限通知",
    AnswerKind.SERVICE.value: "查询、申诉、帮助等来信的答复",
}


@dataclass(frozen=True, slots=True)
class News:
    """What came in and went out in a span of time."""

    mails: tuple[MailLine, ...]
    bounces: tuple[SentLetter, ...]
    answers: tuple[AnswerLine, ...]
    rulings: tuple[Ruling, ...] = ()

    @classmethod
    def of(cls, reads: Reads, office: str, since: datetime, until: datetime) -> News:
        return cls(
            tuple(reads.mail_lines(office, since, until)),
            tuple(reads.bounces(office, since, until)),
            tuple(reads.answer_lines(office, since, until)),
            tuple(rulings(reads, office, since, until)),
        )

    def marks(self) -> set[str]:
        """What tells each piece of news from every other."""
        return {
            *map(_mail_mark, self.mails),
            *map(_bounce_mark, self.bounces),
            *map(_answer_mark, self.answers),
            *(ruling.mark for ruling in self.rulings),
        }

    def without(self, told: frozenset[str]) -> News:
        return News(
            tuple(m for m in self.mails if _mail_mark(m) not in told),
            tuple(b for b in self.bounces if _bounce_mark(b) not in told),
            tuple(a for a in self.answers if _answer_mark(a) not in told),
            tuple(r for r in self.rulings if r.mark not in told),
        )

    def mails_of(self, kind: DecisionKind) -> list[MailLine]:
        return [mail for mail in self.mails if mail.kind == kind]


def _mail_mark(mail: MailLine) -> str:
    return f"mail:{mail.inbound_id}:{mail.kind}"


def _bounce_mark(letter: SentLetter) -> str:
    return f"bounce:{letter.id}"


def _answer_mark(answer: AnswerLine) -> str:
    return f"answer:{answer.sent.isoformat()}:{answer.recipient}:{answer.receipt}"


@dataclass(frozen=True, slots=True)
class Morning:
    """What a digest is made from, beside the books."""

    news: News
    since: datetime
    now: datetime
    due: tuple[Occurrence, ...]
    """Duties of today, also those that were done already, and of the next working day."""
    settled: Mapping[str, NewDuty] = field(default_factory=dict)
    """Of today's, by key."""


def parts_of(reads: Reads, book: OfficeBook, morning: Morning) -> tuple[DigestPart, ...]:
    """All parts, also the empty ones: a digest says what there was none of."""
    news, office = morning.news, book.info.id
    names = _Names(book, reads.bound_addresses(office))
    still_open = reads.open_items(office, None, morning.now - STILL_OPEN)
    returned = [item for item in still_open if item.state is ItemState.RETURNED]
    open_receipts = {item.receipt for item in returned}
    back = [
        mail for mail in news.mails_of(DecisionKind.RETURN) if open_receipts & set(mail.receipts)
    ]
    told = {receipt for mail in back for receipt in mail.receipts}
    earlier = [item for item in returned if item.receipt not in told]
    parts = [
        _part("收到", _received(news.mails_of(DecisionKind.ACCEPT), names)),
        _part("退回", [_stopped(mail, names) for mail in back]),
        _part("待核", [_stopped(m, names) for m in news.mails_of(DecisionKind.HOLD)], urgent=True),
        _part("隔离", map(_quarantined, news.mails_of(DecisionKind.QUARANTINE)), urgent=True),
        _part("退信", [_bounced(letter, names) for letter in news.bounces], urgent=True),
        _part("今天和下一个工作日到期", _due(reads, office, morning, names)),
        _part("通报办理", [ruling.line for ruling in news.rulings]),
        _part("待办", _tasks(reads, office), urgent=True),
        _part("此前退回未更正", [names.open_item(i) for i in earlier], most=MOST_OLD),
        _part("自动回执", [_receipt(a) for a in news.answers if a.kind in _RECEIPTS]),
        _part("其他自动信件", _others(news)),
    ]
    return tuple(parts)


def _part(
    title: str, lines: Iterable[DigestLine], *, urgent: bool = False, most: int = MOST
) -> DigestPart:
    every = tuple(lines)
    return DigestPart(title, every[:most], len(every), urgent and bool(every))


class _Names:
    """Units as the office calls them, by id or by an address of theirs."""

    def __init__(self, book: OfficeBook, bindings: Iterable[Binding]) -> None:
        self._roster = book.roster
        self._bound = {b.address: b.unit_id for b in bindings}

    def unit(self, unit_id: str | None) -> str:
        return unit_name(unit_id, self._roster) if unit_id else ""

    def sender(self, mail: MailLine) -> str:
        return self.unit(mail.unit_id) or mail.from_addr or "发件人不明"

    def reader(self, letter: SentLetter) -> str:
        unit_id = letter.unit_id or self._bound.get(letter.recipient.lower())
        if unit_id:
            return self.unit(unit_id)
        unit = self._roster.by_address(letter.recipient, day_of(letter.queued))
        return unit.name if unit is not None else ""

    def open_item(self, item: ItemRow) -> DigestLine:
        who = self.unit(item.unit_id) or item.version.unit_written or item.from_addr
        return DigestLine(item.received, f"{who}：{item.version.title or _UNTITLED}", item.receipt)


_UNTITLED = "（没有标题）"


# --- mail that came in --------------------------------------------------------------------------


def _received(mails: Sequence[MailLine], names: _Names) -> list[DigestLine]:
    """One line for each item."""
    lines = []
    for mail in mails:
        who = names.sender(mail)
        titles = mail.titles or ("",) * len(mail.receipts)
        for receipt, title in zip(mail.receipts, titles, strict=True):
            said = title or "此前已登记过，没有重复计数"
            lines.append(DigestLine(mail.received, f"{who}：{said}", receipt))
        if not mail.receipts:
            lines.append(DigestLine(mail.received, f"{who}：{_reasons(mail)}"))
    return lines


def _stopped(mail: MailLine, names: _Names) -> DigestLine:
    """Returned or held: who, what, why."""
    titles = "；".join(title for title in mail.titles if title)
    titles = titles or without_links(mail.subject[:_LONGEST]).strip() or _UNTITLED
    numbers = "、".join(mail.receipts)
    detail = f"{numbers}，{_reasons(mail)}" if numbers else _reasons(mail)
    return DigestLine(mail.received, f"{names.sender(mail)}：{titles}", detail)


def _quarantined(mail: MailLine) -> DigestLine:
    return DigestLine(mail.received, f"来自 {mail.from_addr or '不明邮箱'} 的来信", _reasons(mail))


def _reasons(mail: MailLine) -> str:
    return "；".join(reason.rstrip("。") for reason in mail.reasons) or "没有写明原因"


# --- letters that went out ----------------------------------------------------------------------


def _bounced(letter: SentLetter, names: _Names) -> DigestLine:
    unit = names.reader(letter)
    to = f"{unit}（{letter.recipient}）" if unit else letter.recipient
    sent = day_of(letter.finished or letter.queued)
    text = f"发给{to}的“{letter.subject}”没有送达"
    return DigestLine(letter.bounced, text, f"{sent.month}月{sent.day}日发出")


def _receipt(answer: AnswerLine) -> DigestLine:
    return DigestLine(answer.sent, answer.recipient, answer.receipt)


def _others(news: News) -> list[DigestLine]:
    """Only counted."""
    counts = Counter(a.kind for a in news.answers if a.kind not in _RECEIPTS)
    lines = [
        DigestLine(None, f"发出{_OTHER.get(kind, kind)} {number} 封")
        for kind, number in sorted(counts.items())
    ]
    asked = len(news.mails_of(DecisionKind.COMMAND))
    if asked:
        lines.append(DigestLine(None, f"收到查询、申诉、帮助、批复等来信 {asked} 封，按指令办理"))
    machines = len(news.mails_of(DecisionKind.IGNORE))
    if machines:
        lines.append(DigestLine(None, f"收到系统、广告等自动邮件（含退信）{machines} 封，没有回复"))
    return lines


# --- what waits ---------------------------------------------------------------------------------


def _due(reads: Reads, office: str, morning: Morning, names: _Names) -> list[DigestLine]:
    return [
        *(_draft(draft) for draft in reads.drafts(office, waiting=True)),
        *(_appeal(appeal, names) for appeal in reads.appeals(office, waiting=True)),
        *(_duty(one, morning.settled.get(one.key)) for one in morning.due),
    ]


def _draft(draft: DraftRow) -> DigestLine:
    waits = "等待审批" if draft.state is DraftState.DRAFT else "已批准，信件还没有发出"
    text = f"《{draft.title}》（第 {draft.id} 号草稿）{waits}"
    return DigestLine(draft.created, text, f"mailbot notices show {draft.id}")


def _appeal(appeal: AppealRow, names: _Names) -> DigestLine:
    about = appeal.new.about.replace("record:", "记录 ")
    text = f"{names.unit(appeal.new.unit_id)}对 {about} 的申诉（第 {appeal.id} 号）等待答复"
    return DigestLine(appeal.opened, text, f"mailbot appeals show {appeal.id}")


def _duty(occurrence: Occurrence, settled: NewDuty | None) -> DigestLine:
    about = occurrence.period.name if occurrence.period is not None else occurrence.about
    text = f"{occurrence.rule.name}（{about}）"
    if settled is None:
        return DigestLine(occurrence.due, text)
    became = "已办" if settled.state is DutyState.DONE else "不用办"
    return DigestLine(occurrence.due, f"{text}：{became}", settled.why.rstrip("。"))


def _tasks(reads: Reads, office: str) -> list[DigestLine]:
    waits = [
        DigestLine(created, text)
        for kind, text, created in reads.open_tasks(office)
        if kind != WITHHELD  # the line with their number says it
    ]
    if withheld := reads.withheld_answers(office):
        text = f"有 {withheld} 封信暂缓发送（来信较早，或数据库恢复以前可能已经发过），请决定发送还是作废"
        waits.append(DigestLine(None, text, "mailbot backlog"))
    return waits
