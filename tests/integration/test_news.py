"""News of adoptions: to whoever sent the item and the unit's head, each record once, and to no
other unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from mailbot.app.letter_records import DutyState
from mailbot.core.duties.model import LetterRule, NewsMode
from mailbot.core.letters.periodic import AdoptionNews
from mailbot.core.rules.rulebook import SenderPolicy
from mailbot.core.subject.roster import Contact
from tests.integration.intake_help import LIAISON, item, with_policy
from tests.integration.morning_help import HEAD, NEWS, Days, office

HEADS: Mapping[str, Sequence[Contact]] = {
    "agriculture": (HEAD,),
    "water": (Contact("head", "李乙", address="liyi@example.org"),),
}
WEEKLY = replace(NEWS, news=NewsMode.WEEKLY)
MRYQ = "《每日要情》采用"
Made = Callable[..., Days]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """An office in service since Tuesday evening, 11 August 2026, whose item came at 19:00."""

    def make(
        rule: LetterRule = NEWS,
        contacts: Mapping[str, Sequence[Contact]] = HEADS,
        policy: SenderPolicy | None = None,
    ) -> Days:
        book = office(rule, contacts=contacts)
        days = Days(tmp_path, with_policy(book, policy) if policy else book)
        days.tick("08-11 18:00")
        days.at("08-11 19:00")
        days.world.bind(LIAISON, "agriculture")
        days.world.receive(item())
        return days

    return make


RECEIPT = "EQ202608-0001"
TITLE = "春耕备耕工作进展顺利"


def test_an_adoption_is_told_at_once_to_the_submitter_and_the_head(made: Made) -> None:
    days = made()
    days.at("08-12 10:00")
    days.adopt(RECEIPT)
    report = days.tick("08-12 10:01")
    assert report.done == ["news:otog:records:1:week"]
    said = (f"{TITLE}：{MRYQ}",)
    assert days.told() == [(LIAISON, said), (HEAD.address, said)]
    first, second = [x for x in days.shown.letters if isinstance(x, AdoptionNews)]
    assert (first.unit, first.to, second.to) == ("农牧局", "", "王甲")
    assert (first.lines[0].receipt, first.lines[0].day) == (RECEIPT, date(2026, 8, 11))
    keys = [x.key for x in days.sent if x.kind == "news"]
    assert keys == [
        f"news:otog:records:1:agriculture:week:{role}" for role in ("submitter", "head")
    ]
    days.restart()
    days.run("08-12 10:02", "08-13 10:00")
    assert len(days.told()) == 2


def test_what_was_entered_together_is_one_letter_to_each(made: Made) -> None:
    days = made()
    days.at("08-12 10:00")
    days.adopt(RECEIPT)
    days.record("批示", RECEIPT, level="自治区", urgent_major="否")
    days.tick("08-12 10:01")
    days.at("08-12 11:00")
    days.adopt(RECEIPT, "鄂尔多斯政讯")
    days.tick("08-12 11:01")
    (_, first), _, (_, later), _ = days.told()
    assert first == (f"{TITLE}：{MRYQ}", f"{TITLE}：自治区领导批示")
    assert len(later) == 1 and "鄂尔多斯政讯" in later[0]


def test_a_record_that_was_reversed_before_it_was_told_is_not_told(made: Made) -> None:
    days = made()
    days.at("08-12 10:00")
    days.take_back(days.adopt(RECEIPT))
    days.tick("08-12 10:01")
    assert days.told() == [] and days.done() == []
    number = days.adopt(RECEIPT, "鄂尔多斯政讯")
    days.tick("08-12 10:05")
    assert len(days.told()) == 2
    days.take_back(number)
    days.tick("08-12 10:10")
    assert len(days.told()) == 2


def test_other_records_are_no_news(made: Made) -> None:
    days = made()
    days.at("08-12 10:00")
    days.record("差错", RECEIPT, fault="迟报", reason="迟报一天", unit="农牧局")
    days.tick("08-12 10:01")
    assert days.told() == [] and days.done() == []


def test_off_tells_nothing(made: Made) -> None:
    days = made(replace(NEWS, news=NewsMode.OFF))
    days.at("08-12 10:00")
    days.adopt(RECEIPT)
    days.run("08-12 10:01", "08-25 10:00", hours=6)
    assert days.told() == [] and days.done() == []


def test_a_weeks_adoptions_are_told_on_its_first_working_day(made: Made) -> None:
    days = made(WEEKLY)
    days.at("08-13 10:00")
    days.adopt(RECEIPT)
    days.at("08-14 10:00")
    days.record("批示", RECEIPT, level="自治区", urgent_major="否")
    days.run("08-14 12:00", "08-24 12:00", hours=3)
    assert days.told()[0] == (LIAISON, (f"{TITLE}：{MRYQ}", f"{TITLE}：自治区领导批示"))
    assert len(days.told()) == 2
    states = [(r.new.period, r.new.state) for r in days.done()]
    assert states == [("2026-W34", DutyState.DONE), ("2026-W35", DutyState.SKIPPED)]
    days.at("08-26 10:00")
    days.adopt(RECEIPT, "鄂尔多斯政讯")
    days.run("08-27 00:00", "09-01 00:00", hours=3)
    (news, _) = [x for x in days.shown.letters if isinstance(x, AdoptionNews)][2:]
    assert news.since is not None and news.since.day == 17


def test_a_week_that_begins_with_a_holiday_is_told_on_its_first_working_day(made: Made) -> None:
    """国庆 2026: Thursday 8 October is the first working day of its week."""
    days = made(WEEKLY)
    days.at("09-29 10:00")
    days.adopt(RECEIPT)
    days.run("09-29 12:00", "10-12 12:00", hours=3)
    done = [(r.new.period, r.at.strftime("%m-%d")) for r in days.done() if r.new.letter == "news"]
    assert ("2026-W41", "10-08") in done
    assert len(days.told()) == 2


def test_downtime_over_several_weeks_is_told_once(made: Made) -> None:
    days = made(WEEKLY)
    days.at("08-13 10:00")
    days.adopt(RECEIPT)
    days.at("08-20 10:00")
    days.adopt(RECEIPT, "鄂尔多斯政讯")
    days.restart()
    days.run("09-02 10:00", "09-08 12:00", hours=6)
    assert [reader for reader, _ in days.told()] == [LIAISON, HEAD.address]
    assert len(days.told()[0][1]) == 2


def test_what_was_entered_before_the_service_or_the_letter_began_is_not_told(
    made: Made, tmp_path: Path
) -> None:
    days = made(replace(NEWS, start=date(2026, 8, 13)))
    days.at("08-12 10:00")
    days.adopt(RECEIPT)
    days.run("08-12 10:01", "08-14 10:00", hours=4)
    assert days.told() == []
    days.adopt(RECEIPT, "鄂尔多斯政讯")
    days.tick("08-14 12:00")
    assert len(days.told()) == 2
    (tmp_path / "b").mkdir()
    late = Days(tmp_path / "b", office(NEWS, contacts=HEADS))
    late.at("08-11 19:00")
    late.world.receive(item())
    late.adopt(RECEIPT)
    late.run("08-12 09:00", "08-13 09:00", hours=2)
    assert late.told() == []


def test_an_office_that_turns_news_on_is_not_flooded_with_old_ones(made: Made) -> None:
    days = made(replace(NEWS, news=NewsMode.OFF))
    days.at("08-12 10:00")
    days.adopt(RECEIPT)
    days.at("11-30 10:00")
    days.adopt(RECEIPT, "鄂尔多斯政讯", day="2026-11-28")
    days.book = replace(days.book, letters=replace(days.book.letters, letters=(NEWS,)))
    days.restart()
    days.tick("12-01 10:00")
    assert [len(lines) for _, lines in days.told()] == [1, 1]


# --- readers


def test_units_are_told_of_their_own_items_only(made: Made) -> None:
    days = made()
    water = "water@example.com"
    days.world.bind(water, "water")
    days.world.receive(item("水库除险加固工程完工", "水利局", "李四+7622030", sender=water))
    days.at("08-12 10:00")
    days.adopt(RECEIPT)
    days.adopt("EQ202608-0002")
    days.tick("08-12 10:01")
    by_reader = dict(days.told())
    assert set(by_reader) == {LIAISON, HEAD.address, water, "liyi@example.org"}
    for reader, lines in by_reader.items():
        own = "水库" if reader in (water, "liyi@example.org") else "春耕"
        assert [own in line for line in lines] == [True]


def test_of_a_joint_item_each_unit_gets_its_own_letter_that_names_no_other(made: Made) -> None:
    days = made()
    days.at("08-12 10:00")
    days.record("采用", RECEIPT, journal="每日要情", form="全文", partners="水利局")
    days.tick("08-12 10:01")
    assert {r for r, _ in days.told()} == {LIAISON, HEAD.address, "liyi@example.org"}
    for letter in days.sent:
        if letter.recipient == "liyi@example.org":
            assert letter.unit_id == "water"
    for news in (x for x in days.shown.letters if isinstance(x, AdoptionNews)):
        other = "农牧局" if news.unit == "水利局" else "水利局"
        assert other not in repr(news)
        # The receipt number is that of the unit which sent the item in.
        assert (RECEIPT in repr(news)) == (news.unit == "农牧局")


@pytest.mark.parametrize("state", ["refused", "elsewhere"])
def test_an_address_that_does_not_speak_for_the_unit_is_not_written_to(
    made: Made, state: str
) -> None:
    contacts = {"agriculture": (HEAD, Contact("liaison", "张三", address="zhang@example.org"))}
    days = made(contacts=contacts)
    if state == "refused":
        days.world.bind(LIAISON, "agriculture", "refused")
    else:
        days.world.bind(LIAISON, "water")
    days.at("08-12 10:00")
    days.adopt(RECEIPT)
    days.tick("08-12 10:01")
    assert [r for r, _ in days.told()] == ["zhang@example.org", HEAD.address]


@pytest.mark.parametrize(
    ("policy", "told"), [(SenderPolicy.OPEN, True), (SenderPolicy.BOUND, False)]
)
def test_an_address_nobody_bound_is_told_only_where_the_office_answers_everybody(
    made: Made, policy: SenderPolicy, told: bool
) -> None:
    days = made(policy=SenderPolicy.OPEN)
    stranger = "new@example.com"
    days.world.receive(item("牧区饮水安全工程开工建设", sender=stranger))
    days.book = with_policy(days.book, policy)
    days.restart()
    days.at("08-12 10:00")
    days.adopt("EQ202608-0002")
    days.tick("08-12 10:01")
    assert (stranger in dict(days.told())) is told
    assert (LIAISON in dict(days.told())) is not told, "else the unit's bound address"


def test_one_address_gets_one_letter_whatever_its_roles(made: Made) -> None:
    both = (Contact("head", "王甲", address=LIAISON.upper()),)
    days = made(contacts={"agriculture": both})
    days.at("08-12 10:00")
    days.adopt(RECEIPT)
    days.tick("08-12 10:01")
    assert [r.lower() for r, _ in days.told()] == [LIAISON]


def test_an_item_of_another_channel_is_told_to_the_liaison(made: Made) -> None:
    days = made()
    days.at("08-12 09:00")
    entered = days.record(
        "报送",
        unit="水利局",
        title="防汛物资储备到位",
        day="2026-08-12 08:30",
        category="简讯",
        channel="OA系统",
    )
    days.world.bind("shui@example.com", "water")
    days.adopt(entered.receipt, day="2026-08-12")
    days.tick("08-12 10:01")
    assert [r for r, _ in days.told()] == ["shui@example.com", "liyi@example.org"]


def test_a_unit_nobody_can_be_written_to_is_named_and_stops_nobody(made: Made) -> None:
    days = made(contacts={"agriculture": (HEAD,), "water": (Contact("head", "李乙"),)})
    days.world.receive(
        item("水库除险加固工程完工", "水利局", "李四+7622030", sender="w@example.com")
    )
    days.world.bind("w@example.com", "water", "refused")
    days.at("08-12 10:00")
    days.adopt("EQ202608-0002")
    days.adopt(RECEIPT)
    report = days.tick("08-12 10:01")
    assert len(days.told()) == 2
    (warning,) = report.warnings
    assert "水利局" in warning and "邮箱" in warning
    (row,) = days.done()
    units = row.new.detail["units"]
    assert units["agriculture"]["outcome"] == "sent"
    assert units["water"]["outcome"] == "unreachable"


def test_only_the_stages_roles_are_written_to(made: Made) -> None:
    stage = replace(NEWS.stages[0], to=("head",))
    days = made(replace(NEWS, stages=(stage,)))
    days.at("08-12 10:00")
    days.adopt(RECEIPT)
    days.tick("08-12 10:01")
    assert [r for r, _ in days.told()] == [HEAD.address]


def test_what_a_machine_with_a_fast_clock_entered_is_told_once(made: Made) -> None:
    """Told with what another machine entered next, whose clock says it was before: who told the
    one would pass over the other for good."""
    days = made()
    days.at("08-12 10:00")
    fast = days.clock.time + timedelta(minutes=3)
    days.clock.time = fast
    days.adopt(RECEIPT)
    days.tick("08-12 10:00")
    assert days.told() == []
    days.at("08-12 10:01")
    days.adopt(RECEIPT, "鄂尔多斯政讯")
    days.tick("08-12 10:01")
    assert [len(lines) for _, lines in days.told()] == [2, 2]
    days.run("08-12 10:02", "08-12 16:00")
    assert len(days.told()) == 2


def test_a_clock_set_back_tells_nothing_twice(made: Made) -> None:
    days = made()
    days.at("08-12 10:00")
    days.adopt(RECEIPT)
    days.tick("08-12 10:01")
    days.at("08-12 08:00")
    days.adopt(RECEIPT, "鄂尔多斯政讯")
    days.restart()
    days.run("08-12 08:01", "08-12 12:00")
    assert [len(lines) for _, lines in days.told()] == [1, 1, 1, 1]
    days.adopt(RECEIPT, "国办")
    days.tick("08-12 13:00")
    assert [len(lines) for _, lines in days.told()] == [1] * 6
