"""Wires the real adapters together. The only place that knows them all.

`open_office` gives a running installation (database, archive, keys); `open_bench` a throwaway one
for looking at saved mail without leaving a trace. What only some commands need (mail servers, mail
parsers, templates) is imported where it is made: a command that looks starts without it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mailbot.adapters.archive import FileArchive
from mailbot.adapters.backup.journal import refuse_unfinished
from mailbot.adapters.db.archive import DbArchive
from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.installation import check_installation, open_archive
from mailbot.adapters.offices.calendar import WorkingCalendar
from mailbot.adapters.offices.rulefiles import load_offices
from mailbot.adapters.settings.model import MailboxSettings, Settings
from mailbot.adapters.signing import Signer, load_or_create_secret
from mailbot.adapters.system import SystemClock
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.evidence import SentMail
from mailbot.app.leases import Lease, Leases
from mailbot.app.mailbox import IntakePolicy, Mailbox
from mailbot.app.ports import Clock, MailSource, Transport
from mailbot.app.records import Outgoing
from mailbot.app.witness import prepare as prepare_restored
from mailbot.core.duties.model import DutyKind
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.mail.automatic import Ourselves
from mailbot.core.rules.rulebook import OfficeBook

if TYPE_CHECKING:
    from mailbot.adapters.letters.render import MailTemplates
    from mailbot.adapters.sandbox import SandboxedReader
    from mailbot.app.deliver import Deliverer
    from mailbot.app.duties.engine import Duties
    from mailbot.app.duties.model import Runner
    from mailbot.app.intake import Intake
    from mailbot.app.notices.approval import Approval
    from mailbot.app.notices.drafting import Drafting
    from mailbot.app.papers import Papers
    from mailbot.app.posting import Posting
    from mailbot.app.secretmail import SecretMails
    from mailbot.app.settle import Settled, Settler
    from mailbot.app.uncertain import Uncertainties
    from mailbot.app.witness import Witnesses

DEFAULT_OFFICE = "otog"


@dataclass
class Office:
    """One installation, wired: one database, any number of mailboxes and offices."""

    settings: Settings
    books: Mapping[str, OfficeBook]
    store: SqlStore
    archive: FileArchive | DbArchive
    signer: Signer
    calendar: WorkingCalendar
    clock: Clock

    def under(self, lease: Lease) -> Office:
        """The same installation for one who holds the lease: what is made of it writes nothing once
        the lease is lost."""
        store = self.store.under(lease)
        if store is self.store:
            return self
        held = replace(self, store=store)
        held.use_templates(self.templates)  # read once, not for every lease
        return held

    @cached_property
    def leases(self) -> Leases:
        return self.store.leases(self.settings.lease_seconds)

    @cached_property
    def templates(self) -> MailTemplates:
        return _templates(self.settings)

    def use_templates(self, checked: MailTemplates) -> None:
        """What was read and checked is what renders: a file edited afterwards changes nothing."""
        self.__dict__["templates"] = checked

    def mailbox(self, box: MailboxSettings) -> Mailbox:
        return Mailbox(
            account=box.name,
            address=box.address,
            offices=box.offices,
            aliases=box.aliases,
            authserv_ids=frozenset(box.authserv_ids),
            from_name=box.outgoing.from_name,
        )

    def reader(self) -> SandboxedReader:
        from mailbot.adapters.sandbox import SandboxedReader

        return SandboxedReader(
            seconds=self.settings.reader_seconds,
            memory_mb=self.settings.reader_memory_mb,
            processes=self.settings.reader_processes,
        )

    def settler(self, mailbox: Mailbox) -> Settler:
        from mailbot.app.answers import Answering
        from mailbot.app.settle import Settler

        return Settler(
            books=self.books,
            answering=Answering(mailbox, self.policy, self.templates, self.signer),
            us=Ourselves(
                addresses=self._all_addresses() | mailbox.own_addresses,
                verify=self.signer.is_ours,
            ),
            is_working_day=self.calendar.is_working_day,
            officers=self.settings.security.mail_to,
        )

    def secret_mails(self) -> SecretMails:
        from mailbot.adapters.db.secretmail import SqlSecretRecords
        from mailbot.app.secretmail import SecretMails

        boxes = {b.name: b for b in self.settings.mailboxes}
        return SecretMails(
            store=self.store,
            records=SqlSecretRecords(self.store),
            officers=self.settings.security.officers,
            source_for=lambda name: self.source(boxes[name]) if name in boxes else None,
            cap_bytes=self.policy.cap_bytes,
            clock=self.clock,
        )

    def intake(
        self, box: MailboxSettings, on_settled: Callable[[Settled], None] | None = None
    ) -> Intake:
        from mailbot.app.intake import Intake
        from mailbot.app.service.orders import Orders

        mailbox = self.mailbox(box)
        settler = self.settler(mailbox)
        return Intake(
            mailbox=mailbox,
            policy=self.policy,
            store=self.store,
            archive=self.archive,
            reader=self.reader(),
            settler=settler,
            orders=Orders(
                store=self.store,
                books=self.books,
                approval=self.approval,
                answering=settler.answering,
            ),
            clock=self.clock,
            received_source="internaldate" if box.kind == "imap" else "file",
            on_settled=on_settled,
        )

    def source(self, box: MailboxSettings, stop: threading.Event | None = None) -> MailSource:
        if box.kind == "maildir":
            from mailbot.adapters.maildir import MaildirSource

            assert box.maildir is not None, "settings check this"
            return MaildirSource(box.name, box.maildir, clock=self.clock, stop=stop)
        from mailbot.adapters.imap.source import ImapSource
        from mailbot.adapters.settings.accounts import imap_account, imap_secret
        from mailbot.app.witness import MARGIN, READ_AGAIN, restored

        account = imap_account(box)
        with self.store.reading() as reads:
            lost = restored(reads)
        if lost is not None and self.clock.now() - lost.at < READ_AGAIN:
            account = replace(account, lost_time=(lost.taken - MARGIN, lost.at))
        return ImapSource(account, imap_secret(box), clock=self.clock, stop=stop)

    def deliverer(self, senders: Collection[str] | None = None) -> Deliverer:
        from mailbot.app.deliver import Deliverer
        from mailbot.app.duties.recheck import Recheck
        from mailbot.app.suspension import Suspended

        boxes = {b.address: b for b in self.settings.mailboxes}

        def transport_for(sender: str) -> Transport:
            box = boxes.get(sender)
            if box is None:
                raise OperatorFault(
                    Fault(
                        "config/mailbot.toml", f"没有发信邮箱 {sender} 的设置", "恢复该邮箱的设置"
                    )
                )
            return self._transport(box)

        recheck, suspended = Recheck(store=self.store, books=self.books), Suspended(self.store)

        def wanted(letter: Outgoing, now: datetime) -> str:
            return suspended.why_not(letter, now) or recheck.still_short(letter, now)

        return Deliverer(self.store, transport_for, self.clock, wanted=wanted, senders=senders)

    def sent_mail(self, box: MailboxSettings) -> SentMail | None:
        """Where it shows what was sent from a mailbox; None: nowhere."""
        if box.outgoing.outbox is not None:
            from mailbot.adapters.outbox_maildir import MaildirSent

            return MaildirSent(box.outgoing.outbox)
        if box.kind == "imap":
            from mailbot.adapters.imap.sent import SentFolder
            from mailbot.adapters.settings.accounts import files_sent, imap_account, imap_secret

            assert box.imap is not None, "settings check this"
            return SentFolder(
                imap_account(box),
                imap_secret(box),
                clock=self.clock,
                folder=box.imap.sent_folder,
                expected=files_sent(box),
                copies=box.outgoing.copy_to_self,
            )
        if box.outgoing.copy_to_self:
            from mailbot.app.uncertain import OwnCopies

            return OwnCopies()
        return None

    def uncertainties(self) -> Uncertainties:
        from mailbot.adapters.doctor.remedies import explain_fault
        from mailbot.app.uncertain import Uncertainties

        boxes = {b.address: b for b in self.settings.mailboxes}

        def sent_mail_for(sender: str) -> SentMail | None:
            box = boxes.get(sender)
            return self.sent_mail(box) if box is not None else None

        return Uncertainties(self.store, sent_mail_for, self.clock, explain=explain_fault)

    def witnesses(self) -> Witnesses:
        from mailbot.adapters.doctor.remedies import explain_fault
        from mailbot.app.witness import Witnesses

        boxes = {b.address: b for b in self.settings.mailboxes}
        return Witnesses(
            self.store,
            lambda sender: self.sent_mail(boxes[sender]) if sender in boxes else None,
            self.clock,
            filed={b.name: tuple(b.imap.moves.values()) for b in boxes.values() if b.imap},
            is_ours=self.signer.is_ours,
            explain=explain_fault,
        )

    @property
    def policy(self) -> IntakePolicy:
        return IntakePolicy(
            cap_bytes=self.settings.max_mail_mb * 1_000_000,
            answer_max_age=timedelta(hours=self.settings.answer_max_age_hours),
        )

    # --- letters of our own accord ---

    @property
    def served(self) -> Mapping[str, OfficeBook]:
        """Offices that have a mailbox; the others send nothing."""
        names = set(self.settings.offices)
        return {office: book for office, book in self.books.items() if office in names}

    def posting(self, office: str) -> Posting:
        """The letters of an office leave from the first mailbox that lists it."""
        from mailbot.app.posting import Posting

        return Posting(self._mailbox_of(office), self.templates, self.signer)

    def posting_card(self, book: OfficeBook) -> OfficeCard:
        """How its letters sign."""
        from mailbot.app.letter_content import office_card

        return office_card(book, self._mailbox_of(book.info.id))

    def duties(self) -> Duties:
        from mailbot.app.duties.engine import Duties

        return Duties(
            store=self.store,
            books=self.served,
            runners=self.runners,
            posting_for=self.posting,
            announce=self.approval.announce,
            decide=self.approval.decide,
        )

    @cached_property
    def runners(self) -> Mapping[DutyKind, Runner]:
        from mailbot.app.duties.digest import DigestRunner
        from mailbot.app.duties.news import NewsRunner
        from mailbot.app.duties.quota_letters import QuotaRunner
        from mailbot.app.duties.scan import scan
        from mailbot.app.duties.task_letters import TaskRunner
        from mailbot.app.notices.drafting import NoticeRunner

        working, card = self.calendar.is_working_day, self.posting_card
        quotas = QuotaRunner(is_working_day=working, posting_card=card)
        tasks = TaskRunner(is_working_day=working, posting_card=card)
        others: dict[DutyKind, Runner] = {
            DutyKind.REMINDER: quotas,
            DutyKind.RESULT: quotas,
            DutyKind.NOTICE: NoticeRunner(drafting=self.drafting, is_working_day=working),
            DutyKind.TASKS: tasks,
            DutyKind.COMMISSIONS: tasks,
            DutyKind.NEWS: NewsRunner(is_working_day=working, posting_card=card),
        }
        digest = DigestRunner(
            is_working_day=working,
            posting_card=card,
            warnings=self.calendar.warnings,
            coming=lambda reads, book, since, until: (
                scan(reads, book, others, since, until).occurrences
            ),
        )
        return {**others, DutyKind.DIGEST: digest}

    @cached_property
    def papers(self) -> Papers:
        from mailbot.adapters.papers import OfficePapers

        return OfficePapers(self.settings.offices_dir)

    @cached_property
    def drafting(self) -> Drafting:
        from mailbot.app.notices.drafting import Drafting

        return Drafting(papers=self.papers)

    @cached_property
    def approval(self) -> Approval:
        from mailbot.app.notices.approval import Approval

        return Approval(
            store=self.store,
            books=self.books,
            drafting=self.drafting,
            posting_for=self.posting,
        )

    def _mailbox_of(self, office: str) -> Mailbox:
        for box in self.settings.mailboxes:
            if office in box.offices:
                return self.mailbox(box)
        raise OperatorFault(
            Fault(
                "config/mailbot.toml",
                f"没有邮箱为“{office}”收发信件",
                f'在一个 [[mailboxes]] 的 offices 里写上 "{office}"',
            )
        )

    def _transport(self, box: MailboxSettings) -> Transport:
        if box.outgoing.outbox is not None:
            from mailbot.adapters.outbox_maildir import MaildirTransport

            return MaildirTransport(box.outgoing.outbox)
        from mailbot.adapters.settings.accounts import smtp_account, smtp_secret
        from mailbot.adapters.smtp.transport import SmtpTransport

        return SmtpTransport(smtp_account(box), smtp_secret(box), self.clock)

    def _all_addresses(self) -> frozenset[str]:
        return frozenset(
            a.lower() for b in self.settings.mailboxes for a in (b.address, *b.aliases)
        )


def open_office(settings: Settings, *, clock: Clock | None = None, letters: bool = True) -> Office:
    """The installation, its database brought up to date. Raises `OperatorFault` with everything
    that is wrong with the operator's side; with its letters only where a command may write some."""
    data = settings.data_dir
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_unfinished(data)
    books = load_offices(settings.config_dir / "offices", settings.offices or (DEFAULT_OFFICE,))
    templates = _checked_templates(settings, books) if letters else None
    clock = clock or SystemClock()
    store = open_store(settings.database)
    secret = load_or_create_secret(settings.secret_path)
    check_installation(settings, store, secret, clock.now())
    office = Office(
        settings=settings,
        books=books,
        store=store,
        archive=open_archive(settings, store),
        signer=Signer(secret),
        calendar=working_calendar(settings),
        clock=clock,
    )
    if templates is not None:
        office.use_templates(templates)
    prefixes = [book.info.receipt_prefix for book in books.values()]
    prepare_restored(office.store, prefixes, office.clock.now())
    return office


