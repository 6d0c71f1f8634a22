"""Faults L1 to L11: machines that answer machines.

Everything goes the whole way: bytes into a mailbox, a decision, and the letters in the outbox are
counted. The counts of the harness are kept as properties of the test report and printed with -rP.
"""

from __future__ import annotations

import email
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.db.outbox import SqlOutbox
from mailbot.adapters.letters.names import REPLIES, TEMPLATE_NAMES
from mailbot.adapters.letters.samples import SAMPLES
from mailbot.app.posting import Addressee, Posted, Posting
from mailbot.app.records import Outgoing
from mailbot.core.letters.answers import AnswerKind
from mailbot.core.letters.every import Letter
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.mail.compose import HEADERS, compose
from tests.faults.bounce_mails import BOUNCES, BounceMail, Failed
from tests.faults.loop_help import ROUNDS, Counted, OtherWorld, answered_by, text_of, wired
from tests.integration.intake_help import (
    LIAISON,
    NOON,
    OFFICE_ADDRESS,
    World,
    item,
    letter,
    otog,
    photo,
    reply_to,
    templates,
    text_file,
    with_limits,
)

GOOD = item()
BAD = letter("农牧局+第一处饲草基地投入使用+张三", files=[text_file("1.txt", "基地 " * 100)])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def links(world: World) -> set[tuple[str, int | None]]:
    return {tuple(r) for r in world.rows("select relation, to_outbox from link")}


# --- L1: automatic replies that say so --------------------------------------------------------

AUTO_SUBMITTED = [
    "auto-replied",
    "auto-replied (vacation)",
    'Auto-Replied; owner-email="x@example.com"',
    "(comment) auto-replied",
    "auto-generated; type=x",
    "auto-notified; owner-token=af3NN2pK5dDXI0W",
    "AUTO-REPLIED(rejected)",
    "auto-x-new-kind",
]


@pytest.mark.parametrize(
    ("name", "value"),
    [*(("Auto-Submitted", v) for v in AUTO_SUBMITTED), ("x-auto-submitted", "auto-replied")],
)
def test_l1_a_vacation_reply_is_kept_linked_and_not_answered(
    world: World, name: str, value: str
) -> None:
    world.receive(GOOD)
    (ours,) = world.sent()
    reply = letter(
        f"回复：{ours.subject}",
        "我正在休假，8月20日回来。",
        **{name.replace("-", "_"): value, **reply_to(ours)},
    )
    settled = world.receive(reply)
    assert len(world.letters()) == 1
    assert settled.decision.kind.value in ("ignore", "hold")
    (row,) = world.rows(f"select content from mail where inbound_id = {settled.inbound_id}")
    assert "我正在休假" in row.content, "stored"
    assert [tuple(r) for r in world.rows("select relation, to_item from link")] == [("reply", 1)]
    assert len(world.items()) == 1


@pytest.mark.parametrize(
    "raw",
    [
        letter("自动回复: 您的来信已收到", "您好"),
        letter("自動回覆：已收到", "您好"),
        letter("Automatic reply: x", "I am away"),
        letter("Abwesenheitsnotiz: x", "Ich bin nicht im Büro"),
        letter("不在通知", "休暇中です"),
        letter("자동 응답: x", "부재중"),
        letter("Réponse automatique : x", "Absent"),
        letter("农牧局 7622029", "您好", X_Autoreply="yes"),
        letter("农牧局 7622029", "您好", X_Autorespond="农牧局"),
        letter("农牧局 7622029", "您好", Precedence="auto_reply"),
    ],
    ids=range(10),
)
def test_l1_other_signs_of_a_machines_reply(world: World, raw: bytes) -> None:
    assert world.receive(raw).decision.kind.value == "ignore"
    assert world.letters() == []


# --- L2: responders without any sign, and two bots -------------------------------------------

Make = Callable[[int, Outgoing], bytes]


def fresh_subject(n: int, ours: Outgoing) -> bytes:
    return letter(
        f"感谢您的来信（{n}）",
        f"您的第{n}封来信我们已经收到，农牧局办公室将尽快处理，联系电话7622029。",
        message_id=f"fresh{n}@example.com",
    )


