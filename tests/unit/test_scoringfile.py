"""`scoring.toml`: every kind of rule is read as written, and every slip is told with its place.

What must never happen: points that look decided and are not (a line nothing reaches, a combination
without a line), a number that is not what stands in the file, a crash instead of a fault.
"""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.adapters.offices.kindfile import READERS
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.adapters.offices.rulewords import ALL_CONDITIONS, CONDITIONS, FLAGS
from mailbot.app.errors import OperatorFault
from mailbot.core.rules.events import EventKind, Form, Match, Outcome, Signer
from mailbot.core.rules.kinds import (
    KINDS,
    BaseLine,
    Cap,
    Conversion,
    DatedBy,
    Floor,
    Joint,
    Ladder,
    Manual,
    Measure,
    Mode,
    Multiplier,
    Points,
    QuotaBase,
    Repeat,
    Shortage,
    Zeroing,
)
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.scorebook import ColumnCount, OrderBy, Scoring, Ties
from tests.unit.rulefile_help import (
    BASIS,
    SOUND,
    Broken,
    broken,
    changed,
    faults_of,
    tell_all,
    write,
)

RULE = f"""
[[rule]]
id = "{{0}}"
name = "{{0}}"
kind = "{{1}}"
dated_by = "event"

[[rule.version]]
from = 2021-01-01
{BASIS}{{2}}
"""


def rule(kind: str, values: str, name: str = "extra") -> str:
    return RULE.replace("{0}", name).replace("{1}", kind).replace("{2}", values)


def scoring(folder: Path, more: str) -> Scoring:
    return load_office(write(folder / "jia", changed("scoring.toml", "", more))).scoring


def values(folder: Path, kind: str, text: str) -> object:
    return scoring(folder, rule(kind, text)).rule("extra").versions[0].values


# --- what is read -----------------------------------------------------------------------------


def test_a_sound_file_is_read_whole(tmp_path: Path) -> None:
    found = scoring(tmp_path, "")
    assert found.settles is PeriodKind.QUARTER
    assert [(j.id, j.aliases) for j in found.journals] == [("daily", ("要情日报",)), ("weekly", ())]
    assert [level.events for level in found.levels] == [(EventKind.INSTRUCTION,), ()]
    assert [r.dated_by for r in found.rules] == [DatedBy.EVENT] * 2
    points = found.rule("adoption").versions[0].values
    assert isinstance(points, Points)
    assert (points.repeat, points.joint) == (Repeat.HIGHEST_PER_ITEM, Joint.FULL)
    daily, weekly, rest = points.lines
    assert (daily.points, daily.label, daily.stars) == (Decimal(20), "《每日要情》采用", 2)
    assert weekly.match == Match(
        EventKind.ADOPTION, journal=("weekly",), form=(Form.FULL, Form.SPECIAL)
    )
    assert (weekly.points, rest.points) == (Decimal("2.5"), Decimal(0))
    (ranking,) = found.rankings
    assert (ranking.order, ranking.ties) == ((OrderBy.POINTS,), Ties.SHARE)
    assert [t.groups for t in ranking.tables] == [("g1",), ("g2",)]
    assert ranking.columns[0].count is ColumnCount.EVENTS


def test_every_kind_of_rule_has_its_reader() -> None:
    assert READERS.keys() == KINDS.keys()


def test_points_are_decimals_to_the_last_digit(tmp_path: Path) -> None:
    text = '[[rule.version.line]]\nevent = "training"\npoints = {}\nclause = "一"\n'
    for written in ("0.1", "-0.3", "33.33", "100000", "1_000.5"):
        found = values(tmp_path, "points", text.format(written))
        assert isinstance(found, Points)
        assert found.lines[0].points == Decimal(written.replace("_", ""))


