"""Case files: what an official writes becomes a case, and what cannot be meant is refused.

A case that is read wrongly would prove the wrong thing, so names, days and the counting month are
tried at their edges, and every slip must be told with its line.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.adapters.offices.caseevents import ALWAYS, EXTRA, REQUIRED
from mailbot.adapters.offices.casefile import office_of, read_case_file, read_cases
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.adapters.offices.rulewords import CONDITIONS
from mailbot.app.errors import OperatorFault
from mailbot.core.rules.cases import Case, Expected, ExpectedEntry
from mailbot.core.rules.events import Event, EventKind, Form, Outcome, Signer, UnitStatus
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import LedgerTask
from tests.unit.rulefile_help import BASIS, SOUND, write

MORE = f"""
[[rule]]
id = "special"
name = "特别贡献"
kind = "manual"
dated_by = "event"

[[rule.version]]
from = 2020-01-01
{BASIS}least = 1
most = 10
"""
MENTIONED = f"""
[[list]]
id = "watched"
name = "关注"
kind = "mentioned"
consequence = "review"
periods = ["quarter"]

[[list.version]]
from = 2020-01-01
{BASIS}
"""

HEAD = '[[case]]\nname = "一句话"\nperiod = "2022-Q3"\n'
EXPECT = '[case.expect]\npoints = { "农牧局" = 1 }\n'
SUBMITTED = '[[case.event]]\nunit = "农牧局"\nkind = "submission"\nday = 2022-07-10\n'


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> OfficeBook:
    files = {
        **SOUND,
        "scoring.toml": SOUND["scoring.toml"] + MORE,
        "notices.toml": SOUND["notices.toml"] + MENTIONED,
    }
    return load_office(write(tmp_path_factory.mktemp("office") / "jia", dict(files)))


def weekday(day: date) -> bool:
    return day.weekday() < 5


class Files:
    """Writes one case file after the other and reads it."""

    def __init__(self, folder: Path, book: OfficeBook) -> None:
        self.path, self.book = folder / "x.toml", book

    def read(self, text: str) -> list[Case]:
        self.path.write_text(text, encoding="utf-8")
        return read_cases(self.path, self.book, weekday)

    def one(self, text: str) -> Case:
        (case,) = self.read(text)
        return case

    def event(self, text: str) -> Event:
        (event,) = self.one(f"{HEAD}[[case.event]]\n{text}\n{EXPECT}").events
        return event

    def faults(self, text: str) -> list[str]:
        with pytest.raises(OperatorFault) as caught:
            self.read(text)
        return [str(f) for f in caught.value.faults]


@pytest.fixture
def files(tmp_path: Path, book: OfficeBook) -> Files:
    return Files(tmp_path, book)


# --- cases ------------------------------------------------------------------------------------


def test_a_case_is_read_whole(files: Files) -> None:
    case = files.one(
        """