def ticket(n: int, ours: Outgoing) -> bytes:
    return letter(
        f"[工单{n:05d}] 农牧局已受理 7622029",
        f"流水号{n * 7919}，请勿回复。",
        message_id=f"ticket{n}@example.com",
    )


def quoting_our_subject(n: int, ours: Outgoing) -> bytes:
    return letter(
        f"Re: {ours.subject}",
        "已收到。\n\n> " + text_of(ours.raw).replace("\n", "\n> "),
        message_id=f"quote{n}@example.com",
    )


def echoing(n: int, ours: Outgoing) -> bytes:
    """Our own words as its own."""
    return letter(ours.subject, text_of(ours.raw), message_id=f"echo{n}@example.com")


def making_up_references(n: int, ours: Outgoing) -> bytes:
    return letter(
        f"农牧局业务系统回执第{n}号 7622029",
        f"流水号{n}，已受理，请勿回复。",
        message_id=f"made{n}@example.com",
        References=f"<root{n}@example.com> <{ours.message_id}>",
        In_Reply_To=f"<{ours.message_id}>",
    )


def a_new_item_every_time(n: int, ours: Outgoing) -> bytes:
    """Well-formed, in the conversation: each is registered, three are acknowledged."""
    return letter(
        f"农牧局+第{n}批春耕物资储备到位+张三+7622029",
        f"第{n}批春耕物资已经储备到位。" * 20,
        message_id=f"item{n}@example.com",
        **reply_to(ours),
    )


def with_a_logo(n: int, ours: Outgoing) -> bytes:
    return letter(
        f"Re: {ours.subject}",
        "收到，谢谢",
        [photo("logo.jpg")],
        message_id=f"logo{n}@example.com",
        **reply_to(ours),
    )


def elsewhere_by_reply_to(n: int, ours: Outgoing) -> bytes:
    """It wants its answers at a second robot, which would answer as well."""
    return letter(
        f"感谢您的来信（{n}）",
        "农牧局办公室已收到。",
        message_id=f"else{n}@example.com",
        Reply_To="robot2@example.net",
    )


RESPONDERS = (
    fresh_subject,
    ticket,
    quoting_our_subject,
    echoing,
    making_up_references,
    a_new_item_every_time,
    with_a_logo,
    elsewhere_by_reply_to,
)


@pytest.mark.parametrize("hours", [0.1, 26])
@pytest.mark.parametrize("first", ["accepted", "returned"])
@pytest.mark.parametrize("respond", RESPONDERS, ids=lambda f: f.__name__)
def test_l2_a_responder_without_any_sign_ends_by_itself(
    world: World, respond: Make, first: str, hours: float
) -> None:
    """Seven minutes or a day and two hours between its mails."""
    ends(world, respond, first, hours, insists=False)


@pytest.mark.long
@pytest.mark.parametrize("hours", [0.1, 26])
@pytest.mark.parametrize("first", ["accepted", "returned"])
@pytest.mark.parametrize("respond", RESPONDERS, ids=lambda f: f.__name__)
def test_l2_a_responder_that_writes_on_when_we_are_silent(
    world: World, respond: Make, first: str, hours: float
) -> None:
    """A hundred mails, whatever we do."""
    ends(world, respond, first, hours, insists=True)


def ends(world: World, respond: Make, first: str, hours: float, *, insists: bool) -> None:
    """At most three letters in a conversation, at most four in all with the one that began it."""
    world.receive(GOOD if first == "accepted" else BAD)
    done = answered_by(world, respond, between=timedelta(hours=hours), insists=insists)
    print(f"{respond.__name__} {first} {hours} h: {done}")
    assert done.per_thread <= 3
    assert done.letters <= 4
    if not insists:
        assert done.rounds < ROUNDS, "it ends by itself"
    assert {r for _, r, _ in world.letters()} == {LIAISON}


def test_l2_a_responder_with_another_name_each_time_stops_at_the_breaker(tmp_path: Path) -> None:
    """Nothing ties its mails together, so the office's hourly limit is what holds; it is told of
    once."""
    world = World(tmp_path, with_limits(otog(), per_hour=10))
    world.receive(GOOD)

    def another(n: int, ours: Outgoing) -> bytes:
        return letter(
            f"农牧局已受理第{n}号 7622029",
            "请勿回复。",
            sender=f"robot{n}@example.com",
            message_id=f"robot{n}@example.com",
        )

    world.clock.time = NOON
    done = answered_by(world, another, between=timedelta(minutes=-6))
    print(f"changing From: {done}")
    assert done.rounds < ROUNDS
    assert done.letters == 10
    per_address = Counter(r for _, r, _ in world.letters())
    assert max(per_address.values()) == 1
    assert world.tasks().count("breaker") == 1


