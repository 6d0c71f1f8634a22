"""Letters over real sockets: to a real server, and to one that fails at every step."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from mailbot.adapters.outbox_maildir import MaildirTransport
from mailbot.adapters.settings.credentials import CredentialKind
from mailbot.adapters.signing import Signer, load_or_create_secret
from mailbot.adapters.smtp.replies import classify
from mailbot.adapters.smtp.transport import SmtpAccount, SmtpTransport
from mailbot.adapters.system import SystemClock
from mailbot.app.errors import OperatorFault, Permanent, Retryable, Uncertain, WorldFault
from mailbot.app.records import Outgoing
from tests.servers.smtp_sink import CUT, STALL, Authority, FaultServer, Say, SmtpSink, reply

LOGIN = "xinxi@example.com"
CODE = "授权码ABC"


class Clock:
    """The real calendar and a monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return SystemClock().now()

    def monotonic(self) -> float:
        return self.seconds


def letter(number: int = 1, raw: bytes = b"Subject: x\r\n\r\ntext\r\n") -> Outgoing:
    return Outgoing(
        key=f"answer:{number}:acknowledgement",
        kind="acknowledgement",
        office="otog",
        sender=LOGIN,
        recipient=f"person{number}@example.org",
        message_id=f"mb.{number}@example.com",
        raw=raw,
        subject="x",
    )


