"""One office's intake in memory: a mailbox made of a list, everything else real.

`World.receive` puts a mail into the box and runs a pass; `World.run` repeats passes. The database,
the archive, the templates and the office's data are the real ones.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path
from typing import Any

from mailbot.adapters.archive import FileArchive
from mailbot.adapters.db.engine import SqlStore, open_store
from mailbot.adapters.letters.render import MailTemplates
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.adapters.sandbox import InProcessReader
from mailbot.adapters.signing import Signer
from mailbot.adapters.system import SHANGHAI, shipped
from mailbot.app.answers import Answering
from mailbot.app.errors import Unfetched
from mailbot.app.intake import Intake, PassReport
from mailbot.app.mailbox import IntakePolicy, Mailbox
from mailbot.app.records import (
    Binding,
    Disposition,
    Envelope,
    Fetched,
    FolderState,
    ItemRow,
    Origin,
    Outgoing,
)
from mailbot.app.settle import Settled, Settler
from mailbot.core.mail.automatic import Ourselves
from mailbot.core.rules.rulebook import Limits, OfficeBook, SenderPolicy

OFFICE_ADDRESS = "xinxi@example.org"
LIAISON = "liaison@example.com"
NOON = datetime(2026, 8, 12, 12, 0, tzinfo=SHANGHAI)
"""A Wednesday without a holiday near it."""
LINE = "农牧局+春耕备耕工作进展顺利+张三+7622029"
ARTICLE = "今年以来，全旗春耕备耕工作扎实推进，备足种子、化肥、农膜，检修农机具，开展技术培训。" * 8
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(range(256)) * 8 + b"\xff\xd9"
ZIP = b"PK\x05\x06" + b"\x00" * 18


@cache
def otog() -> OfficeBook:
    return load_office(shipped("config") / "offices" / "otog")


@cache
def templates() -> MailTemplates:
    return MailTemplates(shipped("templates"), shipped("config") / "offices")


def with_policy(book: OfficeBook, policy: SenderPolicy) -> OfficeBook:
    return dataclasses.replace(
        book, conventions=tuple(dataclasses.replace(c, senders=policy) for c in book.conventions)
    )


def with_limits(book: OfficeBook, **limits: int) -> OfficeBook:
    return dataclasses.replace(book, limits=Limits(**limits))


def text_file(name: str, text: str = ARTICLE) -> tuple[str, bytes, str]:
    return name, text.encode(), "text/plain"


def photo(name: str) -> tuple[str, bytes, str]:
    return name, JPEG + name.encode(), "image/jpeg"


def letter(
    subject: str = LINE,
    body: str = "请查收附件，谢谢！",
    files: Sequence[tuple[str, bytes, str]] = (),
    *,
    sender: str = LIAISON,
    message_id: str | None = None,
    **headers: str,
) -> bytes:
    """A mail's bytes. Header names are given with underscores: `In_Reply_To="<...>"`."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = OFFICE_ADDRESS
    mail["Subject"] = subject
    mail["Date"] = "Wed, 12 Aug 2026 11:59:00 +0800"
    if message_id is not None:
        mail["Message-ID"] = f"<{message_id}>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(body)
    for name, data, kind in files:
        main, sub = kind.split("/")
        mail.add_attachment(data, maintype=main, subtype=sub, filename=name)
    if files:
        mail.set_boundary("=_the_same_bytes_every_time")
    return mail.as_bytes()


def item(
    title: str = "春耕备耕工作进展顺利",
    unit: str = "农牧局",
    people: str = "张三+7622029",
    *,
    text: str | None = None,
    **more: Any,
) -> bytes:
    """A well-formed submission with its text attached."""
    text = text if text is not None else f"{title}。{ARTICLE}"
    return letter(f"{unit}+{title}+{people}", files=[text_file(f"{title}.txt", text)], **more)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Lying:
    """One mail in the box."""

    raw: bytes
    received: datetime
    size: int


@dataclass
class Box:
    """A mail source over a dictionary. `gone` vanished after the search, `broken` cannot be
    fetched whole; `hurt` is called with the name of each operation."""

    account: str = "test"
    folder: str = "INBOX"
    uidvalidity: int = 1
    uidnext: int = 0
    mails: dict[int, Lying] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)
    settled: list[tuple[int, Disposition]] = field(default_factory=list)
    hurt: Callable[[str], None] = lambda _: None

    def put(self, raw: bytes, received: datetime, size: int | None = None) -> int:
        uid = max(self.mails, default=0) + 1
        self.mails[uid] = Lying(raw, received, len(raw) if size is None else size)
        return uid

    def search(self) -> Iterator[FolderState]:
        self.hurt("search")
        yield FolderState(self.folder, self.uidvalidity, sorted(self.mails), self.uidnext)

    def envelopes(self, state: FolderState, uids: Sequence[int]) -> Iterator[Envelope]:
        self.hurt("envelopes")
        for uid in uids:
            lying = self.mails[uid]
            origin = Origin(self.account, state.folder, state.uidvalidity, uid)
            yield Envelope(origin, lying.size, lying.received)

    def fetch(self, envelopes: Sequence[Envelope], cap: int) -> Iterator[Fetched]:
        failed: list[tuple[Origin, str]] = []
        for envelope in envelopes:
            self.hurt("fetch")
            uid = envelope.origin.uid
            if uid in self.broken:
                failed.append((envelope.origin, "short literal"))
            elif uid in self.gone:
                yield Fetched(envelope, None)
            elif envelope.size > cap:
                head = self.mails[uid].raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
                yield Fetched(envelope, head, complete=False)
            else:
                yield Fetched(envelope, self.mails[uid].raw)
        if failed:
            raise Unfetched(failed)

    def settle(self, origin: Origin, disposition: Disposition) -> None:
        self.hurt("settle")
        self.settled.append((origin.uid, disposition))

    def wait(self, seconds: float) -> bool:
        return False

    def close(self) -> None:
        pass


