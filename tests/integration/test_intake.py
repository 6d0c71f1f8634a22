"""The main path: one pass over a mailbox, and what is left after it broke off anywhere.

The store, the archive and the templates are real; a crash is an exception out of any call to the
store, the archive, the reader or the mailbox, after which a new `Intake` starts over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.db.engine import open_store
from mailbot.app.errors import Fault, OperatorFault, Retryable
from mailbot.app.records import Disposition
from mailbot.core.mail.model import IncomingMail
from tests.integration.intake_help import (
    ARTICLE,
    LINE,
    NOON,
    World,
    item,
    letter,
    otog,
    text_file,
)
from tests.servers.postgres import Postgres


class Crash(BaseException):
    """The process is gone: nothing may catch it."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def mailbag() -> list[bytes]:
    """Five mails that touch every kind of record."""
    return [
        item(message_id="one@example.com"),
        letter(
            "农牧局+草原防火宣传深入牧户+张三", files=[text_file("b.txt")], message_id="2@x.com"
        ),
        item(message_id="again@example.com"),
        letter("农牧局+草原防火宣传深入牧户+张三+7622029", "", message_id="3@x.com"),
        letter("自动回复：我在休假", "休假中", message_id="4@x.com", Auto_Submitted="auto-replied"),
    ]


def final(world: World) -> dict[str, Any]:
    """Everything that must not depend on where the process was killed."""
    return {
        "inbound": world.rows(
            "select uid, state, decision, sha256, from_addr, subject from inbound order by uid"
        ),
        "items": world.rows(
            "select i.receipt, i.state, i.unit_id, cast(i.month as text), v.title, v.contact, v.no"
            " from item i join item_version v on v.item_id = i.id order by i.id, v.no"
        ),
        "letters": world.rows(
            "select key, kind, recipient, message_id, subject, state from outbox"
        ),
        "decisions": world.rows(
            "select m.uid, d.kind, d.answer from decision d"
            " join inbound m on m.id = d.inbound_id order by d.id"
        ),
        "links": world.rows(
            "select m.uid, l.relation, i.receipt from link l"
            " join inbound m on m.id = l.inbound_id left join item i on i.id = l.to_item"
            " order by l.id"
        ),
        "tasks": world.rows(
            "select t.kind, m.uid from task t left join inbound m on m.id = t.inbound_id"
            " order by t.id"
        ),
        "archive": sorted(p.name for p in (world.root / "archive").rglob("*.eml")),
    }


# --- killed anywhere -------------------------------------------------------------------------