class Dot:
    """Counts how often the point of no return was announced."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


_opened: list[SmtpTransport] = []


@pytest.fixture(autouse=True)
def _close_all() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


def transport(
    port: int,
    secret: str | Callable[[], str] = CODE,
    clock: Clock | None = None,
    **changes: object,
) -> SmtpTransport:
    account = SmtpAccount(
        host="127.0.0.1", port=port, security="plain", from_addr=LOGIN, timeout=5, dot_timeout=5
    )
    made = SmtpTransport(replace(account, **changes), secret, clock or Clock())  # type: ignore[arg-type]
    _opened.append(made)
    return made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


# --- a real server --------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_letter_arrives_over_tls_after_a_login(authority: Authority, security: str) -> None:
    with SmtpSink(security, authority, {LOGIN: CODE}) as sink:  # type: ignore[arg-type]
        sender = transport(sink.port, security=security, username=LOGIN, ca_file=authority.ca_file)
        dot = Dot()
        answer = sender.send(letter(), dot)
        sender.close()
    assert answer == "250 Mail OK queued as test1"
    assert dot.count == 1
    (taken,) = sink.letters
    assert (taken.mail_from, taken.recipients) == (LOGIN, ("person1@example.org",))
    assert taken.raw == letter().raw
    assert taken.login == LOGIN and taken.tls


@pytest.mark.parametrize(
    "raw",
    [
        b".\r\n",
        b"A: b\r\n\r\n.\r\n..\r\n.x\r\nend.\r\n",
        b"A: b\r\n\r\n" + b"." * 900 + b"\r\n" + "农牧局\r\n".encode() * 2000,
    ],
)
def test_dots_and_long_bodies_arrive_unchanged(raw: bytes) -> None:
    with SmtpSink() as sink:
        sender = transport(sink.port)
        sender.send(letter(raw=raw), Dot())
        sender.send(letter(2), Dot())
        sender.close()
    assert [t.raw for t in sink.letters] == [raw, letter(2).raw]


def test_bare_line_ends_never_smuggle_a_second_letter() -> None:
    raw = b"A: b\n\nx\n.\nMAIL FROM:<a@b>\r.\r"
    with SmtpSink() as sink:
        sender = transport(sink.port)
        sender.send(letter(raw=raw), Dot())
        sender.close()
    assert [t.raw for t in sink.letters] == [b"A: b\r\n\r\nx\r\n.\r\nMAIL FROM:<a@b>\r\n.\r\n"]


def test_one_connection_carries_many_letters_and_survives_a_refusal() -> None:
    with SmtpSink(refuse={"person2@example.org": "550 User not found"}) as sink:
        sender = transport(sink.port)
        sender.send(letter(1), Dot())
        with pytest.raises(Permanent) as refused:
            sender.send(letter(2), Dot())
        sender.send(letter(3), Dot())
        sender.close()
    assert not refused.value.systemic and refused.value.code == "recipient"
    assert sink.connections == 1
    assert [t.recipients[0] for t in sink.letters] == ["person1@example.org", "person3@example.org"]


def test_oauth2_token_is_read_for_each_login() -> None:
    tokens = iter(["old", "new"])
    with SmtpSink(logins={LOGIN: "Bearer new"}) as sink:
        sender = transport(
            sink.port, lambda: next(tokens), username=LOGIN, auth=CredentialKind.OAUTH2
        )
        with pytest.raises(Permanent) as refused:
            sender.send(letter(), Dot())
        assert refused.value.code == "login" and refused.value.systemic
        sender.send(letter(), Dot())
        sender.close()
    assert len(sink.letters) == 1


def test_a_wrong_code_is_tried_once_only() -> None:
    with SmtpSink(logins={LOGIN: CODE}) as sink:
        sender = transport(sink.port, "wrong", username=LOGIN)
        dot = Dot()
        with pytest.raises(Permanent) as refused:
            sender.send(letter(), dot)
    assert (refused.value.code, refused.value.systemic) == ("login", True)
    assert sink.attempts == 1 and dot.count == 0


def test_probe_logs_in_and_sends_nothing() -> None:
    with SmtpSink(logins={LOGIN: CODE}) as sink:
        transport(sink.port, username=LOGIN).probe()
        with pytest.raises(Permanent):
            transport(sink.port, "wrong", username=LOGIN).probe()
    assert sink.letters == []


# --- TLS or nothing -------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_unknown_certificate_ends_the_attempt(authority: Authority, security: str) -> None:
    sink = SmtpSink(security, authority, {LOGIN: CODE})  # type: ignore[arg-type]
    with sink, pytest.raises(Retryable) as fault:
        transport(sink.port, security=security, username=LOGIN).send(letter(), Dot())
    assert (fault.value.code, fault.value.systemic) == ("tls", True)
    assert sink.attempts == 0, "the code was not shown to a stranger"


def test_a_certificate_for_another_name_ends_the_attempt(tmp_path: Path) -> None:
    other = Authority(tmp_path, "mail.example.org")
    with SmtpSink("tls", other) as sink, pytest.raises(Retryable) as fault:
        transport(sink.port, security="tls", ca_file=other.ca_file).send(letter(), Dot())
    assert fault.value.code == "tls"


def test_a_stripped_starttls_never_falls_back_to_plain_text() -> None:
    with FaultServer() as server, pytest.raises(Retryable) as fault:
        transport(server.port, security="starttls", username=LOGIN).send(letter(), Dot())
    assert (fault.value.code, fault.value.systemic) == ("starttls", True)
    assert server.commands[0].startswith("ehlo")
    assert not [c for c in server.commands if c.lower().startswith(("auth", "mail"))]


@pytest.mark.parametrize("answer", ["502 not implemented", "454 TLS not available"])
def test_an_offered_but_refused_starttls_likewise(answer: str) -> None:
    script = {"ehlo": [Say(b"250-x\r\n250 STARTTLS\r\n")], "starttls": [reply(answer)]}
    with FaultServer(script) as server, pytest.raises(Retryable) as fault:
        transport(server.port, security="starttls", username=LOGIN).send(letter(), Dot())
    assert (fault.value.code, fault.value.systemic) == ("starttls", True)


def test_plain_text_to_another_machine_is_the_operators_word() -> None:
    account = SmtpAccount("smtp.example.com", 25, "plain", LOGIN)
    with pytest.raises(OperatorFault, match=r"smtp\.example\.com"):
        SmtpTransport(account, CODE, Clock())
    SmtpTransport(replace(account, allow_plain=True), CODE, Clock())
    for here in ("localhost", "::1", "127.0.0.9"):
        SmtpTransport(replace(account, host=here), CODE, Clock())


def test_a_missing_or_empty_ca_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(OperatorFault, match=name):
            transport(1, security="tls", ca_file=tmp_path / name)


# --- the server refuses ---------------------------------------------------------------------

REFUSALS = [
    # phase, answer, family, systemic, code, after
    ("connect", "421 HL:ICC 163 smtp1", Retryable, True, "blocked", 900.0),
    (
        "connect",
        "554 IP is rejected, smtp auth error limit exceed",
        Retryable,
        True,
        "login_later",
        900.0,
    ),
    ("connect", "554 no service", Retryable, True, "blocked", None),
    ("connect", "421 too many connections", Retryable, True, "rate", 900.0),
    ("auth", "535 Error: authentication failed", Permanent, True, "login", None),
    ("auth", "550 User has no permission", Permanent, True, "login", None),
    ("auth", "454 Temporary authentication failure", Retryable, True, "login_later", None),
    ("auth", "451 too much fail authentication", Retryable, True, "login_later", 900.0),
    ("mail", "451 MI:SFQ 163 smtp2,abc", Retryable, False, "rate", 900.0),
    ("mail", "550 MI:STC 163 smtp2,abc", Retryable, True, "daily_quota", None),
    ("mail", "553 Mail from must equal authorized user", Permanent, True, "sender", None),
    (
        "mail",
        "501 mail from address must be same as authorization user",
        Permanent,
        True,
        "sender",
        None,
    ),
    (
        "mail",
        "553 Requested action not taken: NULL sender is not allowed",
        Permanent,
        True,
        "sender",
        None,
    ),
    ("mail", "421 shutting down", Retryable, True, "closing", None),
    ("rcpt", "550 RP:TRC 163 smtp5", Retryable, True, "daily_quota", None),
    ("rcpt", "554 RP:TRC 163 smtp5", Retryable, True, "daily_quota", None),
    ("rcpt", "451 RP:QRC", Retryable, False, "rate", 900.0),
    ("rcpt", "550 RP:RCL", Permanent, False, "one_recipient", None),
    ("rcpt", "550 User not found: x@example.org", Permanent, False, "recipient", None),
    ("rcpt", "450 4.2.0 Greylisted, try later", Retryable, False, "deferred", None),
    ("rcpt", "452 4.2.2 Mailbox full", Retryable, False, "deferred", None),
    ("data", "451 DT:SPM ,please try again", Retryable, False, "spam_retry", 120.0),
    ("data", "503 bad sequence", Permanent, False, "refused", None),
    ("dot", "554 DT:SPM 163 smtp3,DtGowABn", Permanent, False, "spam", None),
    ("dot", "550 DT:SPM 163 smtp3", Permanent, False, "spam", None),
    ("dot", "451 DT:SPM ,please try again", Retryable, False, "spam_retry", 120.0),
    ("dot", "554 DT:SUM 163 smtp3", Permanent, True, "sender", None),
    ("dot", "552 too many same size mails", Retryable, False, "rate", 900.0),
    ("dot", "550 sending quota exceeded", Retryable, False, "rate", 900.0),
    ("dot", "550 Daily sending limit exceeded", Retryable, True, "daily_quota", None),
    ("dot", "550 发信频率超过限制", Retryable, False, "rate", 900.0),
    (
        "dot",
        "552 Requested mail action aborted: exceeded mailsize limit",
        Permanent,
        False,
        "size",
        None,
    ),
    ("dot", "450 MI:DMC", Retryable, False, "session", None),
    ("dot", "421 closing", Retryable, False, "closing", None),
    ("dot", "550 mail rejected", Permanent, False, "refused", None),
    ("dot", "451 local error", Retryable, False, "deferred", None),
]


@pytest.mark.parametrize(("phase", "answer", "family", "systemic", "code", "after"), REFUSALS)
def test_a_refusal_is_classed_by_its_tag(
    phase: str,
    answer: str,
    family: type[WorldFault],
    systemic: bool,
    code: str,
    after: float | None,
) -> None:
    dot = Dot()
    with FaultServer({phase: [reply(answer)]}) as server:
        sender = transport(server.port, username=LOGIN)
        with pytest.raises(WorldFault) as fault:
            sender.send(letter(), dot)
        assert type(fault.value) is family
        assert (fault.value.systemic, fault.value.code) == (systemic, code)
        assert answer.split()[-1] in str(fault.value)
        if isinstance(fault.value, Retryable):
            assert fault.value.after == after
        assert dot.count == (1 if phase == "dot" else 0)
        # and the next letter goes out, over a connection that is in step again
        assert sender.send(letter(2), Dot()).startswith("250")
        sender.close()
    assert len(server.letters) == (2 if phase == "dot" else 1)


def test_gbk_answers_are_read_and_flattened() -> None:
    answer = Say("550 用户\t不存在\x1b[31m\r\n".encode("gb18030"))
    shown = pytest.raises(Permanent, match=r"550 用户 不存在 \[31m")
    with FaultServer({"rcpt": [answer]}) as server, shown:
        transport(server.port).send(letter(), Dot())


def test_a_letter_of_another_phase_is_never_mistaken_for_a_tag() -> None:
    fault = classify("rcpt", 550, "user XMI:STCX unknown")
    assert type(fault) is Permanent and fault.code == "recipient"


def test_helo_is_said_where_ehlo_is_not_known() -> None:
    with FaultServer({"ehlo": [reply("502 unknown")]}) as server:
        assert transport(server.port).send(letter(), Dot()).startswith("250")


# --- the connection fails -------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["connect", "ehlo", "auth", "mail"])
@pytest.mark.parametrize(
    "say", [CUT, Say(b"25", cut=True), Say(b"nonsense\r\n"), Say(b"250-x\r\n", cut=True)]
)
def test_a_fault_before_a_letter_is_named_concerns_the_account(phase: str, say: Say) -> None:
    dot = Dot()
    with FaultServer({phase: [say]}) as server:
        sender = transport(server.port, username=LOGIN)
        with pytest.raises(Retryable) as fault:
            sender.send(letter(), dot)
        code = "closed" if phase == "mail" else "connect"
        assert (fault.value.code, fault.value.systemic) == (code, True)
        assert sender.send(letter(), dot).startswith("250")
    assert dot.count == 1 and len(server.letters) == 1


@pytest.mark.parametrize("phase", ["rcpt", "data"])
def test_a_cut_before_the_body_is_retryable(phase: str) -> None:
    with FaultServer({phase: [CUT]}) as server, pytest.raises(Retryable) as fault:
        transport(server.port).send(letter(), Dot())
    assert fault.value.code == "closed" and server.letters == []


def test_a_cut_in_the_body_is_the_letters_own_and_no_dot_was_sent() -> None:
    dot = Dot()
    raw = b"A: b\r\n\r\n" + b"x" * 70 + b"\r\n"
    with FaultServer({"body": [CUT]}) as server, pytest.raises(WorldFault) as fault:
        # large enough that the kernel cannot take it all before the cut is seen
        transport(server.port).send(letter(raw=raw * 400_000), dot)
    assert type(fault.value) is Retryable and not fault.value.systemic
    assert dot.count == 0 and server.letters == []


def test_nobody_listening_and_no_such_host() -> None:
    with FaultServer() as server:
        port = server.port
    for host in ("127.0.0.1", "host.invalid"):
        with pytest.raises(Retryable) as fault:
            transport(port, host=host, allow_plain=True).send(letter(), Dot())
        assert (fault.value.code, fault.value.systemic) == ("connect", True)


@pytest.mark.parametrize("phase", ["connect", "mail"])
def test_a_stall_ends_at_the_timeout(phase: str) -> None:
    with FaultServer({phase: [STALL]}) as server, pytest.raises(Retryable) as fault:
        transport(server.port, timeout=0.3).send(letter(), Dot())
    assert fault.value.systemic


@pytest.mark.parametrize(
    "say",
    [
        CUT,
        Say(b"25", cut=True),
        Say(b"250", cut=True),
        Say(b"250 Mail OK que", cut=True),
        Say(b"250-Mail OK\r\n", cut=True),
        Say(b"250-Mail\r\n550 no\r\n"),
        Say(b"25\r\n"),
        Say(b"\r\n"),
        Say(b"+50 ok\r\n"),
        Say(b"150 wait\r\n"),
        Say(b"354 again\r\n"),
        Say(b"650 what\r\n"),
        Say(b"999 x\r\n"),
        Say(b"250" + b"x" * 9000, cut=True),
        STALL,
    ],
)
def test_no_whole_answer_after_the_dot_is_uncertain_never_a_refusal(say: Say) -> None:
    dot = Dot()
    with FaultServer({"dot": [say]}) as server:
        sender = transport(server.port, dot_timeout=0.5)
        with pytest.raises(Uncertain):
            sender.send(letter(), dot)
        assert dot.count == 1 and len(server.letters) == 1
        assert sender.send(letter(2), Dot()).startswith("250"), "a fresh connection serves the next"
        assert server.connections == 2


def test_a_slow_answer_is_waited_for_longer_than_the_usual_timeout() -> None:
    with FaultServer({"dot": [Say(b"250 at last\r\n", wait=1.5)]}) as server:
        sender = transport(server.port, timeout=0.75, dot_timeout=20)
        assert sender.send(letter(), Dot()) == "250 at last"


@pytest.mark.parametrize("say", [CUT, Say(b"22", cut=True), reply("500 what")])
def test_a_cut_at_quit_changes_nothing(say: Say) -> None:
    with FaultServer({"quit": [say]}) as server:
        sender = transport(server.port)
        assert sender.send(letter(), Dot()).startswith("250")
        sender.close()
        assert sender.send(letter(2), Dot()).startswith("250")


def test_when_the_dot_cannot_be_recorded_it_is_not_sent() -> None:
    def broken() -> None:
        raise Retryable("database is locked", systemic=True)

    with FaultServer() as server:
        sender = transport(server.port)
        with pytest.raises(Retryable, match="locked"):
            sender.send(letter(), broken)
        assert sender.send(letter(2), Dot()).startswith("250")
    assert len(server.letters) == 1


# --- the kept-open connection ---------------------------------------------------------------


@pytest.mark.parametrize(("idle", "noops", "connections"), [(5, 0, 1), (60, 1, 1), (3600, 0, 2)])
def test_a_silent_connection_is_asked_or_replaced(
    idle: float, noops: int, connections: int
) -> None:
    clock = Clock()
    with FaultServer() as server:
        sender = transport(server.port, clock=clock)
        sender.send(letter(1), Dot())
        clock.seconds += idle
        sender.send(letter(2), Dot())
        sender.close()
    assert server.connections == connections
    assert sum(c.lower() == "noop" for c in server.commands) == noops
    assert len(server.letters) == 2


@pytest.mark.parametrize(
    ("phase", "says", "idle"),
    [
        ("noop", [CUT], 60),
        ("noop", [reply("421 idle too long")], 60),
        ("mail", [reply("250 OK"), CUT], 0),
        ("mail", [reply("250 OK"), reply("421 too long")], 0),
        ("mail", [reply("250 OK"), reply("451 MI:DMC")], 0),
        ("mail", [reply("250 OK"), reply("530 authentication required")], 0),
    ],
)
def test_a_connection_found_dead_is_replaced_without_the_letter_noticing(
    phase: str, says: list[Say], idle: float
) -> None:
    clock = Clock()
    with FaultServer({phase: says}) as server:
        sender = transport(server.port, clock=clock)
        sender.send(letter(1), Dot())
        clock.seconds += idle
        assert sender.send(letter(2), Dot()).startswith("250")
    assert server.connections == 2 and len(server.letters) == 2


def test_a_dead_connection_is_replaced_once_not_for_ever() -> None:
    says = [reply("250 OK"), CUT, CUT, CUT]
    with FaultServer({"mail": says}) as server:
        sender = transport(server.port)
        sender.send(letter(1), Dot())
        with pytest.raises(Retryable):
            sender.send(letter(2), Dot())
    assert server.connections == 2


# --- the outbox folder ----------------------------------------------------------------------


def test_a_letter_written_twice_is_one_file_also_after_it_was_read(tmp_path: Path) -> None:
    outbox = MaildirTransport(tmp_path / "outbox")
    dot = Dot()
    outbox.send(letter(1), dot)
    outbox.send(letter(1), dot)
    (written,) = (tmp_path / "outbox" / "new").iterdir()
    assert written.read_bytes() == letter(1).raw
    written.rename(tmp_path / "outbox" / "cur" / f"{written.name}:2,S")
    assert outbox.send(letter(1), dot).startswith("250")
    outbox.send(letter(2), dot)
    assert dot.count == 4
    assert len(list((tmp_path / "outbox" / "new").iterdir())) == 1
    assert list((tmp_path / "outbox" / "tmp").iterdir()) == []


def test_the_folder_shows_nothing_before_the_dot_is_recorded(tmp_path: Path) -> None:
    outbox = MaildirTransport(tmp_path)

    def broken() -> None:
        assert list((tmp_path / "new").iterdir()) == []
        raise Retryable("database is locked")

    with pytest.raises(Retryable, match="locked"):
        outbox.send(letter(1), broken)
    assert list((tmp_path / "new").iterdir()) == []
    outbox.send(letter(1), Dot())
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_a_folder_that_cannot_be_written_stops_the_round(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file is in the way")
    dot = Dot()
    with pytest.raises(Retryable) as fault:
        MaildirTransport(tmp_path / "outbox").send(letter(1), dot)
    assert (fault.value.code, fault.value.systemic, dot.count) == ("disk", True, 0)


# --- our own marks --------------------------------------------------------------------------


def test_our_ids_are_stable_and_known_again_in_any_dress() -> None:
    signer, again = Signer(b"s" * 32), Signer(b"s" * 32)
    own = signer.message_id("answer:7:return", "example.com")
    assert own == again.message_id("answer:7:return", "Example.COM")
    assert own != signer.message_id("answer:8:return", "example.com")
    mark = signer.mark(own)
    assert mark == again.mark(f"<{own.upper()}>")
    for dress in (own, f"<{own}>", f" <{own.upper()}> ", mark, mark.upper()):
        assert signer.is_ours(dress)
    assert signer.message_id("k", "邮件.example").isascii()


def test_nobody_else_can_make_one_up() -> None:
    signer, other = Signer(b"s" * 32), Signer(b"t" * 32)
    own = signer.message_id("answer:7:return", "example.com")
    forged = other.message_id("answer:7:return", "example.com")
    token, _, signature = own.removeprefix("mb.").partition("@")[0].partition(".")
    strangers = [
        forged,
        other.mark(forged),
        f"mb.{token}.{'a' * 16}@example.com",
        f"{token}.{signature}",  # an id's signature is no mark's
        signer.mark(own) + "@example.com",
        "mb." + signer.mark(own),
        own.replace("mb.", "", 1),
        own[:-1].replace("@", ""),
        "",
        "x" * 100_000,
        "农牧局",
    ]
    assert [s for s in strangers if signer.is_ours(s)] == []
    with pytest.raises(ValueError, match="ours"):
        signer.mark(forged)
    with pytest.raises(ValueError, match="16 bytes"):
        Signer(b"short")


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "state" / "signing.key"
    secret = load_or_create_secret(path)
    assert len(secret) == 32 and load_or_create_secret(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["signing.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "signing.key"
    load_or_create_secret(path)
    path.chmod(mode)
    with pytest.raises(OperatorFault, match=r"chmod 600 .*signing\.key"):
        load_or_create_secret(path)


@pytest.mark.parametrize("content", [b"", b"zz", b"abcd", b"\xff" * 64])
def test_a_damaged_secret_is_not_used(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "signing.key"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(OperatorFault, match=r"signing\.key"):
        load_or_create_secret(path)


def test_a_secret_that_cannot_be_made_is_the_operators_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OperatorFault, match="key"):
        load_or_create_secret(tmp_path / "file" / "key")


def test_two_processes_starting_together_share_one_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "signing.key"
    real_link = os.link

    def someone_was_faster(source: Path, target: Path) -> None:
        target.touch(0o600)
        target.write_bytes(b"ab" * 32)
        real_link(source, target)

    monkeypatch.setattr(os, "link", someone_was_faster)
    assert load_or_create_secret(path) == b"\xab" * 32
