"""What a mail asks of the bot, told apart from every submission. Pure reading; whether it is done
is not decided here.

A *request* stands in the subject alone. Reply prefixes (`Re:`, 答复：) and brackets or punctuation
around it are passed over, full width is half width; a forwarded or automatic mail asks for nothing.
The whole of what is left must be one of

    查询                     the running month
    查询 PERIOD              2026年8月, 8月, 上月, 2026-08, 三季度, 2026年上半年, 2026 ...
    查询 NUMBER ...          NUMBER is a receipt number of ours
    申诉 NUMBER ...          whatever follows the number is part of the reason
    申诉 记录N ...           also record:N, 第N号记录
    帮助

optionally after 请, 我要, 我想, 申请, and before a closed list of courtesies (情况, 得分, 谢谢 ...).
Where instead of PERIOD or NUMBER something made only of digits, Latin letters and the characters of
periods stands (查询 2026年13月, 申诉 0012), it is a request whose target cannot be read, so that its
sender is told. Anything else, such as 查询系统上线 or 教体局+查询平台+王甲+13900000000, is none.

A *ruling* answers a draft: a code (XXXX-XXXX) stands in the subject, else anywhere in the body, and
the first line that its author wrote above the quoted mail opens with 批准 or 同意, or with 退回,
不同意, 不批准 or 驳回 and a reason. With 批准 may stand a document number and a date, nothing else:
an approval with a reservation is none (`approves` is None). A mail with a code and no such line is
read as a silent ruling, when it is nothing else.

A *supplement* answers our letters about an appeal: its subject names them (申诉已收到（第3号）).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mailbot.core.intake.content import own_text
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.subject.prefixes import strip_prefixes
from mailbot.core.subject.text import fold


class Verb(StrEnum):
    QUERY = "查询"
    APPEAL = "申诉"
    HELP = "帮助"


@dataclass(frozen=True, slots=True)
class Request:
    verb: Verb
    written: str
    """As its sender wrote it, short."""
    period: Period | None = None
    receipt: str = ""
    record: int | None = None
    unread: str = ""
    """What stands where a period or number should and is neither."""


@dataclass(frozen=True, slots=True)
class Ruling:
    codes: tuple[str, ...]
    """All different ones, plain: upper case without hyphen."""
    written: str
    approves: bool | None
    """None: it opens like an approval, but with something in it that is not understood; or it says
    neither yes nor no (`silent`)."""
    number: str = ""
    """发文字号, its year in 〔〕."""
    issued: date | None = None
    why: str = ""
    silent: bool = False
    """It carries a code and no verdict. Whether it is about a draft at all only the code shows."""


@dataclass(frozen=True, slots=True)
class Supplement:
    appeal: int


Command = Request | Ruling | Supplement


def read_command(mail: IncomingMail, day: date) -> Command | None:
    """`day`: that of the mail; periods without a year are the latest that had begun then."""
    return (
        read_ruling(mail, day)
        or read_request(mail.subject, day)
        or _supplement(mail.subject)
        or _silent_ruling(mail)
    )


# --- requests ----------------------------------------------------------------------------------

_LONGEST = 120
_SHOWN = 40
_EDGE = " \t[](){}<>《》\"'“”‘’。.!?,、;:~+-_|/*#·…"
_GAP = r"[\s\[\](){}<>《》\"“”'‘’:,、;+\-_/|·。.~#]*"
_POLITE = r"(?:请|我要|我想|申请)?"
_ASKED = re.compile(rf"{_POLITE}{_GAP}(查询|申诉|帮助)({_GAP})(.*)", re.S)
_NUMBER = r"([A-Za-z]{2,6})\s?(20\d{2}(?:0[1-9]|1[0-2]))\s?-?\s?(\d{4,6})(?!\d)"
_LABEL = r"(?:(?:回执|受理|收件|信息)?(?:编号|号)[\s:]*)?"
_RECEIPT = re.compile(rf"{_LABEL}{_NUMBER}(?![A-Za-z])(.*)", re.S)
_RECORD = re.compile(
    r"(?:(?:计分)?记录[\s:]*第?\s*(\d{1,9})\s*[号条]?|record[\s:]*(\d{1,9})|第\s*(\d{1,9})\s*[号条](?:计分)?记录)"
    r"(?![\dA-Za-z])(.*)",
    re.S | re.I,
)
_PERIOD = r"[0-9A-Za-z年月第季度上下半本这个当今去全一二三四份周/.\- ]*"
_COURTESY = r"(?:的|本单位|我单位|报送情况|计分情况|情况|得分|计分|积分|一下|谢谢|感谢|[\s\])>》\"”'’:,、;。.!?~-])*"
_OF_PERIOD = re.compile(rf"({_PERIOD}?){_COURTESY}")
_UNREAD = re.compile(rf"([0-9A-Za-z][0-9A-Za-z#./\-:年月日号第 ]{{0,30}}?){_COURTESY}")
_NOTHING = re.compile(_COURTESY)


def read_request(subject: str, day: date) -> Request | None:
    prefixes, rest = strip_prefixes(subject)
    if set(prefixes) - {"re"} or len(rest) > _LONGEST:
        return None
    text = _plain(rest).lstrip(_EDGE).rstrip()
    found = _ASKED.fullmatch(text)
    if found is None:
        return None
    verb, target = Verb(found[1]), found[3]
    written = f"{verb.value} {target.rstrip(_EDGE)}".strip()[:_SHOWN].upper()
    if _NOTHING.fullmatch(target):
        return Request(verb, written)
    if verb is Verb.HELP:
        return None
    if receipt := _RECEIPT.fullmatch(target):
        number = f"{receipt[1]}{receipt[2]}-{receipt[3]}".upper()
        return Request(verb, written, receipt=number)
    if verb is Verb.APPEAL:
        return _appeal(target, written)
    if of := _OF_PERIOD.fullmatch(target):
        period = read_period(of[1], day)
        return Request(verb, written, period=period, unread="" if period else of[1].strip())
    return None


def _appeal(target: str, written: str) -> Request | None:
    if record := _RECORD.fullmatch(target):
        number = int(next(g for g in record.groups()[:3] if g))
        return Request(Verb.APPEAL, written, record=number)
    if unread := _UNREAD.fullmatch(target):
        return Request(Verb.APPEAL, written, unread=unread[1].strip())
    return None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", fold(text))


# --- periods -----------------------------------------------------------------------------------

_RELATIVE = {
    **dict.fromkeys(("本月", "当月", "这个月", "这月"), (PeriodKind.MONTH, False)),
    **dict.fromkeys(("上月", "上个月"), (PeriodKind.MONTH, True)),
    **dict.fromkeys(("本季度", "本季", "这个季度", "当季度"), (PeriodKind.QUARTER, False)),
    **dict.fromkeys(("上季度", "上季", "上个季度"), (PeriodKind.QUARTER, True)),
    **dict.fromkeys(("本年", "本年度", "今年", "全年", "当年"), (PeriodKind.YEAR, False)),
    **dict.fromkeys(("上年", "上年度", "去年"), (PeriodKind.YEAR, True)),
}
_YEARS = range(2000, 2100)
_YEARLESS = re.compile(r"(?:0?[1-9]|1[0-2])月|第?[1-4一二三四]季度|[上下]半年")


def read_period(text: str, day: date) -> Period | None:
    """A period as people write it; one without a year is the latest that had begun by `day`."""
    plain = "".join(text.split()).replace("月份", "月").strip("的-./")
    for word, year in (("今年", day.year), ("去年", day.year - 1)):
        if plain.startswith(word) and plain != word:
            plain = f"{year}年{plain[len(word) :]}"
    if plain in _RELATIVE:
        kind, before = _RELATIVE[plain]
        period = Period.of(kind, day)
        return period.previous() if before else period
    if _YEARLESS.fullmatch(plain):
        found = [_parsed(f"{year}年{plain}") for year in (day.year, day.year - 1)]
        return next((p for p in found if p is not None and p.first <= day), None)
    plain = re.sub(r"年(?:全年|度)$", "年", plain)
    return _parsed(plain)


def _parsed(text: str) -> Period | None:
    try:
        period = Period.parse(text)
    except ValueError:
        return None
    return period if period.first.year in _YEARS else None


# --- rulings -----------------------------------------------------------------------------------

_CODE = re.compile(r"(?<![A-Z0-9])([A-HJ-NP-Z2-9]{4})-([A-HJ-NP-Z2-9]{4})(?![A-Z0-9])")
_YES = re.compile(r"(?:批准|同意)(.*)", re.S)
_NO = re.compile(r"(?:不予批准|不批准|不同意|退回|驳回)(.*)", re.S)
_GREETING = re.compile(r"(?:.{0,20}:|(?:您|你|大家|各位|领导)?好[,!。.~]*)")
_SIGNATURE = re.compile(r"\s*(?:--\s*|-{3,}.*|_{3,}.*|发自.*|来自.*|Sent from.*)", re.I)
_DOCUMENT = re.compile(
    r"([^\s\[\]()0-9,。;:、]{1,20})\s*[\[(]\s*(\d{4})\s*[\])]\s*(?:第\s*)?(\d{1,5})\s*号"
)
_DATE = re.compile(r"(\d{4})\s*[年\-./]\s*(\d{1,2})\s*[月\-./]\s*(\d{1,2})(?:\s*日)?")
_FILLER = re.compile(
    r"(?:发文字号|发文号|文号|字号|成文日期|日期|印发|下发|发送|发出|发布|谢谢|[\s,。;:、.!~()\[\]])*"
)
_RESERVED = re.compile(
    r"[但不改错误先暂待缓勿别删补?吗]|除|重新|更正|调整|核实|是否|退回|驳回|取消|撤回|其中|再|加上|减"
)
_WHY = re.compile(r"^[\s,，。:：;；、]*(?:(?:退回)?(?:理由|原因|意见)(?:是|为)?[\s:：,，]*)?")
_NAMED_SO = re.compile(r"^(?:发文字号|发文号|文号|字号|印发|下发|发送|发布)+")
_LONGEST_WHY = 500


def read_ruling(mail: IncomingMail, day: date) -> Ruling | None:
    lines = _said_lines(mail)
    if not lines:
        return None
    first = lines[0].folded
    no, yes = _NO.match(first), _YES.match(first)
    if no is None and yes is None:
        return None
    codes = _codes([mail.subject]) or _codes([mail.text])
    if not codes:
        return None
    written = lines[0].text[:_SHOWN]
    if no is not None:
        return Ruling(codes, written, False, why=_why(lines, no.start(1)))
    assert yes is not None
    said = _Approval()
    said.take(yes[1])
    for line in lines[1:]:
        if said.is_plain(line.folded):
            said.take(line.folded)
        elif _RESERVED.search(line.folded):
            said.clear = False
    return Ruling(codes, written, said.clear or None, said.number, said.issued)


def _silent_ruling(mail: IncomingMail) -> Ruling | None:
    codes = _codes([mail.subject]) or _codes([mail.text])
    lines = _said_lines(mail)
    written = lines[0].text[:_SHOWN] if lines else ""
    return Ruling(codes, written, None, silent=True) if codes else None


def _said_lines(mail: IncomingMail) -> list[_Line]:
    """From the first line on that says something."""
    lines = _own_lines(mail.text)
    while lines and _says_nothing(lines[0].folded):
        del lines[0]
    return lines


def _says_nothing(line: str) -> bool:
    rules = _NO.match(line) or _YES.match(line)
    return not line or (rules is None and _GREETING.fullmatch(line) is not None)


@dataclass(frozen=True, slots=True)
class _Line:
    folded: str
    text: str
    """As written; positions are the same in both."""


@dataclass(slots=True)
class _Approval:
    """What stands with an approval: a number and a date, in its own line or in lines of theirs."""

    clear: bool = True
    number: str = ""
    issued: date | None = None

    @staticmethod
    def is_plain(text: str) -> bool:
        """Is it nothing but numbers, dates and the words that go with them?"""
        return _FILLER.fullmatch(_DATE.sub(" ", _DOCUMENT.sub(" ", text))) is not None

    def take(self, text: str) -> None:
        numbers = _DOCUMENT.findall(text)
        days = [_day(*map(int, found)) for found in _DATE.findall(_DOCUMENT.sub(" ", text))]
        twice = len(numbers) + bool(self.number) > 1 or len(days) + bool(self.issued) > 1
        if not self.is_plain(text) or None in days or twice:
            self.clear = False
            return
        for who, year, number in numbers:
            self.number = f"{_NAMED_SO.sub('', who)}〔{year}〕{number}号"
        for day in days:
            self.issued = day


def _why(lines: list[_Line], start: int) -> str:
    """The reason: the rest of the first line and of its paragraph, else the next one."""
    texts = [lines[0].text[start:], *(line.text for line in lines[1:])]
    end = next((i for i, line in enumerate(lines) if not line.folded), len(lines))
    own = _WHY.sub("", " ".join(texts[:end]))
    return (own or _WHY.sub("", " ".join(t for t in texts[end:] if t)))[:_LONGEST_WHY].strip()


def _own_lines(text: str) -> list[_Line]:
    """What the author wrote above the quotation, without the signature; blank lines as empty."""
    lines: list[_Line] = []
    for line in own_text(text).split("\n"):
        shown = line.strip()
        folded = fold(shown)
        if _SIGNATURE.fullmatch(folded):
            break
        lines.append(_Line(folded.strip(), shown))
    return lines


def _codes(texts: Iterable[str]) -> tuple[str, ...]:
    found = (m for text in texts for m in _CODE.finditer(_plain(text).upper()))
    return tuple(dict.fromkeys(m[1] + m[2] for m in found))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


# --- supplements -------------------------------------------------------------------------------

_ABOUT_APPEAL = re.compile(r"\s*申诉(?:已收到|答复)\s*\(第(\d{1,9})号\).*", re.S)


def _supplement(subject: str) -> Supplement | None:
    prefixes, rest = strip_prefixes(subject)
    found = _ABOUT_APPEAL.fullmatch(_plain(rest))
    return Supplement(int(found[1])) if found and "re" in prefixes else None
