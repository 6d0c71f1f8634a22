"""Laws of intake, tried on mails nobody thought of."""

from __future__ import annotations

import base64
import email
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email.policy import default
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.core.intake.decide import decide
from mailbot.core.intake.explain import decision_json
from mailbot.core.intake.model import DecisionKind, EarlierItem, Facts
from mailbot.core.intake.titles import normal_title
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.mail.automatic import Ourselves, answer_refused, judge
from mailbot.core.mail.compose import HEADERS
from mailbot.core.mail.model import (
    Address,
    Attachment,
    AttachmentKind,
    Defect,
    DefectCode,
    IncomingMail,
    SecretsMark,
)
from mailbot.core.mail.reading import read_mail
from mailbot.core.rules.rulebook import SenderPolicy
from tests.integration.intake_help import (
    ARTICLE,
    NOON,
    OFFICE_ADDRESS,
    World,
    item,
    letter,
    otog,
    text_file,
    with_policy,
)

PIECES = (
    "农牧局",
    "水利局",
    "教体局",
    "不存在局",
    "春耕备耕工作进展顺利",
    "7月份工作动态",
    "7月信息3条",
    "1.春耕备耕 2.草原防火",
    "张三",
    "乌云其木格",
    "7622029",
    "138 4770 0001",
    "【问题】",
    "（修改稿）",
    "[EQ202608-0001]",
    "Re: ",
    "转发：",
    "要情专报",
    "。",
)
subjects = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=6).flatmap(
    lambda parts: st.sampled_from(["+", " ", "-", "", "：", "/"]).map(lambda d: d.join(parts))
)
texts = st.sampled_from(
    ["", "请查收附件", "收到，谢谢", ARTICLE, "一、存在问题\n" + ARTICLE]
) | st.text(max_size=60)
names = st.sampled_from(["春耕备耕.docx", "1.草原防火.txt", "附件1.docx", "图.jpg"]) | st.text(
    max_size=20
)


@st.composite
def attachments(draw: st.DrawFn) -> Attachment:
    name = draw(names)
    return Attachment(
        name,
        "application/x",
        draw(st.sampled_from(list(AttachmentKind))),
        draw(st.integers(0, 10**6)),
        normal_title(name) or "x",
        draw(st.sampled_from(["2", "3", "4"])),
        draw(st.booleans()),
        draw(texts),
    )


def one_line(text: str) -> str:
    """As the reader promises every string of a mail to be."""
    return "".join(c for c in text if c.isprintable())


@st.composite
def mails(draw: st.DrawFn) -> IncomingMail:
    subject = one_line(draw(subjects))
    sender = draw(st.sampled_from(["a@example.com", "b@example.net", "office@example.org", ""]))
    marks = draw(
        st.lists(
            st.builds(
                SecretsMark,
                st.just("level-star"),
                st.sampled_from(["subject", "body"]),
                st.booleans(),
            ),
            max_size=1,
        )
    )
    codes = draw(st.lists(st.sampled_from(list(DefectCode)), max_size=1))
    return IncomingMail(
        size=draw(st.integers(0, 10**8)),
        sha256="0" * 64,
        content_key="k",
        headers=(("From", sender), ("Subject", subject)),
        subject=subject,
        from_=(Address(sender, draw(st.sampled_from(["张三", ""]))),) if sender else (),
        message_id="m@example.com",
        text=draw(texts),
        attachments=tuple(draw(st.lists(attachments(), max_size=4))),
        secrets=tuple(marks),
        defects=tuple(Defect(c, "mail") for c in codes),
    )