@pytest.mark.parametrize("strip", [False, True], ids=["as sent", "headers stripped"])
@pytest.mark.parametrize("hours", [0.1, 26])
@pytest.mark.parametrize("first", ["accepted", "returned", "hollow"])
def test_l2_two_bots_wired_against_each_other(
    tmp_path: Path, first: str, hours: float, strip: bool
) -> None:
    """Somebody forges one bot's address in a mail to the other. With our headers nothing comes
    back; where a gateway strips them, one return."""
    one, other = World(tmp_path), OtherWorld(tmp_path / "other")
    one.receive(
        {
            "accepted": item(sender=OtherWorld.ADDRESS),
            "returned": BAD.replace(LIAISON.encode(), OtherWorld.ADDRESS.encode()),
            "hollow": letter("农牧局 7622029", "请查收", sender=OtherWorld.ADDRESS),
        }[first]
    )
    mine, theirs = wired(one, other, between=timedelta(hours=hours), strip=strip)
    print(f"two bots {first} {hours} h strip={strip}: {mine} / {theirs}")
    assert mine.rounds < ROUNDS
    assert mine.letters <= 3 and theirs.letters <= (3 if strip else 0)


def test_l2_two_bots_that_know_each_other_as_senders(tmp_path: Path) -> None:
    """Both have accepted mail of the other's address, and headers are lost on the way."""
    one, other = World(tmp_path), OtherWorld(tmp_path / "other")
    other.receive(item("草原防火宣传深入牧户", text="火" * 300, sender=OFFICE_ADDRESS))
    one.receive(item(sender=OtherWorld.ADDRESS))
    mine, theirs = wired(one, other, between=timedelta(hours=3), strip=True)
    print(f"two bots, both known: {mine} / {theirs}")
    assert mine.rounds < ROUNDS
    assert mine.letters + theirs.letters <= 6


def test_l2_repeats_are_answered_once_in_24_hours_midnight_or_not(world: World) -> None:
    """The same item again and again, a few minutes before and after midnight and through the next
    day: never two answers of a kind within 24 hours."""
    world.receive(GOOD)
    world.clock.time = NOON + timedelta(hours=11)
    for n in range(16):
        world.receive(item(message_id=f"again{n}@example.com"))
        world.clock.time += timedelta(minutes=113)
    rows = world.rows("select kind, queued from outbox where kind = 'repeat' order by id")
    times = [datetime.fromisoformat(str(r.queued)) for r in rows]
    assert len(times) == 2, "over 32 hours"
    assert times[1] - times[0] >= timedelta(hours=24)


def test_l2_a_days_counts_for_an_accepted_address(world: World) -> None:
    """Sixty acknowledgements, twenty returns, and one word that there are no more today."""
    for n in range(65):
        world.box.put(item(f"第{n}批草原生态补奖资金发放到户", text=f"{n} " * 100), NOON)
    for n in range(23):
        world.box.put(
            letter(
                f"农牧局+第{n}处饲草基地投入使用+张三", files=[text_file(f"{n}.txt", f"{n} " * 300)]
            ),
            NOON,
        )
    world.run()
    kinds = Counter(k for k, _, _ in world.letters())
    print(f"a day's counts: {dict(kinds)}")
    assert kinds == {"acknowledgement": 60, "return": 20, "limit": 1}
    assert len(world.items()) == 88, "everything is registered"


def test_l2_whoever_got_three_returns_is_heard_again_after_a_good_mail(world: World) -> None:
    world.receive(GOOD)
    for n in range(6):
        last = world.receive(fresh_subject(n, world.sent()[-1]))
    kinds = [k for k, _, _ in world.letters()]
    assert kinds == ["acknowledgement", "return", "return", "return"]
    assert world.tasks().count("row") == 1, "a person is told once"
    assert last.answer.none == "limit: row"
    world.receive(item("草原防火宣传深入牧户", text="火" * 300))
    world.receive(fresh_subject(9, world.sent()[-1]))
    assert [k for k, _, _ in world.letters()] == [*kinds, "acknowledgement", "return"]


