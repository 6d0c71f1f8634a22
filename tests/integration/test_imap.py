"""The IMAP source against a real Dovecot, bare and behind a proxy that behaves like NetEase's or
breaks. Symptoms of faults.tsv I1-I15 that concern the source are named in the tests."""

from __future__ import annotations

import contextlib
import logging
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.adapters.fetching import BATCH_MAILS, HEADER_CAP, PIECE
from mailbot.adapters.imap.source import ImapAccount, ImapSource, Secret, probe
from mailbot.adapters.system import SystemClock
from mailbot.app.errors import OperatorFault, Permanent, Retryable, Unfetched, WorldFault
from mailbot.app.records import Disposition, Fetched, FolderState, Origin
from tests.servers.dovecot import Dovecot, Profile
from tests.servers.picky_proxy import (
    NETEASE_HIDES,
    PickyProxy,
    Response,
    add_before,
    bye,
    cut_in_literal,
    nil_body,
    replace,
    shorten,
)

pytestmark = pytest.mark.dovecot

CAP = 20 << 20
SECRET = Secret("password", "secret")


def mail(subject: str, size: int = 0) -> bytes:
    """A mail of at least `size` bytes whose text differs from line to line."""
    head = f"From: =?utf-8?b?5byg5LiJ?= <zhang@example.org>\r\nSubject: {subject}\r\n\r\n"
    lines = (f"{subject} {n:07d} abcdefghijklmnopqrstuvwxyz" for n in range(size // 40 + 1))
    return (head + "\r\n".join(lines) + "\r\n").encode()


def account(port: int, user: str, **changes: Any) -> ImapAccount:
    settings: dict[str, Any] = {"security": "plain", "timeout": 5.0} | changes
    return ImapAccount(name="office", host="127.0.0.1", port=port, username=user, **settings)


@contextmanager
def source(port: int, user: str, secret: Secret = SECRET, **changes: Any) -> Iterator[ImapSource]:
    stop = changes.pop("stop", None)
    opened = ImapSource(
        account(port, user, **changes), lambda: secret, clock=SystemClock(), stop=stop
    )
    try:
        yield opened
    finally:
        opened.close()


def everything(box: ImapSource, cap: int = CAP) -> list[Fetched]:
    return [
        fetched
        for state in list(box.search())
        for fetched in box.fetch(list(box.envelopes(state, state.uids)), cap)
    ]


def only(states: Iterator[FolderState]) -> FolderState:
    (state,) = states
    return state


def fault_of(box: ImapSource) -> WorldFault:
    with pytest.raises(WorldFault) as caught:
        list(box.search())
    return caught.value


# --- getting in -----------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["plain", "tls", "starttls"])
def test_reads_mail_over_every_kind_of_connection(
    dovecot: Dovecot, mail_user: str, security: str
) -> None:
    dovecot.append(mail_user, mail("信息"))
    port = dovecot.imaps_port if security == "tls" else dovecot.imap_port
    with source(port, mail_user, security=security, ca_file=dovecot.ca_file) as box:
        (fetched,) = everything(box)
    assert fetched.raw == mail("信息")
    assert fetched.complete


def test_wrong_password_is_permanent_and_told_without_the_password(
    dovecot: Dovecot, mail_user: str
) -> None:
    with source(dovecot.imap_port, mail_user, Secret("password", "falsch-1")) as box:
        fault = fault_of(box)
    assert isinstance(fault, Permanent)
    assert (fault.code, fault.systemic) == ("login", True)
    assert mail_user in str(fault) and "falsch-1" not in str(fault)
    assert "falsch-1" not in repr(Secret("password", "falsch-1"))


@pytest.mark.parametrize("password", ['a"b\\c d', "口令１２３", "p%s{}*("])
def test_any_password_is_sent_as_it_is(dovecot: Dovecot, password: str) -> None:
    user = dovecot.add_user(f"odd{abs(hash(password))}", password)
    with source(dovecot.imap_port, user, Secret("password", password)) as box:
        assert only(box.search()).uids == []


def test_a_secret_with_a_line_break_is_never_sent(dovecot: Dovecot, mail_user: str) -> None:
    with source(dovecot.imap_port, mail_user, Secret("password", "secret\r\nx LOGOUT")) as box:
        assert fault_of(box).code == "login"


def test_the_secret_is_read_anew_for_every_login(dovecot: Dovecot, mail_user: str) -> None:
    secrets = [Secret("password", "old"), Secret("password", "secret")]
    box = ImapSource(
        account(dovecot.imap_port, mail_user), lambda: secrets.pop(0), clock=SystemClock()
    )
    assert fault_of(box).code == "login"
    assert only(box.search()).uids == []
    box.close()


def test_oauth2_token_goes_out_as_xoauth2(dovecot: Dovecot, mail_user: str) -> None:
    # This Dovecot offers no XOAUTH2 and refuses: what was sent is what counts.
    with (
        PickyProxy((dovecot.host, dovecot.imap_port)) as proxy,
        source(proxy.port, mail_user, Secret("oauth2", "token-1")) as box,
    ):
        fault = fault_of(box)
    assert (fault.code, fault.systemic) == ("login", True)
    assert "AUTHENTICATE XOAUTH2" in proxy.commands
    assert "token-1" not in str(fault)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_certificate_of_another_authority_is_refused(
    dovecot: Dovecot, mail_user: str, security: str
) -> None:
    port = dovecot.imaps_port if security == "tls" else dovecot.imap_port
    with source(port, mail_user, security=security) as box:
        fault = fault_of(box)
    assert isinstance(fault, Permanent)
    assert (fault.code, fault.systemic) == ("certificate", True)


def test_certificate_of_another_host_is_refused(tmp_path: Any) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("imap.example.org").configure_cert(context)
    with (
        one_answer(b"* OK hello\r\n", context) as port,
        source(port, "office", security="tls", ca_file=str(tmp_path / "ca.pem")) as box,
    ):
        fault = fault_of(box)
    assert (fault.code, type(fault)) == ("certificate", Permanent)


def test_unreadable_ca_file_is_the_operators_fault(dovecot: Dovecot, mail_user: str) -> None:
    with (
        source(dovecot.imaps_port, mail_user, security="tls", ca_file="/no/such.pem") as box,
        pytest.raises(OperatorFault, match="ca_file"),
    ):
        list(box.search())


def test_stripped_starttls_sends_nothing_in_the_clear(dovecot: Dovecot, mail_user: str) -> None:
    with (
        PickyProxy((dovecot.host, dovecot.imap_port)) as proxy,
        source(proxy.port, mail_user, security="starttls", ca_file=dovecot.ca_file) as box,
    ):
        fault = fault_of(box)
    assert isinstance(fault, Permanent)
    assert (fault.code, fault.systemic) == ("tls", True)
    assert proxy.commands == ["CAPABILITY"]


def test_preauth_greeting_does_not_get_round_starttls(dovecot: Dovecot, mail_user: str) -> None:
    with (
        PickyProxy((dovecot.host, dovecot.imap_port), hide=()) as proxy,
        source(proxy.port, mail_user, security="starttls", ca_file=dovecot.ca_file) as box,
    ):
        proxy.inject(replace(rb"^\* OK \[", b"* PREAUTH ["))
        fault = fault_of(box)
    assert (fault.code, type(fault)) == ("tls", Permanent)
    assert proxy.commands == ["CAPABILITY"]


def test_plain_to_another_machine_is_refused_before_connecting() -> None:
    there = ImapAccount("o", "imap.example.org", 143, "plain", "office")
    box = ImapSource(there, lambda: SECRET, clock=SystemClock())
    fault = fault_of(box)
    assert (fault.code, type(fault)) == ("tls", Permanent)


def test_nobody_listening_is_retryable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with source(port, "office") as box:
        fault = fault_of(box)
    assert isinstance(fault, Retryable)
    assert (fault.code, fault.systemic) == ("connect", True)


@pytest.mark.parametrize(
    ("greeting", "code"),
    [
        (b"", "closed"),
        (b"* BYE [UNAVAILABLE] too many connections\r\n", "closed"),
        (b"220 mail.example.org ESMTP\r\n", "closed"),
        (b"\x16\x03\x01 garbage \xff\xfe\r\n", "closed"),
        (b"* OK IMAP4 \xc4\xe3\xba\xc3\r\n", "closed"),
    ],
)
def test_a_strange_greeting_is_a_fault_of_the_world(greeting: bytes, code: str) -> None:
    with one_answer(greeting) as port, source(port, "office") as box:
        fault = fault_of(box)
    assert isinstance(fault, Retryable)
    assert (fault.code, fault.systemic) == (code, True)


def test_tls_spoken_to_a_plain_port_is_named(dovecot: Dovecot, mail_user: str) -> None:
    with source(dovecot.imap_port, mail_user, security="tls", ca_file=dovecot.ca_file) as box:
        fault = fault_of(box)
    assert (fault.code, type(fault)) == ("tls", Permanent)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (b"NO [AUTHENTICATIONFAILED] Authentication failed.", Permanent, "login"),
        (b"NO [UNAVAILABLE] Temporary authentication failure.", Retryable, "login"),
        (b"NO Login fail. Account is abnormal, service is not open, password is incorrect, "
         b"login frequency limited, or system is busy.", Permanent, "login"),
        (b"NO LOGIN Login error or password error", Permanent, "login"),
        (b"NO too many login attempts, please try again later", Retryable, "login"),
        ("NO 登录过于频繁，请稍后再试".encode("gb18030"), Retryable, "login"),
        (b"NO Unsafe Login. Please contact kefu@188.com for help", Permanent, "unsafe_login"),
        (b"BAD what", Permanent, "login"),
    ],
)  # fmt: skip
def test_refused_logins_are_told_apart(
    dovecot: Dovecot, answer: bytes, kind: type[WorldFault], code: str
) -> None:
    with PickyProxy((dovecot.host, dovecot.imap_port)) as proxy:
        proxy.inject(replace(rb"^(\S+) NO .*\r\n", rb"\1 " + answer + b"\r\n"))
        with source(proxy.port, "nobody") as box:
            fault = fault_of(box)
    assert isinstance(fault, kind)
    assert (fault.code, fault.systemic) == (code, True)