@contextmanager
def open_bench(settings: Settings, office: str | None = None) -> Iterator[Office]:
    """A throwaway installation on the same offices and templates: nothing it writes stays."""
    offices = (office,) if office else settings.offices or (DEFAULT_OFFICE,)
    with tempfile.TemporaryDirectory(prefix="mailbot-") as folder:
        root = Path(folder)
        yield Office(
            settings=settings,
            books=load_offices(settings.config_dir / "offices", offices),
            store=open_store(f"sqlite:///{root / 'bench.db'}"),
            archive=FileArchive(root / "archive"),
            signer=Signer(secrets.token_bytes(32)),
            calendar=working_calendar(settings),
            clock=SystemClock(),
        )


def working_calendar(settings: Settings) -> WorkingCalendar:
    overrides = settings.config_dir / "holidays.toml"
    return WorkingCalendar(overrides if overrides.exists() else None)


def _templates(settings: Settings) -> MailTemplates:
    from mailbot.adapters.letters.render import MailTemplates

    return MailTemplates(settings.templates_dir, settings.config_dir / "offices")


def _checked_templates(settings: Settings, offices: Iterable[str]) -> MailTemplates:
    """A letter of our own accord whose template is broken fails alone, and a person is told
    (`doctor` tells of them all); without replies no mail could be taken in."""
    templates = _templates(settings)
    faults = [f for office in offices for f in templates.check(office, replies_only=True)]
    if faults:
        raise OperatorFault(*faults)
    return templates


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Nobody else works on the same data meanwhile, or may: on a database server any number of
    machines do, and leases keep them apart."""
    with only_one(settings.data_dir) if settings.database.startswith("sqlite") else nullcontext():
        yield


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Holds the installation's lock, so that a second daemon on the same data refuses to start.
    A lock of the kernel, not a file's existence: what a killed process leaves behind does no harm.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / "mailbot.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OperatorFault(
                Fault(
                    str(path),
                    "另一个 mailbot 正在使用同一个数据目录",
                    "先停止它（systemctl stop mailbot），或为这个实例另设 data_dir",
                )
            ) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)
