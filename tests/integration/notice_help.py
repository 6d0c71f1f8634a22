"""An office with a quarterly circular on a real database, with its real templates and papers: short
ways to fill it, to look into its outbox, and to let the clock run.

Units a, b, c (group g) and d (group h). Heads: a has address and mobile, b no address, c an address
that no letter can carry, d nobody. News give 1, problems 5, adoptions 10 (20); the first is praised,
the last criticised, who sent nothing in a month is told so in a letter of its own.
"""

from __future__ import annotations

import email
import email.policy
import io
from dataclasses import replace
from datetime import date, datetime, time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from docx import Document as Word

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.letters.render import MailTemplates
from mailbot.adapters.papers import OfficePapers
from mailbot.adapters.signing import Signer
from mailbot.adapters.system import shipped
from mailbot.app.letter_records import DraftRow
from mailbot.app.mailbox import Mailbox
from mailbot.app.notices.again import Resending
from mailbot.app.notices.approval import Approval
from mailbot.app.notices.drafting import Drafting, NoticeRunner
from mailbot.app.notices.files import exported
from mailbot.app.posting import Posting
from mailbot.core.duties.model import (
    DocumentRule,
    DutyKind,
    LetterBook,
    LetterRule,
    OwnLetter,
    Part,
    Reader,
    Section,
    Stage,
)
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import Consequence, ListKind, ListRule, ListVersion
from mailbot.core.subject.roster import Contact
from tests.integration.test_scoring import OFFICE, Desk, noon
from tests.integration.test_scoring import office as scored_office
from tests.unit import rules_help as r

OCTOBER = noon("2026-10-12")
SIGNER = Signer(b"0123456789abcdef")

UNITS = (
    r.unit("a", contacts=(Contact("head", "王甲", "13900000001", "a.head@example.org"),)),
    r.unit("b", contacts=(Contact("head", "李乙", "0477-7622029"),)),
    r.unit("c", contacts=(Contact("head", "赵丙", "13900000003", "赵丙@example.org"),)),
    r.unit("d", "h"),
)


def listed(list_id: str, kind: ListKind, consequence: Consequence, name: str) -> ListRule:
    version = ListVersion(r.START, r.BASIS)
    kinds = (PeriodKind.QUARTER, PeriodKind.MONTH)
    return ListRule(list_id, name, kind, consequence, kinds, (version,))


LISTS = (
    listed("first", ListKind.FIRST, Consequence.PRAISE, "通报表扬"),
    listed("last", ListKind.LAST, Consequence.CRITICISE, "通报批评"),
    listed("silent", ListKind.NO_SUBMISSION, Consequence.NAME, "零报送单位"),
)
DOCUMENT = DocumentRule(
    title="{office}关于{period}政务信息工作的通报",
    addressee="各单位",
    lead=("现将{period}情况通报如下。",),
    sections=(
        Section(Part.OVERVIEW, "总体情况"),
        Section(Part.STANDINGS, "排名情况"),
        Section(Part.LISTS, "表扬和批评", lists=("first", "last")),
        Section(Part.CORRECTIONS, "更正"),
    ),
)
OWN = OwnLetter(
    "silent", DocumentRule("零报送单位告知书", "{unit}", ("你单位{why}。",)), to=("head",)
)
CIRCULAR = LetterRule(
    id="quarter",
    kind=DutyKind.NOTICE,
    name="季度通报",
    basis=r.BASIS,
    start=r.START,
    stages=(Stage("draft", 6, time(9)),),
    period=PeriodKind.QUARTER,
    document=DOCUMENT,
    own=(OWN,),
    to=("head",),
    readers=True,
    seals=True,
    sms="{unit}：{period}报送{submissions}条，得{points}分，在{table}{of}个单位中列第{place}位。{office}",
)
LETTERS = LetterBook(
    letters=(CIRCULAR,),
    staff=("staff@example.org", "boss@example.org"),
    approvers=("Boss@example.org",),
    readers=(Reader("周某", "副旗长", "reader@example.org"), Reader("吴某", "旗长")),
)


def office(rule: LetterRule = CIRCULAR, units: Any = UNITS, **changes: Any) -> OfficeBook:
    book = scored_office(rules=scored_office().scoring.rules[:3], units=units, lists=LISTS)
    return replace(book, letters=replace(LETTERS, letters=(rule,), **changes))


class Bureau(Desk):
    """The desk of `test_scoring` with letters."""

    def __init__(
        self, folder: Path, book: OfficeBook | None = None, store: SqlStore | None = None
    ) -> None:
        self.folder = folder
        self.mailbox = Mailbox("box", "xinxi@example.org", (OFFICE,))
        super().__init__(folder, book or office(), store)

    def use(self, book: OfficeBook) -> None:
        super().use(book)
        offices = self.folder / "offices"
        offices.mkdir(exist_ok=True)
        templates = MailTemplates(shipped("templates"), offices)
        self.drafting = Drafting(papers=OfficePapers(offices))
        self.approval = Approval(
            store=self.store,
            books={OFFICE: book},
            drafting=self.drafting,
            posting_for=lambda _office: Posting(self.mailbox, templates, SIGNER),
        )
        self.resending = Resending(
            store=self.store,
            books={OFFICE: book},
            papers=self.drafting.papers,
            posting_for=self.approval.posting_for,
        )
        self.runner = NoticeRunner(drafting=self.drafting, is_working_day=_weekday)

    def draft(self, period: Any, now: datetime = OCTOBER, who: str = "mailbot") -> DraftRow:
        return self.approval.draft(OFFICE, "quarter", period, who, now)

    def row(self, number: int) -> DraftRow:
        with self.store.reading() as reads:
            found = reads.draft(number)
        assert found is not None
        return found

    def file(self, number: int, role: str) -> bytes:
        with self.store.reading() as reads:
            return next(f.content for f in reads.draft_files(number) if f.role == role)

    def exported(self, number: int) -> bytes:
        """The document of a draft, as it is written into a folder or attached to the draft mail."""
        with self.store.reading() as reads:
            files = reads.draft_files(number)
        found = exported(files, self.row(number), self.drafting.papers)
        return next(f.content for f in found if f.role == "document")

    def mails(self) -> list[EmailMessage]:
        """Everything in the outbox, taken out as the deliverer would."""
        found = []
        while (queued := self.store.outbox.claim(OCTOBER)) is not None:
            self.store.outbox.dot(queued.id, OCTOBER)
            self.store.outbox.sent(queued.id, "250 ok", OCTOBER)
            mail = email.message_from_bytes(queued.letter.raw, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            found.append(mail)
        return found


def finished(docx: bytes, *, number: str = "", date: str = "2026年10月13日") -> bytes:
    """As a clerk fills in an exported draft in Word: no mark, with a date and perhaps a number."""
    word = Word(io.BytesIO(docx))
    section = word.sections[0]
    for header in (section.header, section.even_page_header):
        for paragraph in header.paragraphs:
            paragraph.clear()
    for paragraph in word.paragraphs:
        if "".join(paragraph.text.split()) == "年月日":
            paragraph.clear()
            paragraph.add_run(date)
    if number:
        word.paragraphs[0].insert_paragraph_before(number)
    out = io.BytesIO()
    word.save(out)
    return out.getvalue()


def _weekday(day: date) -> bool:
    return day.weekday() < 5


def to(mails: list[EmailMessage]) -> list[str]:
    return sorted(str(mail["To"]) for mail in mails)


def names(mail: EmailMessage) -> list[str]:
    return [part.get_filename() or "" for part in mail.iter_attachments()]


def text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