@st.composite
def earlier(draw: st.DrawFn) -> EarlierItem:
    number = draw(st.integers(1, 9))
    return EarlierItem(
        id=number,
        receipt=f"EQ202608-{number:04d}",
        state=draw(
            st.sampled_from(["accepted", "returned", "held", "replaced", "withdrawal_requested"])
        ),
        unit_id=draw(st.sampled_from(["agriculture", "education", None])),
        title=draw(st.sampled_from(["", *PIECES])),
        from_addr=draw(st.sampled_from(["a@example.com", "b@example.net"])),
        received=NOON - timedelta(days=draw(st.integers(-1, 50))),
        inbound_id=draw(st.integers(1, 5)),
        fingerprint=frozenset(draw(st.sets(st.sampled_from(["春耕备耕", "x"]), max_size=1))),
        has_attachments=draw(st.booleans()),
        revises=draw(st.sampled_from(["", "EQ202608-0001"])),
        by_reference=draw(st.booleans()),
    )


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    some = st.lists(earlier(), max_size=3, unique_by=lambda i: i.id).map(tuple)
    return Facts(
        book=with_policy(otog(), draw(st.sampled_from(list(SenderPolicy)))),
        received=NOON + timedelta(days=draw(st.sampled_from([0, 40, -3000]))),
        answer_refused=draw(st.sampled_from([None, None, "the gate"])),
        authentication=draw(st.sampled_from(list(AuthResult))),
        verifiable=draw(st.booleans()),
        bound_unit=draw(st.sampled_from([None, None, "agriculture"])),
        refused_sender=draw(st.integers(0, 9)) == 0,
        known_sender=draw(st.booleans()),
        duplicate_of=draw(st.sampled_from([None, None, None, 7])),
        duplicate_decision=draw(st.sampled_from([k.value for k in DecisionKind])),
        answers_our_letter=draw(st.booleans()),
        thread=draw(some),
        of_sender=draw(some),
        of_unit=draw(some),
    )


@given(mails(), facts())
def test_decide_is_total_deterministic_and_explains_itself(
    mail: IncomingMail, given_facts: Facts
) -> None:
    given_facts = consistent(mail, given_facts)
    decision = decide(mail, given_facts)
    assert decide(mail, given_facts) == decision
    assert decision.reasons
    assert all(r.code and r.text for r in decision.reasons)
    assert (decision.answer is None) == bool(decision.no_answer)
    if given_facts.answer_refused:
        assert decision.answer is None
    if any(not m.hold_only for m in mail.secrets):
        assert not decision.keep_content
        assert decision.drafts == ()
        assert decision.reading is None
    targets = [d.target.id for d in decision.drafts if d.target]
    assert len(set(targets)) == len(targets), "no two parts of a mail change one item"
    if decision.kind is DecisionKind.RETURN and given_facts.duplicate_of is None:
        assert decision.problems
    if decision.kind is DecisionKind.ACCEPT and decision.drafts:
        resent = all(d.link == "resend" for d in decision.drafts)
        assert resent or not decision.problems
    book = given_facts.book
    decision_json(decision, book.roster, book.categories[0])


def consistent(mail: IncomingMail, given_facts: Facts) -> Facts:
    """What the store cannot say at the same time, taken out."""
    sender = mail.author.addr if mail.author else ""
    return replace(
        given_facts,
        of_sender=tuple(
            replace(i, by_reference=False) for i in given_facts.of_sender if i.from_addr == sender
        ),
        of_unit=tuple(replace(i, by_reference=False) for i in given_facts.of_unit),
    )


@given(mails(), facts())
def test_a19_another_ones_item_is_never_changed_by_a_number_alone(
    mail: IncomingMail, given_facts: Facts
) -> None:
    """Faults A19: whatever the mail says."""
    given_facts = consistent(mail, given_facts)
    decision = decide(mail, given_facts)
    sender = mail.author.addr if mail.author else ""
    for draft in decision.drafts:
        target = draft.target
        if target is None or draft.link != "correction" or not target.by_reference:
            continue
        assert target.from_addr == sender or target.unit_id == given_facts.bound_unit


# --- the gate --------------------------------------------------------------------------------

AUTOMATIC = st.sampled_from(
    [
        ("Auto-Submitted", "auto-replied"),
        ("Auto-Submitted", "Auto-Generated (vacation); x=y"),
        ("Precedence", "BULK"),
        ("Precedence", "auto_reply"),
        ("List-Id", "<a.example.com>"),
        ("List-Unsubscribe", "<mailto:x@example.com>"),
        ("X-Autoreply", "yes"),
        ("X-Autorespond", ""),
        ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        ("Return-Path", "<>"),
        ("X-Mailbot-Id", "abc.def"),
        ("Reply-To", f"<{OFFICE_ADDRESS.upper()}>"),
        ("Content-Type", "multipart/report; report-type=delivery-status; boundary=b"),
    ]
)
HARMLESS = st.lists(
    st.sampled_from(
        [
            ("X-Mailer", "Foxmail 7"),
            ("X-Priority", "3"),
            ("Auto-Submitted", "no"),
            ("X-Auto-Response-Suppress", "DR"),
            ("Importance", "high"),
            ("Thread-Topic", "x"),
        ]
    ),
    max_size=4,
    unique_by=lambda h: h[0],
)