# --- L3, L4: whose address it is --------------------------------------------------------------


OURS_IN_ANY_DRESS = [
    OFFICE_ADDRESS,
    OFFICE_ADDRESS.upper(),
    "Xinxi+tag@Example.ORG",
    f"=?utf-8?B?5L+h5oGv5a6k?= <{OFFICE_ADDRESS}>",
    f'"someone@example.com" <{OFFICE_ADDRESS}>',
    f"<{OFFICE_ADDRESS}> (comment)",
    "=?utf-8?Q?xinxi=40example.org?=",
    '"xinxi"@example.org',
    "xinxi @ example.org",
    "xinxi@example.org.",
    "prvs=1234567890=xinxi@example.org",
    "other@example.com, xinxi@example.org",
    "group: xinxi@example.org;",
]


@pytest.mark.parametrize("field", ["From", "Reply-To", "Sender", "Return-Path"])
def test_l3_our_own_address_in_any_dress_is_never_answered(world: World, field: str) -> None:
    for value in OURS_IN_ANY_DRESS:
        for raw in (GOOD, BAD):
            lines = raw.split(b"\r\n")
            rest = [x for x in lines if field != "From" or not x.startswith(b"From:")]
            world.receive(b"\r\n".join([f"{field}: {value}".encode(), *rest]))
            assert world.letters() == [], value


@pytest.mark.parametrize(
    "elsewhere",
    [OFFICE_ADDRESS, "third@example.net", "list@lists.example.net", "a@x.com, b@x.com", "<>", ""],
)
@pytest.mark.parametrize("raw", [GOOD, BAD], ids=["accepted", "returned"])
def test_l4_reply_to_is_ignored(world: World, raw: bytes, elsewhere: str) -> None:
    """RFC 3834 §4: to the address we know, one recipient; none where Reply-To is ourselves."""
    world.receive(f"Reply-To: {elsewhere}\r\n".encode() + raw)
    for sent in world.sent():
        mail = email.message_from_bytes(sent.raw, policy=default)
        assert str(mail["To"]) == sent.recipient == LIAISON
        assert mail["Cc"] is None and mail["Bcc"] is None
    assert len(world.letters()) == (elsewhere != OFFICE_ADDRESS)


# --- L5: lists and wishes ---------------------------------------------------------------------

LIST_FIELDS = [
    "List-Id: <x.example.com>",
    "List-Unsubscribe: <mailto:x@example.com>",
    "List-Post: NO",
    "LIST-OWNER: <mailto:o@example.com>",
    "Precedence: bulk",
    "Precedence: LIST",
    "precedence: junk (comment)",
    "X-Auto-Response-Suppress: All",
    "X-Auto-Response-Suppress: DR, OOF, RN",
    "x-auto-response-suppress: autoreply",
    "X-Mailing-List: x@example.com",
    "X-ML-Name: article",
    "X-BeenThere: x@example.com",
    "Mailing-List: contact x-help@example.com; run by ezmlm",
]


@pytest.mark.parametrize("field", LIST_FIELDS)
def test_l5_lists_and_who_wants_no_answer_are_recorded_and_not_answered(
    world: World, field: str
) -> None:
    for raw in (GOOD, BAD):
        world.receive(field.encode() + b"\r\n" + raw)
    assert world.letters() == []
    assert [s for _, s, _ in world.items()] == ["accepted", "returned"], "nothing is dropped"


@pytest.mark.parametrize("value", ["DR, RN, NRN", "None"])
def test_l5_other_wishes_forbid_nothing(world: World, value: str) -> None:
    world.receive(f"X-Auto-Response-Suppress: {value}\r\n".encode() + GOOD)
    assert len(world.letters()) == 1


# --- L6: a storm of notices by the standard ---------------------------------------------------


