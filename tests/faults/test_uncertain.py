"""A letter whose final dot went out and whose answer was never read: it is looked for, then sent at
most once more, or a person is asked. Rows K6-K8, S1-S3 and S6 of faults.tsv.

The deliverer, the database, the SMTP side and the Sent folder (a Dovecot) are real; the clock is moved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.imap.account import ImapAccount, Secret
from mailbot.adapters.imap.sent import SentFolder
from mailbot.adapters.outbox_maildir import MaildirSent, MaildirTransport
from mailbot.adapters.smtp.transport import SmtpAccount, SmtpTransport
from mailbot.adapters.system import SHANGHAI
from mailbot.app.deliver import Deliverer, DeliverReport
from mailbot.app.errors import Retryable
from mailbot.app.evidence import SentMail, Sight
from mailbot.app.records import Outgoing
from mailbot.app.uncertain import (
    LATE_LOOKS,
    LOOKS,
    SETTLING,
    OwnCopies,
    UncertainReport,
    Uncertainties,
)
from tests.integration import intake_help
from tests.integration.intake_help import OFFICE_ADDRESS, World
from tests.servers.dovecot import Dovecot
from tests.servers.picky_proxy import PickyProxy, bye, cut_in_literal
from tests.servers.picky_proxy import replace as rewrite
from tests.servers.smtp_sink import CUT, STALL, FaultServer, Say, SmtpSink, reply
from tests.unit import store_help as h

ME = "office@example.org"
NOON = datetime(2026, 8, 12, 12, 0, tzinfo=SHANGHAI)


@dataclass
class Clock:
    time: datetime = NOON
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def pass_(self, minutes: float) -> None:
        self.time += timedelta(minutes=minutes)
        self.seconds += minutes * 60


@dataclass
class Post:
    """One office's outbox on a database of its own, and what it sends through."""

    store: SqlStore
    transport: Callable[[], Any]
    sent_mail: Callable[[], SentMail | None]
    clock: Clock = field(default_factory=Clock)
    wanted: Callable[[Outgoing, datetime], str] = lambda letter, now: ""
    looker: Uncertainties = field(init=False)

    def __post_init__(self) -> None:
        self.looker = Uncertainties(self.store, lambda _: self.sent_mail(), self.clock)

    def queue(self, *numbers: int, **changes: Any) -> list[int]:
        with self.store.begin() as tx:
            return [tx.queue(letter(n, **changes), self.clock.now()) for n in numbers]

    def deliver(self) -> DeliverReport:
        """One round in a process of its own."""
        with closing(
            Deliverer(self.store, lambda _: self.transport(), self.clock, wanted=self.wanted)
        ) as deliverer:
            return deliverer.deliver_due(self.clock.now())

    def restart(self) -> None:
        """What the next process finds and does first."""
        self.store.outbox.recover(self.clock.now())
        self.looker = Uncertainties(self.store, lambda _: self.sent_mail(), self.clock)

    def look(self) -> UncertainReport:
        return self.looker.look(self.clock.now())

    def look_until_asked(self) -> list[str]:
        """Minute by minute for three hours; the texts of the tasks."""
        for _ in range(180):
            self.look()
            self.clock.pass_(1)
        return self.tasks()

    def states(self) -> list[str]:
        return [row[0] for row in self._rows("select state from outbox order by id")]

    def tasks(self) -> list[str]:
        return [row[0] for row in self._rows("select text from task where kind = 'unknown_send'")]

    def open_tasks(self) -> int:
        return len(self._rows("select id from task where done_at is null"))

    def audit(self) -> list[str]:
        return [row[0] for row in self._rows("select action from audit order by id")]

    def _rows(self, sql: str) -> Sequence[Any]:
        with self.store.snapshot() as db:
            return db.exec_driver_sql(sql).all()


def letter(n: int, **changes: Any) -> Outgoing:
    message_id = f"mb.letter{n}.signature@example.org"
    raw = f"From: {ME}\r\nTo: {h.ADDRESS}\r\nSubject: letter {n}\r\nMessage-ID: <{message_id}>\r\n\r\nbody {n}\r\n"
    return replace(h.letter(n, message_id=message_id, raw=raw.encode(), sender=ME), **changes)