@given(AUTOMATIC, HARMLESS, st.randoms(use_true_random=False), subjects)
def test_no_answer_to_automatic_mail_whatever_case_and_order(
    sign: tuple[str, str], others: list[tuple[str, str]], random: Any, subject: str
) -> None:
    fields = [
        ("From", "z@example.com"),
        ("To", OFFICE_ADDRESS),
        ("Subject", one_line(subject) or "x"),
        *(h for h in others if h[0] != sign[0]),
        sign,
    ]
    random.shuffle(fields)

    def cased(name: str) -> str:
        return "".join(random.choice((c.upper(), c.lower())) for c in name)

    head = "".join(f"{cased(n)}: {v}\r\n" for n, v in fields)
    raw = (head + "\r\n" + ARTICLE).encode("utf-8", "replace")
    mail = read_mail(raw)
    us = Ourselves(frozenset({OFFICE_ADDRESS}), verify=lambda _: False)
    decision = decide(
        mail,
        Facts(
            otog(),
            NOON,
            automatic=judge(mail, us),
            answer_refused=answer_refused(mail, us),
            known_sender=True,
        ),
    )
    assert decision.answer is None
    assert decision.no_answer


# --- whole passes ----------------------------------------------------------------------------


class Crash(BaseException):
    """The process is gone."""


@contextmanager
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        yield World(Path(folder))


few = settings(max_examples=30, suppress_health_check=list(HealthCheck))


@few
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=5),
    st.lists(
        st.tuples(st.sampled_from(["put", "read", "begin", "fetch", "settle"]), st.integers(0, 12)),
        max_size=3,
    ),
)
def test_the_same_mails_in_any_number_with_crashes_anywhere(
    order: list[int], crashes: list[tuple[str, int]]
) -> None:
    """Each distinct mail leaves one item and one letter, each copy one row."""
    pool = [
        item(f"{title}工作进展", text=title * 200, message_id=f"{n}@x.com")
        for n, title in enumerate(("春耕", "防火", "造林", "饲草"))
    ]
    with world() as place:
        for n, which in enumerate(order):
            place.box.put(pool[which], NOON + timedelta(minutes=n))
        place.clock.time = NOON + timedelta(hours=1)
        for where, after in crashes:
            _run_to_a_crash(place, where, after)
        place.run()
        place.run()
        distinct = len(set(order))
        assert [s for _, s, _ in place.items()] == ["accepted"] * distinct
        assert [k for k, _, _ in place.letters()] == ["acknowledgement"] * distinct
        assert len(place.rows("select id from inbound")) == len(order)
        assert len(place.rows("select id from decision")) == len(order)
        assert len(list((place.root / "archive").rglob("*.eml"))) == distinct


def _run_to_a_crash(place: World, where: str, after: int) -> None:
    left = [after]

    def hit() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Crash

    def box(what: str) -> None:
        if what == where:
            hit()

    put, read, begin = place.archive.put, place.reader.read, place.store.begin

    def crashing_put(raws: Any) -> None:
        put(raws)
        hit()

    def crashing_read(raw: bytes, **more: Any) -> IncomingMail:
        hit()
        found: IncomingMail = read(raw, **more)
        return found

    @contextmanager
    def crashing_begin() -> Iterator[Any]:
        with begin() as tx:
            yield tx
            hit()

    place.box.hurt = box
    if where == "put":
        place.archive.put = crashing_put  # type: ignore[method-assign]
    elif where == "read":
        place.reader.read = crashing_read
    elif where == "begin":
        place.store.begin = crashing_begin  # type: ignore[method-assign]
    try:
        place.run()
    except Crash:
        pass
    finally:
        place.box.hurt = lambda _: None
        place.archive.put = put  # type: ignore[method-assign]
        place.reader.read = read
        place.store.begin = begin  # type: ignore[method-assign]