@cache
def _migrated() -> bytes:
    """An empty database with today's schema: made once, half the time of a short test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        open_store(f"sqlite:///{path}").engine.dispose()
        return path.read_bytes()


def _database(path: Path) -> SqlStore:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(_migrated())
    return open_store(f"sqlite:///{path}")


class World:
    """One installation with one mailbox."""

    def __init__(
        self,
        root: Path,
        *books: OfficeBook,
        authserv_ids: frozenset[str] = frozenset(),
        cap: int = 1_000_000,
        account: str = "test",
        store: SqlStore | None = None,
    ) -> None:
        self.root = root
        self.books = books or (otog(),)
        self.store = store or _database(root / "mailbot.db")
        self.archive = FileArchive(root / "archive", min_free_bytes=0)
        self.clock = Clock(NOON)
        self.box = Box(account)
        self.signer = Signer(b"0123456789abcdef0123456789abcdef")
        self.log: list[Settled] = []
        self.mailbox = Mailbox(
            account=account,
            address=OFFICE_ADDRESS,
            offices=tuple(b.info.id for b in self.books),
            authserv_ids=authserv_ids,
        )
        self.policy = IntakePolicy(cap_bytes=cap, answer_max_age=timedelta(hours=72))
        self.settler = Settler(
            books={b.info.id: b for b in self.books},
            answering=Answering(self.mailbox, self.policy, templates(), self.signer),
            us=Ourselves(addresses=frozenset({OFFICE_ADDRESS}), verify=self.signer.is_ours),
            is_working_day=lambda day: day.weekday() < 5,
        )
        self.reader: Any = InProcessReader()

    @property
    def intake(self) -> Intake:
        """A fresh one each time: nothing may depend on what a process remembers."""
        return Intake(
            mailbox=self.mailbox,
            policy=self.policy,
            store=self.store,
            archive=self.archive,
            reader=self.reader,
            settler=self.settler,
            clock=self.clock,
            on_settled=self.log.append,
        )

    def run(self) -> PassReport:
        return self.intake.run_pass(self.box)

    def receive(self, *raws: bytes, at: datetime | None = None) -> Settled:
        """Puts mails into the box, runs a pass; what became of the last of them."""
        if at is not None:
            self.clock.time = at
        for raw in raws:
            self.box.put(raw, self.clock.time)
        before = len(self.log)
        self.run()
        assert len(self.log) == before + len(raws)
        self.clock.time += timedelta(minutes=7)
        return self.log[-1]

    # --- what is recorded

    def rows(self, sql: str) -> list[Any]:
        with self.store.engine.connect() as db:
            return list(db.exec_driver_sql(sql))

    def items(self) -> list[tuple[str, str, str]]:
        """(title, state, month) of every item, in the order of their numbers."""
        return [
            tuple(row)
            for row in self.rows(
                "select v.title, i.state, substr(i.month, 1, 7) from item i"
                " join item_version v on v.item_id = i.id and v.no = i.version_no order by i.id"
            )
        ]

    def letters(self) -> list[tuple[str, str, str]]:
        """(kind, recipient, state) of every letter queued."""
        return [
            tuple(r) for r in self.rows("select kind, recipient, state from outbox order by id")
        ]

    def sent(self) -> list[Outgoing]:
        """The letters with their bytes."""
        rows = self.rows("select raw, subject, message_id, kind, recipient from outbox order by id")
        return [
            Outgoing("", r.kind, "", "", r.recipient, r.message_id, bytes(r.raw), r.subject)
            for r in rows
        ]

    def tasks(self) -> list[str]:
        return [r[0] for r in self.rows("select kind from task order by id")]

    def bind(self, address: str, unit_id: str, state: str = "bound") -> None:
        with self.store.begin() as tx:
            tx.add_binding(
                self.books[0].info.id, Binding(address, unit_id, state), "王芳芳", self.clock.now()
            )

    def only_version(self, receipt: str) -> int:
        """The number of the item's current version."""
        with self.store.reading() as reads:
            found = reads.item_by_receipt(receipt)
        assert found is not None
        return found.version_no

    def only_item(self) -> ItemRow:
        ((item_id,),) = self.rows("select id from item where state != 'replaced'")
        with self.store.reading() as reads:
            found = reads.item(item_id)  # type: ignore[attr-defined]
        assert found is not None
        return found


def reply_to(sent: Outgoing) -> dict[str, str]:
    """The threading headers of a reply to one of our letters."""
    return {"In_Reply_To": f"<{sent.message_id}>", "References": f"<{sent.message_id}>"}