class Killer:
    """Raises at the n-th call of anything that is wrapped."""

    def __init__(self, at: int) -> None:
        self.at, self.calls, self.trail = at, 0, [""]

    def hit(self, what: str) -> None:
        self.calls += 1
        self.trail.append(what)
        if self.calls == self.at:
            raise Crash(what)

    def after(self, obj: Any, name: str) -> None:
        """Kills before the call or right after it."""
        real = getattr(obj, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.hit(f"before {name}")
            done = real(*args, **kwargs)
            self.hit(f"after {name}")
            return done

        setattr(obj, name, wrapped)

    def arm(self, world: World) -> None:
        world.box.hurt = lambda what: self.hit(f"box {what}")
        self.after(world.archive, "put")
        self.after(world.reader, "read")
        real_begin = world.store.begin

        @contextmanager
        def begin() -> Iterator[Any]:
            self.hit("before begin")
            with real_begin() as tx:
                for name in ("register", "strike", "decide", "add_item", "queue", "settled"):
                    self.after(tx, name)
                yield tx
                self.hit("before commit")
            self.hit("after commit")

        world.store.begin = begin  # type: ignore[method-assign]


def _run_killed(root: Path, at: int, url: str = "") -> tuple[World, bool]:
    root.mkdir()
    world = World(root, store=open_store(url) if url else None)
    for i, raw in enumerate(mailbag()):
        world.box.put(raw, NOON - timedelta(minutes=60 - i))
    killer = Killer(at)
    killer.arm(world)
    killed = False
    try:
        world.run()
    except Crash:
        killed = True
    if url:
        world.store.close()
    again = World(root, store=open_store(url) if url else None)
    again.box = world.box
    again.box.hurt = lambda _: None
    again.run()
    return again, killed


@pytest.mark.long
def test_killed_at_any_step_the_end_is_the_same(tmp_path: Path) -> None:
    """Faults K0 to K4 and K14 as far as intake goes."""
    undisturbed, killed = _run_killed(tmp_path / "0", 10**6)
    wanted = final(undisturbed)
    assert not killed
    assert len(wanted["items"]) == 3
    assert len(wanted["letters"]) == 4
    at, killed = 1, True
    while killed:
        world, killed = _run_killed(tmp_path / str(at), at)
        assert final(world) == wanted, f"killed at step {at}"
        assert {r.state for r in world.rows("select state from inbound")} == {"settled"}
        at += 1
    assert at > 60, "the steps are really counted"


def test_killed_at_any_step_the_end_is_the_same_on_postgresql(
    tmp_path: Path, postgres_server: Postgres, postgres_ready: str
) -> None:
    """There a rollback leaves gaps in the rows' numbers, and in the receipt numbers none. Each ninth
    step: what differs is the database, not the steps."""
    wanted = final(_run_killed(tmp_path / "0", 10**6)[0])
    at, killed = 1, True
    while killed:
        postgres_server.empty(postgres_ready)
        world, killed = _run_killed(tmp_path / str(at), at, postgres_ready)
        assert final(world) == wanted, f"killed at step {at}"
        world.store.close()
        at += 9


def test_a_second_run_changes_nothing(world: World) -> None:
    for raw in mailbag():
        world.box.put(raw, NOON)
    world.run()
    before, moved = final(world), list(world.box.settled)
    report = world.run()
    assert final(world) == before
    assert world.box.settled == moved
    assert (report.found, report.total) == (0, 0)


def test_a_mail_under_a_new_uid_is_no_new_mail(world: World) -> None:
    """Faults D1, I10: the folder was renumbered, everything is fetched again."""
    for raw in mailbag():
        world.box.put(raw, NOON)
    world.run()
    items, letters, tasks = world.items(), world.letters(), world.tasks()
    world.box.uidvalidity = 2
    world.run()
    assert len(world.rows("select id from inbound")) == 10
    assert (world.items(), world.letters(), world.tasks()) == (items, letters, tasks)


def test_a_copy_with_other_trace_fields_is_the_same_mail(world: World) -> None:
    raw = item(message_id="one@example.com")
    world.receive(raw, b"Received: from b by c; Wed, 12 Aug 2026 12:01:00 +0800\r\n" + raw)
    assert len(world.items()) == 1
    assert len(world.letters()) == 1


def test_the_copy_received_first_counts_though_listed_last(world: World) -> None:
    """Rows are numbered as folders list them, mails are looked at as they were received."""
    raw = item(message_id="one@example.com")
    world.box.put(b"Received: from b by c; x\r\n" + raw, NOON + timedelta(minutes=5))
    world.box.put(raw, NOON)
    world.clock.time = NOON + timedelta(hours=1)
    world.run()
    assert len(world.items()) == 1
    assert len(world.letters()) == 1
    assert world.rows("select inbound_id, to_inbound from link where relation='duplicate'") == [
        (1, 2)
    ]


def test_one_message_id_on_two_contents_keeps_both(world: World) -> None:
    """Faults D2."""
    world.receive(item("春耕备耕工作进展顺利", message_id="same@example.com"))
    second = world.receive(item("草原防火宣传深入牧户", message_id="same@example.com"))
    assert [s for _, s, _ in world.items()] == ["accepted", "accepted"]
    assert "same_message_id" in second.items[0].flags


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Message-ID: <" + b"x" * 10_000 + b"@example.com>\r\n",
        b"Message-ID: <<a>@b>@example.com>\r\n",
        b"Message-ID: <a@example.com>\r\nMessage-ID: <b@example.com>\r\n",
        b"Message-ID: \xc4\xe3\xba\xc3\r\nIn-Reply-To: <<x> y> <\r\nReferences: < > <a b>\r\n",
    ],
    ids=["none", "ten thousand characters", "brackets", "two", "broken everywhere"],
)
def test_unusable_message_ids_do_no_harm(world: World, fields: bytes) -> None:
    """Faults D3."""
    world.receive(fields + item())
    assert [s for _, s, _ in world.items()] == ["accepted"]
    assert len(world.sent()) == 1
    world.receive(fields + item("草原防火宣传深入牧户", text="火" * 300))
    assert len(world.items()) == 2


