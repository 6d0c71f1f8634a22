"""An office whose mail comes in, whose desk records, and whose duties and deliveries run, on the
real intake, database and engine; only the line out is a list.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from mailbot.adapters.offices.calendar import WorkingCalendar
from mailbot.app.deliver import Deliverer
from mailbot.app.duties.digest import DigestRunner
from mailbot.app.duties.engine import Duties, TickReport
from mailbot.app.duties.news import NewsRunner
from mailbot.app.letter_content import office_card
from mailbot.app.letter_records import DutyRow
from mailbot.app.ports import BeforeDot
from mailbot.app.posting import Posting
from mailbot.app.recording.columns import COLUMNS
from mailbot.app.recording.desk import enter, reverse
from mailbot.app.recording.forms import Given
from mailbot.app.recording.keep import Desk, Entered
from mailbot.app.records import Outgoing
from mailbot.core.duties.model import DutyKind, LetterBook, LetterRule, NewsMode, Stage
from mailbot.core.letters.answers import OfficeCard, Rendered
from mailbot.core.letters.every import Letter
from mailbot.core.letters.office import Digest, DigestPart
from mailbot.core.letters.periodic import AdoptionNews
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.roster import Contact
from tests.integration.intake_help import World, otog, templates

BASIS = Basis("本室内部工作安排", "")
START = date(2026, 7, 1)
DIGEST = LetterRule(
    "digest",
    DutyKind.DIGEST,
    "每日简报",
    BASIS,
    START,
    (Stage("morning", 0, time(8, 30)),),
)
NEWS = LetterRule(
    "news",
    DutyKind.NEWS,
    "采用消息",
    BASIS,
    START,
    (Stage("week", 0, time(9), ("liaison", "head")),),
    news=NewsMode.AT_ONCE,
)
HEAD = Contact("head", "王甲", address="wangjia@example.org")


def office(
    *letters: LetterRule,
    staff: Sequence[str] = (),
    contacts: Mapping[str, Sequence[Contact]] | None = None,
) -> OfficeBook:
    """otog's book with these letters, and contacts by unit id."""
    book = otog()
    people = contacts or {}
    units = (replace(u, contacts=tuple(people.get(u.id, u.contacts))) for u in book.roster.units)
    named = replace(book, letters=LetterBook(letters, staff=tuple(staff)))
    return named.with_units(units)


