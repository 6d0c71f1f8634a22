"""How a mail's item relates to what is recorded: each rule at its edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mailbot.core.intake.classify import Classification
from mailbot.core.intake.content import Content
from mailbot.core.intake.lifecycle import (
    SAME_TITLE_DAYS,
    Relationship,
    awaiting,
    relate,
)
from mailbot.core.intake.model import Draft, EarlierItem, Facts, Relation
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.mail.model import Attachment, AttachmentKind
from mailbot.core.subject.model import Certainty, FieldValue, Source, UnitValue
from tests.integration.intake_help import NOON, otog

SENDER, OTHER = "a@example.com", "b@example.net"
TITLE = "春耕备耕工作进展顺利"
NEWS = Classification("news", "default", (), True, (), ())
FILE = Attachment("稿.docx", "x/y", AttachmentKind.WORD, 10, "new", "2")
WITH_FILE = Content("请查收附件", (FILE,), (FILE,))
NOTHING = Content("", (), ())


def said(value: str) -> FieldValue:
    return FieldValue(value, Source.SUBJECT, Certainty.CERTAIN)


def draft(title: str | None = TITLE, unit: str | None = "agriculture", **more: Any) -> Draft:
    values: dict[str, Any] = {
        "unit": UnitValue("农牧局", Source.SUBJECT, Certainty.CERTAIN, unit) if unit else None,
        "title": said(title) if title else None,
        "submitter": said("张三"),
        "contact": (said("7622029"),),
        "classification": NEWS,
        "fingerprint": frozenset({"new"}),
        "attachment_paths": ("2",),
        "has_attachments": True,
        "flags": ("category_doubtful",),
    }
    return Draft(**(values | more))


BARE: dict[str, Any] = {
    "fingerprint": frozenset(),
    "attachment_paths": (),
    "has_attachments": False,
}


def recorded(
    number: int = 1, state: str = "returned", title: str = TITLE, **more: Any
) -> EarlierItem:
    values: dict[str, Any] = {
        "id": number,
        "receipt": f"EQ202608-{number:04d}",
        "state": state,
        "unit_id": "agriculture",
        "title": title,
        "from_addr": SENDER,
        "received": NOON - timedelta(days=1),
        "inbound_id": number,
        "fingerprint": frozenset({"old"}),
        "has_attachments": True,
        "submitter": "张三",
        "contact": ("7622029",),
        "attachment_paths": ("2",),
    }
    return EarlierItem(**(values | more))


def facts(**more: Any) -> Facts:
    return Facts(book=otog(), received=NOON, **more)


def related(
    given: Draft, known: Facts, content: Content = WITH_FILE, subject: str = ""
) -> Relationship:
    return relate(given, content, SENDER, known, subject=subject)


def target(found: Relationship) -> tuple[str | None, int | None]:
    one = found.draft
    return (one.link.value if one.link else None, one.target.id if one.target else None)


NEW = (None, None)

# --- in a thread -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "given", "wanted"),
    [
        (recorded(), draft(), ("correction", 1)),
        (recorded(title=""), draft(), ("correction", 1)),
        (recorded(title="春耕备耕进展"), draft(), ("correction", 1)),
        (recorded(state="held"), draft(), ("correction", 1)),
        (recorded(title="草原防火宣传"), draft(), NEW),
        (recorded(title="草原防火宣传"), draft(**BARE), ("correction", 1)),
        (recorded(unit_id="water"), draft(), NEW),
        (recorded(state="accepted"), draft(), ("correction", 1)),
        (recorded(state="accepted"), draft(None), ("correction", 1)),
        (recorded(state="accepted", fingerprint=frozenset({"new"})), draft(), ("resend", 1)),
        (recorded(state="accepted", title="草原防火宣传"), draft(), NEW),
        (recorded(state="replaced"), draft(), NEW),
    ],
)
def test_a_reply_to_our_letter(
    item: EarlierItem, given: Draft, wanted: tuple[str | None, int | None]
) -> None:
    assert target(related(given, facts(thread=(item,)))) == wanted


def test_of_several_items_the_one_of_that_title() -> None:
    items = (recorded(1, title="草原防火宣传"), recorded(2), recorded(3, title="冷季饲草储备"))
    assert target(related(draft(), facts(thread=items))) == ("correction", 2)


def test_an_open_item_comes_before_an_accepted_one_of_the_same_title() -> None:
    items = (recorded(1), recorded(2, "accepted"))
    assert target(related(draft(), facts(thread=items))) == ("correction", 1)


@pytest.mark.parametrize(
    ("item", "bound", "conflict"),
    [
        (recorded(from_addr=OTHER), None, False),
        (recorded(from_addr=OTHER, unit_id=None), None, False),
        (recorded(from_addr=OTHER, unit_id="water"), None, True),
        (recorded(from_addr=OTHER, by_reference=True), None, True),
        (recorded(from_addr=OTHER, by_reference=True), "agriculture", False),
        (recorded(from_addr=OTHER, by_reference=True), "water", True),
        (recorded(from_addr=SENDER, by_reference=True), None, False),
    ],
)
def test_whose_item_a_mail_may_touch(item: EarlierItem, bound: str | None, conflict: bool) -> None:
    found = related(draft(), facts(thread=(item,), bound_unit=bound))
    assert bool(found.conflict) == conflict
    assert (found.draft.target is None) == conflict


@pytest.mark.parametrize("state", ["accepted", "withdrawal_requested"])
def test_a_number_in_the_subject_replaces_only_where_the_sender_is_sure(state: str) -> None:
    item = recorded(state=state, by_reference=True)
    sure = facts(thread=(item,), verifiable=True, authentication=AuthResult.PASS)
    unsure = facts(thread=(item,), verifiable=True)
    assert target(related(draft(), sure)) == ("correction", 1)
    assert related(draft(), unsure).conflict
    letter = facts(thread=(replace(item, by_reference=False),), verifiable=True)
    assert target(related(draft(), letter)) == ("correction", 1)


# --- what the sender has open ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "given", "content", "wanted"),
    [
        (recorded(), draft(), WITH_FILE, ("correction", 1)),
        (recorded(), draft(**BARE), NOTHING, ("correction", 1)),
        (recorded(unit_id=None), draft(), WITH_FILE, ("correction", 1)),
        (recorded(unit_id="water"), draft(), WITH_FILE, NEW),
        (recorded(title="春耕备耕工作进展"), draft(**BARE), NOTHING, ("correction", 1)),
        (recorded(title="春耕准备工作有序推进"), draft(), WITH_FILE, NEW),
        (recorded(title=TITLE + "3处"), draft(TITLE + "5处"), WITH_FILE, NEW),
        (recorded(title=""), draft(), WITH_FILE, NEW),
        (recorded(title=""), draft(**BARE), NOTHING, ("correction", 1)),
        (recorded(title="", fingerprint=frozenset({"new"})), draft(), WITH_FILE, ("correction", 1)),
        (recorded(state="held"), draft(), WITH_FILE, ("correction", 1)),
    ],
)
def test_a_new_mail_completes_an_open_item(
    item: EarlierItem, given: Draft, content: Content, wanted: tuple[str | None, int | None]
) -> None:
    assert target(related(given, facts(of_sender=(item,)), content)) == wanted


def test_two_untitled_items_are_told_apart_by_nothing() -> None:
    items = (recorded(1, title=""), recorded(2, title=""))
    assert target(related(draft(**BARE), facts(of_sender=items), NOTHING)) == NEW


# --- the unit's item of this title -----------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "wanted"),
    [
        (recorded(state="accepted", fingerprint=frozenset({"new"})), ("resend", 1)),
        (
            recorded(state="accepted", fingerprint=frozenset({"new"}), from_addr=OTHER),
            ("resend", 1),
        ),
        (recorded(state="held", fingerprint=frozenset({"new"})), ("correction", 1)),
        (recorded(state="held", fingerprint=frozenset({"new"}), from_addr=OTHER), NEW),
        (recorded(state="accepted"), ("correction", 1)),
        (recorded(state="returned", from_addr=OTHER), NEW),
        (recorded(state="accepted", title=TITLE + "显著"), NEW),
    ],
)
def test_the_same_title(item: EarlierItem, wanted: tuple[str | None, int | None]) -> None:
    assert target(related(draft(), facts(of_unit=(item,)))) == wanted


@pytest.mark.parametrize("days", [SAME_TITLE_DAYS, SAME_TITLE_DAYS + 1])
def test_a_new_version_within_days_else_an_item_to_compare(days: int) -> None:
    item = recorded(state="accepted", received=NOON - timedelta(days=days))
    found = related(draft(), facts(of_unit=(item,)))
    if days == SAME_TITLE_DAYS:
        assert target(found) == ("correction", 1)
    else:
        assert target(found) == NEW
        assert "same_title" in found.draft.flags
        said_so = related(draft(), facts(of_unit=(item,)), subject="春耕（修改稿）")
        assert target(said_so) == ("correction", 1)


def test_without_content_the_same_title_is_a_repetition_only_for_its_sender_and_soon() -> None:
    bare = draft(**BARE)
    mine = recorded(state="accepted")
    assert target(related(bare, facts(of_unit=(mine,)), NOTHING)) == ("resend", 1)
    others = replace(mine, from_addr=OTHER)
    assert target(related(bare, facts(of_unit=(others,)), NOTHING)) == NEW
    old = replace(mine, received=NOON - timedelta(days=30))
    assert target(related(bare, facts(of_unit=(old,)), NOTHING)) == NEW


@pytest.mark.parametrize(
    "known",
    [
        facts(of_unit=(recorded(state="accepted", from_addr=OTHER),)),
        facts(of_unit=(recorded(state="accepted"),), verifiable=True),
        facts(
            of_unit=(recorded(state="accepted"),),
            verifiable=True,
            authentication=AuthResult.FAIL,
        ),
    ],
)
def test_an_accepted_item_is_not_replaced_on_somebodys_word(known: Facts) -> None:
    found = related(draft(), known)
    assert found.conflict
    assert found.draft.target is None


def test_the_senders_own_item_comes_before_a_held_one_of_somebody_else() -> None:
    """Nobody blocks a unit's corrections by a mail of the same title."""
    items = (recorded(2, "held", from_addr=OTHER), recorded(1, "accepted"))
    assert target(related(draft(), facts(of_unit=items))) == ("correction", 1)