def test_the_same_mail_in_two_offices_mailboxes_is_registered_in_both(tmp_path: Path) -> None:
    import dataclasses

    other = dataclasses.replace(
        otog(), info=dataclasses.replace(otog().info, id="other", receipt_prefix="OT")
    )
    first = World(tmp_path)
    second = World(tmp_path, other, account="second", store=first.store)
    raw = item(message_id="both@example.com")
    first.receive(raw)
    second.receive(raw)
    assert len(first.items()) == 2
    assert len(first.letters()) == 2


# --- single mails that fail ------------------------------------------------------------------


def test_our_own_bug_concerns_one_mail(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = world.settler.settle

    def settle(mail: IncomingMail, *rest: Any) -> Any:
        if "草原" in mail.subject:
            raise ZeroDivisionError("made for the test")
        return real(mail, *rest)

    monkeypatch.setattr(world.settler, "settle", settle)
    world.box.put(item(), NOON)
    world.box.put(item("草原防火宣传深入牧户"), NOON)
    world.box.put(item("冷季饲草储备充足"), NOON)
    report = world.run()
    assert report.decided == {"accept": 2, "quarantine": 1}
    assert len(report.faults) == 1
    ((log,),) = world.rows("select log from decision where kind = 'quarantine'")
    assert "ZeroDivisionError: made for the test" in log
    assert "test_intake.py" in log, "with its traceback"
    assert world.tasks().count("bug") == 1
    assert len(list((world.root / "archive").rglob("*.eml"))) == 3, "its bytes are kept"
    assert (2, Disposition.QUARANTINED) in world.box.settled


def test_what_one_mail_had_written_before_it_failed_is_undone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(world.settler.answering).answer

    def answer(self: Any, decision: Any, mail: IncomingMail, *rest: Any) -> Any:
        if "草原" in mail.subject:
            raise RecursionError("after the item was written")
        return real(self, decision, mail, *rest)

    monkeypatch.setattr(type(world.settler.answering), "answer", answer)
    world.receive(item("草原防火宣传深入牧户"), item())
    assert [t for t, _, _ in world.items()] == ["春耕备耕工作进展顺利"]


def test_a_mail_that_cannot_even_be_stored_does_not_block_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`decide` fails on it twice: when it is settled and when it is put into quarantine."""
    from mailbot.adapters.db import unit_of_work

    real = unit_of_work.to_json

    def to_json(mail: IncomingMail) -> str:
        if "草原" in mail.subject:
            raise ValueError("not JSON")
        return real(mail)

    monkeypatch.setattr(unit_of_work, "to_json", to_json)
    world.receive(item("草原防火宣传深入牧户"), item())
    assert [t for t, _, _ in world.items()] == ["春耕备耕工作进展顺利"]
    assert world.rows("select decision from inbound where decision='quarantine'")


class DeadlyReader:
    """Takes the process down on some mails, as a parser bug outside the sandbox would."""

    def __init__(self, world: World, word: bytes) -> None:
        self.real, self.word, self.tried = world.reader, word, 0

    def read(self, raw: bytes, *, complete: bool = True) -> IncomingMail:
        if self.word in raw:
            self.tried += 1
            raise Crash
        found: IncomingMail = self.real.read(raw, complete=complete)
        return found

    def read_all(self, mails: Sequence[tuple[bytes, bool]]) -> list[IncomingMail]:
        return [self.read(raw, complete=complete) for raw, complete in mails]


def test_after_three_strikes_a_person_reads_it(world: World) -> None:
    """Faults P5: the attempt is counted before it is made, and costs nobody else anything."""
    deadly = DeadlyReader(world, b"POISON")
    world.reader = deadly
    world.box.put(item(), NOON)
    world.box.put(letter(LINE, "POISON"), NOON)
    world.box.put(item("冷季饲草储备充足"), NOON)
    for _ in range(3):
        with pytest.raises(Crash):
            world.run()
    world.run()
    assert deadly.tried == 3
    assert world.rows("select uid, decision from inbound order by uid") == [
        (1, "accept"),
        (2, "quarantine"),
        (3, "accept"),
    ]
    assert "unreadable" in world.tasks()


def test_what_the_server_cannot_give_whole_ends_with_a_person(world: World) -> None:
    """Faults I3: three times, while the others go on."""
    world.box.put(item(), NOON)
    world.box.broken.add(world.box.put(item("草原防火宣传深入牧户"), NOON))
    for n in range(3):
        report = world.run()
        assert report.faults
        assert len(world.rows("select id from inbound where state='new'")) == (n < 2)
    ((decision,),) = world.rows("select decision from inbound where uid = 2")
    assert decision == "quarantine"
    ((text,),) = world.rows("select text from task where kind = 'unreadable'")
    assert "原件仍在邮箱中" in text
    assert world.run().faults == []


def test_two_mails_that_could_not_be_fetched_are_not_the_same_mail(world: World) -> None:
    for title in ("草原防火宣传深入牧户", "冷季饲草储备充足"):
        world.box.broken.add(world.box.put(item(title), NOON))
    for _ in range(3):
        world.run()
    assert world.tasks() == ["unreadable", "unreadable"]


def test_what_vanished_is_processed_when_it_is_back(world: World) -> None:
    """Faults I5."""
    uid = world.box.put(item(), NOON)
    world.box.gone.add(uid)
    report = world.run()
    assert (report.vanished, report.total) == (1, 0)
    world.box.gone.clear()
    world.run()
    assert [s for _, s, _ in world.items()] == ["accepted"]


def test_a25_over_the_cap_only_its_header_is_read(tmp_path: Path) -> None:
    world = World(tmp_path, cap=10_000)
    settled = world.receive(letter(LINE, "正文" * 20_000))
    assert settled.decision.kind.value == "hold"
    assert [r.code for r in settled.decision.reasons] == ["too_large"]
    assert world.tasks() == ["too_large"]
    assert world.letters() == []
    assert world.items() == []


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\r\n\r\n", b"\0" * 40])
def test_a_mail_of_nothing_is_held_or_put_aside(world: World, raw: bytes) -> None:
    """Faults E3."""
    world.receive(raw, item())
    (first,) = world.rows("select decision from inbound where uid = 1")
    assert first[0] in ("hold", "quarantine")
    assert len(world.items()) == 1


def test_two_empty_mails_are_not_the_same_mail(world: World) -> None:
    world.receive(b"", b"")
    assert world.rows("select count(*) from link where relation = 'duplicate'") == [(0,)]


def test_mail_from_before_the_first_rules_is_only_recorded(world: World) -> None:
    world.box.put(item(), NOON.replace(year=2019))
    report = world.run()
    assert report.decided == {"hold": 1}
    assert world.letters() == []
    assert not report.faults


# --- what concerns everything ----------------------------------------------------------------


def test_a_full_disk_stops_the_pass_and_costs_no_attempt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults R1: no answer, no move, and it resumes by itself, however long it lasted."""
    world.box.put(item(), NOON)

    def put(_: Any) -> None:
        raise Retryable("disk full", code="disk", systemic=True)

    with monkeypatch.context() as m:
        m.setattr(world.archive, "put", put)
        for _ in range(5):
            with pytest.raises(Retryable):
                world.run()
        assert world.letters() == []
        assert world.box.settled == []
    world.run()
    assert [s for _, s, _ in world.items()] == ["accepted"]


def test_a_broken_template_is_the_operators_fault_not_the_mails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults P4: nothing goes into quarantine for it."""
    import dataclasses

    class Broken:
        def render(self, *_: Any) -> Any:
            raise OperatorFault(Fault("return.txt.j2:3", "unexpected end", "repair it"))

    world.box.put(item(), NOON)
    whole = world.settler.answering
    world.settler.answering = dataclasses.replace(whole, renderer=Broken())
    for _ in range(4):
        with pytest.raises(OperatorFault):
            world.run()
    world.settler.answering = whole
    world.run()
    assert world.rows("select decision from inbound") == [("accept",)]


def test_a_mailbox_that_refuses_a_move_is_asked_again(world: World) -> None:
    refusing = True

    def hurt(what: str) -> None:
        if what == "settle" and refusing:
            raise Retryable("over quota", code="quota")

    world.box.hurt = hurt
    world.box.put(item(), NOON)
    assert world.run().faults
    assert world.rows("select state from inbound") == [("decided",)]
    refusing = False
    world.run()
    assert world.box.settled == [(1, Disposition.ACCEPTED)]
    assert len(world.letters()) == 1


# --- secrets ---------------------------------------------------------------------------------

MARKER = "ZQXJVTUVMARKER"


@pytest.mark.parametrize("place", ["subject", "body", "file name", "file text", "display name"])
def test_a20_nothing_of_a_mail_with_a_secrets_mark_is_written(world: World, place: str) -> None:
    """Faults A20: not in the database, its WAL or the archive, not in the log nor in an answer."""
    subject, body, name, text = LINE, "正文", "稿.txt", ARTICLE
    if place == "subject":
        subject += f" 机密★1年 {MARKER}"
    elif place == "body":
        body = f"秘密★10年\n{MARKER}"
    elif place == "file name":
        name = f"机密★{MARKER}.txt"
    elif place == "file text":
        text = f"密级：机密\n{MARKER}"
    else:
        body = "绝密★"
    sender = f"{MARKER} <liaison@example.com>"
    raw = letter(subject, body, [text_file(name, text)], sender=sender, message_id=f"{MARKER}@x")
    settled = world.receive(raw)
    assert settled.decision.kind.value == "quarantine"
    assert world.letters() == []
    assert world.tasks() == ["secrets"]
    needles = [MARKER.encode(), "春耕备耕".encode(), "种子".encode()]
    for path in world.root.rglob("*"):
        if path.is_file():
            found = path.read_bytes()
            assert not any(needle in found for needle in needles), path
    (row,) = world.rows("select sha256, subject, message_id, uid from inbound")
    assert row.sha256 == hashlib.sha256(raw).hexdigest()
    assert (row.subject, row.message_id, row.uid) == ("", "", 1)
    assert world.box.settled == [], "the security officer fetches it by its UID"
    assert world.run().total == 0
    assert world.box.settled == []


def test_a20_a_secret_mail_that_breaks_our_code_leaves_nothing_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settle(mail: IncomingMail, *_: Any) -> Any:
        raise ValueError(f"cannot use {mail.subject}")

    monkeypatch.setattr(world.settler, "settle", settle)
    world.box.put(letter(f"机密★ {MARKER}", MARKER), NOON)
    report = world.run()
    assert not any(MARKER in fault for fault in report.faults)
    for path in world.root.rglob("*"):
        if path.is_file():
            assert MARKER.encode() not in path.read_bytes(), path


def test_the_same_secret_mail_again_is_told_once(world: World) -> None:
    raw = letter(f"{LINE} 机密★1年", "x", message_id="s@example.com")
    world.receive(raw, b"Received: from b by c; x\r\n" + raw)
    assert world.tasks() == ["secrets"]
    assert world.rows("select decision from inbound") == [("quarantine",), ("quarantine",)]


# --- old mail --------------------------------------------------------------------------------


def test_answers_to_old_mail_wait_for_the_operator(world: World) -> None:
    """Faults I18."""
    for n, title in enumerate(("春耕备耕工作进展顺利", "草原防火宣传深入牧户")):
        world.box.put(item(title), NOON - timedelta(days=40 - n))
    world.box.put(item("冷季饲草储备充足"), NOON - timedelta(hours=2))
    world.run()
    assert [s for _, s, _ in world.items()] == ["accepted"] * 3
    assert [(k, s) for k, _, s in world.letters()] == [
        ("acknowledgement", "withheld"),
        ("acknowledgement", "withheld"),
        ("acknowledgement", "ready"),
    ]
    ((said,),) = world.rows("select text from task where kind = 'withheld'")
    assert "72 小时" in said and "mailbot backlog" in said
    with world.store.begin() as tx:
        tx.close_tasks("otog", "withheld", NOON)
    world.box.put(item("接羔保育进展顺利"), NOON - timedelta(days=9))
    world.run()
    assert world.tasks().count("withheld") == 2, "those of another time are told of again"


def test_a_correction_found_in_the_same_pass_finds_its_first_mail(world: World) -> None:
    """The folder lists the correction first."""
    world.box.put(
        letter("农牧局+春耕备耕工作进展顺利+张三+7622029", ""), NOON + timedelta(minutes=30)
    )
    world.box.put(letter("农牧局+春耕备耕工作进展顺利+张三", files=[text_file("春耕.txt")]), NOON)
    world.clock.time = NOON + timedelta(hours=1)
    world.run()
    assert world.items() == [("春耕备耕工作进展顺利", "accepted", "2026-08")]


def test_five_hundred_items_of_one_unit(world: World) -> None:
    """A unit with a long record is still judged by it."""
    for n in range(500):
        world.box.put(item(f"第{n}批草原生态补奖资金发放到户", text=f"{n} " * 60), NOON)
    world.run()
    assert len(world.items()) == 500
    again = world.receive(
        item("第7批草原生态补奖资金发放到户", text="7 " * 60, message_id="again@example.com")
    )
    assert again.decision.reasons[0].code == "resend"