class Shown:
    """Renders as the office would get it, and keeps what was to be said."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def render(self, office_id: str, letter: Letter) -> Rendered:
        self.letters.append(letter)
        return templates().render(office_id, letter)


class Days:
    """One office through its days."""

    def __init__(self, root: Path, book: OfficeBook, **runner: Any) -> None:
        self.world = World(root, book)
        self.book, self.clock = book, self.world.clock
        self.shown = Shown()
        self.sent: list[Outgoing] = []
        self.calendar = WorkingCalendar(None)
        common: dict[str, Any] = {
            "is_working_day": self.calendar.is_working_day,
            "posting_card": self.card,
        }
        warnings = runner.pop("warnings", self.calendar.warnings)
        self.digest = DigestRunner(**common, warnings=warnings, **runner)
        self.news = NewsRunner(**common)
        self.restart()

    def restart(self) -> None:
        """A new process."""
        self.duties = Duties(
            store=self.world.store,
            books={self.book.info.id: self.book},
            runners={DutyKind.DIGEST: self.digest, DutyKind.NEWS: self.news},
            posting_for=lambda _: Posting(self.world.mailbox, self.shown, self.world.signer),
        )

    def card(self, book: OfficeBook) -> OfficeCard:
        return office_card(book, self.world.mailbox)

    # --- time

    def at(self, text: str) -> datetime:
        """`08-12 17:00` of 2026; the clock stands there."""
        self.clock.time = datetime.fromisoformat(f"2026-{text}:00+08:00")
        return self.clock.time

    def tick(self, text: str = "") -> TickReport:
        """The duties due at that moment, and everything queued delivered."""
        report = self.duties.tick(self.at(text) if text else self.clock.now())
        assert report.failed == [], report.failed
        self.deliver()
        return report

    def run(self, first: str, last: str, hours: int = 1) -> None:
        """Ticks every so many hours from one moment to the other."""
        end = datetime.fromisoformat(f"2026-{last}:00+08:00")
        self.at(first)
        while self.clock.now() <= end:
            self.tick()
            self.clock.time += timedelta(hours=hours)

    # --- letters

    def deliver(self) -> None:
        Deliverer(self.world.store, lambda _: self, self.clock).deliver_due(self.clock.now())

    def send(self, letter: Outgoing, before_dot: BeforeDot) -> str:
        before_dot()
        self.sent.append(letter)
        return "250 ok"

    def close(self) -> None:
        pass

    def digests(self) -> list[Digest]:
        return [x for x in self.shown.letters if isinstance(x, Digest)]

    def told(self) -> list[tuple[str, tuple[str, ...]]]:
        """(reader, what it says of each item) of every news letter sent, in order."""
        said = [x for x in self.shown.letters if isinstance(x, AdoptionNews)]
        letters = [x for x in self.sent if x.kind == "news"]
        return [
            (x.recipient, tuple(f"{line.title}：{line.what}" for line in n.lines))
            for x, n in zip(letters, said, strict=True)
        ]

    def done(self) -> list[DutyRow]:
        with self.world.store.reading() as reads:
            rows = reads.duties(self.book.info.id, datetime.fromisoformat("2020-01-01T00:00+08:00"))
        return [row for row in rows if row.new.letter != "start"]

    # --- the desk

    def record(self, kind: str, receipt: str = "", **values: Any) -> Entered:
        given = {
            "kind": kind,
            "receipt": receipt,
            "day": "2026-08-11",
            "evidence": "刊物",
            **values,
        }
        given = {key: value for key, value in given.items() if value}
        places = {c.key: f"登记!{c.header}" for c in COLUMNS}
        row = Given(given, places, "登记 第2行", sheet="登记")
        return enter(row, self._desk(), self.world.store)

    def adopt(self, receipt: str, journal: str = "每日要情", **values: Any) -> int:
        entered = self.record("采用", receipt, journal=journal, form="全文", **values)
        assert entered.number is not None
        return entered.number

    def take_back(self, number: int) -> None:
        reverse(number, "录错了", "", self._desk(), self.world.store)

    def _desk(self) -> Desk:
        return Desk(self.book, "王芳芳", self.clock.now())


def part(digest: Digest, title: str) -> DigestPart:
    (found,) = [p for p in digest.parts if p.title == title]
    return found


def texts(digest: Digest, title: str) -> list[str]:
    return [f"{line.text}｜{line.detail}" for line in part(digest, title).lines]


def titles(digest: Digest) -> dict[str, int]:
    """Totals of the parts that have something."""
    return {p.title: p.total for p in digest.parts if p.total}


def bounce_of(letter: Outgoing) -> bytes:
    """As NetEase writes it: the letter's head inside, no delivery-status part."""
    said = b64encode("您的邮件被退回：550 User not found".encode()).decode()
    return "\r\n".join(
        (
            "From: Postmaster@163.com",
            "To: xinxi@example.org",
            "Subject: =?utf-8?B?57O757uf6YCA5L+hL1N5c3RlbSBib3VuY2U=?=",
            "MIME-Version: 1.0",
            'Content-Type: multipart/mixed; boundary="=_b"',
            "",
            "--=_b",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            "",
            said,
            "",
            "--=_b",
            "Content-Type: message/rfc822",
            "",
            "From: xinxi@example.org",
            f"To: {letter.recipient}",
            f"Message-ID: <{letter.message_id}>",
            "Subject: x",
            "",
            "x",
            "",
            "--=_b--",
            "",
        )
    ).encode()