office = "jia"
[[case]]
name = "两级刊物采用只取最高"
period = "2022年第三季度"
as_of = 2022-10-01
units = ["农牧局", "shuili"]
seal_before = ["2022-Q2", "2022-Q1"]
[[case.event]]
id = "e1"
unit = "农牧业局"
kind = "adoption"
day = 2022-08-03
item = "A"
journal = "《每日要情》"
form = "brief"
[case.expect]
points = { "农牧局" = 30, shuili = -2.5 }
cumulative = { "农牧局" = 31 }
places = { "农牧局" = 1, "水利局" = 0 }
missing = { "农牧局" = { items = 8 } }
columns = { "农牧局" = { submissions = 1, daily = 2 } }
lists = { first = ["农牧局"], watched = [] }
stars = { "农牧局" = 3 }
entries = [{ unit = "农牧局", rule = "adoption", points = 20, item = "A", day = 2022-08-03, clause = "要情" }]
"""
    )
    assert (case.name, case.office, case.period.code) == ("两级刊物采用只取最高", "jia", "2022-Q3")
    assert case.where == f"{files.path} 第 1 例"
    assert case.as_of == date(2022, 10, 1)
    assert [u.id for u in case.units or ()] == ["nongmu", "shuili"]
    assert [p.code for p in case.seal_before] == ["2022-Q1", "2022-Q2"]
    (event,) = case.events
    assert (event.id, event.kind, event.unit) == ("e1", EventKind.ADOPTION, "nongmu")
    assert (event.journal, event.form, event.item) == ("daily", Form.BRIEF, "A")
    assert case.expected == Expected(
        points=(("nongmu", Decimal(30)), ("shuili", Decimal("-2.5"))),
        cumulative=(("nongmu", Decimal(31)),),
        places=(("nongmu", 1), ("shuili", None)),
        missing=(("nongmu", (("items", 8),)),),
        columns=(("nongmu", (("submissions", 1), ("daily", 2))),),
        lists=(("first", ("nongmu",)), ("watched", ())),
        stars=(("nongmu", 3),),
        entries=(ExpectedEntry("nongmu", "adoption", Decimal(20), "A", date(2022, 8, 3), "要情"),),
    )


def test_without_units_the_whole_roster_takes_part(files: Files) -> None:
    case = files.one(HEAD + EXPECT)
    assert (case.units, case.events, case.as_of, case.expected.entries) == (None, (), None, None)


def test_a_case_may_bring_its_units(files: Files) -> None:
    case = files.one(
        HEAD
        + '[[case.unit]]\nid = "a"\nname = "甲区"\ngroup = "g2"\nend = 2022-08-31\nrecommender = "b"\n'
        + '[case.expect]\npoints = { "甲区" = 0 }\n'
    )
    (unit,) = case.units or ()
    assert (unit.id, unit.name, unit.group, unit.recommender) == ("a", "甲区", "g2", "b")
    assert unit.end == date(2022, 8, 31)
    assert case.expected.points == (("a", Decimal(0)),)


def test_units_brought_and_units_chosen_take_part_together(files: Files) -> None:
    unit = '[[case.unit]]\nid = "a"\nname = "甲区"\ngroup = "g2"\n'
    case = files.one(
        f'{HEAD}units = ["水利局"]\n{unit}[case.expect]\npoints = {{ "水利局" = 0 }}\n'
    )
    assert [u.id for u in case.units or ()] == ["shuili", "a"]


def test_the_office_of_a_file(files: Files) -> None:
    files.path.write_text('office = "yi"\n' + HEAD + EXPECT, encoding="utf-8")
    assert office_of(files.path) == "yi"
    (said,) = files.faults('office = "yi"\n' + HEAD + EXPECT)
    assert "第 1 行 office" in said and "yi" in said


# --- events -----------------------------------------------------------------------------------


def test_what_an_event_of_each_kind_says(files: Files) -> None:
    on = 'unit = "水利局"\nday = 2022-08-01\n'
    instructed = files.event(f'{on}kind = "instruction"\nlevel = "省"\nurgent_major = true')
    assert (instructed.level, instructed.urgent_major) == ("province", True)
    done = files.event(f'{on}kind = "commission"\noutcome = "missed"\nlevel = "city"\ntimes = 3')
    assert (done.outcome, done.level, done.times) == (Outcome.MISSED, "city", 3)
    error = files.event(f'{on}kind = "error"\nfault = "late"\nmajor = true\npeople = ["分管 张三"]')
    assert (error.fault, error.major, error.people) == ("late", True, ("分管 张三",))
    manual = files.event(f'{on}kind = "manual"\nrule = "special"\npoints = 2.5\nreason = "x"')
    assert (manual.rule, manual.points, manual.reason) == ("special", Decimal("2.5"), "x")
    assert files.event(f'{on}kind = "mention"\nrule = "watched"').rule == "watched"
    status = files.event(f'{on}kind = "status"\nstatus = "suspended"')
    assert status.status is UnitStatus.SUSPENDED
    task = files.event(f'{on}kind = "task"\nitem = "t1"\ndue = 2022-12-31')
    assert (task.item, task.due) == ("t1", date(2022, 12, 31))
    joint = files.event(
        f'{on}kind = "joint_research"\npartners = ["农牧局"]\n'
        'shares = { "水利局" = 0.75, nongmu = 0.25 }\nrecorded = 2022-09-01'
    )
    assert joint.partners == ("nongmu",)
    assert joint.shares == (("shuili", Decimal("0.75")), ("nongmu", Decimal("0.25")))
    assert joint.recorded == date(2022, 9, 1)


def test_an_explanation_is_about_an_event(files: Files) -> None:
    case = files.one(
        HEAD
        + '[[case.event]]\nid = "m"\nunit = "水利局"\nkind = "commission"\nday = 2022-08-01\noutcome = "missed"\n'
        + '[[case.event]]\nunit = "水利局"\nkind = "explanation"\nday = 2022-08-05\nabout = "m"\n'
        + 'accepted = true\nsigner = "head"\n'
        + EXPECT
    )
    told = case.events[1]
    assert (told.about, told.accepted, told.signer) == ("m", True, Signer.HEAD)


def test_a_submission_without_category_is_of_the_default_one(files: Files) -> None:
    on = 'unit = "水利局"\nkind = "submission"\nday = 2022-08-01\n'
    assert files.event(on).category == "news"
    assert files.event(f'{on}category = "问题类"').category == "problem"


def test_what_is_about_an_item_has_its_category(files: Files) -> None:
    case = files.one(
        HEAD
        + '[[case.event]]\nunit = "农牧局"\nkind = "adoption"\nday = 2022-08-01\nitem = "A"\njournal = "daily"\n'
        + SUBMITTED + 'item = "A"\ncategory = "problem"\ncommissioned = true\n' + EXPECT
    )  # fmt: skip
    adopted = case.events[0]
    assert (adopted.category, adopted.commissioned) == ("problem", True)


def test_a_task_is_one_of_the_plan_or_has_a_title(tmp_path: Path, book: OfficeBook) -> None:
    plan = LedgerTask("t1", "一", "做好", 2022)
    office = Files(tmp_path, replace(book, scoring=replace(book.scoring, tasks=(plan,))))
    on = 'unit = "水利局"\nday = 2022-08-01\n'
    assert office.event(f'{on}kind = "task"\nitem = "t1"').item == "t1"
    assert office.event(f'{on}kind = "task"\nitem = "own"\ntitle = "另一本台账"').item == "own"
    assert office.event(f'{on}kind = "task_done"\nitem = "t1"').item == "t1"
    (said,) = office.faults(f'{HEAD}[[case.event]]\n{on}kind = "task"\nitem = "t2"\n{EXPECT}')
    assert "第 8 行" in said and "没有任务“t2”" in said and "t1 另立的台账要写 title" in said
    (said,) = office.faults(f'{HEAD}[[case.event]]\n{on}kind = "task_done"\nitem = "t2"\n{EXPECT}')
    assert "前面没有交办任务“t2”" in said


@pytest.mark.parametrize(
    ("day", "corrected", "counts"),
    [
        # Friday 29 July; three working days later is Wednesday 3 August
        ("2022-07-29", "2022-08-03", "2022-07-29"),
        ("2022-07-29", "2022-08-04", "2022-08-04"),
        ("2022-07-29", "2022-07-29", "2022-07-29"),
        # late, but within the month: the day of receipt stays
        ("2022-07-01", "2022-07-20", "2022-07-01"),
    ],
)
def test_a_corrected_submission_counts_where_the_rules_say(
    files: Files, day: str, corrected: str, counts: str
) -> None:
    event = files.event(
        f'unit = "水利局"\nkind = "submission"\nday = {day}\ncorrected = {corrected}\n'
    )
    assert event.day == date.fromisoformat(counts)


def test_a_name_counts_on_its_days(files: Files) -> None:
    """农业局 was 农牧局 until 2021 and is 水利局 since."""
    old = files.event('unit = "农业局"\nkind = "filing"\nday = 2021-12-31')
    new = files.event('unit = "甲旗农业局"\nkind = "filing"\nday = 2022-01-01')
    assert (old.unit, new.unit) == ("nongmu", "shuili")


# --- refused as expected ----------------------------------------------------------------------


def test_a_case_may_expect_that_a_name_is_refused(files: Files) -> None:
    event = '[[case.event]]\nunit = "农牧局"\nkind = "adoption"\nday = 2022-08-01\njournal = "每日要闻"\n'
    files.path.write_text(f'{HEAD}{event}[case.expect]\nerror = "每日要情"\n', encoding="utf-8")
    found = read_case_file(files.path, files.book, weekday)
    assert (found.cases, found.refused) == ((), ("一句话",))


def test_another_refusal_than_the_expected_one_is_told(files: Files) -> None:
    event = '[[case.event]]\nunit = "农牧局"\nkind = "adoption"\nday = 2022-08-01\njournal = "每日要闻"\nfrom = 1\n'
    said = files.faults(f'{HEAD}{event}[case.expect]\nerror = "每日要情"\n')
    assert len(said) == 2


def test_what_the_reading_does_not_refuse_must_be_refused_by_the_reckoning(files: Files) -> None:
    assert files.one(f'{HEAD}{SUBMITTED}[case.expect]\nerror = "没有"\n').expected.error == "没有"


# --- faults -----------------------------------------------------------------------------------


def expecting(text: str) -> str:
    return f"{HEAD}[case.expect]\n{text}\n"


def with_event(text: str) -> str:
    return f'{HEAD}[[case.event]]\nunit = "农牧局"\nday = 2022-08-01\n{text}\n{EXPECT}'


BROKEN: dict[str, tuple[str, list[str]]] = {
    # the file
    "empty": ("", ["缺少 case|[[case]]"]),
    "unknown keys": (f"kind = 1\n{HEAD}note = 1\n{EXPECT}", ["第 1 行 kind|不认识", "第 5 行|note|不认识"]),
    "two cases of one name": (HEAD + EXPECT + HEAD + EXPECT, ["第 7 行|[[case]] 第 2 个|“一句话”写了两次"]),
    # the case
    "without anything": ("[[case]]\n", ["缺少 name", "缺少 period", "缺少 expect"]),
    "a period that is none": (HEAD.replace("2022-Q3", "2022-Q5") + EXPECT, ["第 3 行|period|“2022-Q5”不是时段|2022-Q3"]),
    "a period without quotes": (HEAD.replace('"2022-Q3"', "2022") + EXPECT, ["period|数字 2022"]),
    "a week there is not": (HEAD.replace("2022-Q3", "2022-W53") + EXPECT, ["period|不是时段"]),
    "a period of another age": (HEAD.replace("2022-Q3", "9999") + EXPECT, ["period|年份不对"]),
    "a day of another age": (f"{HEAD}as_of = 0001-01-01\n{EXPECT}", ["as_of|年份不对"]),
    "seals of the wrong kind": (f'{HEAD}seal_before = ["2022-07", "x"]\n{EXPECT}',
                                ["seal_before|“2022-07”不是封账的时段|2022-Q3", "“x”不是时段"]),
    "units that are none": (f'{HEAD}units = ["农机局", "农业局", "水利"]\n{EXPECT}',
                            ["units|没有这个单位“农机局”|农牧局", "units|没有这个单位“水利”|水利局", "points] 农牧局|没有列入这一例"]),
    "units brought twice": (f'{HEAD}units = ["水利局"]\n'
                            + '[[case.unit]]\nid = "shuili"\nname = "甲"\ngroup = "g3"\n' * 2 + '[case.expect]\nstars = { "甲" = 0 }\n',
                            ["group|没有这个组“g3”", "group|没有这个组“g3”", "id|“shuili”写了两次", "name|“甲”写了两次", "units|“shuili”又写成了"]),
    # events
    "an unknown kind": (with_event('kind = "submision"'), ["第 7 行|kind|submision|是不是 submission"]),
    "no kind": (with_event(""), ["缺少 kind"]),
    "no unit and no day": (f'{HEAD}[[case.event]]\nkind = "filing"\n{EXPECT}', ["缺少 unit", "缺少 day"]),
    "an unknown unit": (with_event('kind = "filing"').replace("农牧局", "农木局", 1), ["第 5 行|unit|没有这个单位“农木局”|农牧局"]),
    "an unknown journal": (with_event('kind = "adoption"\njournal = "每日要闻"'), ["第 8 行|journal|没有这个刊物“每日要闻”|每日要情"]),
    "no journal": (with_event('kind = "adoption"'), ["采用（adoption）缺少 journal"]),
    "a level of another event": (with_event('kind = "forwarding"\nlevel = "省"'), ["level|没有这个级别“省”|市"]),
    "an unknown category": (with_event('kind = "submission"\ncategory = "动太"'), ["category|没有这个类别“动太”|动态"]),
    "an unknown outcome, form, fault": (
        with_event('kind = "commission"\noutcome = "late"') + with_event('kind = "adoption"\njournal = "daily"\nform = "long"').replace("一句话", "二")
        + with_event('kind = "error"\nfault = "lost"').replace("一句话", "三"), ["outcome|late|done", "form|long", "fault|lost"]),
    "what the kind does not say": (with_event('kind = "instruction"\nlevel = "市"\njournal = "daily"\nleval = "市"\nsigner = "head"'),
                                   ["批示（instruction）没有 journal 这一项", "没有 leval 这一项|是不是 level", "没有 signer 这一项"]),
    "an id twice": (f'{HEAD}{SUBMITTED}id = "e"\n{SUBMITTED}id = "e"\n{EXPECT}', ["第 13 行|id|“e”写了两次"]),
    "about nothing": (with_event('kind = "explanation"\nabout = "e9"\nsigner = "boss"'), ["about|没有 id 是“e9”", "signer|boss"]),
    "times of an item": (with_event('kind = "submission"\nitem = "A"\ntimes = 2'), ["times|既写了 item 又写了 times"]),
    "times nought": (with_event('kind = "submission"\ntimes = 0'), ["times|0 超出范围"]),
    "corrected before it came": (with_event('kind = "submission"\ncorrected = 2022-07-31'), ["corrected|2022-07-31 早于报送 2022-08-01"]),
    "an adoption corrected": (with_event('kind = "adoption"\njournal = "daily"\ncorrected = 2022-08-02'), ["没有 corrected 这一项"]),
    "points by a rule that is not by hand": (with_event('kind = "manual"\nrule = "adoption"\nreason = "某事"\npoints = "3"'),
                                             ["rule|没有这个人工记分规则（manual）“adoption”|special", "points|文字 3"]),
    "a mention on a list that finds its own": (with_event('kind = "mention"\nrule = "first"'), ["rule|由人列入的名单（mentioned）“first”"]),
    "shares that do not add up": (with_event('kind = "submission"\npartners = ["水利局", "农牧局"]\nshares = { "水利局" = 0.5, "农牧局" = 0.4 }'),
                                  ["partners|“nongmu”是它自己", "shares|加起来是 0.9"]),
    "a share for somebody else": (with_event('kind = "submission"\nshares = { "水利局" = 1 }'), ["水利局|不在联合单位里"]),
    # expectations
    "a case that cannot fail": (expecting(""), ["expect|什么也没有写"]),
    "nothing expected in a table": (expecting("points = {}"), ["points|是空的"]),
    "no columns of a unit": (expecting('columns = { "农牧局" = {} }'), ["农牧局|是空的"]),
    "refused, and more": (expecting('error = "x"\npoints = { "农牧局" = 1 }'), ["error|既写了 error 又写了 points"]),
    "refused without words": (expecting('error = ""'), ["error|是空的|应有的几个字"]),
    "expected of nobody known": (expecting('points = { "农木局" = 1 }\nplaces = { "x" = 1 }'),
                                 ["第 5 行|[points] 农木局|没有这个单位|农牧局", "places|没有这个单位“x”"]),
    "numbers that are none": (expecting('points = { "农牧局" = "3" }\nplaces = { "农牧局" = -1 }\nstars = { "农牧局" = 1.5 }'),
                              ["points|文字 3", "places|-1 超出范围", "stars|小数 1.5"]),
    "a unit twice": (expecting('points = { "农牧局" = 1, nongmu = 2 }'), ["nongmu|nongmu 写了两次"]),
    "an unknown list, column, quota, rule": (
        expecting('lists = { frist = [] }\ncolumns = { nongmu = { dayly = 1 } }\nmissing = { nongmu = { itms = 1 } }\n'
                  'entries = [{ unit = "nongmu", rule = "adopton", points = 1 }]'),
        ["lists|没有这份名单“frist”|是不是 first", "没有这个列“dayly”|是不是 daily", "没有这个报送任务“itms”|是不是 items",
         "rule|没有这条规则“adopton”|是不是 adoption"]),
    "an entry without anything": (expecting("entries = [{}]"), ["缺少 unit", "缺少 rule", "缺少 points"]),
    "an unknown expectation": (expecting('point = { "农牧局" = 1 }'), ["不认识的键 point|是不是 points"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_tells_all_its_faults_at_once(files: Files, name: str) -> None:
    text, say = BROKEN[name]
    faults = files.faults(text)
    said = "\n".join(faults)
    left = list(faults)
    for words in say:
        match = next((f for f in left if all(w in f for w in words.split("|"))), None)
        assert match is not None, f"nobody said {words}:\n{said}"
        left.remove(match)
    assert left == [], f"said besides:\n{said}"
    assert all(str(files.path) in f and "→" in f for f in faults)


def test_a_name_that_is_no_longer_one_says_whose_it_was(tmp_path: Path, book: OfficeBook) -> None:
    event = '[[case.event]]\nunit = "旧局"\nkind = "filing"\nday = 2022-07-02\n'
    old = '{ text = "旧局", end = 2022-07-01 }'
    units = SOUND["units.toml"].replace('"农牧业局"', f'"农牧业局", {old}')
    dated = load_office(write(tmp_path / "jia", {**SOUND, "units.toml": units}))
    (said,) = Files(tmp_path, dated).faults(HEAD + event + EXPECT)
    assert "2022-07-02 没有单位叫“旧局”" in said and "农牧局（nongmu）" in said


def test_every_kind_of_event_can_be_written() -> None:
    assert set(EXTRA) == set(EventKind)
    for kind, keys in REQUIRED.items():
        assert set(keys) <= {*ALWAYS, *EXTRA[kind], *CONDITIONS.get(kind, ())}


def test_a_period_may_be_of_any_kind(files: Files) -> None:
    for written, kind in (
        ("2022-07", PeriodKind.MONTH),
        ("2022-H2", PeriodKind.HALF),
        ("2022年", PeriodKind.YEAR),
    ):
        case = files.one(HEAD.replace("2022-Q3", written) + EXPECT)
        assert case.period == Period.of(kind, date(2022, 7, 1))


WHOLE = "".join(text for text, _ in BROKEN.values() if "[[case]]" in text).split("\n")


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_stands_there_only_faults_come_out(files: Files, data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from(WHOLE), max_size=40))
    try:
        cases = files.read(HEAD + "\n".join(lines))
    except OperatorFault as fault:
        assert all(f.found and f.remedy for f in fault.faults)
    else:
        assert all(c.expected != Expected() for c in cases)