def dsn(ours: Outgoing, n: int, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    """RFC 3464."""
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx{n % 7}.example.net\r\nTo: {OFFICE_ADDRESS}\r\n"
        f"Subject: Delivery Status Notification\r\nMessage-ID: <dsn{n}@mx.example.net>\r\n"
        "MIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="=_r"\r\n\r\n'
        "--=_r\r\n\r\nSee below.\r\n--=_r\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; {ours.recipient}\r\n"
        f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {status.replace('.', '')} "
        "no such user\r\n\r\n--=_r\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: <{ours.message_id}>\r\n--=_r--\r\n"
    ).encode()


def reminders(world: World, count: int, to: str = "gone@example.net") -> list[Outgoing]:
    """Letters of our own accord that were sent to one liaison."""
    outbox: SqlOutbox = world.store.outbox
    with world.store.begin() as tx:
        for n in range(count):
            key = f"reminder:otog:2026-{n:02d}:agriculture:first:liaison:{to}"
            message_id = world.signer.message_id(key, "example.org")
            one = Outgoing(
                key=key,
                kind="reminder",
                office="otog",
                sender=OFFICE_ADDRESS,
                recipient=to,
                message_id=message_id,
                raw=f"Message-ID: <{message_id}>\r\n\r\nx\r\n".encode(),
                subject=f"第{n}次提醒",
                unit_id="agriculture",
                role="liaison",
                about="duty:reminder",
            )
            tx.queue(one, world.clock.time)
    while (claimed := outbox.claim(world.clock.time)) is not None:
        outbox.dot(claimed.id, world.clock.time)
        outbox.sent(claimed.id, "250 ok", world.clock.time)
    return [s for s in world.sent() if s.recipient == to]


def storm(world: World, count: int) -> None:
    sent = reminders(world, 10)
    world.clock.time += timedelta(minutes=10)
    for n in range(count):
        world.box.put(dsn(sent[n % len(sent)], n), world.clock.time)
    world.run()
    assert len(world.letters()) == 10, "no notice is answered"
    assert world.rows("select count(*) from inbound where decision = 'ignore'") == [(count,)]
    tasks = Counter(world.tasks())
    print(f"storm of {count}: {dict(tasks)}")
    assert tasks["bounce"] == 1, "told of once"
    assert tasks["suspended"] == 1
    with world.store.reading() as reads:
        assert reads.suspended("otog") == {"gone@example.net"}
    per_letter = Counter(o for r, o in world.rows("select relation, to_outbox from link"))
    assert set(per_letter.values()) == {count // 10}, "each is tied to its letter"
    assert world.items() == []


def test_l6_a_storm_of_delivery_notices(world: World) -> None:
    storm(world, 200)


@pytest.mark.long
def test_l6_a_storm_of_ten_thousand(world: World) -> None:
    storm(world, 10_000)


@pytest.mark.parametrize(
    ("action", "status", "hard"),
    [
        ("failed", "5.1.1", True),
        ("failed", "4.4.7", True),
        ("delayed", "4.4.1", False),
        ("delivered", "2.0.0", False),
        ("relayed", "2.0.0", False),
        ("expanded", "2.0.0", False),
    ],
)
def test_l6_a_delay_is_no_failure(world: World, action: str, status: str, hard: bool) -> None:
    """Only what failed for good is counted against the address, whatever the notice looks like."""
    sent = reminders(world, 3)
    for n, one in enumerate(sent):
        world.receive(dsn(one, n, action=action, status=status))
    with world.store.reading() as reads:
        assert bool(reads.suspended("otog")) == hard
    assert ("bounce" in world.tasks()) == hard
    assert len(world.letters()) == 3


def test_l6_a_forged_notice_counts_against_nobody(tmp_path: Path) -> None:
    """It names a letter whose id nobody but its reader knows, or none of ours at all."""
    world = World(tmp_path)
    sent = reminders(world, 3)
    guessed = [replace(one, message_id=f"mb.{'a' * 20}.{'b' * 16}@example.org") for one in sent]
    for n, one in enumerate(guessed):
        world.receive(dsn(one, n))
    with world.store.reading() as reads:
        assert not reads.suspended("otog")
    assert links(world) == set()


# --- L7: bounces that carry no standard header ------------------------------------------------


@pytest.mark.parametrize("first", ["accepted", "returned"])
@pytest.mark.parametrize("bounce", BOUNCES, ids=lambda b: b.name)
def test_l7_no_bounce_is_answered_and_it_is_tied_to_its_letter(
    world: World, bounce: BounceMail, first: str
) -> None:
    world.bind(LIAISON, "agriculture")
    world.receive(GOOD if first == "accepted" else BAD)
    (ours,) = world.sent()
    items = world.items()
    settled = world.receive(bounce.make(Failed(ours.message_id, ours.subject, ours.recipient)))
    assert len(world.letters()) == 1
    assert world.items() == items, "a bounce is no submission"
    if bounce.linked and bounce.final:
        assert ("bounce", 1) in links(world), settled.decision.reasons
    else:
        assert ("bounce", 1) not in links(world)


@pytest.mark.parametrize(
    "raw",
    [
        letter(
            "农牧局+第三批物资到位+张三+7622029",
            "老师好：昨天我的邮件被系统退回，现重新报送，请查收。",
            [text_file("第三批物资到位.txt")],
        ),
        letter(
            "邮政公司+整治邮件无法投递问题+张三+7622029",
            "今年以来，针对群众反映的您的邮件无法投递等问题，邮政公司开展专项整治。" * 10,
        ),
        letter("转发：系统退信", "老师，这是怎么回事？", sender="new@example.com"),
        letter(
            "农牧局+提升服务+张三+7622029",
            "您好，现报送信息一条。今年办理来信120件，其中因地址不清被退回3件。" + "已整改。" * 60,
        ),
    ],
    ids=["sent again", "an item about it", "a person asks", "an item that mentions it"],
)
def test_l7_what_people_write_about_bounces_is_no_bounce(world: World, raw: bytes) -> None:
    assert world.receive(raw).decision.kind.value != "ignore"


# --- L8, L9, L10 ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        "Return-Path: <>\r\n",
        "return-path:<>\r\n",
        "Return-Path: < >\r\n",
        "Return-Path: <> (null)\r\n",
    ],
)
@pytest.mark.parametrize("raw", [GOOD, BAD], ids=["accepted", "returned"])
def test_l8_a_null_return_path_is_never_answered(world: World, head: str, raw: bytes) -> None:
    settled = world.receive(head.encode() + raw)
    assert world.letters() == []
    assert len(world.rows("select * from mail")) == 1, "stored"
    assert settled.decision.kind.value in ("accept", "return")
    assert settled.decision.task and len(world.tasks()) == 1, "a person hears of it"


