"""Faults S4, S5, S7 to S10 from the outbox in the database to a scripted server. What each answer means
to the transport alone is in tests/integration/test_smtp.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from mailbot.adapters.db.staff_lists import close_tasks, open_tasks
from mailbot.adapters.db.tables import outbox
from mailbot.app.deliver import GIVE_UP, LOGIN_TRIES
from mailbot.app.duties.recipients import recipients
from mailbot.app.records import OutboxState, Relation
from mailbot.core.mail.automatic import Ourselves, judge
from mailbot.core.mail.decode import decode
from mailbot.core.subject.roster import Contact, Unit, UnitName
from tests.faults.at_work import at_work
from tests.faults.post import Office, reminder
from tests.integration.daemon_help import configure, submission, until
from tests.integration.intake_help import LIAISON, NOON, OFFICE_ADDRESS, item
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import Authority, FaultServer, Say, SmtpSink, reply

LATER = [
    ("mail", "451 MI:SFQ 163 smtp2"),
    ("mail", "451 4.3.0 try again"),
    ("rcpt", "450 4.2.0 Greylisted, try later"),
    ("rcpt", "452 4.2.2 Mailbox full"),
    ("rcpt", "451 RP:QRC"),
    ("data", "451 DT:SPM ,please try again"),
    ("dot", "451 DT:SPM ,please try again"),
    ("dot", "450 MI:DMC"),
    ("dot", "421 closing"),
]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.close()


def due(office: Office, outbox_id: int = 1) -> timedelta:
    """How long the letter waits from now."""
    with office.store.snapshot() as db:
        found = db.execute(outbox.select().where(outbox.c.id == outbox_id)).one()
    assert found.due is not None
    waits: timedelta = found.due - office.moved.now()
    return waits


# --- later ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("phase", "answer"), LATER)
def test_s4_a_temporary_refusal_is_tried_again_with_the_same_bytes(
    office: Office, phase: str, answer: str
) -> None:
    office.receive(item(message_id="one@example.com"))
    with FaultServer({phase: [reply(answer)] * 3}) as server:
        office.sends_over(server.port)
        waits = []
        for _ in range(3):
            office.deliver()
            assert office.states() == ["retry"]
            waits.append(due(office))
            assert office.deliver().outcomes == (), "not before its time"
            office.moved.pass_(seconds=waits[-1].total_seconds())
        office.deliver()
        office.close()
    assert office.states() == ["sent"]
    assert waits[0] >= timedelta(minutes=5)
    assert all(b >= a for a, b in pairwise(waits)) and waits[-1] >= timedelta(minutes=15)
    assert len(set(server.letters)) == 1, "the same Message-ID and the same bytes"


@pytest.mark.parametrize("answer", ["421 too busy", "421 HL:ICC 163 smtp1", "450 later"])
def test_s4_refused_at_the_door_no_letter_is_touched(office: Office, answer: str) -> None:
    """Nobody said anything about a letter yet: all stay READY and cost no try, the account rests
    longer and longer, at most a quarter of an hour."""
    office.receive(item(message_id="one@example.com"))
    with FaultServer({"connect": [reply(answer)] * 8}) as server:
        office.sends_over(server.port)
        rests = []
        for _ in range(8):
            (rest,) = office.deliver().rests
            assert rest.until is not None
            rests.append(rest.until - office.moved.now())
            assert office.rows("select state, attempts from outbox") == [("ready", 0)]
            office.moved.pass_(seconds=rests[-1].total_seconds())
        office.deliver()
        office.close()
    assert rests == sorted(rests) and rests[-1] == timedelta(minutes=15)
    assert office.states() == ["sent"]


def test_s4_after_four_days_a_person_takes_over(office: Office) -> None:
    office.receive(item(message_id="one@example.com"))
    began = office.moved.now()
    with FaultServer({"rcpt": [reply("450 4.2.0 Greylisted")] * 100}) as server:
        office.sends_over(server.port)
        for _ in range(40):
            office.deliver()
            if office.states() == ["failed"]:
                break
            office.moved.pass_(seconds=due(office).total_seconds())
        office.close()
    assert office.states() == ["failed"] and office.tasks().count("failed_send") == 1
    assert GIVE_UP <= office.moved.now() - began <= GIVE_UP + timedelta(days=1)
    assert server.letters == []


# --- never ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "answer"),
    [
        ("rcpt", "550 User not found"),
        ("rcpt", "550 RP:RCL"),
        ("data", "554 no valid recipients"),
        ("dot", "554 DT:SPM 163 smtp3"),
        ("dot", "552 Requested mail action aborted: exceeded mailsize limit"),
    ],
)
def test_s5_a_refusal_for_good_is_not_tried_again_and_loses_no_item(
    office: Office, phase: str, answer: str
) -> None:
    office.receive(item(message_id="one@example.com"))
    with FaultServer({phase: [reply(answer)]}) as server:
        office.sends_over(server.port)
        for _ in range(5):
            office.deliver()
            office.moved.pass_(days=1)
        office.close()
    assert office.states() == ["failed"] and office.tasks().count("failed_send") == 1
    assert sum(c.lower().startswith("rcpt") for c in server.commands) == 1
    assert [state for _, state, _ in office.items()] == ["accepted"]


GONE = "gone@example.net"


def fail(office: Office, count: int, first: int = 1, to: str = GONE) -> None:
    """So many reminders to one address that is not known there."""
    for number in range(first, first + count):
        office.queue(reminder(number, to))
    with SmtpSink(refuse={GONE: "550 User not found"}) as sink:
        office.sends_over(sink.port)
        office.deliver()
        office.close()
    office.moved.pass_(days=2)


def send(office: Office, number: int, to: str = GONE, **changes: object) -> str:
    """What becomes of one more letter, by a server that takes everything."""
    outbox_id = office.queue(reminder(number, to, **changes))
    with SmtpSink() as sink:
        office.sends_over(sink.port)
        office.deliver()
        office.close()
    ((state,),) = office.rows(f"select state from outbox where id = {outbox_id}")
    return str(state)


def suspended(office: Office) -> frozenset[str]:
    with office.store.reading() as reads:
        return reads.suspended("otog")


def test_s5_after_three_refusals_an_address_gets_no_more_until_a_person_says_so(
    office: Office,
) -> None:
    fail(office, 2)
    assert suspended(office) == frozenset()
    fail(office, 3, first=3)
    assert office.states() == ["failed"] * 3 + ["dropped"] * 2
    assert suspended(office) == {GONE}
    (task,) = [t for t in open_tasks(office.store) if t.kind == "suspended"]
    assert GONE in task.text
    assert send(office, 10, "unit10@example.net") == "sent", "nobody else is held up"
    assert send(office, 11, GONE.upper().replace("EXAMPLE.NET", "example.net")) == "dropped"
    close_tasks(office.store, [task.id], "王芳", office.moved.now())
    office.moved.pass_(minutes=5)
    assert suspended(office) == frozenset()
    assert send(office, 12) == "sent"
    fail(office, 1, first=20)
    assert suspended(office) == frozenset(), "what a person has looked at counts no more"
    fail(office, 2, first=21)
    assert suspended(office) == {GONE}


def test_s5_who_writes_to_us_is_answered_though_suspended(office: Office) -> None:
    fail(office, 3, to=GONE)
    office.receive(item(message_id="one@example.com", sender=GONE), at=office.moved.now())
    with SmtpSink() as sink:
        office.sends_over(sink.port)
        office.deliver()
        office.close()
    assert [t.recipients for t in sink.letters] == [(GONE,)]


def test_s5_a_letter_that_arrived_lifts_the_suspension(office: Office) -> None:
    fail(office, 3)
    answered = office.queue(reminder(9, GONE))
    with office.store.writing() as db:  # an answer, which goes out all the same
        db.exec_driver_sql(
            f"update outbox set state = 'sent', finished = queued where id = {answered}"
        )
    for hours, left in ((1, {GONE}), (30, set())):
        office.moved.pass_(hours=hours)
        with office.store.begin() as tx:
            tx.end_suspensions("otog", office.moved.now())
        assert suspended(office) == left
    assert send(office, 12) == "sent"


def test_s5_a_success_between_failures_starts_the_count_anew(office: Office) -> None:
    fail(office, 2)
    assert send(office, 5) == "sent"
    office.moved.pass_(days=2)
    fail(office, 2, first=6)
    assert suspended(office) == frozenset()
    fail(office, 1, first=8)
    assert suspended(office) == {GONE}


def test_s5_a_letter_just_handed_over_proves_nothing_yet(office: Office) -> None:
    """The provider takes everything; what cannot be delivered comes back later."""
    fail(office, 2)
    assert send(office, 5) == "sent"
    fail(office, 1, first=6)
    assert suspended(office) == {GONE}


def test_s5_letters_that_come_back_count_once_each(office: Office) -> None:
    """What a server accepts may come back: three notices about one letter are one failure."""
    ids = [office.queue(reminder(n, GONE)) for n in range(1, 4)]
    with SmtpSink() as sink:
        office.sends_over(sink.port)
        office.deliver()
        office.close()
    for outbox_id, expected in zip([ids[0]] * 3 + ids[1:], [0, 0, 0, 0, 1], strict=True):
        office.box.put(
            item(message_id=f"{outbox_id}-{expected}-{len(office.box.mails)}@x"), office.moved.now()
        )
        office.run()
        ((inbound,),) = office.rows("select max(id) from inbound")
        with office.store.begin() as tx:
            tx.link(inbound, Relation.BOUNCE, to_outbox=outbox_id)
            tx.count_failure(outbox_id, office.moved.now())
        assert len(suspended(office)) == expected


def test_s5_a_unit_whose_liaison_is_suspended_says_so() -> None:
    people = (
        Contact("liaison", "王甲", address=GONE),
        Contact("head", "李乙", address="head@example.net"),
    )
    unit = Unit("nongmuju", (UnitName("农牧局"),), "g1", contacts=people)
    day = NOON.date()
    found = recipients(unit, ("liaison", "head"), day, suspended={GONE})
    assert [p.address for p in found.people] == ["head@example.net"]
    assert found.lacking == (f"信息员的邮箱多次退信，已暂停发信：{GONE}",)


# --- the login ------------------------------------------------------------------------------


def test_s7_a_refused_login_is_tried_three_times_and_mail_still_comes_in(office: Office) -> None:
    with FaultServer({"auth": [reply("535 Error: authentication failed")] * 20}) as server:
        office.sends_over(server.port, username=OFFICE_ADDRESS)
        for n in range(12):
            office.receive(item(f"第{n}批物资到位", message_id=f"{n}@example.com"))
            report = office.deliver()
            office.moved.pass_(hours=6)
        office.close()
    assert sum(c.lower().startswith("auth") for c in server.commands) == LOGIN_TRIES == 3
    assert office.count(OutboxState.READY) == len(office.items()) == 12
    (rest,) = report.rests
    assert (rest.code, rest.until) == ("login", None), "until restart; the daemon tells of a rest"
    with SmtpSink(logins={OFFICE_ADDRESS: "code"}) as sink:  # the code was mended, and restarted
        office.sends_over(sink.port, username=OFFICE_ADDRESS)
        office.deliver()
        office.close()
    assert len(sink.letters) == 12


@pytest.mark.dovecot
@pytest.mark.parametrize("barred", ["starttls", "login"])
def test_s7_s10_the_board_tells_while_the_mailbox_is_read_on(
    tmp_path: Path,
    dovecot: Dovecot,
    mail_user: str,
    monkeypatch: pytest.MonkeyPatch,
    barred: str,
) -> None:
    """STARTTLS is stripped, or the code refused: somebody is told, letters wait, mail comes in."""
    monkeypatch.setenv("TEST_CODE", "secret")
    dovecot.append(mail_user, submission(1))
    refusals = [reply("535 Error: authentication failed")] * 9
    with FaultServer({"auth": refusals}) as server:
        config = configure(tmp_path, dovecot, mail_user, server)  # type: ignore[arg-type]
        security = "starttls" if barred == "starttls" else "plain"
        change = ('security = "plain", login = false', f'security = "{security}"')
        with at_work(config, change) as work:
            until(lambda: work.trouble("delivery:xinxi@example.org") != "", "the alert")
            dovecot.append(mail_user, submission(2))
            until(lambda: work.count("select count(*) from item") == 2, "both items")
            assert work.trouble("mailbox:otog") == ""
            waiting = "select count(*) from outbox where state in ('ready', 'sending')"
            assert work.count(waiting) == 2
    said = [command.split()[0].lower() for command in server.commands]
    assert "mail" not in said
    assert said.count("auth") == (1 if barred == "login" else 0)


def test_s8_the_envelope_is_the_login_s_where_another_is_refused(office: Office) -> None:
    office.receive(item(message_id="one@example.com"))
    refused = "553 Mail from must equal authorized user"
    with FaultServer({"mail": [reply(refused)]}) as server:
        office.sends_over(server.port, username="login@example.org")
        office.deliver()
        office.receive(item("草原防火宣传深入牧户", message_id="two@example.com"))
        office.deliver()
        office.close()
    assert office.states() == ["sent", "sent"]
    froms = [c for c in server.commands if c.lower().startswith("mail")]
    assert [f.split("<")[1].split(">")[0] for f in froms] == [
        OFFICE_ADDRESS,
        "login@example.org",
        "login@example.org",
    ], "and it is remembered"


@pytest.mark.parametrize(
    "answer",
    ["553 Mail from must equal authorized user", "553 NULL sender is not allowed", "501 mail from address must be same as authorization user"],
)  # fmt: skip
def test_s8_the_null_sender_is_never_used_and_the_guards_hold(office: Office, answer: str) -> None:
    office.receive(item(message_id="one@example.com"))
    with FaultServer({"mail": [reply(answer)]}) as server:
        office.sends_over(server.port, username=OFFICE_ADDRESS)
        (rest,) = office.deliver().rests
        assert rest.code == "sender" and office.states() == ["ready"]
        office.moved.pass_(hours=1)
        office.deliver()
        office.close()
    froms = [c for c in server.commands if c.lower().startswith("mail")]
    assert froms and not [f for f in froms if "<>" in f]
    (raw,) = server.letters
    sent = decode(raw)
    assert b"Auto-Submitted: auto-replied" in raw and b"X-Auto-Response-Suppress: All" in raw
    assert judge(sent, Ourselves(frozenset({OFFICE_ADDRESS}))) is not None
    office.box.put(raw, office.moved.now())  # it comes back
    office.run()
    assert len(office.letters()) == 1


# --- many at once ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "answer"),
    [
        ("dot", "552 too many same size mails"),
        ("rcpt", "450 4.7.1 rate limit exceeded"),
    ],
)
def test_s9_asked_to_slow_down_amid_eighty_reminders_none_is_lost_or_doubled(
    office: Office, monkeypatch: pytest.MonkeyPatch, phase: str, answer: str
) -> None:
    starts: list[float] = []
    monkeypatch.setattr("mailbot.app.deliver.time.sleep", lambda s: office.moved.pass_(seconds=s))
    for number in range(80):
        office.queue(reminder(number))
    script = [reply("250 ok")] * 30 + [reply(answer)] + [reply("250 ok")] * 20 + [reply(answer)] * 2
    with FaultServer({phase: script}) as server:
        office.sends_over(server.port)
        for _ in range(60):
            report = office.deliver()
            for outcome in report.outcomes:
                assert outcome.state in (OutboxState.SENT, OutboxState.RETRY)
            starts.append(office.moved.seconds)
            states = Counter(office.states())
            assert sum(states.values()) == 80 and set(states) <= {"sent", "retry", "ready"}
            if states["sent"] == 80:
                break
            assert report.rests, "the account pauses, it does not hammer"
            office.moved.pass_(minutes=15)
        office.close()
    assert Counter(office.states()) == {"sent": 80}
    accepted = Counter(raw for raw in server.letters)
    refused = 3 if phase == "dot" else 0
    assert len(accepted) == 80 and sum(accepted.values()) == 80 + refused
    assert len(starts) >= 4, "every refusal cost a quarter of an hour"


def test_s9_the_day_s_quota_waits_for_the_next_day(office: Office) -> None:
    for number in range(80):
        office.queue(reminder(number))
    script = [reply("250 ok")] * 50 + [reply("550 MI:STC 163 smtp2")]
    with FaultServer({"mail": script}) as server:
        office.sends_over(server.port)
        office.deliver()
        assert Counter(office.states()) == {"sent": 50, "ready": 30}
        office.moved.pass_(hours=6)
        office.deliver()
        assert office.count(OutboxState.SENT) == 50
        office.moved.pass_(hours=7)
        office.deliver()
        office.close()
    assert office.count(OutboxState.SENT) == len(set(server.letters)) == len(server.letters) == 80


# --- in the clear ---------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("name", ["127.0.0.1", "mail.example.com"])
def test_s10_a_certificate_that_does_not_fit_ends_the_attempt(
    office: Office, tmp_path: Path, security: str, name: str
) -> None:
    """Of an unknown authority, or made out for another name."""
    authority = Authority(tmp_path, name)
    office.receive(item(message_id="one@example.com"))
    with SmtpSink(security, authority, {LIAISON: "code"}) as sink:  # type: ignore[arg-type]
        ca = {} if name == "127.0.0.1" else {"ca_file": authority.ca_file}
        office.sends_over(sink.port, security=security, username=LIAISON, **ca)
        (rest,) = office.deliver().rests
        office.close()
    assert rest.code == "tls"
    assert office.rows("select state, attempts from outbox") == [("ready", 0)]
    assert sink.attempts == 0 and sink.letters == []


@pytest.mark.parametrize("answer", [None, "502 not implemented", "454 TLS not available"])
def test_s10_a_stripped_starttls_leaves_the_letter_ready(
    office: Office, answer: str | None
) -> None:
    office.receive(item(message_id="one@example.com"))
    script: dict[str, Sequence[Say]] = {}
    if answer is not None:
        offer = Say(b"250-x\r\n250 STARTTLS\r\n")
        script = {"ehlo": [offer], "starttls": [reply(answer)]}
    with FaultServer(script) as server:
        office.sends_over(server.port, security="starttls", username=LIAISON)
        (rest,) = office.deliver().rests
        office.close()
    assert rest.code == "starttls"
    assert office.rows("select state, attempts from outbox") == [("ready", 0)]
    assert not [c for c in server.commands if c.lower().startswith(("auth", "mail", "rcpt"))]
