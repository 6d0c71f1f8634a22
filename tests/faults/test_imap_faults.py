"""Faults I1 to I18 from the mailbox to the database: a real Dovecot, behind a proxy that breaks on
order. What concerns the IMAP source alone is in tests/integration/test_imap.py."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from mailbot.adapters.backoff import Backoff
from mailbot.adapters.imap import idling
from mailbot.adapters.imap.account import ImapAccount
from mailbot.adapters.settings.model import Settings
from mailbot.adapters.system import SystemClock
from mailbot.app.errors import Permanent, Retryable, WorldFault
from tests.faults.at_work import at_work
from tests.faults.post import Office, imap_box, imap_office, reminder
from tests.integration.daemon_help import configure, until
from tests.integration.intake_help import NOON, item, letter
from tests.servers.dovecot import Dovecot
from tests.servers.picky_proxy import (
    PickyProxy,
    Rule,
    add_before,
    bye,
    cut_in_literal,
    half_reply,
    nil_body,
    replace,
    shorten,
    silence,
    uidvalidity,
    unlisted,
)
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.dovecot

TITLES = (
    "春耕备耕工作进展顺利",
    "草原防火宣传深入牧户",
    "冷季饲草储备充足",
    "全旗秋季开学准备就绪",
)


def mails(count: int) -> list[bytes]:
    return [item(title, message_id=f"{n}@example.com") for n, title in enumerate(TITLES[:count])]


@pytest.fixture
def proxy(dovecot: Dovecot) -> Iterator[PickyProxy]:
    with PickyProxy((dovecot.host, dovecot.imap_port), uidnext=True) as running:
        yield running


@pytest.fixture
def office(tmp_path: Path, proxy: PickyProxy, mail_user: str) -> Iterator[Office]:
    with imap_office(tmp_path, proxy.port, mail_user) as made:
        yield made


def raw_files(office: Office) -> list[bytes]:
    """What is archived; of a mail that was given up there are no bytes."""
    found = (p.read_bytes() for p in (office.root / "archive").rglob("*.eml"))
    return sorted(raw for raw in found if raw)


def bodies_fetched(proxy: PickyProxy) -> int:
    return sum("BODY.PEEK[]" in command for command in proxy.commands)


def through(proxy: PickyProxy, dovecot: Dovecot) -> tuple[str, str]:
    """A change of settings."""
    return f"port = {dovecot.imap_port}", f"port = {proxy.port}"


def everything(office: Office) -> tuple[object, ...]:
    """What a mail that is known already must not change."""
    return office.items(), office.letters(), office.rows("select count(*) from task")


# --- the line breaks ------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [cut_in_literal(), half_reply(b"BODY[]")], ids=["literal", "line"])
def test_i1_a_mail_cut_off_leaves_nothing_and_comes_whole_later(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str, rule: Rule
) -> None:
    """Its row without content stands (commit 1): that it lies there is known, nothing else is."""
    dovecot.append_all(mail_user, mails(2))
    proxy.inject(rule)
    with pytest.raises(Retryable):
        office.run()
    assert office.rows("select distinct state, sha256, attempts from inbound") == [("new", "", 0)]
    assert (raw_files(office), office.items(), office.letters()) == ([], [], [])
    office.run()
    assert raw_files(office) == sorted(mails(2))
    assert len(office.items()) == len(office.letters()) == 2
    assert proxy.connections == 2


def test_i2_a_stall_in_a_literal_ends_with_the_timeout(
    tmp_path: Path, proxy: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, mails(1))
    proxy.inject(cut_in_literal(then="stall"))
    with imap_office(tmp_path, proxy.port, mail_user, timeout=0.5) as office:
        with pytest.raises(Retryable, match="no answer in time"):
            office.run()
        office.run()
        assert len(office.items()) == 1
    assert ImapAccount("office", "127.0.0.1", 143, "plain", "office").timeout <= 60


def test_i2_while_the_mailbox_stalls_the_delivery_goes_on(
    tmp_path: Path,
    proxy: PickyProxy,
    dovecot: Dovecot,
    mail_user: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEST_CODE", "secret")
    dovecot.append_all(mail_user, mails(1))
    proxy.inject(cut_in_literal(then="stall"), always=True)
    with SmtpSink() as sink:
        config = configure(tmp_path, dovecot, mail_user, sink)
        with at_work(config, through(proxy, dovecot)) as work:
            until(lambda: bodies_fetched(proxy) > 0, "the stall")
            with work.office.store.begin() as tx:
                tx.queue(reminder(1), SystemClock().now())
            until(lambda: len(sink.letters) == 1, "the delivery")
            assert work.count("select count(*) from inbound where state = 'new'") == 1
    assert b"reminder 1" in sink.letters[0].raw


# --- what the server says is wrong ----------------------------------------------------------


def test_i3_a_mail_that_never_comes_whole_ends_with_a_person(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, mails(3))
    proxy.inject(lambda r: b"UID 2 " in r.parts[0] and shorten(500)(r), always=True)
    for tried in (1, 2, 3):
        assert office.run().faults, "told each time"
        left = office.rows("select count(*) from inbound where state = 'new'")
        assert left == [(int(tried < 3),)]
    assert raw_files(office) == sorted([mails(3)[0], mails(3)[2]]), (
        "never stored as if it were whole"
    )
    assert len(office.items()) == len(office.letters()) == 2
    assert office.tasks().count("unreadable") == 1
    before = bodies_fetched(proxy)
    assert not office.run().faults
    assert bodies_fetched(proxy) == before


@pytest.mark.parametrize(
    "lie",
    [
        replace(rb"(UID 2 BODY\[\].*)\{\d+\}", rb"\1{99999999999}", drop_literal=True),
        replace(rb"(UID 2 .*?RFC822.SIZE) \d+", rb"\1 99999999999"),
    ],
    ids=["literal", "size"],
)
def test_i4_an_absurd_literal_or_size_costs_only_its_own_mail(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str, lie: Rule
) -> None:
    dovecot.append_all(mail_user, mails(3))
    proxy.inject(lie, always=True)
    for _ in range(4):
        try:
            office.run()
        except Retryable as fault:
            assert fault.code == "oversize"
    states = office.rows("select uid, decision from inbound order by uid")
    assert states[0] == (1, "accept") and states[2] == (3, "accept")
    assert states[1][1] in ("quarantine", "hold"), "a person looks"
    assert len(office.letters()) == 2


def test_i5_a_mail_without_a_body_has_vanished_and_may_come_back(
    office: Office,
    proxy: PickyProxy,
    dovecot: Dovecot,
    mail_user: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    dovecot.append_all(mail_user, mails(2))
    proxy.inject(nil_body(1), always=True)
    with caplog.at_level(logging.INFO, "mailbot"):
        assert office.run().vanished == 1
    assert office.rows("select uid, state from inbound order by uid") == [
        (1, "vanished"),
        (2, "settled"),
    ]
    assert "vanished" in caplog.text
    proxy.behave()
    office.run()
    assert len(office.items()) == len(office.letters()) == 2


def test_i6_only_the_body_whose_uid_was_asked_is_used(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    one, two = mails(2)
    dovecot.append_all(mail_user, [one, two])
    unasked = (
        b"* 9 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 99 BODY[] {5}\r\nwrong)\r\n"
        b"* 7 EXPUNGE\r\n* 1 FETCH (BODY[] {5}\r\nwrong)\r\n"
    )
    proxy.inject(add_before(b"BODY[]", unasked))
    office.run()
    assert raw_files(office) == sorted([one, two])
    assert len(office.items()) == 2


def test_i6_of_two_bodies_under_one_uid_neither_is_believed(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    """Both mails are of one length: size shows nothing."""
    raws = [
        letter(f"农牧局+第{n}批物资到位+张三+7622029", "正文", message_id=f"{n}@x") for n in "12"
    ]
    assert len(raws[0]) == len(raws[1])
    dovecot.append_all(mail_user, raws)
    proxy.inject(replace(rb"^\* 2 FETCH \(UID 2 (BODY\[\])", rb"* 2 FETCH (UID 1 \1"))
    office.run()
    office.run()
    pairs = office.rows("select uid, message_id from inbound order by uid")
    assert pairs == [(1, "1@x"), (2, "2@x")]


# --- waiting --------------------------------------------------------------------------------


def test_i7_a_half_open_idle_hides_no_mail(
    tmp_path: Path, dovecot: Dovecot, mail_user: str
) -> None:
    with (
        PickyProxy((dovecot.host, dovecot.imap_port), hide=(), uidnext=True) as proxy,
        imap_office(tmp_path, proxy.port, mail_user, timeout=0.5) as office,
    ):
        office.run()
        proxy.inject(silence())
        with pytest.raises(Retryable, match="no answer in time"):
            office.box.wait(0.2)  # the poll is due, and the line turns out to be dead
        dovecot.append_all(mail_user, mails(1))
        office.run()
        assert len(office.items()) == 1


def test_i7_the_wait_is_bounded_and_the_kernel_watches_the_line(
    office: Office, mail_user: str
) -> None:
    list(office.box.search())
    session = office.box._session  # type: ignore[attr-defined]
    sock: socket.socket = session._client.socket()
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert 0 < sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 600_000
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 540
    assert idling.RENEWAL <= 9 * 60
    folders = {"data_dir": "d", "config_dir": "c", "templates_dir": "t"}
    Settings.model_validate({**folders, "poll_seconds": 600})
    with pytest.raises(ValidationError, match="poll_seconds"):
        Settings.model_validate({**folders, "poll_seconds": 601})


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("LOGIN", b"NO [UNAVAILABLE] Temporary authentication failure."),
        ("LOGIN", b"NO [LIMIT] too many simultaneous connections"),
        ("EXAMINE", b"NO [UNAVAILABLE] Server is busy"),
    ],
)
def test_i8_a_busy_server_is_a_fault_that_passes(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str, command: str, answer: bytes
) -> None:
    dovecot.append_all(mail_user, mails(1))
    proxy.refuse(command, answer)
    with pytest.raises(Retryable) as caught:
        office.run()
    assert caught.value.systemic
    proxy.behave()
    office.run()
    assert len(office.items()) == 1


@pytest.mark.parametrize(
    "when", [b"* OK [", b" OK Logged in", b"[UIDVALIDITY", b"* SEARCH", b"BODY["]
)
def test_i8_bye_at_any_moment_costs_a_pause_only(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str, when: bytes
) -> None:
    dovecot.append_all(mail_user, mails(1))
    proxy.inject(bye(when))
    with pytest.raises(Retryable) as caught:
        office.run()
    assert caught.value.systemic
    office.run()
    assert len(office.items()) == len(office.letters()) == 1


def test_i8_an_idle_that_always_ends_at_once_is_let_be(
    tmp_path: Path, dovecot: Dovecot, mail_user: str
) -> None:
    with (
        PickyProxy((dovecot.host, dovecot.imap_port), hide=(), uidnext=True) as proxy,
        imap_office(tmp_path, proxy.port, mail_user) as office,
    ):
        proxy.inject(bye(b"+ idling"), always=True)
        outcomes: list[bool | str] = []
        for _ in range(6):
            office.run()
            try:
                outcomes.append(office.box.wait(0.05))
            except WorldFault as fault:
                outcomes.append(fault.code)
        assert outcomes == ["closed", "closed", False, False, False, False]
        assert [c for c in proxy.commands if c == "LOGIN"] == ["LOGIN"] * 4
        dovecot.append_all(mail_user, mails(1))
        office.run()
        assert len(office.items()) == 1


def test_i8_an_idle_that_breaks_off_with_news_every_time_is_let_be(
    tmp_path: Path, dovecot: Dovecot, mail_user: str
) -> None:
    with (
        PickyProxy((dovecot.host, dovecot.imap_port), hide=(), uidnext=True) as proxy,
        imap_office(tmp_path, proxy.port, mail_user) as office,
    ):
        proxy.inject(replace(rb"^\+ idling\r\n", b"* 1 EXISTS\r\n"), always=True)
        heard = []
        for _ in range(6):
            office.run()
            heard.append(office.box.wait(0.05))
        assert heard == [True, True, True, False, False, False]
        assert proxy.commands.count("LOGIN") == 4


def test_i8_a_login_limit_brings_no_login_storm(
    tmp_path: Path,
    proxy: PickyProxy,
    dovecot: Dovecot,
    mail_user: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("TEST_CODE", "secret")
    proxy.refuse("LOGIN", b"NO [LIMIT] login frequency limited")
    with SmtpSink() as sink:
        config = configure(tmp_path, dovecot, mail_user, sink)
        with at_work(config, through(proxy, dovecot)) as work:
            until(
                lambda: "frequency limited" in work.trouble("mailbox:otog"), "a word on the board"
            )
    pauses = [int(s) for s in re.findall(r"again in (\d+) s", caplog.text)]
    assert min(pauses) >= 60, "what such a server is owed"
    assert proxy.commands.count("LOGIN") == 1


def test_i8_a_server_that_hangs_up_after_every_search_is_asked_less_and_less_often(
    tmp_path: Path,
    dovecot: Dovecot,
    mail_user: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A search that worked is no reason to log in again at once for ever."""
    monkeypatch.setenv("TEST_CODE", "secret")
    monkeypatch.setattr("mailbot.adapters.imap.idling.MOST_EARLY", 10**6)
    with (
        PickyProxy((dovecot.host, dovecot.imap_port), hide=(), uidnext=True) as proxy,
        SmtpSink() as sink,
    ):
        proxy.inject(bye(b"+ idling"), always=True)
        config = configure(tmp_path, dovecot, mail_user, sink)
        pauses: list[int] = []
        with at_work(config, through(proxy, dovecot)):

            def grown() -> bool:
                pauses[:] = [int(s) for s in re.findall(r"again in (\d+) s", caplog.text)]
                return len(pauses) >= 3

            until(grown, "three pauses")
    assert pauses[2] > pauses[0]