def test_the_other_kinds_are_read(tmp_path: Path) -> None:
    late = 'match = [{ event = "commission", outcome = "missed" }]\n'
    line = '[[rule.version.line]]\ngroups = ["g1"]\nclause = "一"\n'
    step = '[[rule.version.step]]\nat_least = {}\nbelow = {}\npoints = {}\nclause = "一"\n'
    missed = Match(EventKind.COMMISSION, outcome=(Outcome.MISSED,))
    assert values(tmp_path, "multiplier", f'rules = ["adoption"]\nfactor = 1.5\n{late}') == (
        Multiplier(("adoption",), (missed,), Decimal("1.5"))
    )
    text = f'mode = "pro_rata"\n{line}quotas = ["items"]\npoints = 20\n'
    assert values(tmp_path, "base", text) == QuotaBase(
        (BaseLine(("g1",), ("items",), Decimal(20), "一"),), Mode.PRO_RATA
    )
    short = values(tmp_path, "shortage", f'{line}quota = "items"\npoints_each = -2\nleast = -10\n')
    assert isinstance(short, Shortage)
    assert (short.lines[0].points_each, short.lines[0].least) == (Decimal(-2), Decimal(-10))
    text = f'measure = "missing"\nquota = "items"\nperiod = "year"\n{step.format(1, 3, -5)}'
    ladder = values(tmp_path, "ladder", text)
    assert isinstance(ladder, Ladder)
    assert (ladder.measure, ladder.period) == (Measure.MISSING, PeriodKind.YEAR)
    assert (ladder.steps[0].at_least, ladder.steps[0].below) == (Decimal(1), Decimal(3))
    assert values(tmp_path, "manual", "least = -10\nmost = 0\n") == Manual(Decimal(-10), Decimal(0))
    limit = 'rules = ["submission"]\nperiod = "month"\n'
    assert values(tmp_path, "cap", f"most = 30\n{limit}") == Cap(
        ("submission",), Decimal(30), PeriodKind.MONTH
    )
    assert values(tmp_path, "floor", f"at = 0\n{limit}") == Floor(
        ("submission",), Decimal(0), PeriodKind.MONTH
    )
    text = f'at_least = 2\nperiod = "year"\nexcused_by = ["head"]\n{late}'
    assert values(tmp_path, "zeroing", text) == Zeroing(
        (missed,), 2, PeriodKind.YEAR, (Signer.HEAD,)
    )
    assert values(tmp_path, "conversion", 'period = "month"\ngroups = ["g2"]\n') == Conversion(
        None, PeriodKind.MONTH, ("g2",)
    )


def test_a_ladder_may_have_no_steps_yet(tmp_path: Path) -> None:
    found = values(tmp_path, "ladder", 'measure = "adoption_rate"\nperiod = "year"\n')
    assert isinstance(found, Ladder)
    assert found.steps == ()


def test_versions_are_sorted_and_one_may_repeal(tmp_path: Path) -> None:
    later = f"\n[[rule.version]]\nfrom = 2020-06-01\n{BASIS}repealed = true\n"
    found = scoring(
        tmp_path, rule("manual", "least = 1\nmost = 2\n") + later.replace("2020", "2023")
    )
    assert [(v.start, v.values is None) for v in found.rule("extra").versions] == [
        (date(2021, 1, 1), False),
        (date(2023, 6, 1), True),
    ]


def test_a_cap_may_stand_before_the_rules_it_is_about(tmp_path: Path) -> None:
    cap = rule("cap", 'rules = ["later"]\nmost = 1\nperiod = "year"\n')
    found = scoring(tmp_path, cap + rule("manual", "least = 1\nmost = 2\n", "later"))
    assert [r.id for r in found.rules][-2:] == ["extra", "later"]


def test_what_is_left_to_the_office_is_kept(tmp_path: Path) -> None:
    found = scoring(tmp_path, f'[[left]]\nabout = "分几档"\n{BASIS}')
    assert [(x.about, x.basis.clause) for x in found.left] == [("分几档", "一（一）")]


# --- what is left out -------------------------------------------------------------------------


def line(**given: str) -> str:
    written = {"event": '"adoption"', "points": "1", "clause": '"一"', **given}
    return "\n[[rule.version.line]]\n" + "".join(f"{k} = {v}\n" for k, v in written.items())