@pytest.mark.parametrize(
    "field",
    [b"", b"From:\r\n", b"From: <>\r\n", b"From: nobody\r\n", b"From: a@x.com, b@x.com\r\n",
     b"From: undisclosed-recipients:;\r\n", b"From: a@x.com\r\nFrom: b@x.com\r\n"],
    ids=["none", "empty", "null", "no address", "two", "group", "two fields"],
)  # fmt: skip
def test_l8_without_one_author_a_person_looks(world: World, field: bytes) -> None:
    lines = GOOD.split(b"\r\n")
    raw = field + b"\r\n".join(x for x in lines if not x.startswith(b"From:"))
    settled = world.receive(raw)
    assert world.letters() == []
    assert settled.decision.task
    assert world.tasks()
    assert len(world.rows("select * from mail")) == 1
    assert world.items() == []


@pytest.mark.parametrize(
    "field",
    [
        "Disposition-Notification-To",
        "Return-Receipt-To",
        "X-Confirm-Reading-To",
        "Read-Receipt-To",
        "Generate-Delivery-Report",
    ],
)
def test_l9_a_receipt_that_is_asked_for_is_not_given(world: World, field: str) -> None:
    """One answer, the acknowledgement, to the author; none to whom the receipt was wanted for."""
    world.receive(f"{field}: <third@example.net>\r\n".encode() + GOOD)
    (sent,) = world.sent()
    assert sent.kind == "acknowledgement" and sent.recipient == LIAISON
    assert b"disposition-notification" not in sent.raw.lower()


def mdn(ours: Outgoing, sender: str = LIAISON, standard: bool = True) -> bytes:
    head = (
        f"From: <{sender}>\r\nTo: {OFFICE_ADDRESS}\r\nSubject: Read: x\r\n"
        "Message-ID: <mdn@example.com>\r\nMIME-Version: 1.0\r\n"
    )
    kind = "report; report-type=disposition-notification" if standard else "mixed"
    return (
        f"{head}Content-Type: multipart/{kind};\r\n boundary=m\r\n\r\n--m\r\n\r\nread\r\n--m\r\n"
        "Content-Type: message/disposition-notification\r\n\r\n"
        f"Original-Message-ID: <{ours.message_id}>\r\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--m--\r\n"
    ).encode()