# --- NetEase --------------------------------------------------------------------------------


@pytest.fixture
def netease(dovecot: Dovecot) -> Iterator[PickyProxy]:
    with PickyProxy((dovecot.host, dovecot.imap_port)) as proxy:
        yield proxy


def test_id_is_sent_between_login_and_the_first_folder(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, mail("a"))
    with source(netease.port, mail_user) as box:
        assert [f.raw for f in everything(box)] == [mail("a")]
    names = [command.split()[0] for command in netease.commands]
    assert names.index("LOGIN") < names.index("ID") < names.index("EXAMINE")


def test_without_id_the_fault_is_named_unsafe_login(netease: PickyProxy, mail_user: str) -> None:
    with source(netease.port, mail_user, send_id=False) as box:
        fault = fault_of(box)
    assert isinstance(fault, Permanent)
    assert (fault.code, fault.systemic) == ("unsafe_login", True)


def test_id_is_not_sent_where_it_is_not_offered(dovecot: Dovecot, mail_user: str) -> None:
    hide = ("ID",)
    with (
        PickyProxy((dovecot.host, dovecot.imap_port), hide=hide, demand_id=False) as proxy,
        source(proxy.port, mail_user) as box,
    ):
        assert only(box.search()).uids == []
    assert not [c for c in proxy.commands if c.split()[0] == "ID"]