def nowhere() -> SentMail | None:
    return None


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = h.fresh(tmp_path)
    yield opened
    opened.close()


def through(port: int, clock: Clock, **changes: Any) -> Callable[[], SmtpTransport]:
    account = replace(SmtpAccount("127.0.0.1", port, "plain", ME, timeout=5.0), **changes)
    return lambda: SmtpTransport(account, "", clock)


@dataclass
class Box:
    """The mailbox the letters leave from, on a Dovecot; a provider that files what goes out."""

    server: Dovecot
    user: str
    folder: str = "已发送"
    port: int = 0

    def files(self, *raws: bytes, at: datetime = NOON) -> None:
        """What the provider puts into Sent by itself."""
        self.server.append_all(self.user, raws, self.folder, at)

    def sent(self, **changes: Any) -> SentFolder:
        account = ImapAccount(
            name="office",
            host="127.0.0.1",
            port=self.port or self.server.imap_port,
            security="plain",
            username=self.user,
            timeout=5.0,
        )
        return SentFolder(account, lambda: Secret("password", "secret"), clock=Clock(), **changes)


@pytest.fixture
def box(dovecot: Dovecot, mail_user: str) -> Box:
    return Box(dovecot, mail_user)


def lost(post: Post, *numbers: int) -> list[int]:
    """Queues letters and loses the answers to them."""
    ids = post.queue(*numbers)
    report = post.deliver()
    assert report.unknown == len(numbers)
    return ids


def known(post: Post, box: Box | None, number: int) -> None:
    """A letter that is known to have been accepted, and filed where `box` is given."""
    (one,) = post.queue(number)
    claimed = post.store.outbox.claim(post.clock.now())
    assert claimed is not None and claimed.id == one
    post.store.outbox.dot(one, post.clock.now())
    post.store.outbox.sent(one, "250 ok", post.clock.now())
    if box is not None:
        box.files(letter(number).raw, at=post.clock.now())


# --- the rows of the table -----------------------------------------------------------------------


def test_k6_a_letter_claimed_but_not_dotted_goes_once_after_the_restart(store: SqlStore) -> None:
    """The row takes SENDING for UNKNOWN because it could not be told from K7. Here it can: the moment
    before the dot is written down of its own, so SENDING means that the dot certainly did not go out,
    and there is nothing to look up. The letter goes with its one Message-ID and its bytes."""
    clock = Clock()
    with SmtpSink() as sink:
        post = Post(store, through(sink.port, clock), nowhere, clock)
        post.queue(1)
        assert store.outbox.claim(clock.now()) is not None  # and killed here
        post.restart()
        assert post.states() == ["ready"]
        assert post.deliver().sent == 1
        post.restart()
        assert (post.deliver().outcomes, post.look()) == ((), UncertainReport())
        assert [one.raw for one in sink.letters] == [letter(1).raw]
    assert post.tasks() == []


@pytest.mark.dovecot
def test_k7_k8_a_letter_found_in_the_sent_folder_was_sent(store: SqlStore, box: Box) -> None:
    """Whether the answer was not read (K7) or read and not recorded (K8) is the same to whoever comes
    after: the dot is written down, its outcome is not."""
    clock = Clock()
    with SmtpSink() as sink:
        transport = through(sink.port, clock)
        post = Post(store, transport, box.sent, clock)
        (one,) = post.queue(1)
        assert store.outbox.claim(clock.now()) is not None
        with closing(transport()) as smtp:
            smtp.send(letter(1), lambda: store.outbox.dot(one, clock.now()))  # and killed here
        box.files(sink.letters[0].raw)
        post.restart()
        assert post.states() == ["unknown"]
        assert post.deliver().outcomes == ()
        assert post.look() == UncertainReport(waiting=[one])
        clock.pass_(1)
        assert post.look().found == [one]
        post.restart()
        clock.pass_(60)
        assert post.look() == UncertainReport() and post.deliver().outcomes == ()
        assert len(sink.letters) == 1
    assert post.states() == ["sent"] and post.tasks() == []
    (note,) = post._rows("select answer from outbox")[0]
    assert "已发送" in note