def test_i9_netease_lets_in_who_introduced_itself(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    """The proxy answers "Unsafe Login" to every folder opened before ID, as NetEase does."""
    dovecot.append_all(mail_user, mails(1))
    office.run()
    assert len(office.items()) == len(office.letters()) == 1
    names = [command.split()[0] for command in proxy.commands]
    assert names.index("LOGIN") < names.index("ID") < names.index("EXAMINE")


# --- numbers that do not hold ---------------------------------------------------------------


@pytest.mark.parametrize("count", [30, pytest.param(500, marks=pytest.mark.long)])
def test_i10_a_renumbered_mailbox_is_known_by_its_contents(
    office: Office,
    proxy: PickyProxy,
    dovecot: Dovecot,
    mail_user: str,
    caplog: pytest.LogCaptureFixture,
    count: int,
) -> None:
    batch = [item(f"第{n}批草原生态补奖资金发放到户", message_id=f"{n}@x") for n in range(count)]
    dovecot.set_uidvalidity(mail_user, 10)
    dovecot.append_all(mail_user, batch)
    office.run()
    before = everything(office)
    office.box.close()  # a server that notices ends the session anyway
    dovecot.set_uidvalidity(mail_user, 4_000_000)
    with caplog.at_level(logging.INFO, "mailbot"):
        office.run()
    assert everything(office) == before and len(office.items()) == count
    assert len([r for r in caplog.records if "renumbered" in r.getMessage()]) == 1
    assert len(caplog.records) <= 2, "one line, not one for each mail"
    linked = office.rows("select count(*) from link where relation = 'duplicate'")
    assert linked == [(count,)]
    fetched = bodies_fetched(proxy)
    office.run()
    assert bodies_fetched(proxy) == fetched, "once is enough"
    dovecot.append(mail_user, mails(1)[0])
    office.run()
    assert len(office.items()) == count + 1


@pytest.mark.parametrize("value", [None, 0, 5])
def test_i11_a_missing_or_smaller_uidvalidity_is_a_changed_one(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str, value: int | None
) -> None:
    dovecot.set_uidvalidity(mail_user, 1000)
    dovecot.append_all(mail_user, mails(3))
    office.run()
    items, letters = office.items(), office.letters()
    proxy.inject(uidvalidity(value), always=True)
    office.run()
    assert (office.items(), office.letters()) == (items, letters)
    assert office.tasks().count("renumbered") == 1
    fetched = bodies_fetched(proxy)
    for _ in range(3):
        office.run()
        office.moved.pass_(days=2)
    assert bodies_fetched(proxy) == fetched, "not fetched whole again on every pass"
    assert office.tasks().count("renumbered") == 1
    dovecot.append(mail_user, mails(4)[3])
    office.run()
    assert len(office.items()) == len(office.letters()) == 4


def test_i11_without_uidvalidity_mails_are_known_under_whatever_number(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    """UIDs mean nothing there: the same mails turn up under others, and a known UID names a new
    mail."""
    proxy.inject(uidvalidity(None), always=True)
    when = office.moved.now() - timedelta(hours=1)
    for raw in mails(3):
        dovecot.append(mail_user, raw, internaldate=when)
    office.run()
    before, fetched = everything(office), bodies_fetched(proxy)
    assert len(before[0]) == 3  # type: ignore[arg-type]
    for uid in (1, 2, 3):
        dovecot.expunge(mail_user, uid)
    for raw in reversed(mails(3)):
        dovecot.append(mail_user, raw, internaldate=when)
    office.box.close()  # another connection
    office.run()
    assert everything(office) == before
    assert bodies_fetched(proxy) == fetched, "known by size, time and header"
    dovecot.append(mail_user, mails(4)[3])
    office.run()
    assert len(office.items()) == 4


def test_i11_a_uidvalidity_that_comes_and_goes_is_not_paid_for_every_time(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, mails(3))
    office.run()
    before = office.items(), office.letters()
    proxy.inject(uidvalidity(0), always=True)
    office.run()
    fetched = bodies_fetched(proxy)
    for _ in range(3):
        proxy.behave()
        office.run()
        proxy.inject(uidvalidity(0), always=True)
        office.run()
    assert bodies_fetched(proxy) == fetched
    assert (office.items(), office.letters()) == before


def test_i12_a_number_the_server_listed_late_is_not_missed(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, mails(3))
    proxy.inject(unlisted(2))
    office.run()
    assert office.rows("select uid from inbound order by uid") == [(1,), (3,)]
    office.run()
    assert len(office.items()) == len(office.letters()) == 3


def test_i13_the_last_mail_told_again_is_no_new_one(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    """We never ask for `n:*`; a server that tells of the last mail whatever is asked is no matter
    either."""
    dovecot.append_all(mail_user, mails(2))
    again = b"* 2 FETCH (UID 2 FLAGS (\\Recent))\r\n"
    proxy.inject(add_before(b"OK Fetch", again), always=True)
    proxy.inject(replace(rb"^(\* SEARCH.*)\r\n", rb"\1 2\r\n"), always=True)
    for _ in range(3):
        office.run()
    assert len(office.items()) == len(office.letters()) == 2
    assert office.rows("select count(*) from inbound") == [(2,)]
    assert not [c for c in proxy.commands if c.startswith("UID") and "*" in c]


def test_i14_what_a_person_reads_or_marks_unread_is_processed_once(
    office: Office, proxy: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, mails(2), flags="(\\Seen)")
    office.run()
    for change in ("-FLAGS", "+FLAGS", "-FLAGS"):
        with dovecot.client(mail_user, "INBOX") as person:
            person.store("1:2", change, r"(\Seen)")
        office.run()
    dovecot.append(mail_user, mails(3)[2])
    office.run()
    assert len(office.items()) == len(office.letters()) == 3
    flags = dovecot.flags(mail_user)
    assert not [uid for uid, own in flags.items() if "\\Seen" in own], "we mark nothing as read"
    fetched = [c for c in proxy.commands if "BODY" in c]
    assert fetched and all("BODY.PEEK[" in c for c in fetched)


# --- people move things ---------------------------------------------------------------------


def test_i15_a_mail_that_wanders_between_folders_is_answered_once(
    tmp_path: Path, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, mails(1), folder="Junk")
    with imap_office(tmp_path, dovecot.imap_port, mail_user, optional_folders=("Junk",)) as office:

        def move(number: str, here: str, there: str) -> None:
            with dovecot.client(mail_user, here) as person:
                person.uid("MOVE", number, there)
            office.run()

        office.run()
        assert len(office.items()) == 1, "good mail lands in the spam folder too"
        move("1", "Junk", "INBOX")
        move("1", "INBOX", "Junk")
        move("2", "Junk", "INBOX")
        dovecot.append_all(mail_user, mails(2)[1:])
        office.run()
        move("3", "INBOX", "Junk")
        office.run()
    assert len(office.items()) == len(office.letters()) == 2


def test_i16_a_mailbox_that_is_gone_stops_nothing_for_ever_and_is_known_elsewhere(
    tmp_path: Path, dovecot: Dovecot, mail_user: str, new_user: Callable[[Dovecot], str]
) -> None:
    dovecot.append_all(mail_user, mails(3), folder="政务信息")
    with imap_office(tmp_path, dovecot.imap_port, mail_user, folders=("政务信息",)) as office:
        office.run()
        before = office.items(), office.letters()
        dovecot.doveadm("mailbox", "delete", "-u", mail_user, "政务信息")
        for _ in range(3):
            with pytest.raises(Permanent) as caught:
                office.run()
            assert (caught.value.code, caught.value.systemic) == ("folder", True)
        office.box.close()
        # moved to another server, and some mails have come there since
        elsewhere = new_user(dovecot)
        dovecot.append_all(elsewhere, mails(4))
        office.box = imap_box(dovecot.imap_port, elsewhere)  # type: ignore[assignment]
        office.run()
        assert (office.items()[:3], office.letters()[:3]) == before
        assert len(office.items()) == len(office.letters()) == 4
        office.box.close()


@pytest.mark.parametrize("others", [True, False])
def test_i16_somebody_is_told_of_a_folder_that_is_gone(
    tmp_path: Path,
    dovecot: Dovecot,
    mail_user: str,
    monkeypatch: pytest.MonkeyPatch,
    others: bool,
) -> None:
    """A task where other folders can be read all the same; else the mailbox as a whole is in trouble,
    until the folder is there again."""
    monkeypatch.setenv("TEST_CODE", "secret")
    monkeypatch.setattr("mailbot.daemon.reading.Backoff", lambda: Backoff(0.1, 0.2))
    names = '["INBOX", "政务"]' if others else '["政务"]'
    dovecot.append_all(mail_user, mails(1))
    with SmtpSink() as sink:
        config = configure(tmp_path, dovecot, mail_user, sink)
        folders = ('security = "plain", user', f'security = "plain", folders = {names}, user')
        with at_work(config, folders) as work:
            if others:
                until(lambda: len(sink.letters) == 1, "the answer from the other folder")
                told = "select count(*) from task where kind = 'folder' and text like '%政务%'"
                until(lambda: work.count(told) == 1, "the task")
                assert work.trouble("mailbox:otog") == ""
                return
            until(lambda: "邮箱otog暂时收不了信" in work.trouble("mailbox:otog"), "the alert")
            dovecot.append_all(mail_user, mails(2)[1:], folder="政务")
            until(lambda: work.trouble("mailbox:otog") == "", "the all-clear")
            until(lambda: len(sink.letters) == 1, "the answer")


def test_i17_a_full_mailbox_is_no_reason_to_stop_or_to_answer_twice(
    tmp_path: Path, proxy: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, mails(3))
    with imap_office(tmp_path, proxy.port, mail_user, moves={"accepted": "已处理"}) as office:
        full = replace(
            rb"^(\S+) (OK|NO) .*(COPYUID|TRYCREATE).*\r\n", rb"\1 NO [OVERQUOTA] full\r\n"
        )
        proxy.inject(full, always=True)
        for _ in range(2):
            assert office.run().faults
        assert len(office.items()) == len(office.letters()) == 3
        assert office.rows("select distinct state from inbound") == [("decided",)]
        copies = [c for c in proxy.commands if c.startswith("UID COPY")]
        assert len(copies) <= 4, "one that does not fit tells of all"
        proxy.behave()
        office.run()
        assert office.rows("select distinct state from inbound") == [("settled",)]
        assert len(dovecot.uids(mail_user, "已处理")) == 3
        assert len(office.letters()) == 3


# --- the first day --------------------------------------------------------------------------


@pytest.mark.parametrize("count", [60, pytest.param(5_000, marks=pytest.mark.long)])
def test_i18_the_first_start_on_an_old_mailbox_writes_to_nobody(tmp_path: Path, count: int) -> None:
    office = Office(tmp_path)
    for n in range(count):
        office.box.put(
            letter(f"农牧局+第{n}批物资到位+张三+7622029", f"第{n}批物资到位。" * 30,
                   sender=f"liaison{n % 400}@example.com", message_id=f"{n}@x"),
            NOON - timedelta(days=30, minutes=n),
        )  # fmt: skip
    office.box.put(item(), NOON - timedelta(minutes=5))
    office.run()
    assert office.rows("select count(*) from inbound where state = 'settled'") == [(count + 1,)]
    with SmtpSink() as sink:
        office.sends_over(sink.port)
        office.deliver()
        assert [t.recipients for t in sink.letters] == [("liaison@example.com",)]
        office.moved.pass_(days=30)
        office.run()
        office.deliver()
        assert len(sink.letters) == 1, "not without the operator's order"
        office.close()