@pytest.mark.parametrize(
    ("old", "new", "gap"),
    [
        ('category = "problem"\n', 'category = "problem"\ncommissioned = true\n',
         "报送（submission），category = problem，commissioned = false"),
        ('journal = "weekly"\npoints = 0', 'journal = "weekly"\nform = "brief"\npoints = 0',
         "journal = weekly，form = roundup"),
        ('journal = "daily"\npoints', 'journal = "daily"\nurgent_major = true\npoints',
         "journal = daily，urgent_major = false"),
        ('[[rule]]\nid = "adoption"', '[[journal]]\nid = "new"\nname = "新刊"\n\n[[rule]]\nid = "adoption"',
         "journal = new"),
    ],
)  # fmt: skip
def test_a_combination_without_points_is_named(
    tmp_path: Path, old: str, new: str, gap: str
) -> None:
    folder = write(tmp_path / "jia", changed("scoring.toml", old, new))
    (said,) = faults_of(lambda: load_office(folder))
    assert gap in said
    assert "从 2020-01-01 起" in said
    assert "points = 0" in said
    assert "第 " in said and "[[rule.version]]" in said


def test_a_new_category_needs_points_from_its_day(tmp_path: Path) -> None:
    """A category of 2024 has no points in the rules of 2020; those of 2023 hold on that day."""
    version = SOUND["categories.toml"].replace("2020-01-01", "2024-01-01")
    later = version.replace("default", "default", 1) + (
        '\n[[version.category]]\nid = "research"\nname = "调研"\nmarks = []\n'
    )
    submission = SOUND["scoring.toml"]
    at = submission.index('[[rule]]\nid = "adoption"')
    newer = "\n[[rule.version]]\nfrom = 2023-01-01\n" + BASIS + line(event='"submission"')
    files = {
        **SOUND,
        "categories.toml": SOUND["categories.toml"] + later,
        "scoring.toml": submission[:at] + newer + submission[at:],
    }
    assert load_office(write(tmp_path / "jia", files))
    files["scoring.toml"] = submission
    (said,) = faults_of(lambda: load_office(write(tmp_path / "yi", files)))
    assert "category = research" in said


def test_many_gaps_are_counted_not_poured_out(tmp_path: Path) -> None:
    journals = "".join(f'[[journal]]\nid = "j{n}"\nname = "刊物{n}"\n' for n in range(40))
    lines = "".join(line(event='"adoption"', journal=f'"j{n}"', form='"brief"') for n in range(40))
    text = rule("points", lines).replace("2021-01-01", "2019-01-01") + journals
    folder = write(tmp_path / "jia", changed("scoring.toml", "", text))
    said = faults_of(lambda: load_office(folder))
    assert len([s for s in said if "没有记分的行" in s]) <= 12
    assert "这样的还有" in "\n".join(said)


def test_the_lines_of_several_rules_may_share_the_work(tmp_path: Path) -> None:
    folder = changed(
        "scoring.toml",
        'journal = "weekly"\npoints = 0',
        'journal = "weekly"\nform = "brief"\npoints = 0',
    )
    text = folder["scoring.toml"]
    assert isinstance(text, str)
    more = rule("points", line(form='"roundup"')).replace("2021-01-01", "2020-01-01")
    assert load_office(write(tmp_path / "jia", {**SOUND, "scoring.toml": text + more}))


def test_a_rule_that_is_repealed_leaves_no_gap(tmp_path: Path) -> None:
    text = rule("points", line(event='"training"')) + (
        f"\n[[rule.version]]\nfrom = 2022-01-01\n{BASIS}repealed = true\n"
    )
    assert scoring(tmp_path, text).rule("extra").versions[1].values is None


def test_follow_ups_are_never_submissions_without_points(tmp_path: Path) -> None:
    """They count for nothing, so a line that leaves them out leaves no gap."""
    files = changed(
        "scoring.toml", 'category = "problem"\n', 'category = "problem"\nfollow_up = false\n'
    )
    assert load_office(write(tmp_path / "jia", files))


# --- broken files -----------------------------------------------------------------------------

ADOPTION = '[[rule.version.line]]\nevent = "adoption"\njournal = "daily"\n'


def extra(name: str, kind: str, text: str, *say: str) -> Broken:
    return broken(name, ("scoring.toml", "", rule(kind, text)), say=list(say))


def swap(name: str, old: str, new: str, *say: str) -> Broken:
    return broken(name, ("scoring.toml", old, new), say=list(say))


LIMIT = 'rules = ["submission"]\nperiod = "month"\n'
LINE = '\n[[rule.version.line]]\nclause = "一"\ngroups = ["g1"]\n'
STEP = '\n[[rule.version.step]]\nclause = "一"\npoints = -1\n'
YEARLY = 'period = "year"\nmeasure = "adoption_rate"\n'
QUOTA = (
    '\n[[quota]]\nid = "soft"\nname = "专报"\nperiod = "month"\nremark_only = true\n'
    + SOUND["quota.toml"][SOUND["quota.toml"].index("[[quota.version]]") :]
)