def test_k7_k8_with_nowhere_to_look_a_person_is_asked_at_once_and_nothing_is_sent(
    store: SqlStore,
) -> None:
    clock = Clock()
    with SmtpSink() as sink:
        post = Post(store, through(sink.port, clock), nowhere, clock)
        (one,) = post.queue(1)
        store.outbox.claim(clock.now())
        store.outbox.dot(one, clock.now())
        post.restart()
        assert post.look().asked == [one]
        assert len(post.look_until_asked()) == 1
        assert post.deliver().outcomes == () and sink.letters == []
    (text,) = post.tasks()
    for part in (h.ADDRESS, "回执 1", "已发送", "无处查对", letter(1).message_id):
        assert part in text


@pytest.mark.dovecot
@pytest.mark.parametrize("said", [CUT, Say(b"25", cut=True), Say(b"250 Mail OK", cut=True)])
def test_s1_s2_an_answer_cut_short_is_no_answer_and_the_letter_is_found(
    said: Say, store: SqlStore, box: Box
) -> None:
    """The server took the letter; what it said to that was lost: wholly (S1), after two figures that
    look like a refusal (S2), or but for its line end."""
    clock = Clock()
    with FaultServer({"dot": [said]}) as server:
        post = Post(store, through(server.port, clock), box.sent, clock)
        (one,) = lost(post, 1)
        box.files(server.letters[0])
        clock.pass_(1)
        assert post.look().found == [one]
        assert post.deliver().outcomes == ()
        assert len(server.letters) == 1
    assert post.states() == ["sent"] and post.tasks() == []


@pytest.mark.parametrize("code", ["000 strange", "199 what", "354 go on", "600 beyond"])
def test_s2_a_code_outside_the_answers_there_are_says_nothing(code: str, store: SqlStore) -> None:
    clock = Clock()
    with FaultServer({"dot": [reply(code)]}) as server:
        post = Post(store, through(server.port, clock), nowhere, clock)
        lost(post, 1)
    assert post.states() == ["unknown"]


def test_s3_ten_minutes_patience_after_the_dot_and_then_no_retry(store: SqlStore) -> None:
    clock = Clock()
    assert SmtpAccount("mail.example.org", 465, "tls", ME).dot_timeout >= 600  # RFC 5321 §4.5.3.2.6
    with FaultServer({"dot": [STALL]}) as server:
        post = Post(store, through(server.port, clock, dot_timeout=0.3), nowhere, clock)
        lost(post, 1)
        clock.pass_(24 * 60)
        assert post.deliver().outcomes == ()
        assert len(server.letters) == 1
    assert post.states() == ["unknown"]


@pytest.mark.parametrize("at_quit", [CUT, STALL, reply("421 too busy"), Say(b"22", cut=True)])
def test_s6_whatever_happens_at_quit_the_letter_was_sent(at_quit: Say, store: SqlStore) -> None:
    clock = Clock()
    with FaultServer({"quit": [at_quit]}) as server:
        post = Post(store, through(server.port, clock, timeout=0.5), nowhere, clock)
        post.queue(1)
        assert post.deliver().sent == 1
        post.restart()
        assert post.look() == UncertainReport()
        assert len(server.letters) == 1
    assert post.states() == ["sent"]


# --- one copy, or a person -----------------------------------------------------------------------