def test_only_commands_and_searches_every_provider_understands(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, mail("a"))
    dovecot.append(mail_user, mail("b", 2 * PIECE))
    with source(netease.port, mail_user, moves={"accepted": "已处理"}, flag="$M") as box:
        fetched = everything(box)
        box.settle(fetched[0].envelope.origin, Disposition.ACCEPTED)
        box.wait(0.01)
    sent = "\n".join(netease.commands).upper()
    for word in ("BODYSTRUCTURE", "ENVELOPE", "CHARSET", "SUBJECT", "IDLE", "MOVE", "CLOSE"):
        assert word not in sent
    assert "UID SEARCH ALL" in sent
    assert "\nEXPUNGE" not in sent


def test_search_since_asks_one_day_more(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    now = SystemClock().now()
    dovecot.append(mail_user, mail("old"), internaldate=now - timedelta(days=40))
    dovecot.append(mail_user, mail("new"), internaldate=now - timedelta(days=2))
    with source(netease.port, mail_user, since_days=7) as box:
        assert only(box.search()).uids == [2]
    asked = (now - timedelta(days=8)).strftime("%d-%b-%Y")
    assert f"UID SEARCH SINCE {asked}" in netease.commands


# --- folders --------------------------------------------------------------------------------


def test_a_spam_folder_the_mailbox_does_not_have_is_nobody_s_task(
    dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, mail("in"))
    with source(
        dovecot.imap_port, mail_user, folders=("INBOX",), optional_folders=("垃圾邮件",)
    ) as box:
        assert [s.folder for s in box.search()] == ["INBOX"]
        assert box.missing_folders == frozenset()


def test_a_watchdog_cuts_a_wait_from_another_thread(dovecot: Dovecot, mail_user: str) -> None:
    with source(dovecot.imap_port, mail_user) as box:
        list(box.search())
        cut = threading.Timer(0.5, box.abort)
        cut.start()
        with contextlib.suppress(Retryable):
            box.wait(30)
        cut.join()
        dovecot.append(mail_user, mail("later"))
        for _ in range(3):  # what was under way may fail once; then it connects anew
            with contextlib.suppress(Retryable):
                if [s.uids for s in box.search()] == [[1]]:
                    return
        pytest.fail("no search after the cut")


def test_several_folders_with_chinese_names_and_a_missing_one(
    dovecot: Dovecot, mail_user: str, caplog: pytest.LogCaptureFixture
) -> None:
    dovecot.append(mail_user, mail("in"))
    dovecot.append(mail_user, mail("spam"), folder="垃圾邮件")
    dovecot.append(mail_user, mail("odd"), folder='A & "B"/子')
    watched = ("INBOX", "垃圾邮件", "广告邮件", 'A & "B"/子')
    with source(dovecot.imap_port, mail_user, folders=watched) as box:
        with caplog.at_level(logging.WARNING):
            first = list(box.search())
            again = list(box.search())
        bodies = [f.raw for s in first for f in box.fetch(list(box.envelopes(s, s.uids)), CAP)]
        assert box.missing_folders == {"广告邮件"}
    assert [s.folder for s in first] == ["INBOX", "垃圾邮件", 'A & "B"/子']
    assert first == again
    assert bodies == [mail("in"), mail("spam"), mail("odd")]
    assert len([r for r in caplog.records if "广告邮件" in r.getMessage()]) == 1


def test_optional_folders_are_watched_where_they_exist(dovecot: Dovecot, mail_user: str) -> None:
    dovecot.append(mail_user, mail("spam"), folder="垃圾邮件")
    optional = ("垃圾邮件", "订阅邮件")
    with source(dovecot.imap_port, mail_user, optional_folders=optional) as box:
        assert [s.folder for s in box.search()] == ["INBOX", "垃圾邮件"]


def test_no_folder_at_all_stops_the_pass(dovecot: Dovecot, mail_user: str) -> None:
    with source(dovecot.imap_port, mail_user, folders=("政务信息",)) as box:
        fault = fault_of(box)
    assert (fault.code, fault.systemic, type(fault)) == ("folder", True, Permanent)


def test_uidvalidity_is_the_servers_and_a_change_shows(dovecot: Dovecot, mail_user: str) -> None:
    dovecot.append(mail_user, mail("a"))
    dovecot.set_uidvalidity(mail_user, 1)
    with source(dovecot.imap_port, mail_user) as box:
        before = only(box.search())
        assert before.uidvalidity == 1
        envelopes = list(box.envelopes(before, before.uids))
        dovecot.set_uidvalidity(mail_user, 4_000_000_000)
        after = only(box.search())
        assert after.uidvalidity == 4_000_000_000
        # What the old numbers named is no more; a mail of the new ones must not stand in for it.
        assert [f.raw for f in box.fetch(envelopes, CAP)] == [None]
        assert list(box.envelopes(before, before.uids)) == []


@pytest.mark.parametrize(
    "line", [b"", b"* OK [UIDVALIDITY abc] ?\r\n", b"* OK [UIDVALIDITY 0]\r\n"]
)
def test_a_missing_or_senseless_uidvalidity_is_zero(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str, line: bytes
) -> None:
    dovecot.append(mail_user, mail("a"))
    netease.inject(replace(rb"^\* OK \[UIDVALIDITY.*\r\n", line), always=True)
    with source(netease.port, mail_user) as box:
        assert only(box.search()).uidvalidity == 0
        assert [f.raw for f in everything(box)] == [mail("a")]


def test_uids_come_from_all_search_lines_once_and_sorted(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    split = b"* SEARCH 4294967295 7\r\n* SEARCH 3 7 (MODSEQ 917162500)\r\n"
    netease.inject(replace(rb"^\* SEARCH.*\r\n", split))
    with source(netease.port, mail_user) as box:
        assert list(only(box.search()).uids) == [3, 7, 4294967295]


def test_a_hundred_thousand_ten_digit_uids_fit(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, mail("a"))
    uids = [1, *range(1_300_000_000, 1_300_000_000 + 300_000, 3)]
    line = b"* SEARCH " + b" ".join(b"%d" % uid for uid in uids) + b"\r\n"
    netease.inject(replace(rb"^\* SEARCH.*\r\n", line))
    with source(netease.port, mail_user) as box:
        state = only(box.search())
        assert list(state.uids) == uids
        assert [e.origin.uid for e in box.envelopes(state, uids)] == [1]
    assert max(len(command) for command in netease.commands) < 8000


# --- envelopes and bytes --------------------------------------------------------------------


def test_received_is_internaldate_in_shanghai(dovecot: Dovecot, mail_user: str) -> None:
    moment = datetime(2026, 7, 31, 16, 30, 5, tzinfo=UTC)
    dovecot.append(mail_user, mail("a"), internaldate=moment)
    with source(dovecot.imap_port, mail_user) as box:
        state = only(box.search())
        (envelope,) = box.envelopes(state, state.uids)
    assert envelope.received == moment
    assert envelope.received.isoformat() == "2026-08-01T00:30:05+08:00"
    assert envelope.size == len(mail("a"))


@pytest.mark.parametrize(
    "date", [b"NIL", b'"32-Foo-2026 99:00:00 +0800"', b'"31-Dec-9999 23:00:00 -0800"', b'""']
)
def test_a_senseless_internaldate_loses_no_mail(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str, date: bytes
) -> None:
    dovecot.append(mail_user, mail("a"))
    netease.inject(replace(rb'INTERNALDATE "[^"]*"', b"INTERNALDATE " + date), always=True)
    before = SystemClock().now()
    with source(netease.port, mail_user) as box:
        state = only(box.search())
        (envelope,) = box.envelopes(state, state.uids)
    assert before <= envelope.received <= SystemClock().now()


def test_batches_bring_every_mail_once_and_mark_none(dovecot: Dovecot, mail_user: str) -> None:
    mails = [mail(f"信息 {n}", n * 17) for n in range(120)]
    dovecot.append_all(mail_user, mails)
    with source(dovecot.imap_port, mail_user) as box:
        fetched = everything(box)
    assert [f.raw for f in fetched] == mails
    assert len(mails) > 2 * BATCH_MAILS
    assert all("\\Seen" not in flags for flags in dovecot.flags(mail_user).values())


def test_settling_between_two_mails_of_one_fetch_does_not_disturb_it(
    dovecot: Dovecot, mail_user: str
) -> None:
    mails = [mail(f"{n}") for n in range(2 * BATCH_MAILS + 5)]
    dovecot.append_all(mail_user, mails)
    with source(dovecot.imap_port, mail_user, moves={"accepted": "已处理"}) as box:
        state = only(box.search())
        raws = []
        for fetched in box.fetch(list(box.envelopes(state, state.uids)), CAP):
            raws.append(fetched.raw)
            box.settle(fetched.envelope.origin, Disposition.ACCEPTED)
    assert raws == mails
    assert (dovecot.uids(mail_user), len(dovecot.uids(mail_user, "已处理"))) == ([], len(mails))


def test_the_person_reading_in_webmail_changes_nothing(dovecot: Dovecot, mail_user: str) -> None:
    dovecot.append(mail_user, mail("a"), flags="(\\Seen)")
    with source(dovecot.imap_port, mail_user) as box:
        assert [f.raw for f in everything(box)] == [mail("a")]


@pytest.mark.parametrize("size", [3 * PIECE - 7, 3 * PIECE, PIECE + 1])
def test_a_large_mail_comes_in_pieces_byte_for_byte(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str, size: int
) -> None:
    raw = mail("large", size)[: size - 2] + b"\r\n"
    dovecot.append(mail_user, mail("small"))
    dovecot.append(mail_user, raw)
    dovecot.append(mail_user, mail("last"))
    with source(netease.port, mail_user) as box:
        fetched = everything(box)
    assert all(f.raw == r for f, r in zip(fetched, [mail("small"), raw, mail("last")], strict=True))
    assert [len(f.raw or b"") for f in fetched][1] == size
    assert f"UID FETCH 2 (UID BODY.PEEK[]<{PIECE}.{PIECE}>)" in netease.commands


def test_over_the_cap_only_the_header_section_comes(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, mail("over", 100_000))
    dovecot.append(mail_user, mail("under"))
    with source(netease.port, mail_user) as box:
        over, under = everything(box, cap=50_000)
    assert (over.complete, under.complete) == (False, True)
    assert over.raw == mail("over").split(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert over.envelope.size > 100_000
    assert under.raw == mail("under")
    assert not [c for c in netease.commands if c.startswith("UID FETCH 1 (UID BODY.PEEK[]")]


def test_a_huge_header_over_the_cap_is_cut(dovecot: Dovecot, mail_user: str) -> None:
    dovecot.append(mail_user, b"X-Long: " + b"a b\r\n " * 100_000 + b"\r\n\r\nbody\r\n")
    with source(dovecot.imap_port, mail_user) as box:
        (fetched,) = everything(box, cap=10_000)
    assert not fetched.complete
    assert len(fetched.raw or b"") == HEADER_CAP


@pytest.mark.parametrize(
    "raw", [b"\r\n", b"no header at all\r\n", b"A: b", b"\x00\xff\r\n\r\n\x80"]
)
def test_odd_bytes_come_as_they_are(dovecot: Dovecot, mail_user: str, raw: bytes) -> None:
    file = dovecot.maildir(mail_user)
    dovecot.append(mail_user, mail("makes the folder"))
    (file / "new" / "1700000000.M1P1.host").write_bytes(raw)
    (file / "new" / "1700000000.M1P1.host").chmod(0o644)
    with source(dovecot.imap_port, mail_user) as box:
        bodies = [f.raw for f in everything(box)]
    assert len(bodies) == 2
    # NUL is not allowed in IMAP: Dovecot sends 0x80 for it.
    assert raw.replace(b"\x00", b"\x80") in bodies


def test_asking_for_nothing_does_not_even_connect() -> None:
    with source(1, "office") as box:
        assert list(box.fetch([], CAP)) == []
        assert list(box.envelopes(FolderState("INBOX", 1, []), [])) == []
        box.settle(Origin("office", "INBOX", 1, 1), Disposition.ACCEPTED)


# --- mails that vanish, servers that break ---------------------------------------------------


def test_i5_a_mail_recalled_between_search_and_fetch_has_no_bytes(
    dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, [mail("a"), mail("recalled"), mail("c")])
    with source(dovecot.imap_port, mail_user) as box:
        state = only(box.search())
        envelopes = list(box.envelopes(state, state.uids))
        dovecot.expunge(mail_user, 2)
        assert [f.raw for f in box.fetch(envelopes, CAP)] == [mail("a"), None, mail("c")]
        assert [e.origin.uid for e in box.envelopes(state, state.uids)] == [1, 3]


def test_a_large_mail_recalled_while_it_is_read(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, mail("large", 2 * PIECE))
    with source(netease.port, mail_user) as box:
        state = only(box.search())
        envelopes = list(box.envelopes(state, state.uids))
        expunged = threading.Event()

        def expunge_after_first_piece(response: Response) -> bool:
            if response.literal is None:
                return False
            dovecot.expunge(mail_user, 1)
            expunged.set()
            return True

        netease.inject(expunge_after_first_piece)
        results = list(box.fetch(envelopes, CAP))
    assert expunged.is_set()
    # Dovecot may go on handing out what it has open; half a mail it must never be.
    assert [f.raw for f in results] in ([None], [mail("large", 2 * PIECE)])


def test_i5_body_nil_is_asked_once_more(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, [mail("a"), mail("b")])
    netease.inject(nil_body(1))
    with source(netease.port, mail_user) as box:
        assert [f.raw for f in everything(box)] == [mail("a"), mail("b")]


def test_i5_body_nil_for_good_is_none(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, [mail("a"), mail("b")])
    netease.inject(nil_body(1), always=True)
    with source(netease.port, mail_user) as box:
        assert [f.raw for f in everything(box)] == [None, mail("b")]


def test_a_server_that_refuses_to_hand_out_one_mail_keeps_it_pending(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, [mail("a"), mail("large", 2 * PIECE), mail("c")])
    netease.inject(
        replace(
            rb"\* 2 FETCH \(UID 2 BODY\[\].*\r\n",
            b"* 2 FETCH (UID 2 BODY[]<0> NIL",
            drop_literal=True,
        ),
        always=True,
    )
    taken: list[bytes | None] = []
    with source(netease.port, mail_user) as box:
        state = only(box.search())
        envelopes = list(box.envelopes(state, state.uids))
        netease.inject(replace(rb"^(\S+) OK Search", rb"\1 BAD no Search"))
        with pytest.raises(Unfetched) as caught:
            for f in box.fetch(envelopes, CAP):
                taken.append(f.raw)
    assert taken == [mail("a"), mail("c")]
    assert [o.uid for o in caught.value.origins] == [2]


def test_i1_cut_in_mid_literal_then_the_next_pass_has_it_whole(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    mails = [mail(f"{n}", 3000) for n in range(5)]
    dovecot.append_all(mail_user, mails)
    netease.inject(cut_in_literal())
    with source(netease.port, mail_user) as box:
        with pytest.raises(Retryable) as caught:
            everything(box)
        assert (caught.value.code, caught.value.systemic) == ("closed", True)
        assert [f.raw for f in everything(box)] == mails
    assert netease.connections == 2


def test_i2_stall_in_mid_literal_times_out(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, mail("a", 5000))
    netease.inject(cut_in_literal(then="stall"))
    with source(netease.port, mail_user, timeout=0.5) as box:
        with pytest.raises(Retryable) as caught:
            everything(box)
        assert (caught.value.code, caught.value.systemic) == ("timeout", True)
        assert [f.raw for f in everything(box)] == [mail("a", 5000)]


def test_one_mail_that_always_kills_the_connection_does_not_stop_the_others(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    mails = [mail("a"), mail("poison", 9000), mail("c")]
    dovecot.append_all(mail_user, mails)
    netease.inject(cut_in_literal(at_least=9000), always=True)
    passes: list[list[bytes | None]] = []
    with source(netease.port, mail_user) as box:
        for _ in range(2):
            passes.append([])
            with pytest.raises(Retryable) as lost:
                for state in list(box.search()):
                    for f in box.fetch(list(box.envelopes(state, state.uids)), CAP):
                        passes[-1].append(f.raw)
            assert lost.value.systemic
        state = only(box.search())
        passes.append([])
        with pytest.raises(Unfetched) as alone:
            for f in box.fetch(list(box.envelopes(state, state.uids)), CAP):
                passes[-1].append(f.raw)
    assert not alone.value.systemic
    assert [o.uid for o in alone.value.origins] == [2]
    assert passes[-1] == [mails[0], mails[2]]


def test_i3_a_literal_shorter_than_announced_is_never_taken(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, [mail("a"), mail("cut", 9000), mail("c")])

    def short_second(response: Response) -> bool:
        return b"UID 2 " in response.parts[0] and shorten(500)(response)

    netease.inject(short_second, always=True)
    with source(netease.port, mail_user) as box:
        for _ in range(3):
            taken: list[bytes | None] = []
            state = only(box.search())
            with pytest.raises(Unfetched) as caught:
                for f in box.fetch(list(box.envelopes(state, state.uids)), CAP):
                    taken.append(f.raw)
            assert taken == [mail("a"), mail("c")]
            assert [o.uid for o in caught.value.origins] == [2]
            assert not caught.value.systemic


def test_i3_a_literal_cut_once_is_fetched_again(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, [mail("a", 2000), mail("b", 2000)])
    netease.inject(shorten(500))
    with source(netease.port, mail_user) as box:
        assert [f.raw for f in everything(box)] == [mail("a", 2000), mail("b", 2000)]


def test_sizes_counted_with_bare_line_feeds_are_accepted(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    raw = mail("a", 4000)
    dovecot.append(mail_user, raw)
    unix = len(raw) - raw.count(b"\r\n")
    netease.inject(replace(rb"RFC822.SIZE \d+", b"RFC822.SIZE %d" % unix), always=True)
    with source(netease.port, mail_user) as box:
        assert [f.raw for f in everything(box)] == [raw]


def test_a_server_that_only_estimates_sizes_is_learnt_and_read(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    mails = [mail(f"{n}", 4000) for n in range(6)]
    dovecot.append_all(mail_user, mails)
    netease.inject(replace(rb"RFC822.SIZE (\d+)\d", rb"RFC822.SIZE \g<1>00"), always=True)
    with source(netease.port, mail_user) as box:
        with pytest.raises(Unfetched):
            everything(box)
        assert [f.raw for f in everything(box)] == mails


def test_i4_an_absurd_literal_is_not_read_and_costs_only_its_mail(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append_all(mail_user, [mail("a"), mail("b"), mail("c")])
    netease.inject(
        replace(rb"(UID 2 .*)\{\d+\}", rb"\1{99999999999}", drop_literal=True), always=True
    )
    taken: list[bytes | None] = []
    with source(netease.port, mail_user) as box:
        state = only(box.search())
        with pytest.raises(Unfetched) as caught:
            for f in box.fetch(list(box.envelopes(state, state.uids)), CAP):
                taken.append(f.raw)
        assert only(box.search()).uids == [1, 2, 3]
    assert taken == [mail("a"), mail("c")]
    assert [o.uid for o in caught.value.origins] == [2]


@pytest.mark.parametrize("size", [b"99999999999", b"9" * 30, b"9" * 5000, b"0", b"NIL"])
def test_i4_absurd_sizes_do_no_harm(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str, size: bytes
) -> None:
    dovecot.append_all(mail_user, [mail("a"), mail("b")])
    netease.inject(replace(rb"(UID 1 .*?RFC822.SIZE) \d+", rb"\1 " + size), always=True)
    with source(netease.port, mail_user) as box:
        state = only(box.search())
        envelopes = {e.origin.uid: e for e in box.envelopes(state, state.uids)}
        fetched = {f.envelope.origin.uid: f for f in box.fetch(list(envelopes.values()), CAP)}
    assert fetched[2].raw == mail("b")
    assert all(0 <= e.size < 2**63 for e in envelopes.values())
    if size in (b"0", b"NIL"):
        assert fetched[1].raw == mail("a")
        assert fetched[1].envelope.size == len(mail("a"))
    elif 1 in fetched:
        assert not fetched[1].complete


@pytest.mark.parametrize(
    "unasked",
    [
        b"* 9 EXISTS\r\n* 1 RECENT\r\n",
        b"* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS (\\Deleted $x))\r\n",
        b"* 7 FETCH (UID 99 BODY[] {5}\r\nwrong)\r\n",
        b"* 2 FETCH (BODY[] {5}\r\nwrong)\r\n",
        b"* 1 FETCH (UID 1 BODY[TEXT] {5}\r\nwrong BODY[]<5> {5}\r\nwrong)\r\n",
        b'* 1 FETCH ((((\r\n* 2 FETCH ("\r\n* FETCH\r\n',
        b"* OK [ALERT] \xc4\xfa\xba\xc3\r\n* XYZZY 1 2 3\r\n",
    ],
)
def test_i6_only_the_body_that_was_asked_for_is_used(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str, unasked: bytes
) -> None:
    dovecot.append_all(mail_user, [mail("a"), mail("b")])
    netease.inject(add_before(b"BODY[]", unasked))
    with source(netease.port, mail_user) as box:
        assert [f.raw for f in everything(box)] == [mail("a"), mail("b")]


def test_i8_bye_is_retryable_and_the_next_pass_connects_again(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, mail("a"))
    netease.inject(bye(b"* SEARCH"))
    with source(netease.port, mail_user) as box:
        fault = fault_of(box)
        assert isinstance(fault, Retryable)
        assert (fault.code, fault.systemic) == ("closed", True)
        assert only(box.search()).uids == [1]


def test_a_connection_lost_in_a_pause_is_no_fault(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.adapters.imap.source.STALE", 0)
    with source(netease.port, mail_user) as box:
        list(box.search())
        netease.hang_up()
        assert only(box.search()).uids == []
    assert netease.connections == 2


def test_answers_that_are_no_imap_are_faults_of_the_world(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    netease.inject(replace(rb"^\* SEARCH.*\r\n", b"<html>502 Bad Gateway</html>\r\n"))
    with source(netease.port, mail_user) as box:
        fault = fault_of(box)
        assert isinstance(fault, Retryable) and fault.systemic
        assert only(box.search()).uids == []


PIECES = [b"NIL", b"(", b")", b'"', b"{5}", b"{99999999999}", b"\\", b"\x00", b"\xff\xfe", b"* "]
PIECES += [b"+ ", b" NO x", b"BAD", b"BYE", b"[", b"]", b"\r\n", b"BODY[]", b"UID", b"(" * 2000]


def garble(seed: int) -> Callable[[Response], bool]:
    """Damages one or two lines somewhere in the conversation, never the bytes of a mail."""
    chance = random.Random(seed)
    skip, left = chance.randrange(40), chance.choice([1, 1, 2])

    def rule(response: Response) -> bool:
        nonlocal skip, left
        skip -= 1
        if skip >= 0 or not left:
            return False
        left -= 1
        which = chance.choice([0, len(response.parts) - 1])
        line = response.parts[which]
        at = chance.randrange(len(line) or 1)
        response.parts[which] = chance.choice(
            [
                line[:at] + chance.choice(PIECES) + line[at:],
                line[:at] + line[at + chance.randrange(1, 6) :],
                line[:at] + bytes([chance.randrange(256)]) + line[at + 1 :],
                line[:at] + b"\r\n",
            ]
        )
        return False

    return rule


@settings(max_examples=20)
@given(st.integers(0, 10**9), st.booleans())
def test_whatever_the_server_says_is_mail_or_a_fault_of_the_world(
    dovecots: Callable[[Profile], Dovecot], seed: int, picky: bool
) -> None:
    server = dovecots("full")
    user = server.add_user("garbled")
    mails = [mail(f"{n}", n * 30) for n in range(4)]
    if not server.uids(user):
        server.append_all(user, mails)
        server.set_uidvalidity(user, 1)
    hide = NETEASE_HIDES if picky else ()
    with PickyProxy((server.host, server.imap_port), hide=hide) as proxy:
        proxy.inject(garble(seed), always=True)
        with source(proxy.port, user, timeout=0.5, flag="$M") as box:
            for _ in range(2):
                with suppress(WorldFault):
                    assert {f.raw for f in everything(box)} <= {*mails, None}
                    box.settle(Origin("office", "INBOX", 1, 1), Disposition.HELD)
                    box.wait(0.02)


# --- settling -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "left"),
    [("full", []), ("no-idle", []), ("no-move", []), ("bare", [1])],
)
def test_settled_mail_moves_and_twice_is_harmless(
    dovecots: Callable[[Profile], Dovecot],
    new_user: Callable[[Dovecot], str],
    profile: Profile,
    left: list[int],
) -> None:
    server = dovecots(profile)
    user = new_user(server)
    server.append_all(user, [mail("a"), mail("b"), mail("marked by a person")])
    with server.client(user, "INBOX") as person:
        person.uid("STORE", "3", "+FLAGS", "(\\Deleted)")
    with source(server.imap_port, user, moves={"accepted": "已处理/2026"}) as box:
        list(box.search())
        state = only(box.search())
        origin = Origin("office", "INBOX", state.uidvalidity, 1)
        for _ in range(2):
            box.settle(origin, Disposition.ACCEPTED)
        box.settle(Origin("office", "INBOX", state.uidvalidity, 2), Disposition.RETURNED)
    assert server.uids(user) == [*left, 2, 3]
    assert len(server.uids(user, "已处理/2026")) == 1
    if left:
        # No way to remove one mail alone: it stays, marked.
        assert "\\Deleted" in server.flags(user)[1]


def test_settling_what_is_gone_or_renumbered_is_harmless(dovecot: Dovecot, mail_user: str) -> None:
    dovecot.append(mail_user, mail("a"))
    moves = {"accepted": "已处理"}
    with source(dovecot.imap_port, mail_user, moves=moves, flag="$M") as box:
        state = only(box.search())
        box.settle(Origin("office", "INBOX", state.uidvalidity, 77), Disposition.ACCEPTED)
        box.settle(Origin("office", "INBOX", state.uidvalidity + 1, 1), Disposition.ACCEPTED)
        box.settle(Origin("office", "没有", 1, 1), Disposition.ACCEPTED)
    assert dovecot.uids(mail_user) == [1]
    assert "$M" not in dovecot.flags(mail_user)[1]


@pytest.mark.parametrize("flag", ["$Mailbot", "\\Flagged"])
def test_keyword_marks_settled_mail(dovecot: Dovecot, mail_user: str, flag: str) -> None:
    dovecot.append_all(mail_user, [mail("a"), mail("b")])
    with source(dovecot.imap_port, mail_user, flag=flag) as box:
        state = only(box.search())
        for _ in range(2):
            box.settle(Origin("office", "INBOX", state.uidvalidity, 1), Disposition.HELD)
    flags = dovecot.flags(mail_user)
    assert flag in flags[1] and "\\Seen" not in flags[1]
    assert flag not in flags[2]


def test_no_keyword_where_the_server_permits_none(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, mail("a"))
    only_system = replace(rb"\[PERMANENTFLAGS \(.*\)\]", rb"[PERMANENTFLAGS (\\Seen \\Deleted)]")
    netease.inject(only_system, always=True)
    with source(netease.port, mail_user, flag="$Mailbot") as box:
        state = only(box.search())
        box.settle(Origin("office", "INBOX", state.uidvalidity, 1), Disposition.HELD)
    assert not [c for c in netease.commands if "STORE" in c]


def test_i17_a_full_mailbox_fails_the_move_and_nothing_else(
    netease: PickyProxy, dovecot: Dovecot, mail_user: str
) -> None:
    dovecot.append(mail_user, mail("a"))
    quota = replace(rb"^(\S+) (OK|NO) .*(COPYUID|TRYCREATE).*\r\n", rb"\1 NO [OVERQUOTA] full\r\n")
    netease.inject(quota)
    with source(netease.port, mail_user, moves={"accepted": "已处理"}) as box:
        state = only(box.search())
        origin = Origin("office", "INBOX", state.uidvalidity, 1)
        with pytest.raises(Retryable) as caught:
            box.settle(origin, Disposition.ACCEPTED)
        assert (caught.value.code, caught.value.systemic) == ("quota", False)
        assert [f.raw for f in everything(box)] == [mail("a")]
    assert "\\Deleted" not in dovecot.flags(mail_user)[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"flag": "\\Deleted"},
        {"flag": "a b"},
        {"flag": "x)\r\nA1 LOGOUT"},
        {"moves": {"held": "INBOX"}},
    ],
)
def test_settings_that_would_do_harm_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(OperatorFault):
        account(143, "office", **changes)


# --- waiting --------------------------------------------------------------------------------


def test_idle_ends_when_mail_arrives(dovecot: Dovecot, mail_user: str) -> None:
    with source(dovecot.imap_port, mail_user, timeout=30) as box:
        assert only(box.search()).uids == []
        later = threading.Timer(0.3, dovecot.deliver, (mail_user, mail("a")))
        later.start()
        assert box.wait(60) is True
        later.join()
        assert only(box.search()).uids == [1]


def test_idle_over_tls(dovecot: Dovecot, mail_user: str) -> None:
    secure = {"security": "tls", "ca_file": dovecot.ca_file, "timeout": 30}
    with source(dovecot.imaps_port, mail_user, **secure) as box:
        list(box.search())
        later = threading.Timer(0.3, dovecot.append, (mail_user, mail("a")))
        later.start()
        assert box.wait(60) is True
        later.join()
        assert only(box.search()).uids == [1]


def test_mail_that_came_between_search_and_idle_is_not_waited_for(
    dovecot: Dovecot, mail_user: str
) -> None:
    with source(dovecot.imap_port, mail_user) as box:
        list(box.search())
        dovecot.append(mail_user, mail("a"))
        assert box.wait(600) is True


def test_idling_and_exists_in_one_packet_are_noticed(dovecot: Dovecot, mail_user: str) -> None:
    with (
        PickyProxy((dovecot.host, dovecot.imap_port), hide=(), uidnext=True) as proxy,
        source(proxy.port, mail_user) as box,
    ):
        list(box.search())
        proxy.inject(replace(rb"^(\+ idling\r\n)", rb"\1* 1 EXISTS\r\n"))
        assert box.wait(600) is True
        assert only(box.search()).uids == []


def test_idle_without_news_ends_with_the_time(dovecot: Dovecot, mail_user: str) -> None:
    with source(dovecot.imap_port, mail_user) as box:
        list(box.search())
        assert box.wait(0.2) is False
        assert only(box.search()).uids == []


@pytest.mark.parametrize("profile", ["full", "no-idle"])
def test_stop_ends_the_wait(
    dovecots: Callable[[Profile], Dovecot],
    new_user: Callable[[Dovecot], str],
    profile: Profile,
) -> None:
    server = dovecots(profile)
    stop = threading.Event()
    with source(server.imap_port, new_user(server), stop=stop) as box:
        list(box.search())
        later = threading.Timer(0.2, stop.set)
        later.start()
        assert box.wait(600) is False
        later.join()


def test_a_server_that_hangs_up_in_idle_is_noticed(dovecot: Dovecot, mail_user: str) -> None:
    with (
        PickyProxy((dovecot.host, dovecot.imap_port), hide=()) as proxy,
        source(proxy.port, mail_user) as box,
    ):
        list(box.search())
        later = threading.Timer(0.3, proxy.hang_up)
        later.start()
        with pytest.raises(Retryable) as caught:
            box.wait(600)
        later.join()
        assert (caught.value.code, caught.value.systemic) == ("closed", True)
        assert only(box.search()).uids == []


def test_i7_a_line_dead_in_idle_is_noticed_when_idle_ends(dovecot: Dovecot, mail_user: str) -> None:
    with (
        PickyProxy((dovecot.host, dovecot.imap_port), hide=()) as proxy,
        source(proxy.port, mail_user, timeout=0.5) as box,
    ):
        list(box.search())

        def silence(response: Response) -> bool:
            idling = response.parts[0].startswith(b"+ idling")
            response.then = "stall" if idling else response.then
            return idling

        proxy.inject(silence)
        with pytest.raises(Retryable) as caught:
            box.wait(0.2)
        assert (caught.value.code, caught.value.systemic) == ("timeout", True)
        dovecot.append(mail_user, mail("a"))
        assert only(box.search()).uids == [1]


def test_idle_is_renewed_before_anybody_hangs_up(
    dovecot: Dovecot, mail_user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.adapters.imap.idling.RENEWAL", 0.1)
    with (
        PickyProxy((dovecot.host, dovecot.imap_port), hide=()) as proxy,
        source(proxy.port, mail_user) as box,
    ):
        list(box.search())
        assert box.wait(0.5) is False
    assert proxy.commands.count("IDLE") >= 2


@pytest.mark.parametrize("answer", [b"NO not now", b"BAD unknown command"])
def test_idle_refused_falls_back_to_polling(
    dovecot: Dovecot, mail_user: str, answer: bytes
) -> None:
    with (
        PickyProxy((dovecot.host, dovecot.imap_port), hide=(), deny={"IDLE": answer}) as proxy,
        source(proxy.port, mail_user) as box,
    ):
        list(box.search())
        assert box.wait(0.1) is False
        assert box.wait(0.1) is False
        assert only(box.search()).uids == []
    assert proxy.commands.count("IDLE") == 1


# --- looking around -------------------------------------------------------------------------


def test_probe_tells_what_the_server_is(dovecot: Dovecot, mail_user: str) -> None:
    dovecot.append(mail_user, mail("a"))
    dovecot.append(mail_user, mail("b"), folder="垃圾邮件")
    watched = ("INBOX", "垃圾邮件", "广告邮件")
    moves = {"accepted": "已处理"}
    report = probe(account(dovecot.imap_port, mail_user, folders=watched, moves=moves), SECRET)
    assert {"IDLE", "MOVE", "UIDPLUS"} <= set(report.capabilities)
    assert set(report.folders) == {"INBOX", "垃圾邮件"}
    assert report.missing == ("广告邮件", "已处理")
    assert report.exists == {"INBOX": 1, "垃圾邮件": 1}
    assert report.server_id["name"] == "Dovecot"
    assert report.steps == ("connect", "login", "id", "folders", "open")


def test_probe_meets_unsafe_login_as_the_source_does(netease: PickyProxy, mail_user: str) -> None:
    with pytest.raises(Permanent) as caught:
        probe(account(netease.port, mail_user, send_id=False), SECRET)
    assert caught.value.code == "unsafe_login"


# --- a server of one answer -----------------------------------------------------------------


@contextmanager
def one_answer(answer: bytes, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port where the first client gets these bytes and then EOF."""

    def serve() -> None:
        try:
            sock, _ = listener.accept()
            if tls is not None:
                sock = tls.wrap_socket(sock, server_side=True)
            with sock:
                sock.sendall(answer)
                sock.shutdown(socket.SHUT_WR)
                sock.settimeout(5)
                while sock.recv(4096):
                    pass
        except OSError:
            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)