# --- what a correction keeps -----------------------------------------------------------------


def test_a_mail_without_files_keeps_those_of_the_mail_that_had_them() -> None:
    item = recorded(content_from=17, inbound_id=30)
    kept = related(draft(**BARE), facts(thread=(item,)), NOTHING).draft
    assert kept.keeps_content
    assert (kept.content_from, kept.attachment_paths) == (17, ("2",))
    assert kept.fingerprint == item.fingerprint
    first = related(draft(**BARE), facts(thread=(recorded(),)), NOTHING).draft
    assert first.content_from == 1
    own = related(draft(), facts(thread=(item,))).draft
    assert (own.keeps_content, own.content_from) == (False, None)
    assert own.fingerprint == {"new"}


def test_a_text_only_item_keeps_its_text_unless_there_is_a_new_one() -> None:
    item = recorded(has_attachments=False, attachment_paths=())
    assert related(draft(**BARE), facts(thread=(item,)), NOTHING).draft.keeps_content
    text = Content("全旗春耕备耕工作扎实推进，农资储备充足。", (), ())
    new = draft(**(BARE | {"fingerprint": text.fingerprint}))
    assert not related(new, facts(thread=(item,)), text).draft.keeps_content


@pytest.mark.parametrize(
    ("by", "mark", "content", "kept"),
    [
        ("rule", False, NOTHING, True),
        ("rule", False, WITH_FILE, False),
        ("rule", True, NOTHING, False),
        ("staff", False, WITH_FILE, True),
        ("staff", True, WITH_FILE, True),
    ],
)
def test_which_category_survives(by: str, mark: bool, content: Content, kept: bool) -> None:
    item = recorded(classification=Classification("problem", by, ("依据",), False, (), ()))
    bare = {} if content.files else BARE
    own = Classification("news", "mark" if mark else "default", (), not mark, ("约稿",), ())
    flags = () if mark else ("category_doubtful",)
    given = draft(classification=own, flags=flags, **bare)
    found = related(given, facts(thread=(item,)), content).draft
    assert found.classification.category == ("problem" if kept else "news")
    assert found.classification.link == ("约稿",)
    assert ("category_doubtful" in found.flags) == (not kept and not mark)