@pytest.mark.dovecot
def test_a_letter_that_certainly_is_not_there_goes_once_more_with_the_same_bytes(
    store: SqlStore, box: Box
) -> None:
    clock = Clock()
    with FaultServer({"dot": [CUT]}) as server:
        post = Post(store, through(server.port, clock), box.sent, clock)
        known(post, box, 9)
        clock.pass_(3)
        (one,) = lost(post, 1)
        for _ in range(int(SETTLING.total_seconds() // 60)):
            assert post.look().copied == []
            clock.pass_(1)
        assert post.states() == ["sent", "unknown"]
        clock.pass_(3)
        assert post.look().copied == [one]
        assert post.look() == UncertainReport()
        assert post.deliver().sent == 1
        assert server.letters == [letter(1).raw, letter(1).raw]
    assert post.states() == ["sent", "sent"] and post.tasks() == []
    assert post.audit() == ["outbox.copied"]


@pytest.mark.dovecot
def test_unknown_a_second_time_is_a_persons(store: SqlStore, box: Box) -> None:
    clock = Clock()
    with FaultServer({"dot": [CUT, CUT, CUT]}) as server:
        post = Post(store, through(server.port, clock), box.sent, clock)
        known(post, box, 9)
        clock.pass_(3)
        lost(post, 1)
        for _ in range(300):
            post.look()
            post.deliver()
            clock.pass_(1)
        assert len(server.letters) == 2
    (text,) = post.tasks()
    assert "再发了一次" in text and post.states() == ["sent", "unknown"]


@pytest.mark.dovecot
def test_a_letter_found_later_closes_the_task(store: SqlStore, box: Box) -> None:
    clock = Clock()
    with FaultServer({"dot": [CUT]}) as server:
        post = Post(store, through(server.port, clock), box.sent, clock)
        box.files(b"Subject: by hand\r\n\r\nx\r\n")
        (one,) = lost(post, 1)
        assert len(post.look_until_asked()) == 1 and post.open_tasks() == 1
        box.files(server.letters[0])
        clock.pass_(12 * 60)
        assert post.look().found == [one]
    assert post.states() == ["sent"] and post.open_tasks() == 0


@pytest.mark.dovecot
def test_what_a_person_has_closed_is_left_to_him(store: SqlStore, box: Box) -> None:
    clock = Clock()
    with FaultServer({"dot": [CUT]}) as server:
        post = Post(store, through(server.port, clock), nowhere, clock)
        lost(post, 1)
        clock.pass_(1)
        post.look()
        with store.writing() as db:
            db.exec_driver_sql("update task set done_at = created, done_by = '王甲'")
        post.sent_mail = box.sent
        known(post, box, 9)
        clock.pass_(60)
        assert post.look() == UncertainReport()
        assert len(server.letters) == 1 and len(post.tasks()) == 1


@pytest.mark.dovecot
def test_a_letter_worthless_by_now_does_not_go_again(store: SqlStore, box: Box) -> None:
    clock = Clock()
    with FaultServer({"dot": [CUT]}) as server:
        post = Post(store, through(server.port, clock), box.sent, clock)
        known(post, box, 9)
        (one,) = post.queue(1, not_after=NOON + timedelta(minutes=10))
        assert post.deliver().unknown == 1
        clock.pass_(20)
        assert post.look().dropped == [one]
        assert post.deliver().outcomes == () and len(server.letters) == 1
    assert post.states() == ["sent", "dropped"] and post.tasks() == []


@pytest.mark.dovecot
def test_a_letter_not_wanted_any_more_does_not_go_again(store: SqlStore, box: Box) -> None:
    clock = Clock()
    with FaultServer({"dot": [CUT]}) as server:
        post = Post(store, through(server.port, clock), box.sent, clock)
        known(post, box, 9)
        lost(post, 1)
        post.wanted = lambda letter, now: "任务已经完成，不再催办。"
        clock.pass_(20)
        post.look()
        assert post.deliver().dropped == 1
        assert len(server.letters) == 1
    assert post.states() == ["sent", "dropped"]


@pytest.mark.dovecot
def test_a_notice_a_person_has_sent_again_is_not_copied(store: SqlStore, box: Box) -> None:
    clock = Clock()
    with FaultServer({"dot": [CUT]}) as server:
        post = Post(store, through(server.port, clock), box.sent, clock)
        known(post, box, 9)
        post.queue(1, key="notice:7:jiaoti")
        assert post.deliver().unknown == 1
        post.queue(2, key="notice:7:jiaoti:again:1")
        assert post.deliver().sent == 1
        clock.pass_(20)
        box.files(letter(2).raw, at=clock.now())
        assert post.look().copied == []
        assert post.deliver().outcomes == () and len(server.letters) == 2
    assert len(post.tasks()) == 1


# --- folders that prove nothing ------------------------------------------------------------------


@pytest.mark.dovecot
def test_a_folder_that_does_not_hold_our_letters_proves_nothing(store: SqlStore, box: Box) -> None:
    """With some providers it is a switch in webmail whether what goes out over SMTP is filed."""
    clock = Clock()
    with FaultServer({"dot": [CUT]}) as server:
        post = Post(store, through(server.port, clock), box.sent, clock)
        box.files(b"Subject: by hand\r\nMessage-ID: <x@example.org>\r\n\r\nx\r\n")
        known(post, None, 9)
        clock.pass_(3)
        lost(post, 1)
        (text,) = post.look_until_asked()
        assert post.deliver().outcomes == () and len(server.letters) == 1
    assert "不能断定" in text and f"{len(LOOKS)}次" in text


@pytest.mark.dovecot
def test_where_nothing_is_filed_by_the_provider_a_person_is_asked_at_once(
    store: SqlStore, box: Box
) -> None:
    clock = Clock()
    with FaultServer({"dot": [CUT]}) as server:
        post = Post(store, through(server.port, clock), lambda: box.sent(expected=False), clock)
        box.files(b"Subject: by hand\r\nMessage-ID: <x@example.org>\r\n\r\nx\r\n")
        (one,) = lost(post, 1)
        clock.pass_(1)
        assert post.look().asked == [one]


@pytest.mark.dovecot
def test_without_a_sent_folder_there_is_nowhere_to_look(store: SqlStore, box: Box) -> None:
    with closing(box.sent()) as sent:
        assert sent.sight(["<a@example.org>"], [], NOON) is None
    with closing(box.sent(copies=True)) as sent:
        sight = sent.sight(["<a@example.org>"], [], NOON)
        assert sight is not None and not sight.conclusive and not sight.found


@pytest.mark.dovecot
@pytest.mark.parametrize(
    ("folder", "setting"),
    [
        ("已发送", ""),
        ("Sent Messages", ""),
        ("INBOX/Sent Items", ""),
        ("Gesendet", ""),
        ("外发", "外发"),
    ],
)
def test_the_sent_folder_is_found_by_setting_mark_or_name(
    folder: str, setting: str, box: Box
) -> None:
    box.folder = folder
    box.files(letter(1).raw)
    with closing(box.sent(folder=setting)) as sent:
        sight = sent.sight(["<MB.Letter1.signature@example.org>", "<other@example.org>"], [], NOON)
        assert sight is not None
        assert sight.found == {"<MB.Letter1.signature@example.org>"}
        assert not sight.conclusive and sight.where == folder


@pytest.mark.dovecot
def test_a_mark_told_on_demand_only_is_asked_for(box: Box) -> None:
    """RFC 6154 §2: a server need not show the mark in a plain LIST."""
    box.folder = "Gesendet"
    box.files(letter(1).raw)
    with PickyProxy((box.server.host, box.server.imap_port)) as proxy:
        box.port = proxy.port
        proxy.inject(rewrite(rb"(\* LIST \([^)]*)\\Sent", rb"\1"))
        with closing(box.sent()) as sent:
            sight = sent.sight(["<mb.letter1.signature@example.org>"], [], NOON)
        assert any("SPECIAL-USE" in command for command in proxy.commands)
    assert sight is not None and sight.found


@pytest.mark.dovecot
def test_netease_and_a_search_that_answers_with_everything(box: Box) -> None:
    """ID first, no extensions; the day is ignored, and the folder holds years of mail: it is read
    from its newest end, and no more of it than the time asks for."""
    old = [
        f"Subject: old {n}\r\nMessage-ID: <old{n}@example.org>\r\n\r\nx\r\n".encode()
        for n in range(1200)
    ]
    box.files(*old, at=NOON - timedelta(days=300))
    box.files(letter(9).raw, letter(1).raw)
    with PickyProxy((box.server.host, box.server.imap_port)) as proxy:
        box.port = proxy.port
        everything = b" ".join(b"%d" % n for n in range(1, 1203))
        proxy.inject(rewrite(rb"^\* SEARCH.*\r\n", b"* SEARCH " + everything + b"\r\n"))
        with closing(box.sent()) as sent:
            ids = [f"<{letter(n).message_id}>" for n in (1, 2, 9)]
            sight = sent.sight(ids[:2], ids[2:], NOON - timedelta(hours=1))
        fetches = [c for c in proxy.commands if "FETCH" in c]
        assert not any(re.search("APPEND|STORE|SELECT|HEADER ", c) for c in proxy.commands)
    assert sight is not None
    assert (sight.found, sight.conclusive) == (frozenset(ids[:1]), True)
    assert len(fetches) < 3, "the rest of the folder is older than what is looked for"


@pytest.mark.dovecot
@pytest.mark.parametrize(
    "fault",
    [
        cut_in_literal(),
        bye(b" FETCH "),
        rewrite(rb"BODY\[HEADER\.FIELDS \([^)]*\)\] \{\d+\}\r\n$", b"BODY[TEXT] {0}\r\n"),
        rewrite(rb"(BODY\[HEADER[^]]*\]) \{\d+\}\r\n$", rb"\1 NIL", drop_literal=True),
        rewrite(rb"^\* \d+ FETCH .*", b"* 1 FETCH (UID", drop_literal=True),
    ],
)
def test_a_look_that_was_broken_off_or_garbled_shows_nothing(
    fault: Any, store: SqlStore, box: Box
) -> None:
    clock = Clock()
    with (
        FaultServer({"dot": [CUT]}) as server,
        PickyProxy((box.server.host, box.server.imap_port)) as proxy,
    ):
        post = Post(store, through(server.port, clock), box.sent, clock)
        box.files(letter(8).raw)  # what cannot be read may be the letter looked for
        known(post, box, 9)
        lost(post, 1)
        box.port = proxy.port
        clock.pass_(20)
        proxy.inject(fault)
        assert post.look().copied == []
        clock.pass_(20)
        assert post.look().copied != []  # the line is good again, and the folder says it plainly


def test_a_mailbox_that_cannot_be_reached_ends_as_a_task_that_says_so(store: SqlStore) -> None:
    clock = Clock()
    logins = 0

    class Unreachable(OwnCopies):
        def sight(self, asked: Any, known: Any, since: datetime) -> Sight | None:
            nonlocal logins
            logins += 1
            raise Retryable("连接不上邮件服务器", code="connect", systemic=True)

    with FaultServer({"dot": [CUT]}) as server:
        post = Post(store, through(server.port, clock), Unreachable, clock)
        lost(post, 1)
        (text,) = post.look_until_asked()
        assert len(server.letters) == 1
    assert "连接不上邮件服务器" in text and logins <= len(LOOKS) + len(LATE_LOOKS)


def test_a_clock_set_back_neither_copies_nor_waits_for_ever(store: SqlStore) -> None:
    clock = Clock()
    with FaultServer({"dot": [CUT]}) as server:
        post = Post(store, through(server.port, clock), OwnCopies, clock)
        lost(post, 1)
        clock.time -= timedelta(days=400)
        assert len(post.look_until_asked()) == 1
        assert len(server.letters) == 1


# --- a local outbox ------------------------------------------------------------------------------


class Dies(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("renamed", [False, True])
def test_a_local_outbox_is_its_own_evidence(renamed: bool, store: SqlStore, tmp_path: Path) -> None:
    outbox, clock = tmp_path / "outbox", Clock()
    post = Post(store, lambda: MaildirTransport(outbox), lambda: MaildirSent(outbox), clock)
    (one,) = post.queue(1)
    assert store.outbox.claim(clock.now()) is not None

    def before_dot() -> None:
        store.outbox.dot(one, clock.now())
        if not renamed:
            raise Dies

    transport = MaildirTransport(outbox)
    if renamed:
        transport.send(letter(1), before_dot)
    else:
        with pytest.raises(Dies):
            transport.send(letter(1), before_dot)
    post.restart()
    clock.pass_(20)
    report = post.look()
    assert (report.found, report.copied) == (([one], []) if renamed else ([], [one]))
    post.deliver()
    assert [f.read_bytes() for f in (outbox / "new").iterdir()] == [letter(1).raw]
    assert post.states() == ["sent"]


def test_letters_another_program_carries_away_are_no_evidence(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    MaildirTransport(outbox).send(letter(9), lambda: None)
    ids = [f"<{letter(n).message_id}>" for n in (1, 9)]
    sight = MaildirSent(outbox).sight(ids[:1], ids[1:], NOON)
    assert sight is not None and sight.conclusive
    for file in (outbox / "new").iterdir():
        file.unlink()
    sight = MaildirSent(outbox).sight(ids[:1], ids[1:], NOON)
    assert sight is not None and not sight.conclusive


def test_an_outbox_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(Retryable):
        MaildirSent(tmp_path / "not mounted").sight(["<a@example.org>"], [], NOON)


# --- a copy to ourselves -------------------------------------------------------------------------


def test_a_copy_that_came_back_shows_that_the_letter_went_out(tmp_path: Path) -> None:
    """Real intake: the copy is known as ours, is not answered, and is tied to its letter."""
    world = World(tmp_path)
    world.receive(intake_help.item(message_id="one@example.com"))
    answer = world.sent()[0]
    clock = Clock(world.clock.now())
    with FaultServer({"dot": [CUT]}) as server:
        account = SmtpAccount(
            "127.0.0.1", server.port, "plain", OFFICE_ADDRESS, copy_to=OFFICE_ADDRESS
        )
        post = Post(world.store, lambda: SmtpTransport(account, "", clock), OwnCopies, clock)
        assert post.deliver().unknown == 1
        rcpts = [c for c in server.commands if c.upper().startswith("RCPT")]
        assert len(rcpts) == 2 and OFFICE_ADDRESS in rcpts[1]
        head = server.letters[0].partition(b"\r\n\r\n")[0]
        assert OFFICE_ADDRESS.encode() not in re.findall(rb"(?im)^(?:to|cc|bcc):.*$", head)[0]
        clock.pass_(2)
        assert post.look().waiting
        back = world.receive(server.letters[0])
        assert back.kind == "ignore" and back.answer.letter is None
        assert len(post.look().found) == 1
        assert post.deliver().outcomes == () and len(server.letters) == 1
    assert post.states() == ["sent"] and post.tasks() == []
    links = world.rows("select relation, to_outbox from link where to_outbox is not null")
    assert [tuple(one) for one in links] == [("copy", 1)]
    assert answer.message_id in server.letters[0].decode()


REFUSED_COPIES = {
    "at rcpt": {"rcpt": [reply("250 ok"), reply("550 RP:RCL one recipient per mail")]},
    "at data": {"data": [reply("554 RP:RCL too many recipients")]},
    "cut at rcpt": {"rcpt": [reply("250 ok"), CUT]},
    "closed at rcpt": {"rcpt": [reply("250 ok"), Say(b"421 closing\r\n", cut=True)]},
    "unread at rcpt": {"rcpt": [reply("250 ok"), Say(b"55", cut=True)]},
}


@pytest.mark.parametrize("where", REFUSED_COPIES)
def test_a_refusal_of_our_copy_never_hurts_the_letter(where: str, store: SqlStore) -> None:
    clock = Clock()
    with FaultServer(REFUSED_COPIES[where]) as server:
        transport = through(server.port, clock, copy_to=ME)()
        post = Post(store, lambda: transport, nowhere, clock)
        post.queue(1, 2)
        assert post.deliver().sent == 2
        copies = [c for c in server.commands if ME in c and c.upper().startswith("RCPT")]
        assert len(copies) == 1, "it is not tried again"
        assert server.letters == [letter(1).raw, letter(2).raw]


def test_a_copy_put_off_is_left_out_once(store: SqlStore) -> None:
    clock = Clock()
    with FaultServer({"rcpt": [reply("250 ok"), reply("452 too many recipients")]}) as server:
        transport = through(server.port, clock, copy_to=ME)()
        post = Post(store, lambda: transport, nowhere, clock)
        post.queue(1, 2)
        assert post.deliver().sent == 2
        copies = [c for c in server.commands if ME in c and c.upper().startswith("RCPT")]
        assert len(copies) == 2


def test_a_letter_refused_together_with_its_copy_goes_again_without(store: SqlStore) -> None:
    clock = Clock()
    with FaultServer({"dot": [reply("550 RP:RCL one recipient per mail")]}) as server:
        transport = through(server.port, clock, copy_to=ME)()
        post = Post(store, lambda: transport, nowhere, clock)
        post.queue(1)
        assert post.deliver().retried == 1
        clock.pass_(6)
        assert post.deliver().sent == 1
        assert sum(ME in c for c in server.commands if c.upper().startswith("RCPT")) == 1
    assert post.states() == ["sent"]


def test_a_refusal_of_the_letter_itself_stays_one(store: SqlStore) -> None:
    clock = Clock()
    said = reply("550 no such user here")
    with FaultServer({"rcpt": [said], "dot": []}) as server:
        post = Post(store, through(server.port, clock, copy_to=ME), nowhere, clock)
        post.queue(1)
        assert post.deliver().failed == 1
        assert server.letters == []