@pytest.mark.parametrize("standard", [True, False])
def test_l9_a_receipt_that_comes_is_never_answered(world: World, standard: bool) -> None:
    """RFC 8098 §2.1."""
    world.receive(GOOD)
    (ours,) = world.sent()
    settled = world.receive(mdn(ours, standard=standard))
    assert settled.decision.kind.value == "ignore"
    assert [r.code for r in settled.decision.reasons] == ["automatic:read_receipt"]
    assert len(world.letters()) == 1


@pytest.mark.parametrize("subject", ["已读: 您的来信", "已读回执：x", "未读：x", "Read: x"])
def test_l9_a_receipt_in_words_only(world: World, subject: str) -> None:
    assert world.receive(letter(subject, "已读")).decision.kind.value == "ignore"
    assert world.letters() == []


def attached_letter(ours: Outgoing) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = LIAISON, OFFICE_ADDRESS, "转发：农牧局 7622029"
    mail.set_content("请看")
    mail.add_attachment(email.message_from_bytes(ours.raw, policy=SMTP))
    return mail.as_bytes()


def test_l10_our_own_letter_comes_back(world: World) -> None:
    """As it is, as an attachment, quoted with its header, with only the mark, and after a relay
    changed the Message-ID."""
    world.receive(GOOD)
    (ours,) = world.sent()
    mark = email.message_from_bytes(ours.raw, policy=default)["X-Mailbot-Id"]
    forms = {
        "as it is": ours.raw,
        "from elsewhere": ours.raw.replace(OFFICE_ADDRESS.encode(), b"relay@example.net", 1),
        "new id": ours.raw.replace(f"<{ours.message_id}>".encode(), b"<new@relay.example>"),
        "attached": attached_letter(ours),
        "mark only": f"X-Mailbot-Id: {mark}\r\n".encode() + BAD,
        "mark in other case": f"x-MAILBOT-id:  {mark} \r\n".encode() + BAD,
        "quoted with header": letter(
            "农牧局 7622029", f"怎么回事？\n\nMessage-ID: <{ours.message_id}>\nSubject: x\n\n正文"
        ),
    }
    for name, raw in forms.items():
        world.receive(raw)
        assert len(world.letters()) == 1, name
    assert len([s for _, s, _ in world.items() if s == "accepted"]) == 1


def test_l10_a_mark_that_is_not_ours_silences_only_itself(world: World) -> None:
    """A made-up mark forbids the answer to that mail; it is registered all the same."""
    settled = world.receive(b"X-Mailbot-Id: abc.def\r\n" + GOOD)
    assert settled.decision.kind.value == "accept"
    assert world.letters() == []


# --- L11: every letter there is ---------------------------------------------------------------

ANSWER_NAMES = {str(name) for name in REPLIES.values()}
POSTED = [s for s in SAMPLES if type(s) not in REPLIES]


def parsed(raw: bytes) -> Any:
    assert b"\r\n\r\n" in raw and b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) < 998
    assert raw.isascii()
    return email.message_from_bytes(raw, policy=default)


def test_l11_every_kind_of_letter_is_tried() -> None:
    posted = {str(TEMPLATE_NAMES[type(s)]) for s in POSTED}
    assert posted == {k.value for k in LetterKind}
    replies = {str(TEMPLATE_NAMES[type(s)]) for s in SAMPLES if type(s) in REPLIES}
    assert replies == ANSWER_NAMES
    assert {k.value for k in AnswerKind} - {"repeat", "service"} <= ANSWER_NAMES


def check(raw: bytes, auto: str, to: str, message_id: str, *, threaded: bool) -> Any:
    mail = parsed(raw)
    wanted = [h for h in HEADERS if threaded or h not in ("In-Reply-To", "References")]
    assert mail.keys() == wanted, "exactly these, each once"
    assert mail["Auto-Submitted"] == auto
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert str(mail["Message-ID"]) == f"<{message_id}>"
    assert [a.addr_spec for a in mail["To"].addresses] == [to]
    assert not mail.defects
    assert not any(p.get_content_type() == "message/rfc822" for p in mail.walk())
    return mail


