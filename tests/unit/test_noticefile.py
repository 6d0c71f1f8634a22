"""`notices.toml`: the lists of a notice as written, and every slip told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.adapters.offices.noticefile import KEYS, SPECIAL
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.core.rules.events import EventKind, Fault, Match
from mailbot.core.rules.periods import PeriodKind
from mailbot.core.rules.scorebook import Consequence, ListKind, ListRule
from tests.unit.rulefile_help import BASIS, SOUND, Broken, broken, changed, tell_all, write

LIST = f"""
[[list]]
id = "extra"
name = "名单"
kind = "{{0}}"
consequence = "name"
periods = ["quarter"]

[[list.version]]
from = 2021-01-01
{BASIS}{{1}}
"""


def written(kind: str, values: str = "") -> str:
    return LIST.replace("{0}", kind).replace("{1}", values)


def read(folder: Path, more: str) -> ListRule:
    book = load_office(write(folder / "jia", changed("notices.toml", "", more)))
    return book.scoring.lists[-1]


def test_a_sound_list_is_read_whole(tmp_path: Path) -> None:
    first = read(tmp_path, "")
    assert (first.kind, first.consequence) == (ListKind.FIRST, Consequence.PRAISE)
    assert first.periods == (PeriodKind.QUARTER,)
    assert first.people == ()
    (version,) = first.versions
    assert (version.tables, version.places, version.exclude) == (("first",), 2, ("shuili",))


def test_an_office_may_order_no_list(tmp_path: Path) -> None:
    files = {**SOUND, "notices.toml": "# 文件没有名单\n"}
    assert load_office(write(tmp_path / "jia", files)).scoring.lists == ()


def test_the_other_kinds_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, written("no_submission", "running = 2\n")).versions[0].running == 2
    found = read(tmp_path, written("events", 'match = [{ event = "error", fault = "late" }]\n'))
    assert found.versions[0].matches == (Match(EventKind.ERROR, fault=(Fault.LATE,)),)
    assert read(tmp_path, written("short", 'quota = "items"\n')).versions[0].quota == "items"
    assert read(tmp_path, written("below", "points = -5\n")).versions[0].points == -5
    assert read(tmp_path, written("last", "together = true\n")).versions[0].together
    for kind in ("no_adoption", "mentioned", "overdue"):
        assert read(tmp_path, written(kind, 'groups = ["g2"]\n')).versions[0].groups == ("g2",)


def test_a_list_may_be_repealed(tmp_path: Path) -> None:
    later = f"[[list.version]]\nfrom = 2023-01-01\n{BASIS}repealed = true\n"
    assert [v.repealed for v in read(tmp_path, written("overdue") + later).versions] == [
        False,
        True,
    ]


def test_every_kind_says_what_it_looks_at() -> None:
    assert set(KEYS) == set(ListKind)
    assert {key for keys in KEYS.values() for key in keys} == set(SPECIAL)


def extra(name: str, kind: str, values: str, *say: str) -> Broken:
    return broken(name, ("notices.toml", "", written(kind, values)), say=list(say))


def swap(name: str, old: str, new: str, *say: str) -> Broken:
    return broken(name, ("notices.toml", old, new), say=list(say))


BROKEN = [
    broken("no file", ("notices.toml", "", None), say=["notices.toml|缺少这个文件"]),
    swap("an unknown table", "[[list]]", "[[lists]]", "不认识的键 lists|是不是 list", "第 8 行|list|表 {…}|双方括号"),
    swap("a list of unknown kind", 'kind = "first"\nconsequence = "praise"\nperiods = ["quarter"]',
         'kind = "frist"\nconsequence = "prize"\nperiods = ["quarterly"]',
         "第 4 行|[[list]] 第 1 个（先进） kind|frist|是不是 first", "consequence|prize|是不是 praise", "periods|quarterly|是不是 quarter"),
    swap("a list of nothing", 'id = "first"\nname = "先进"\nkind = "first"\nconsequence = "praise"\nperiods = ["quarter"]\n', "",
         "缺少 id", "缺少 name", "缺少 kind", "缺少 consequence", "缺少 periods"),
    swap("for no period", '["quarter"]', "[]", "periods|列表是空的"),
    broken("a list twice", ("notices.toml", "", SOUND["notices.toml"]), say=["id|名单“first”写了两次"]),
    swap("an unknown table of the ranking, group, unit", 'tables = ["first"]\nplaces = 2\nexclude = ["shuili"]',
         'tables = ["frist"]\nplaces = 0\ngroups = ["g9"]\nexclude = ["shuli"]',
         "第 11 行|tables|没有这个排名表“frist”|是不是 first", "places|0 超出范围", "groups|没有这个组“g9”", "exclude|没有这个单位“shuli”|是不是 shuili"),
    swap("a list without versions", f"[[list.version]]\nfrom = 2020-01-01\n{BASIS}tables = [\"first\"]\nplaces = 2\nexclude = [\"shuili\"]\n", "",
         "缺少 version|[[list.version]]"),
    extra("events without saying which", "events", "", "match|缺少 match"),
    extra("events that cannot be", "events", 'match = [{ event = "mention", journal = "daily" }]\n', "列入名单（mention）没有 journal"),
    extra("short of what", "short", "", "缺少 quota"),
    extra("short of an unknown quota", "short", 'quota = "itms"\n', "没有这项报送任务“itms”|是不是 items"),
    extra("below what", "below", "", "缺少 points"),
    extra("below a fraction", "below", "points = 2.5\n", "points|小数 2.5|整数"),
    extra("keys that the kind does not look at", "no_adoption", 'places = 2\nrunning = 2\nquota = "items"\n',
          "places|no_adoption 一类的名单不看 places|groups、exclude", "不看 running", "不看 quota"),
    extra("months running without end", "no_submission", "running = 25\n", "running|25 超出范围"),
    extra("an unknown key", "no_submission", "runing = 2\n", "不认识的键 runing|是不是 running"),
    extra("repealed from the start", "overdue", "repealed = true\n", "第一个版本就是废止"),
    extra("repealed with values", "short", f'quota = "items"\n[[list.version]]\nfrom = 2022-01-01\n{BASIS}repealed = true\nquota = "items"\n',
          "quota|废止的版本还写了 quota"),
    broken("the first of a ranking that is none", ("scoring.toml", 'order = ["points"]', "order = []"),
           say=["notices.toml 第 4 行|kind|没有排名"]),
    broken("with the ranking unreadable, its tables are not judged", ("scoring.toml", "[[journal]]", "[journal"),
           say=["scoring.toml 第 2 行"]),
]  # fmt: skip


@pytest.mark.parametrize("case", BROKEN, ids=lambda b: b.name)
def test_a_broken_file_tells_all_its_faults_at_once(tmp_path: Path, case: Broken) -> None:
    tell_all(tmp_path, case, load_office)
