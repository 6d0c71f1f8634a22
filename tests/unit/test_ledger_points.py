"""Points that events give: lines, highest-only, joint items, explanations, hands and factors."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest

from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.events import EventKind, Fault, Form, Match, Outcome, Signer
from mailbot.core.rules.kinds import (
    Cap,
    DatedBy,
    Joint,
    Manual,
    Multiplier,
    Repeat,
    Rule,
)
from mailbot.core.rules.ledger import UnscorableEvent, post
from mailbot.core.rules.periods import PeriodKind
from tests.unit.rules_help import (
    BASIS,
    adopted,
    book,
    brief,
    event,
    line,
    points,
    posted,
    rule,
    sent,
    totals,
    unit,
    version,
)

SUBMISSIONS = rule(
    "sent",
    points(
        line("submission", 1, category=("news",), clause="报送一条"),
        line("submission", 5, category=("problem", "research")),
    ),
)
JOURNALS = points(
    line("adoption", 5, journal=("lw",), form=(Form.BRIEF, Form.ROUNDUP)),
    line("adoption", 10, journal=("lw",), clause="采用一条", stars=1),
    line("adoption", 20, journal=("jn",), stars=2),
    line("adoption", 40, journal=("gb",), label="国办刊物采用"),
)
HIGHEST = points(*JOURNALS.lines, repeat=Repeat.HIGHEST_PER_ITEM)


def adoption(repeat: Repeat = Repeat.EACH, joint: Joint = Joint.FULL) -> Rule:
    return rule("adoption", points(*JOURNALS.lines, repeat=repeat, joint=joint))


# --- lines -----------------------------------------------------------------------------------


def test_an_entry_explains_itself() -> None:
    one = adopted("2026-03-05", item="MB202603-0001", title="牧区饮水", id="record:7")
    [entry] = posted(book(adoption()), [one])
    assert entry.unit == "a"
    assert entry.day == date(2026, 3, 5)
    assert (entry.rule, entry.version, entry.points) == ("adoption", date(2026, 1, 1), 10)
    assert (entry.document, entry.clause) == (BASIS.document, "采用一条")
    assert entry.text == "《莱芜政务信息》采用《牧区饮水》"
    assert (entry.item, entry.events, entry.times) == ("MB202603-0001", ("record:7",), 1)
    assert (entry.stars, entry.corrects) == (1, "")


@pytest.mark.parametrize(
    ("happened", "text"),
    [
        (sent("2026-03-01", times=3), "报送动态 3 条"),
        (sent("2026-03-01", category="problem", title="缺水", item="x"), "报送问题《缺水》"),
        (
            adopted("2026-03-01", form=Form.BRIEF, title="贯彻《条例》"),
            "《莱芜政务信息》采用简讯《贯彻〈条例〉》",
        ),
        (adopted("2026-03-01", "gb", title="甲"), "国办刊物采用《甲》"),
        (event("instruction", "2026-03-01", level="city", item="MB1"), "市领导批示（MB1）"),
        (event("forwarding", "2026-03-01", level="city", title="甲"), "转报市《甲》"),
        (event("commission", "2026-03-01", level="city", outcome=Outcome.MISSED), "未完成市约稿"),
        (event("staff", "2026-03-01", times=2), "专职人员 2 人"),
        (event("training", "2026-03-01", times=3), "以干代训 3 人次"),
        (event("error", "2026-03-01", fault=Fault.OMITTED, major=True), "重大信息漏报"),
        (event("filing", "2026-03-01"), "制度备案"),
        (event("task_done", "2026-03-01", outcome=Outcome.LATE), "任务完成（迟报）"),
    ],
)
def test_the_text_is_in_the_office_s_words(happened, text: str) -> None:
    catch_all = [line(k, 1) for k in EventKind if k.value not in ("submission", "adoption")]
    office = book(SUBMISSIONS, adoption(), rule("others", points(*catch_all)))
    assert [e.text for e in posted(office, [happened])] == [text]


def test_a_journal_that_is_an_authority_takes_no_title_marks() -> None:
    office = book(rule("adoption", points(line("adoption", 100))))
    [entry] = posted(office, [adopted("2026-03-01", "gb", title="甲")])
    assert entry.text == "国办采用《甲》"


def test_the_first_line_that_matches_counts() -> None:
    events = [adopted("2026-03-01"), adopted("2026-03-02", form=Form.BRIEF)]
    assert brief(posted(book(adoption()), events)) == [
        ("2026-03-01", "a", 10),
        ("2026-03-02", "a", 5),
    ]


def test_one_event_can_earn_by_several_rules() -> None:
    add_on = rule("city", points(line("forwarding", 2, level=("city",)), line("forwarding", 0)))
    sent_up = rule("up", points(line("forwarding", 20)))
    office = book(add_on, sent_up)
    forwarded = event("forwarding", "2026-03-01", level="city", item="x")
    assert brief(posted(office, [forwarded])) == [
        ("2026-03-01", "a", 2),
        ("2026-03-01", "a", 20),
    ]


def test_persons_count_only_where_the_line_says_so() -> None:
    each = rule("staff", points(line("staff", 10, per_count=True)))
    once = rule("training", points(line("training", 20)))
    events = [event("staff", "2026-03-01", times=3), event("training", "2026-03-02", times=3)]
    assert brief(posted(book(each, once), events)) == [
        ("2026-03-01", "a", 30),
        ("2026-03-02", "a", 20),
    ]


def test_an_event_that_no_line_covers_is_an_error_and_never_zero() -> None:
    with pytest.raises(NoRuleInForce, match=r"office.*2026-03-01.*《unknown》采用《甲》"):
        posted(book(adoption()), [adopted("2026-03-01", "unknown", title="甲")])


def test_it_is_enough_that_some_rule_covers_it() -> None:
    other = rule("city", points(line("adoption", 3, journal=("unknown",))))
    found = posted(book(adoption(), other), [adopted("2026-03-01", "unknown")])
    assert totals(found) == {"a": 3}


def test_a_kind_of_event_that_no_rule_speaks_of_gives_nothing() -> None:
    assert posted(book(adoption()), [event("filing", "2026-03-01"), sent("2026-03-01")]) == []


def test_an_explicit_zero_is_an_entry_but_many_submissions_worth_nothing_are_none() -> None:
    nothing = rule("zero", points(line("submission", 0), line("filing", 0)))
    events = [
        sent("2026-03-01", times=9),
        event("filing", "2026-03-02"),
        sent("2026-03-03", item="x"),
    ]
    assert brief(posted(book(nothing), events)) == [
        ("2026-03-02", "a", 0),
        ("2026-03-03", "a", 0),
    ]


def test_a_follow_up_report_earns_nothing() -> None:
    assert posted(book(SUBMISSIONS), [sent("2026-03-01", follow_up=True)]) == []


# --- days ------------------------------------------------------------------------------------


def test_the_first_and_the_last_day_of_a_version() -> None:
    office = book(
        rule(
            "adoption",
            version(JOURNALS),
            version(points(line("adoption", 7)), date(2026, 7, 1)),
        )
    )
    entries = posted(office, [adopted("2026-06-30"), adopted("2026-07-01")])
    assert [(e.points, e.version) for e in entries] == [
        (10, date(2026, 1, 1)),
        (7, date(2026, 7, 1)),
    ]


@pytest.mark.parametrize(
    ("dated_by", "day", "old"),
    [
        (DatedBy.EVENT, "2026-05-14", True),
        (DatedBy.EVENT, "2026-05-15", False),
        (DatedBy.MONTH_END, "2026-05-01", False),
        (DatedBy.MONTH_END, "2026-04-30", True),
        (DatedBy.QUARTER_END, "2026-04-01", False),
        (DatedBy.QUARTER_END, "2026-03-31", True),
        (DatedBy.YEAR_END, "2026-01-01", False),
    ],
)
def test_every_rule_names_the_date_that_chooses_its_version(
    dated_by: DatedBy, day: str, old: bool
) -> None:
    changed = rule(
        "adoption",
        version(points(line("adoption", 1))),
        version(points(line("adoption", 2)), date(2026, 5, 15)),
        dated_by=dated_by,
    )
    assert totals(posted(book(changed), [adopted(day)])) == {"a": D(1 if old else 2)}


def test_a_repealed_rule_gives_nothing() -> None:
    repealed = rule("adoption", version(JOURNALS), version(None, date(2026, 7, 1)))
    entries = posted(book(repealed), [adopted("2026-06-30"), adopted("2026-07-01")])
    assert brief(entries) == [("2026-06-30", "a", 10)]


def test_before_the_first_rule_an_event_that_rules_score_is_an_error() -> None:
    late = rule("adoption", version(JOURNALS, date(2026, 4, 5)))
    with pytest.raises(NoRuleInForce, match="2026-04-04"):
        posted(book(late), [adopted("2026-04-04")])
    assert totals(posted(book(late), [adopted("2026-04-05")])) == {"a": 10}
    # What no rule ever scores may lie before it, and so may what another period asks about.
    assert posted(book(late), [event("filing", "2026-04-04")]) == []
    assert posted(book(late), [adopted("2026-04-04")], "2026-05") == []
    of_the_year = rule("cap", version(Cap(("adoption",), D(5), PeriodKind.YEAR), date(2026, 4, 5)))
    assert posted(book(late, of_the_year), [adopted("2026-04-04")], "2026-05") == []


def test_a_month_judged_by_its_end_reaches_back_to_its_first_day() -> None:
    late = rule("adoption", version(JOURNALS, date(2026, 4, 5)), dated_by=DatedBy.MONTH_END)
    assert totals(posted(book(late), [adopted("2026-04-01")])) == {"a": 10}


def test_a_rule_that_came_later_did_not_exist_before() -> None:
    later = rule("filing", version(points(line("filing", 10)), date(2026, 4, 1)))
    events = [event("filing", f"2026-{day}") for day in ("01-01", "03-31", "04-01")]
    assert brief(posted(book(adoption(), later), events)) == [("2026-04-01", "a", 10)]


def test_a_period_before_the_first_rule_is_an_error() -> None:
    office = book(adoption())
    with pytest.raises(NoRuleInForce, match="2025-12-31"):
        posted(office, [], "2025-Q4")
    assert post(book(), [], date(1990, 1, 1), date(1990, 1, 31), date(2026, 1, 1)) == []


def test_what_happens_after_the_day_we_look_is_not_booked() -> None:
    events = [adopted("2026-03-01"), adopted("2026-03-02")]
    assert brief(posted(book(adoption()), events, as_of="2026-03-01")) == [("2026-03-01", "a", 10)]


# --- highest only ----------------------------------------------------------------------------


def test_a_later_higher_adoption_books_only_the_difference() -> None:
    events = [
        adopted("2026-02-01", "lw", item="x"),
        adopted("2026-05-01", "gb", item="x"),
        adopted("2026-06-01", "jn", item="x"),
    ]
    office = book(rule("adoption", HIGHEST))
    entries = posted(office, events)
    assert brief(entries) == [
        ("2026-02-01", "a", 10),
        ("2026-05-01", "a", 30),
        ("2026-06-01", "a", 0),
    ]
    assert "已计 10 分" in entries[1].text
    assert "已计 40 分" in entries[2].text
    # Stars stand beside what counts.
    assert [e.stars for e in entries] == [1, 0, 0]
    # Each period books its own part, knowing what came before.
    assert brief(posted(office, events, "2026-Q2")) == brief(entries)[1:]


def test_of_two_adoptions_on_one_day_the_higher_counts_whichever_came_first() -> None:
    low = adopted("2026-02-01", "lw", item="x", id="record:1")
    high = adopted("2026-02-01", "jn", item="x", id="record:2")
    for events in ([low, high], [high, low]):
        entries = posted(book(rule("adoption", HIGHEST)), events)
        assert [(e.events, e.points) for e in entries] == [(("record:2",), 20), (("record:1",), 0)]


def test_highest_is_per_item_and_unit_and_what_has_no_item_stands_alone() -> None:
    events = [
        adopted("2026-02-01", item="x"),
        adopted("2026-02-02", item="y"),
        adopted("2026-02-03", item="x", unit_id="b"),
        adopted("2026-02-04"),
        adopted("2026-02-05"),
    ]
    found = posted(book(rule("adoption", HIGHEST)), events)
    assert totals(found) == {"a": D(40), "b": D(10)}


def test_highest_only_reaches_back_over_a_change_of_version() -> None:
    changed = rule(
        "adoption",
        version(HIGHEST),
        version(points(line("adoption", 35), repeat=Repeat.HIGHEST_PER_ITEM), date(2026, 7, 1)),
    )
    events = [adopted("2026-06-30", "jn", item="x"), adopted("2026-07-01", "jn", item="x")]
    assert brief(posted(book(changed), events, "2026-Q3")) == [("2026-07-01", "a", 15)]


def test_where_every_one_counts_again_the_highest_before_is_no_matter() -> None:
    each = points(line("adoption", 15))
    changed = rule("adoption", version(HIGHEST), version(each, date(2026, 7, 1)))
    events = [adopted("2026-06-30", "jn", item="x"), adopted("2026-07-01", "jn", item="x")]
    assert totals(posted(book(changed), events)) == {"a": 35}


def test_of_the_staff_of_a_year_only_the_highest_number_counts() -> None:
    staff = rule("staff", points(line("staff", 10, per_count=True), repeat=Repeat.HIGHEST_PER_YEAR))
    events = [
        event("staff", "2026-03-01", times=2),
        event("staff", "2026-09-01", times=3),
        event("staff", "2026-12-31", times=1),
        event("staff", "2027-01-01", times=1),
        event("staff", "2026-06-01", unit_id="b", times=1),
    ]
    office = book(staff)
    assert brief(posted(office, events)) == [
        ("2026-03-01", "a", 20),
        ("2026-06-01", "b", 10),
        ("2026-09-01", "a", 10),
        ("2026-12-31", "a", 0),
    ]
    assert totals(posted(office, events, "2027")) == {"a": 10}
    assert totals(posted(office, events, "2026-Q3")) == {"a": 10}


# --- joint items -----------------------------------------------------------------------------


def test_a_joint_item_gives_each_unit_all_of_it_or_an_equal_part() -> None:
    joint = adopted("2026-03-01", partners=("b", "c"), title="甲")
    assert totals(posted(book(adoption()), [joint])) == {"a": 10, "b": 10, "c": 10}
    entries = posted(book(adoption(joint=Joint.EQUAL)), [joint])
    assert totals(entries) == {"a": D("3.33"), "b": D("3.33"), "c": D("3.33")}
    assert entries[0].text == "《莱芜政务信息》采用《甲》（联合报送，3 家均分）"


def test_like_joint_items_taken_together_are_shared_one_by_one() -> None:
    third = rule("sent", points(line("submission", 1), joint=Joint.EQUAL))
    joint = sent("2026-03-01", times=3, partners=("b", "c"))
    assert totals(posted(book(third), [joint])) == dict.fromkeys("abc", D("0.99"))


def test_a_joint_item_is_shared_by_hand() -> None:
    office = book(adoption(joint=Joint.HAND))
    shares = (("a", D("0.75")), ("b", D("0.25")))
    joint = adopted("2026-03-01", partners=("b",), shares=shares)
    assert totals(posted(office, [joint])) == {"a": D("7.5"), "b": D("2.5")}
    alone = adopted("2026-03-01")
    assert totals(posted(office, [alone])) == {"a": 10}


@pytest.mark.parametrize("shares", [(), (("a", D(1)),), (("a", D("0.5")), ("c", D("0.5")))])
def test_a_joint_item_without_everybody_s_share_is_an_error(shares) -> None:
    office = book(adoption(joint=Joint.HAND))
    joint = adopted("2026-03-01", partners=("b",), shares=shares, id="record:3")
    with pytest.raises(UnscorableEvent, match=r"record:3.*a局、b局"):
        posted(office, [joint])


def test_a_joint_item_has_one_highest_for_each_of_its_units() -> None:
    joint = points(*JOURNALS.lines, repeat=Repeat.HIGHEST_PER_ITEM, joint=Joint.EQUAL)
    events = [
        adopted("2026-03-01", "lw", item="x"),
        adopted("2026-04-01", "gb", item="x", partners=("b",)),
    ]
    assert brief(posted(book(rule("adoption", joint)), events)) == [
        ("2026-03-01", "a", 10),
        ("2026-04-01", "a", 10),
        ("2026-04-01", "b", 20),
    ]


# --- explanations ----------------------------------------------------------------------------

MISSED = rule(
    "missed",
    points(
        line("commission", -20, outcome=(Outcome.MISSED,), excused_by=(Signer.HEAD,)),
        line("commission", 0),
    ),
)


@pytest.mark.parametrize(
    ("signer", "accepted", "total"),
    [
        (Signer.HEAD, True, 0),
        (Signer.HEAD, False, -20),
        (Signer.DEPUTY, True, -20),
        (Signer.LIAISON, True, -20),
        (None, True, -20),
    ],
)
def test_a_missed_commission_is_excused_by_the_signature_that_the_rule_asks_for(
    signer: Signer | None, accepted: bool, total: int
) -> None:
    missed = event("commission", "2026-03-01", outcome=Outcome.MISSED, id="record:5")
    told = event("explanation", "2026-03-09", about="record:5", signer=signer, accepted=accepted)
    [entry] = posted(book(MISSED), [told, missed])
    assert entry.points == total
    assert entry.day == date(2026, 3, 1)
    assert ("情况说明" in entry.text) is (total == 0)


def test_an_explanation_excuses_only_what_it_is_about_and_once_it_is_there() -> None:
    events = [
        event("commission", "2026-03-01", outcome=Outcome.MISSED, id="record:5"),
        event("commission", "2026-03-02", outcome=Outcome.MISSED, id="record:6"),
        event("explanation", "2026-04-02", about="record:5", signer=Signer.HEAD, accepted=True),
    ]
    assert totals(posted(book(MISSED), events)) == {"a": -20}
    assert totals(posted(book(MISSED), events, as_of="2026-04-01")) == {"a": -40}


# --- by hand, and times a factor -------------------------------------------------------------

MANUAL = rule("discipline", Manual(D(-10), D(-1)))


def by_hand(day: str, number: str | None, rule_id: str = "discipline"):
    given = None if number is None else D(number)
    return event("manual", day, rule=rule_id, points=given, reason="值班脱岗", id="record:8")


def test_points_by_hand_carry_their_reason() -> None:
    [entry] = posted(book(MANUAL), [by_hand("2026-03-01", "-2.5")])
    assert entry.points == D("-2.5")
    assert entry.text == "规则discipline：值班脱岗"
    assert entry.events == ("record:8",)


@pytest.mark.parametrize("number", ["-10", "-1"])
def test_the_ends_of_the_range_are_within_it(number: str) -> None:
    assert totals(posted(book(MANUAL), [by_hand("2026-03-01", number)])) == {"a": D(number)}


@pytest.mark.parametrize("number", ["-10.01", "-0.99", "5", None])
def test_points_out_of_the_range_are_refused(number: str | None) -> None:
    with pytest.raises(UnscorableEvent, match=r"record:8.*discipline.*-10 到 -1"):
        posted(book(MANUAL), [by_hand("2026-03-01", number)])
    # It stops the reckoning of its own days, not that of others.
    assert posted(book(MANUAL), [by_hand("2026-03-01", number)], "2026-04") == []


def test_points_by_a_rule_that_is_none_are_refused() -> None:
    with pytest.raises(NoRuleInForce, match=r"2026-03-01.*other"):
        posted(book(MANUAL), [by_hand("2026-03-01", "-2", "other")])
    with pytest.raises(NoRuleInForce, match="adoption"):
        posted(book(MANUAL, adoption()), [by_hand("2026-03-01", "-2", "adoption")])
    late = rule("discipline", version(Manual(D(-10), D(-1)), date(2026, 4, 1)))
    with pytest.raises(NoRuleInForce, match=r"2026-03-31.*discipline"):
        posted(book(late, adoption()), [by_hand("2026-03-31", "-2")])


def test_points_by_a_repealed_rule_are_none_and_say_why() -> None:
    repealed = rule("discipline", version(Manual(D(-10), D(-1))), version(None, date(2026, 4, 1)))
    [entry] = posted(book(repealed), [by_hand("2026-04-01", "-2")])
    assert entry.points == 0
    assert "废止" in entry.text


def multiplied(factor: str, *rules: str, **match: object) -> Multiplier:
    return Multiplier(rules, (Match(EventKind.ADOPTION, **match),), D(factor))  # type: ignore[arg-type]


def test_a_factor_enters_the_points_and_is_named_with_its_clause() -> None:
    half_more = rule("half_more", multiplied("1.5", "adoption", category=("problem",)))
    one = adopted("2026-02-01", "lw", item="x", category="problem", title="某事")
    [entry] = posted(book(half_more, adoption()), [one])
    assert (entry.rule, entry.points) == ("adoption", 15)
    assert entry.text == "《莱芜政务信息》采用《某事》（规则half_more：10 分乘以 1.5）"
    assert entry.clause == f"采用一条；{BASIS.document} {BASIS.clause}"


def test_the_highest_is_looked_for_among_points_with_their_factors() -> None:
    # Halved as a roundup: 20 × 0.5 = 10; later in full by the same journal: 20, so 10 more.
    halved = rule("halved", multiplied("0.5", "adoption", form=(Form.ROUNDUP,)))
    office = book(halved, rule("adoption", HIGHEST))
    events = [
        adopted("2026-02-01", "jn", item="x", form=Form.ROUNDUP),
        adopted("2026-03-01", "jn", item="x"),
    ]
    assert brief(posted(office, events)) == [("2026-02-01", "a", 10), ("2026-03-01", "a", 10)]
    # The other way round the halved one is lower, and books nothing.
    turned = [replace(events[0], day=date(2026, 4, 1)), events[1]]
    assert totals(posted(office, turned)) == {"a": 20}


def test_several_factors_multiply_each_other() -> None:
    office = book(
        rule("halved", multiplied("0.5", "adoption")),
        rule("doubled", multiplied("2", "adoption", category=("problem",))),
        adoption(),
    )
    events = [adopted("2026-02-01", "jn", category="problem")]
    assert totals(posted(office, events)) == {"a": 20}


def test_a_factor_applies_to_each_of_like_items_taken_together() -> None:
    office = book(
        rule("half_more", Multiplier(("sent",), (Match(EventKind.SUBMISSION),), D("1.5"))),
        SUBMISSIONS,
    )
    assert totals(posted(office, [sent("2026-05-01", category="research", times=3)])) == {
        "a": D("22.5")
    }


def test_a_factor_is_chosen_by_the_day_of_the_event() -> None:
    factor = rule(
        "factor",
        version(multiplied("2", "adoption")),
        version(multiplied("0.5", "adoption"), date(2026, 3, 2)),
        version(None, date(2026, 3, 3)),
    )
    events = [adopted(f"2026-03-0{n}") for n in (1, 2, 3)]
    assert brief(posted(book(factor, adoption()), events)) == [
        ("2026-03-01", "a", 20),
        ("2026-03-02", "a", 5),
        ("2026-03-03", "a", 10),
    ]


def test_a_factor_is_for_the_rules_that_its_version_names() -> None:
    def double(*rules: str) -> Multiplier:
        return Multiplier(rules, (Match(EventKind.ADOPTION), Match(EventKind.SUBMISSION)), D(2))

    factor = rule("factor", version(double("adoption")), version(double("sent"), date(2026, 7, 1)))
    events = [maker(day) for maker in (sent, adopted) for day in ("2026-06-30", "2026-07-01")]
    assert brief(posted(book(factor, adoption(), SUBMISSIONS), events)) == [
        ("2026-06-30", "a", 20),
        ("2026-06-30", "a", 1),
        ("2026-07-01", "a", 10),
        ("2026-07-01", "a", 2),
    ]


def test_each_unit_of_a_missed_joint_commission_explains_itself() -> None:
    missed = rule(
        "missed",
        points(
            line("commission", -20, outcome=(Outcome.MISSED,), excused_by=(Signer.HEAD,)),
            line("commission", 0),
        ),
    )
    office = book(missed, units=[unit("a"), unit("b"), unit("c")])
    commission = event(
        "commission", "2026-03-01", "a", id="r1", partners=("b",), outcome=Outcome.MISSED
    )

    def explained(unit_id: str, day: str, accepted: bool = True):
        return event("explanation", day, unit_id, about="r1", accepted=accepted, signer=Signer.HEAD)

    assert totals(posted(office, [commission])) == {"a": -20, "b": -20}
    own = explained("a", "2026-03-05")
    assert totals(posted(office, [commission, own])) == {"b": -20}
    strangers = explained("c", "2026-03-05")
    assert totals(posted(office, [commission, strangers])) == {"a": -20, "b": -20}
    taken_back = explained("a", "2026-03-09", accepted=False)
    assert totals(posted(office, [commission, own, taken_back])) == {"a": -20, "b": -20}


def test_like_adoptions_taken_together_are_each_worth_the_points() -> None:
    assert totals(posted(book(adoption()), [adopted("2026-03-01", "jn", times=3)])) == {"a": 60}