BROKEN = [
    # the file
    broken("no file", ("scoring.toml", "", None), say=["scoring.toml|缺少这个文件"]),
    broken("an empty file", ("scoring.toml", SOUND["scoring.toml"], ""),
           ("notices.toml", SOUND["notices.toml"], ""),
           say=["缺少 ranking|至少一个 [[ranking]]", "缺少 settles"]),
    swap("an unknown table", '[[rule]]\nid = "submission"', '[[rules]]\nid = "x"\n[[rule]]\nid = "submission"',
         "不认识的键 rules|是不是 rule"),
    swap("settles something else", 'settles = "quarter"', 'settles = "quarterly"',
         "第 1 行|settles|quarterly|是不是 quarter"),
    # terms
    swap("a journal twice", 'id = "weekly"\n', 'id = "daily"\n',
         "[[journal]] 第 2 个|id|“daily”写了两次", *["没有这个刊物“weekly”"] * 2),
    swap("a journal's alias is another's name", '"要情日报"', '"要情日报", "政务周报"',
         "第 9 行|“政务周报”已是 daily 的名称"),
    swap("a level for an event there is not", 'events = ["instruction"]', 'events = ["instructions"]',
         "[[level]] 第 1 个（省） events|instructions|是不是 instruction"),
    swap("a rank of the wrong kind", 'id = "weekly"\n', 'id = "weekly"\nrank = "高"\n', "rank|文字 高|整数"),
    swap("a journal with events", 'id = "weekly"\n', 'id = "weekly"\nevents = ["adoption"]\n', "不认识的键 events"),
    # rules
    swap("a rule twice", 'id = "adoption"\nname', 'id = "submission"\nname',
         "[[rule]] 第 2 个（采用积分） id|规则“submission”写了两次"),
    swap("a rule of no kind", 'kind = "points"\ndated_by = "event"\n\n[[rule.version]]\nfrom = 2020-01-01\n'
         + BASIS + "repeat", 'kind = "pionts"\ndated_by = "evnt"\n\n[[rule.version]]\nfrom = 2020-01-01\n'
         + BASIS + "repeat", "kind|pionts|是不是 points", "dated_by|evnt|是不是 event"),
    swap("a rule without its date", 'kind = "points"\ndated_by = "event"\n', 'kind = "points"\n', "缺少 dated_by"),
    broken("a rule without versions", ("scoring.toml", "", '[[rule]]\nid = "x"\nname = "x"\nkind = "cap"\ndated_by = "event"\n'),
           say=["第 93 行|version|缺少 version|至少一个 [[rule.version]]"]),
    broken("two versions from one day", ("scoring.toml", "", rule("manual", "least = 1\nmost = 2\n")
           + f"[[rule.version]]\nfrom = 2021-01-01\n{BASIS}least = 1\nmost = 3\n"),
           say=["另一个 [[rule.version]] 也从 2021-01-01 起"]),
    extra("a version of another age", "manual", "least = 1\nmost = 2\n[[rule.version]]\nfrom = 9999-12-31\n"
          f"{BASIS}least = 1\nmost = 2\n", "from|9999-12-31 年份不对"),
    extra("a version that repeals from the start", "manual", "repealed = true\n", "repealed|第一个版本就是废止"),
    extra("a repealed version with values", "manual", "least = 1\nmost = 2\n[[rule.version]]\nfrom = 2022-01-01\n"
          f"{BASIS}repealed = true\nleast = 1\n", "least|废止的版本还写了 least"),
    extra("a version without basis", "manual", "least = 1\nmost = 2\n[[rule.version]]\nfrom = 2022-01-01\n"
          "least = 1\nmost = 2\n", "第 2 个（2022-01-01） basis|缺少 basis"),
    # numbers
    *(extra(f"points {p}", "manual", f"least = {p}\nmost = 200000\n", f"least|{said}", "most|200000 超出范围")
      for p, said in (("nan", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity"), ('"5"', "文字 5"),
                      ("true", "是否值 true"), ("[1]", "列表"), ("-100001", "超出范围"), ("1e3", "1E+3|指数"),
                      ("1e-9", "小数至多 4 位"), ("0.12345", "小数至多 4 位"), ("1e999999", "超出范围"),
                      ("1e-999999", "小数至多 4 位"), ("2020-01-01", "日期"))),
    # lines
    swap("no lines", ADOPTION, '[[rule.version.lines]]\nevent = "adoption"\njournal = "daily"\n',
         "不认识的键 lines|是不是 line"),
    swap("a line without event, points, clause", 'event = "submission"\ncategory = "news"\npoints = 1\nclause = "一（一）：动态"\n',
         "", "第 30 行|缺少 event", "缺少 points", "缺少 clause"),
    swap("an unknown event", 'event = "submission"\ncategory = "news"', 'event = "submision"',
         "第 31 行|event|submision|是不是 submission"),
    swap("an unknown journal, near", '"weekly"\npoints = 0', '"weakly"\npoints = 0', "没有这个刊物“weakly”|是不是 weekly"),
    swap("an unknown category", 'category = "news"', 'category = "newes"', "没有这个类别“newes”|是不是 news"),
    swap("an unknown form", '"special"', '"specail"', "form|specail|是不是 special"),
    swap("a misspelt condition", 'journal = "daily"\npoints', 'jurnal = "daily"\npoints',
         "不认识的键 jurnal|是不是 journal"),
    swap("a journal for a submission", 'category = "news"', 'category = "news"\njournal = "daily"',
         "journal|报送（submission）没有 journal 可言|category"),
    extra("a journal for a staff officer", "points", line(event='"staff"', journal='"daily"'),
          "专职人员（staff）没有 journal 可言|删掉这个条件"),
    extra("a level that is not for that event", "points", line(event='"commission"', level='"province"'),
          "level|级别“province”不用于约稿|city"),
    extra("an outcome that cannot be", "points", line(event='"commission"', outcome='"late"'),
          "outcome|约稿不会是“late”|done、missed"),
    extra("a line for points set by hand", "points", line(event='"manual"'), "event|人工记分（manual）不能写成记分的一行"),
    extra("a line for a mention", "points", line(event='"mention"'), "event|列入名单（mention）不能"),
    extra("stars out of range, signers unknown", "points",
          line(event='"filing"', stars="5", excused_by='["boss"]', per_count="1"),
          "stars|5 超出范围", "excused_by|boss", "per_count|数字 1"),
    swap("a word of the wrong type", 'journal = "daily"\npoints', 'journal = 3\npoints', "journal|数字 3|列表"),
    swap("a misspelt flag", 'category = "news"\n', 'category = "news"\nurgent_majr = true\n', "不认识的键 urgent_majr|是不是 urgent_major"),
    swap("a flag as text", 'category = "news"\n', 'category = "news"\nurgent_major = "no"\n', "urgent_major|文字 no"),
    swap("unknown repeat and joint", 'repeat = "highest_per_item"', 'repeat = "highest"\njoint = "half"',
         "repeat|highest", "joint|half|full"),
    swap("a general line first", 'journal = "daily"\npoints = 20', "points = 20",
         *["第 1 行已经包括了这一行的全部情形"] * 2),
    swap("a line behind one that holds it", 'form = ["full", "special"]\n', 'form = "full"\n'
         'points = 2\nclause = "一"\n\n[[rule.version.line]]\nevent = "adoption"\njournal = ["weekly"]\n'
         'form = "full"\nurgent_major = true\n', "[[rule.version.line]] 第 3 个|第 2 行已经包括"),
    # other kinds
    extra("a factor of one, of nothing known", "multiplier", 'rules = ["adopton"]\nfactor = 1\n'
          'match = [{ event = "adoption" }]\n', "rules|没有这条规则“adopton”|是不是 adoption", "factor|是 1"),
    extra("a factor out of range for a rule that has no events", "multiplier", 'rules = ["extra"]\nfactor = -2\nmatch = []\n',
          "rules|“extra”是 multiplier|points", "factor|-2 超出范围", "match|列表是空的"),
    extra("a base without anything", "base", "", "缺少 mode", "缺少 line"),
    extra("a base for unknown groups and quotas", "base", f'mode = "all"\n{LINE}quotas = ["itmes"]\npoints = 20\n'
          f'[[rule.version.line]]\ngroups = ["g3"]\nquotas = []\npoints = 1\nclause = "一"\n',
          "mode|“all”", "没有这个报送任务“itmes”|是不是 items", "没有这个组“g3”"),
    broken("a base on a quota that is only a remark", ("quota.toml", "", QUOTA),
           ("scoring.toml", "", rule("base", f'mode = "pro_rata"\n{LINE}quotas = ["soft"]\npoints = 1\n')),
           say=["quotas|“soft”只作备注"]),
    broken("a shortage of what is only a remark", ("quota.toml", "", QUOTA),
           ("scoring.toml", "", rule("shortage", f'{LINE}quota = "soft"\npoints_each = -1\n')),
           say=["quota|“soft”只作备注"]),
    extra("a shortage that adds", "shortage", f'{LINE}quota = "item"\npoints_each = 2\nleast = 0\n',
          "points_each|2 不是扣分", "least|0 不是扣分的下限", "没有这项报送任务“item”|是不是 items"),
    extra("a ladder of nothing", "ladder", "", "缺少 measure", "缺少 period"),
    extra("a ladder that looks at what it does not measure", "ladder",
          'measure = "count"\nperiod = "year"\nquota = "items"\nmatch = [{ event = "filing" }]\n',
          "quota|不看报送任务"),
    extra("a ladder without what it measures", "ladder", 'measure = "missing"\nperiod = "year"\n'
          'match = [{ event = "filing" }]\nexcused_by = ["head"]\n', "缺少 quota", "match|不看事项", "excused_by|不看事项"),
    extra("a ladder that counts nothing", "ladder", 'measure = "count"\nperiod = "year"\n', "缺少 match"),
    extra("a step that cannot be", "ladder", f"{YEARLY}{STEP}at_least = 5\nbelow = 5\n", "below|从 5 起、不到 5"),
    extra("a step behind one that is open", "ladder", f"{YEARLY}{STEP}at_least = 1\n{STEP}at_least = 5\n",
          "第 2 个|at_least|前面的档已经包括了这一档"),
    extra("a step that two others fill", "ladder",
          f"{YEARLY}{STEP}at_least = 5\nbelow = 9\n{STEP}below = 5\n{STEP}at_least = 2\nbelow = 7\n",
          "第 3 个|at_least|前面的档"),
    extra("a range the wrong way round", "manual", "least = 5\nmost = 1\n", "least|最少 5 大于最多 1"),
    extra("a cap on a cap, below nothing", "cap", 'rules = ["extra"]\nmost = -1\nperiod = "monthly"\n',
          "rules|“extra”是 cap", "most|-1 超出范围", "period|monthly|是不是 month"),
    extra("a floor without rules", "floor", 'rules = []\nat = "0"\nperiod = "month"\n', "rules|列表是空的", "at|文字 0"),
    extra("a floor under a floor", "floor", 'rules = ["extra", "submission"]\nat = 0\nperiod = "month"\n', "“extra”是 floor"),
    extra("a zeroing of nothing", "zeroing", 'at_least = 0\nperiod = "year"\n', "at_least|0 超出范围", "缺少 match"),
    extra("a conversion by nothing", "conversion", 'factor = 0\nperiod = "month"\ngroups = ["g9"]\n', "factor|是 0", "没有这个组“g9”"),
    extra("keys of another kind", "manual", f"least = 1\nmost = 2\n{LIMIT}", "不认识的键 rules", "不认识的键 period"),
    # rankings
    swap("a ranking without order", 'order = ["points"]\n', "", "第 74 行|order|缺少 order"),
    swap("a ranking by something else", '["points"]', '["point"]\nties = "shared"', "order|point|是不是 points", "ties|shared|是不是 share"),
    swap("a group in two tables", 'groups = ["g2"]', 'groups = ["g2", "g1"]', "groups|组“g1”已在表“first”里"),
    swap("a table twice, without groups", 'id = "second"\nname = "第二组"\ngroups = ["g2"]', 'id = "first"\nname = "第二组"\ngroups = []',
         "groups|列表是空的", "id|表“first”写了两次", "unranked|不在任何一张表里：g2"),
    swap("a column twice", "[[ranking.column]]", '[[ranking.column]]\nid = "daily"\nname = "x"\nmatch = [{ event = "adoption" }]\n[[ranking.column]]',
         "id|列“daily”写了两次"),
    swap("a column that every table has", 'id = "daily"\nname = "要情"\nmatch', 'id = "adopted"\nname = "要情"\nmatch', "“adopted”是每张表都有的列"),
    swap("a column of open tasks that looks at events", "match = [{ event", 'count = "open"\nmatch = [{ event', "match|未完成任务数"),
    swap("a column of nothing", 'match = [{ event = "adoption", journal = "daily" }]', "", "缺少 match"),
    # left
    broken("something left without saying where", ("scoring.toml", "", '[[left]]\nabout = ""\n'), say=["about|是空的", "缺少 basis"]),
]  # fmt: skip


@pytest.mark.parametrize("monster", ["1e99999999999999999999", "-2E-99999999999999999999"])
def test_a_number_that_no_machine_can_hold_is_a_fault(tmp_path: Path, monster: str) -> None:
    files = changed("scoring.toml", "points = 2.5", f"points = {monster}")
    (said,) = faults_of(lambda: load_office(write(tmp_path / "jia", files)))
    line = str(files["scoring.toml"]).split("\n").index(f"points = {monster}") + 1
    assert f"scoring.toml 第 {line} 行" in said
    assert "指数" in said


def test_the_names_differ() -> None:
    assert len({b.name for b in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("case", BROKEN, ids=lambda b: b.name)
def test_a_broken_file_tells_all_its_faults_at_once(tmp_path: Path, case: Broken) -> None:
    tell_all(tmp_path, case, load_office)


def test_conditions_are_words_of_events() -> None:
    known = set(Match.__slots__) - {"event"}
    assert set(ALL_CONDITIONS) == known
    assert set(FLAGS) <= known
    assert {c for cs in CONDITIONS.values() for c in cs} <= known


# --- whatever happens to the file -------------------------------------------------------------

TEXT = SOUND["scoring.toml"] + "".join(
    rule(kind, text, f"r-{kind}")
    for kind, text in {
        "multiplier": 'rules = ["adoption"]\nfactor = 2\nmatch = [{ event = "adoption" }]\n',
        "base": f'mode = "pro_rata"\n{LINE}quotas = ["items"]\npoints = 1\n',
        "shortage": f'{LINE}quota = "items"\npoints_each = -1\n',
        "ladder": f"{YEARLY}{STEP}at_least = 5\n{STEP}below = 5\n",
        "manual": "least = 1\nmost = 2\n",
        "cap": f"most = 3\n{LIMIT}",
        "floor": f"at = 0\n{LIMIT}",
        "zeroing": 'at_least = 2\nperiod = "year"\nmatch = [{ event = "filing" }]\n',
        "conversion": 'factor = 0.5\nperiod = "month"\n',
    }.items()
)
LINES = TEXT.split("\n")
JUNK = st.sampled_from(
    ["", "[]", "{}", "[{}]", '"x"', "0", "-1", "1.5", "nan", "true", "2022-02-02", '["x", 1]',
     '[[1]]', "12:00:00", "1e400", "1e99999999999999999999", '{ event = "adoption" }', '[{ event = 1 }]', '""', "0x" + "f" * 5000]
)  # fmt: skip


def test_the_file_that_is_mangled_is_sound(tmp_path: Path) -> None:
    assert len(scoring(tmp_path, TEXT.removeprefix(SOUND["scoring.toml"])).rules) == 11


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_is_mangled_only_faults_come_out(tmp_path: Path, data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "value", "swap", "cut", "double"])):
            case "drop":
                del lines[at : at + data.draw(st.integers(1, 5))]
            case "value" if "=" in lines[at]:
                lines[at] = lines[at].split("=")[0] + "= " + data.draw(JUNK)
            case "swap":
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "cut":
                lines[at] = lines[at][: data.draw(st.integers(0, 20))]
            case "double":
                lines.insert(at, lines[at])
        if not lines:
            break
    text = "\n".join(lines)
    folder = write(tmp_path / "jia", {**SOUND, "scoring.toml": text})
    try:
        book = load_office(folder)
    except OperatorFault as fault:
        assert fault.faults
        assert all(f.found and f.remedy for f in fault.faults)
    else:
        told = tomllib.loads(text, parse_float=Decimal)
        assert len(book.scoring.rules) == len(told.get("rule", []))