def test_a_complete_second_version_goes_to_the_item_it_revises() -> None:
    waiting = recorded(2, revises="EQ202608-0001")
    accepted = recorded(1, "accepted", title="旧题目")
    found = related(draft(**BARE), facts(of_sender=(waiting,), of_unit=(accepted,)), NOTHING).draft
    assert found.target == accepted
    assert found.absorbs == waiting
    assert found.content_from == 2, "with the second version's own files"
    gone = replace(accepted, state="replaced")
    alone = related(draft(**BARE), facts(of_sender=(waiting,), of_unit=(gone,)), NOTHING).draft
    assert (alone.target, alone.absorbs) == (waiting, None)


def test_what_counts_as_saying_nothing_new() -> None:
    item = recorded()
    known = facts(thread=(item,))
    assert related(draft(**BARE), known, NOTHING).draft.unchanged
    again = related(draft(fingerprint=item.fingerprint), known).draft
    assert again.unchanged
    other_file = related(draft(), known).draft
    assert (other_file.same_fields, other_file.unchanged) == (True, False)
    for change in (
        {"submitter": said("李四")},
        {"contact": (said("7622030"),)},
        {"title": "春耕备耕工作进展"},
    ):
        changed = related(draft(**(BARE | change)), known, NOTHING).draft
        assert (changed.same_fields, changed.unchanged) == (False, False)


# --- several at once -------------------------------------------------------------------------


def test_awaiting_takes_the_newest_mail_of_that_many() -> None:
    old = tuple(recorded(n, inbound_id=1, title=f"甲{n}") for n in (1, 2))
    new = tuple(recorded(n, inbound_id=9, title=f"乙{n}") for n in (3, 4))
    single = recorded(5, inbound_id=10)
    known = facts(of_sender=(*new[::-1], single, *old))
    assert [i.id for i in awaiting(known, 2)] == [3, 4]
    assert [i.id for i in awaiting(known, 1)] == [5]
    assert awaiting(known, 3) == ()
    in_thread = replace(known, thread=old)
    assert [i.id for i in awaiting(in_thread, 2)] == [1, 2]
    counted = facts(of_sender=tuple(replace(i, state="accepted") for i in new))
    assert awaiting(counted, 2) == ()


def test_relation_words_are_stable() -> None:
    """They stand in the database and in `explain --json`."""
    assert [r.value for r in Relation] == [
        "duplicate",
        "resend",
        "correction",
        "recall",
        "bounce",
        "receipt",
        "reply",
        "same_id",
        "copy",
    ]