hostile = st.text(
    st.characters(codec="utf-8") | st.sampled_from('\r\n\t\x00\u2028\u0085\u202e{}%$<>,;:"@='),
    max_size=40,
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(hostile, hostile, hostile, hostile, st.booleans())
def test_a1_l11_every_answer_reads_back_with_exactly_its_own_header(
    title: str, name: str, file_name: str, message_id: str, complete: bool
) -> None:
    """Faults A1, L11: whatever stood in the mail."""

    def word(text: str) -> bytes:
        return b"=?utf-8?B?" + base64.b64encode(text.encode("utf-8", "replace")) + b"?="

    line = f"农牧局+{title}春耕备耕工作进展顺利+张三" + ("+7622029" if complete else "")
    flat = message_id.replace("\r", "").replace("\n", "").encode("utf-8", "replace")
    raw = (
        b"From: " + word(name) + b" <z@example.com>\r\nSubject: " + word(line) + b"\r\n"
        b"Message-ID: <" + flat + b"@x.com>\r\nReferences: <" + flat + b"> <a@b.c>\r\n"
        b'Content-Type: multipart/mixed; boundary="=_b"\r\n\r\n--=_b\r\n\r\n'
        + ARTICLE.encode()
        + b'\r\n--=_b\r\nContent-Type: text/plain; name="'
        + word(file_name)
        + b'"\r\nContent-Disposition: attachment; filename="'
        + word(file_name)
        + b'"\r\n\r\n'
        + ARTICLE.encode()
        + b"\r\n--=_b--\r\n"
    )
    with world() as place:
        place.receive(raw)
        for sent in place.sent():
            parsed = email.message_from_bytes(sent.raw, policy=default)
            assert [k for k in HEADERS if k in parsed] == parsed.keys()
            assert set(HEADERS) - set(parsed.keys()) <= {"In-Reply-To", "References"}
            assert [a.addr_spec for a in parsed["To"].addresses] == ["z@example.com"]
            assert [a.addr_spec for a in parsed["From"].addresses] == [OFFICE_ADDRESS]
            assert parsed["Auto-Submitted"] == "auto-replied"
            assert not parsed.defects
            assert [p.get_content_type() for p in parsed.iter_parts()] == [
                "text/plain",
                "text/html",
            ]


MARKER = "ZQXJVTUVMARKER"


@few
@given(
    st.sampled_from(["机密★1年", "绝密★", "秘密★长期", "密级：机密", "密级:秘密", "机密☆5年"]),
    st.sampled_from(["subject", "body", "file name", "file text", "nested"]),
    subjects,
    st.booleans(),
)
def test_a20_nothing_of_a_mail_with_a_secrets_mark_is_found_anywhere(
    mark: str, place_of_mark: str, subject: str, crash: bool
) -> None:
    """Faults A20: the bytes of the database, its WAL and the archive, also after a crash."""
    where = {"subject": "", "body": "正文", "file name": "稿", "file text": ARTICLE, "nested": ""}
    where[place_of_mark] = f"{where[place_of_mark]}\n{mark}\n"
    head = " ".join((one_line(subject) + where["subject"] + " " + MARKER).split())
    files = [
        text_file(
            where["file name"].replace("\n", " ") + MARKER + ".txt", where["file text"] + MARKER
        )
    ]
    if place_of_mark == "nested":
        inner = letter("内层", where["nested"] + MARKER)
        files.append(("转发.txt", inner, "text/plain"))
    raw = letter(head, where["body"] + MARKER, files, message_id=f"{MARKER}@x.com")
    with world() as place:
        place.box.put(raw, NOON)
        if crash:
            _run_to_a_crash(place, "begin", 2)
        place.run()
        assert place.rows("select decision from inbound") == [("quarantine",)]
        assert place.letters() == []
        for path in place.root.rglob("*"):
            if path.is_file():
                assert MARKER.encode() not in path.read_bytes(), path