@pytest.mark.parametrize("number", range(len(POSTED)))
def test_l11_a_letter_of_our_own_accord_says_it_was_generated(tmp_path: Path, number: int) -> None:
    world, sample = World(tmp_path), POSTED[number]
    kind = LetterKind(str(TEMPLATE_NAMES[type(sample)]))
    posting = Posting(world.mailbox, templates(), world.signer)
    to = Addressee("wangjia@example.net", "liaison", "agriculture", "王甲")
    answered = "first@example.net" if kind is LetterKind.APPEAL_ANSWER else None
    posted = Posted(f"{kind.value}:{number}", kind, sample, to, in_reply_to=answered)
    first, second = (posting.compose(posted, "x", otog(), NOON) for _ in range(2))
    assert first == second, "stable id, stable bytes"
    assert world.signer.is_ours(first.message_id)
    check(
        first.raw,
        "auto-generated",
        to.address,
        first.message_id,
        threaded=answered is not None,
    )


@pytest.mark.parametrize("sample", [s for s in SAMPLES if type(s) in REPLIES], ids=str)
def test_l11_an_answer_says_it_is_one(world: World, sample: Letter) -> None:
    rendered = templates().render("otog", sample)
    message_id = world.signer.message_id("answer:1", "example.org")
    raw = compose(
        rendered=rendered,
        from_addr=OFFICE_ADDRESS,
        from_name="某某办公室",
        to_addr=LIAISON,
        message_id=message_id,
        date=NOON,
        in_reply_to="m@example.com",
        references=("r@example.com",),
        auto_submitted="auto-replied",
        mark=world.signer.mark(message_id),
    )
    mail = check(raw, "auto-replied", LIAISON, message_id, threaded=True)
    assert str(mail["References"]) == "<r@example.com> <m@example.com>"


def test_l11_what_intake_really_sends(tmp_path: Path) -> None:
    """Every kind of answer, taken from the outbox after mails that bring it about."""
    world = World(tmp_path, with_limits(otog(), acknowledgements_per_day=2))
    world.bind(LIAISON, "agriculture")
    more = {"message_id": "m1@example.com", "References": "<r0@example.com>"}
    world.receive(item(**more))
    world.receive(item(message_id="m2@example.com"))
    world.receive(letter("农牧局+草原防火+张三", files=[text_file("x.txt")], message_id="m3@x.com"))
    world.receive(item(unit="水利局", text="水" * 200, message_id="m4@x.com"))
    world.receive(letter("查询", "", message_id="m5@x.com"))
    world.receive(letter("帮助", "", message_id="m6@x.com"))
    for n in range(3):
        world.receive(item(f"第{n}批物资到位", text=f"{n}批" * 99, message_id=f"n{n}@x.com"))
    kinds = {s.kind for s in world.sent()}
    assert kinds == {k.value for k in AnswerKind}, "every kind"
    for sent in world.sent():
        mail = check(sent.raw, "auto-replied", LIAISON, sent.message_id, threaded=True)
        assert str(mail["References"]).endswith(str(mail["In-Reply-To"]))
        assert [p.get_content_type() for p in mail.iter_parts()] == ["text/plain", "text/html"]
        assert not list(mail.iter_attachments()), "nothing of the original"


def test_l11_an_answer_has_one_message_id_however_often_it_is_made(tmp_path: Path) -> None:
    sent = []
    for name in ("a", "b"):
        root = tmp_path / name
        root.mkdir()
        world = World(root)
        world.receive(item(message_id="same@example.com"))
        sent.append(world.sent()[0])
    assert sent[0].message_id == sent[1].message_id
    assert sent[0].raw == sent[1].raw


def test_l2_counted_is_what_the_outbox_holds(world: World) -> None:
    """The harness itself: it counts letters, not rounds."""
    world.receive(GOOD)
    done = answered_by(world, quoting_our_subject, rounds=5)
    assert isinstance(done, Counted)
    assert done.letters == len(world.letters()) == 1
    assert done.kinds == {"acknowledgement": 1}
