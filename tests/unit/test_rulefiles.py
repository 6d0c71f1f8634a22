"""An office's folder: what is loaded, and that every fault of a broken one is told at once.

Each broken case changes a sound office and names all that must be said, and how many faults there
are: no more (one slip must not bury the reader), no fewer.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mailbot.adapters.offices.openpoints import open_points
from mailbot.adapters.offices.rulefiles import load_office, load_offices
from mailbot.adapters.system import shipped
from mailbot.core.rules.rulebook import Elsewhere, OfficeBook, SenderPolicy
from mailbot.core.subject.model import FieldName
from mailbot.core.subject.roster import UnitName
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

# --- a sound office ---------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path: Path) -> OfficeBook:
    return load_office(write(tmp_path / "jia", dict(SOUND)))


def test_a_contact_s_wrong_address_is_an_open_point_and_keeps_nobody_from_working(
    tmp_path: Path,
) -> None:
    files = changed("units.toml", "zhangsan@example.com", "zhang#san")
    book = load_office(write(tmp_path / "jia", files))
    assert any("农牧局信息员（zhang#san）" in one.about for one in open_points(book))


def test_a_unit_is_judged_by_the_group_it_was_in_then(tmp_path: Path) -> None:
    moved = 'earlier_groups = [{ group = "g1", end = 2026-09-30 }]\nnote = "to'
    book = load_office(write(tmp_path / "jia", changed("units.toml", 'note = "to', moved)))
    unit = book.roster.get("shuili")
    assert (unit.group_on(date(2026, 9, 30)), unit.group_on(date(2026, 10, 1))) == ("g1", "g2")


def test_a_sound_office_is_read_whole(book: OfficeBook) -> None:
    assert (book.info.id, book.info.receipt_prefix, book.info.urgent_lane) == ("jia", "JA", False)
    assert (book.limits.per_thread, book.limits.per_hour) == (5, 300)
    assert [g.name for g in book.groups] == ["第一组", "第二组"]
    assert book.group("g2").basis.clause == "一（一）"
    unit = book.roster.get("nongmu")
    assert unit.names == (
        UnitName("农牧局"),
        UnitName("农牧业局"),
        UnitName("农业局", None, date(2021, 12, 31)),
    )
    assert unit.addresses == ("nongmu@example.com",)
    assert book.roster.by_address("ZhangSan@example.com", date(2026, 1, 1)) is unit
    convention = book.convention_on(date(2026, 1, 1))
    assert convention.required == tuple(FieldName)
    assert (convention.elsewhere, convention.senders) == (Elsewhere.SUGGEST, SenderPolicy.OPEN)
    categories = book.categories_on(date(2020, 1, 1))
    assert categories.get("problem").proof_required
    assert (categories.threshold, categories.proof) == (2, 4)
    day = date(2026, 1, 1)
    assert [book.quota_on(u, day) for u in book.roster.units] == [8, 2]


def test_an_office_may_name_no_unit(tmp_path: Path) -> None:
    units = SOUND["units.toml"][: SOUND["units.toml"].index("[[unit]]")]
    quota = SOUND["quota.toml"].replace(", shuili = 2", "")
    notices = SOUND["notices.toml"].replace('exclude = ["shuili"]', "")
    files = {**SOUND, "units.toml": units, "quota.toml": quota, "notices.toml": notices}
    assert load_office(write(tmp_path / "jia", files)).roster.units == ()


def test_a_recommender_is_a_unit_or_somebody_outside_the_roster(tmp_path: Path) -> None:
    for word in ("nongmu", "某市政府办公室"):
        files = changed("units.toml", 'note = "to', f'recommender = "{word}"\nnote = "to')
        book = load_office(write(tmp_path / word, files))
        assert book.roster.get("shuili").recommender == word


def test_cases_and_their_folder_are_no_part_of_the_book(tmp_path: Path, book: OfficeBook) -> None:
    folder = write(tmp_path / "jia", dict(SOUND))
    write(folder / "cases", {"broken.toml": "this is no TOML"})
    assert load_office(folder).digest == book.digest


def test_tasks_are_read_where_there_are_any_and_belong_to_the_digest(
    tmp_path: Path, book: OfficeBook
) -> None:
    tasks = 'document = "要点"\nyear = 2021\n[[task]]\nid = "t1"\nclause = "一"\nquote = "做好"\n'
    again = load_office(write(tmp_path / "jia", {**SOUND, "tasks.toml": tasks}))
    assert [t.id for t in again.scoring.tasks] == ["t1"]
    assert again.digest != book.digest


def test_the_version_in_force_is_found(tmp_path: Path) -> None:
    version = SOUND["quota.toml"][SOUND["quota.toml"].index("[[quota.version]]") :]
    newer = version.replace("2020-01-01", "2026-07-01").replace("8", "10")
    files = {**SOUND, "quota.toml": SOUND["quota.toml"] + newer}
    book = load_office(write(tmp_path / "jia", files))
    unit = book.roster.get("nongmu")
    assert book.quota_on(unit, date(2026, 6, 30)) == 8
    assert book.quota_on(unit, date(2026, 7, 1)) == 10


def test_a_day_before_the_first_version_is_an_error_not_zero(book: OfficeBook) -> None:
    with pytest.raises(LookupError, match="报送任务"):
        book.quota_on(book.roster.get("nongmu"), date(2019, 12, 31))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_files_saved_by_notepad_are_read(tmp_path: Path, book: OfficeBook, encoding: str) -> None:
    files = {n: t.replace("\n", "\r\n").encode(encoding) for n, t in SOUND.items()}
    again = load_office(write(tmp_path / "notepad", files))
    assert again.roster == book.roster
    assert again.categories == book.categories


def test_the_digest_follows_every_byte_and_name(tmp_path: Path, book: OfficeBook) -> None:
    same = load_office(write(tmp_path / "same", dict(SOUND)))
    assert same.digest == book.digest
    assert len(book.digest) == 64
    for name in SOUND:
        other = load_office(write(tmp_path / f"other-{name}", {**SOUND, name: SOUND[name] + "#"}))
        assert other.digest != book.digest


def test_what_editors_leave_behind_is_not_read(tmp_path: Path, book: OfficeBook) -> None:
    files = {**SOUND, "._units.toml": b"\x00\x05", "~units.toml": "x", "CHANGES.md": "x"}
    assert load_office(write(tmp_path / "jia", files)).digest == book.digest


def test_the_shipped_office_is_sound_and_whole() -> None:
    book = load_offices(shipped("config") / "offices", ["otog"])["otog"]
    day = date(2026, 8, 1)
    sizes = {g.name: sum(u.group == g.id for u in book.roster.units) for g in book.groups}
    assert sizes["第二组"] == 31
    assert sizes["第三组"] == 16
    owed = {
        g.name: {book.quota_on(u, day) for u in book.roster.units if u.group == g.id}
        for g in book.groups
    }
    assert owed == {"第一组": {8}, "第二组": {8}, "第三组": {4}}
    categories = book.categories_on(day)
    assert {c.name: c.proof_required for c in categories.categories} == {
        "简讯": False, "动态": False, "综合": False, "问题": True, "调研报告": True,
    }  # fmt: skip
    assert [name for name, _ in categories.topics] == [
        "乡村振兴", "产业发展", "民生改善", "环境保护", "社会治理", "民族团结", "深化改革",
    ]  # fmt: skip
    owed = [v for q in book.quotas for v in q.versions]
    for versions in (book.conventions, book.categories, owed):
        assert all("鄂前政办发〔2022〕65号" in v.basis.document for v in versions)


# --- broken offices ---------------------------------------------------------------------------


UNIT = '\n[[unit]]\nid = "{0}"\nname = "{1}"\ngroup = "g1"\n'

VERSION = SOUND["quota.toml"][SOUND["quota.toml"].index("[[quota.version]]") :]
BROKEN = [
    # files
    broken("no files", *((n, "", None) for n in SOUND), say=[f"{n}|缺少这个文件" for n in SOUND]),
    broken("one file missing", ("quota.toml", "", None), say=["quota.toml|缺少这个文件"]),
    broken("a misnamed file", ("quota.toml", "", None), ("quotas.toml", "", "x = 1\n"),
           say=["quota.toml|缺少这个文件", "quotas.toml|不读|是不是 quota.toml"]),
    broken("a backup copy", ("units - 副本.toml", "", "x = 1\n"), say=["units - 副本.toml|不读|备份"]),
    broken("an empty file", ("subject.toml", SOUND["subject.toml"], ""),
           say=["subject.toml|缺少 convention"]),
    broken("two files broken in syntax, one in content",
           ("units.toml", 'name = "农牧局"', "name = “农牧局”"),
           ("quota.toml", "g1 = 8,", "g1 ＝ 8,"),
           ("office.toml", '"JA"', '"ja"'),
           say=["units.toml 第 15 行|“", "quota.toml 第 10 行|＝", "office.toml 第 6 行|receipt_prefix|大写"]),
    broken("a file that is no text", ("office.toml", SOUND["office.toml"], b"\x00\x01\x02\xff"),
           say=["office.toml|空字节"]),
    # office.toml
    broken("office empty", ("office.toml", SOUND["office.toml"], "[office]\n"),
           say=["缺少 id", "缺少 name", "缺少 signature", "缺少 phone", "缺少 receipt_prefix"]),
    broken("office table missing", ("office.toml", SOUND["office.toml"], "[ofice]\nid = 1\n"),
           say=["缺少 office|ofice", "不认识的键 ofice|是不是 office"]),
    broken("phone without quotes", ("office.toml", '"7622000"', "7622000"),
           say=['第 5 行 [office] phone|数字 7622000|"7622000"']),
    broken("prefix too long", ("office.toml", '"JA"', '"JIAQIXX"'), say=["receipt_prefix|JIAQIXX|二至六个"]),
    broken("mailbox is no address", ("office.toml", "xinxi@", "xinxi at "), say=["mailbox|不是邮箱地址"]),
    broken("limits misspelt, negative and of wrong types",
           ("office.toml", "per_thread = 5", 'per_tread = 5\nper_hour = -1\nreturns_per_day = 2.5\n'
            'repeats_per_day = "1"\ncorrection_days = true'),
           say=["per_tread|不认识|per_thread", "per_hour|-1|超出范围", "returns_per_day|小数 2.5",
                "repeats_per_day|文字 1", "correction_days|是否值 true"]),
    broken("urgent lane as words", ("office.toml", 'mailbox =', 'urgent_lane = "no"\nmailbox ='),
           say=["urgent_lane|文字 no|true 或 false"]),
    broken("a line break in the signature",
           ("office.toml", '"甲旗人民政府办公室信息室"', '"甲旗\\n信息室"'), say=["signature|换行"]),
    # units.toml
    broken("an unknown group, near", ("units.toml", 'group = "g2"', 'group = "g22"'),
           say=["第 30 行|[[unit]] 第 2 个（水利局） group|没有这个组“g22”|是不是 g2"]),
    broken("an unknown group, far", ("units.toml", 'group = "g2"', 'group = "second"'),
           say=["没有这个组“second”|g1、g2"]),
    broken("unit without anything", ("units.toml", "", "\n[[unit]]\n"),
           say=["[[unit]] 第 3 个 name|缺少", "[[unit]] 第 3 个 group|缺少", "[[unit]] 第 3 个 id|缺少"]),
    broken("unknown keys with near names",
           ("units.toml", 'note = "to be confirmed"', 'notes = "x"\nadresses = []\nalias = ["水务局"]'),
           say=["notes|是不是 note", "adresses|是不是 addresses", "alias|是不是 aliases"]),
    broken("a required key misspelt", ("units.toml", 'name = "水利局"', 'nmae = "水利局"'),
           say=["缺少 name|nmae", "不认识的键 nmae|是不是 name"]),
    broken("the same id twice", ("units.toml", "", UNIT.format("shuili", "林业局")),
           say=["第 34 行|id|“shuili”写了两次"]),
    broken("the same name twice", ("units.toml", "", UNIT.format("shuili2", "水利局")),
           say=["“水利局”同一天也是 水利局（shuili）"]),
    broken("an alias is another's name", ("units.toml", '"农牧业局"', '"水利局"'),
           say=["第 2 个（水利局） name|“水利局”同一天也是 农牧局（nongmu）"]),
    broken("a name with its place is another's name", ("units.toml", '"农牧业局"', '"甲旗水利局"'),
           say=["“水利局”同一天也是 农牧局（nongmu） 的名称“甲旗水利局”"]),
    broken("names that differ in width and space", ("units.toml", "", UNIT.format("x", "农 牧 局")),
           say=["“农 牧 局”同一天也是 农牧局"]),
    broken("dated aliases that share one day", ("units.toml", "2022-01-01", "2021-12-31"),
           say=["“农业局”同一天也是 农牧局"]),
    broken("a unit's own days do not part a name",
           ("units.toml", "", UNIT.format("x", "农牧局") + "start = 2024-01-01\n"),
           say=["“农牧局”同一天也是 农牧局（nongmu）"]),
    broken("one letter as a name", ("units.toml", '"农牧业局"', '"农"'), say=["aliases|“农”太短"]),
    broken("a prefix as a name", ("units.toml", '"农牧业局"', '"甲旗"'), say=["aliases|“甲旗”同时是地名前缀"]),
    broken("one address for two units",
           ("units.toml", 'note = "to', 'addresses = ["NONGMU@example.com"]\nnote = "to'),
           say=["邮箱 nongmu@example.com 同一天也绑定给 农牧局"]),
    broken("a contact's address bound to another unit",
           ("units.toml", 'note = "to', 'addresses = ["zhangsan@example.com"]\nnote = "to'),
           say=["邮箱 zhangsan@example.com 同一天也绑定给 农牧局"]),
    broken("earlier groups that are none, or out of order",
           ("units.toml", 'note = "to', 'earlier_groups = [{ group = "g3", end = 2026-09-30 }, '
            '{ group = "g1", end = 2026-06-30 }, "g1"]\nnote = "to'),
           say=["没有这个组“g3”", "2026-06-30 不晚于前一项的 2026-09-30", "第 3 项不是一个表"]),
    broken("addresses that are none",
           ("units.toml", '["NongMu@example.com"]', '["nongmu", "a@b", "a@b.com;c@d.com", ""]'),
           say=["“nongmu”不是邮箱", "“a@b”不是邮箱", "“a@b.com;c@d.com”不是邮箱", "addresses 第 4 项|是空的"]),
    broken("dates that are not dates",
           ("units.toml", "end = 2021-12-31", 'end = "2021-12-31"'),
           ("units.toml", 'note = "to', 'start = 2020\nend = 2021-01-01T08:00:00\nnote = "to'),
           say=["aliases 第 2 项 end|文字 2021-12-31|不加引号的日期：2021-12-31",
                "（水利局） start|数字 2020", "（水利局） end|日期时间|只写日期：2021-01-01",
                "“农业局”同一天也是"]),
    broken("an end before its start", ("units.toml", 'note = "to', 'start = 2022-01-01\nend = 2021-12-31\nnote = "to'),
           say=["end|结束 2021-12-31 早于开始 2022-01-01"]),
    broken("aliases as one text", ("units.toml", '["农牧业局", { text = "农业局", end = 2021-12-31 }]', '"农牧业局"'),
           say=["aliases|文字 农牧业局|列表"]),
    broken("aliases of wrong kinds", ("units.toml", '"农牧业局"', '7, true, { txt = "x" }'),
           say=["aliases 第 1 项|数字 7", "aliases 第 2 项|是否值", "aliases 第 3 项 text|缺少 text|txt",
                "aliases 第 3 项 txt|不认识"]),
    broken("a contact in an unknown role", ("units.toml", '"liaison"', '"liason"'),
           say=["第 21 行|[[unit.contact]]|role|liason|是不是 liaison"]),
    broken("a contact's phone without quotes", ("units.toml", '"7622001"', "7622001"),
           say=["phone|数字 7622001"]),
    broken("single brackets for a list", ("quota.toml", "[[quota]]", "[quota]"),
           say=["quota|表 {…}|[[quota]]"]),
    broken("groups without basis and named twice",
           ("units.toml", 'id = "g2"\nname = "第二组"\n' + BASIS, 'id = "g1"\nname = "第一组"\n'),
           say=["缺少 basis", "id|“g1”写了两次", "name|“第一组”写了两次", "没有这个组“g2”",
                "没有这个组或单位“g2”", "[[ranking.table]] 第 2 个（第二组） groups|没有这个组“g2”"]),
    broken("a group nobody owes for", ("units.toml", "\n[[unit]]\nid = \"nongmu\"",
           f'\n[[group]]\nid = "g3"\nname = "第三组"\n{BASIS}\n[[unit]]\nid = "nongmu"'),
           say=["quota.toml 第 10 行|没有组“g3”的条数|g3 = 条数", "unranked|不在任何一张表里：g3"]),
    broken("a later version with an earlier day", ("quota.toml", "", "\n" + VERSION.replace("2020-", "2002-")),
           say=["quota.toml|from|2002-01-01 早于写在前面的 2020-01-01"]),
    broken("no unit at all, though the rules name one", ("units.toml", SOUND["units.toml"][SOUND["units.toml"].index("[[unit]]"):], ""),
           say=["没有这个组或单位“shuili”", "notices.toml|exclude|没有这个单位“shuili”"]),
    broken("a recommender who is the unit itself, one by name, one that is no id",
           ("units.toml", 'note = "to', 'recommender = "shuili"\nnote = "to'),
           ("units.toml", "", UNIT.format("x", "林业局") + 'recommender = "农牧局"\n'
            + UNIT.format("y", "统计局") + 'recommender = "nongmv"\n'),
           say=["（水利局） recommender|它自己", "（林业局） recommender|在名册里|id：nongmu",
                "（统计局） recommender|没有这个单位“nongmv”|是不是 nongmu"]),
    # subject.toml
    broken("unknown words of the convention",
           ("subject.toml", '"submitter", "contact"', '"submiter", "phone"'),
           ("subject.toml", '"suggest"', '"sugest"'), ("subject.toml", '"open"', '"all"'),
           say=["required|“submiter”|是不是 submitter", "required|“phone”|contact", "elsewhere|sugest|suggest",
                "senders|“all”|open"]),
    broken("nothing required", ("subject.toml", '["unit", "title", "submitter", "contact"]', "[]"),
           say=["required|列表是空的|至少写一项"]),
    broken("a convention without its days and basis", ("subject.toml", "from = 2020-01-01\n" + BASIS, ""),
           say=["缺少 from|日期", "缺少 basis"]),
    broken("two conventions from one day", ("subject.toml", "", SOUND["subject.toml"]),
           say=["第 10 行|另一个 [[convention]] 也从 2020-01-01 起"]),
    broken("a basis without clause",
           ("subject.toml", ', clause = "一（一）"', ', clasue = "一"'),
           say=["basis|缺少 clause|clasue", "basis|clasue|是不是 clause"]),
    broken("an alternative that is no reading",
           ("subject.toml", ', clause = "一（一）"', ', clause = "一", alternative = "乙"'),
           say=["alternative|reading = true"]),
    broken("an empty example", ("subject.toml", '"农牧局+春耕备耕工作进展顺利+张三+7622001"', '"  "'),
           say=["example|是空的"]),
    # categories.toml
    broken("default unknown", ("categories.toml", 'default = "news"', 'default = "new"'),
           say=["default|没有类别“new”|是不是 news"]),
    broken("default takes proof", ("categories.toml", 'default = "news"', 'default = "problem"'),
           say=["default|须有佐证"]),
    broken("a rule for an unknown category, of unknown place, without weight",
           ("categories.toml", 'category = "problem"\nwhere = "heading"', 'category = "problems"\nwhere = "head"'),
           ("categories.toml", "weight = 4", "weight = 0"),
           say=["没有类别“problems”|是不是 problem", "where|head|heading", "weight|是 0"]),
    broken("a rule without words", ("categories.toml", '["存在问题"]', "[]"), say=["words|列表是空的"]),
    broken("one mark for two categories and a link",
           ("categories.toml", 'marks = ["问题类"]', 'marks = ["问题类", "动态类", "约稿", "动态"]'),
           say=["“动态类”已属于 news", "“约稿”已属于|link_marks", "“动态”已属于 news"]),
    broken("categories, rules and topics told twice",
           ("categories.toml", "", '\n[[version.category]]\nid = "news"\nname = "消息"\n'
            '[[version.rule]]\nid = "problem-head"\ncategory = "news"\nwords = ["会"]\nweight = 1\n'
            '[[version.topic]]\nname = "乡村振兴"\nwords = ["村"]\n'),
           say=["类别“news”写了两次", "规则“problem-head”写了两次", "报送重点“乡村振兴”写了两次"]),
    broken("weights out of range and of wrong type",
           ("categories.toml", "weight = 4", "weight = 4.0"),
           ("categories.toml", 'default = "news"', 'default = "news"\nthreshold = 0\nproof = -4'),
           say=["weight|小数 4.0", "threshold|0 超出范围", "proof|-4 超出范围"]),
    broken("no categories", ("categories.toml", "[[version.category]]", "[[version.categories]]"),
           say=["缺少 category|categories", "不认识的键 categories|是不是 category",
                "没有类别“news”", "没有类别“problem”"]),
    broken("versions from one day", ("categories.toml", "", SOUND["categories.toml"]),
           say=["另一个 [[version]] 也从 2020-01-01 起"]),
    # quota.toml
    broken("quota negative, of wrong types, for nobody",
           ("quota.toml", "g1 = 8, g2 = 4, shuili = 2", 'g1 = -8, g2 = "4", shuil = 2.5, xx = 1'),
           say=["g1|-8 超出范围", "g2|文字 4", "shuil|小数 2.5", "没有这个组或单位“shuil”|是不是 shuili",
                "没有这个组或单位“xx”"]),
    broken("quota of one group missing", ("quota.toml", "g2 = 4, ", ""), say=["没有组“g2”的条数"]),
    broken("quota table missing", ("quota.toml", "need = { g1 = 8, g2 = 4, shuili = 2 }", "needs = {}"),
           say=["缺少 need|needs", "不认识的键 needs|是不是 need"]),
    broken("a quota over nothing, of unknown period, with a match that cannot hold",
           ("quota.toml", '"month"', '"monthly"'),
           ("quota.toml", '{ event = "submission" }',
            '{ event = "submission", journal = "daily" }, { event = "adoption", journal = "dayly" }'),
           say=["period|monthly|是不是 month", "第 9 行|journal|报送（submission）没有 journal 可言",
                "第 9 行|没有这个刊物“dayly”|是不是 daily"]),
    broken("a quota that counts nothing, and its id twice", ("quota.toml", '[{ event = "submission" }]', "[]"),
           ("quota.toml", "", SOUND["quota.toml"]),
           say=["counts|列表是空的", "id|“items”写了两次"]),
    broken("no quota", ("quota.toml", SOUND["quota.toml"], ""), say=["缺少 quota|至少一个"]),
    broken("a day of another age", ("quota.toml", "from = 2020-01-01", "from = 0202-01-01"),
           say=["第 7 行|from|0202-01-01 年份不对"]),
    broken("a number of ten thousand digits", ("quota.toml", "g1 = 8", "g1 = 0x" + "f" * 10_000),
           say=["g1|数字太长|超出范围"]),
    broken("quota without basis, day as text",
           ("quota.toml", "from = 2020-01-01\n" + BASIS, 'from = "2020-01-01"\n'),
           say=["from|文字 2020-01-01|不加引号的日期：2020-01-01", "缺少 basis"]),
    broken("quota basis as text", ("quota.toml", BASIS, 'basis = "65号文"\n'), say=["basis|文字 65号文|表"]),
    # everything at once
    broken("a fault in every file",
           ("office.toml", '"JA"', '"J"'), ("units.toml", '"liaison"', '"boss"'),
           ("subject.toml", '"open"', '"shut"'), ("categories.toml", "weight = 4", "weight = 400"),
           ("quota.toml", "g1 = 8", "g1 = 80000"),
           say=["office.toml|receipt_prefix", "units.toml|boss", "subject.toml|shut",
                "categories.toml|400 超出范围", "quota.toml|80000 超出范围"]),
]  # fmt: skip


def test_there_are_enough_broken_offices() -> None:
    assert len(BROKEN) >= 40
    assert len({b.name for b in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("case", BROKEN, ids=lambda b: b.name)
def test_a_broken_office_tells_all_its_faults_at_once(tmp_path: Path, case: Broken) -> None:
    tell_all(tmp_path, case, load_office)


# --- several offices --------------------------------------------------------------------------


def test_offices_are_loaded_by_name(tmp_path: Path) -> None:
    other = {
        **SOUND,
        "office.toml": SOUND["office.toml"].replace('"jia"', '"yi"').replace("JA", "YI"),
    }
    write(tmp_path / "jia", dict(SOUND))
    write(tmp_path / "yi", dict(other))
    assert list(load_offices(tmp_path, ["yi", "jia"])) == ["yi", "jia"]
    assert list(load_offices(tmp_path, ["jia", "jia"])) == ["jia"]


def test_faults_of_all_offices_come_together(tmp_path: Path) -> None:
    write(tmp_path / "jia", dict(SOUND))
    write(tmp_path / "yi", dict(SOUND))
    (tmp_path / "yi" / "quota.toml").unlink()
    faults = faults_of(lambda: load_offices(tmp_path, ["jai", "yi"]))
    assert any("jai" in f and "是不是 jia" in f for f in faults)
    assert any("quota.toml" in f for f in faults)
    assert len(faults) == 2


def test_two_offices_may_not_share_a_receipt_prefix_or_a_name(tmp_path: Path) -> None:
    write(tmp_path / "jia", dict(SOUND))
    write(tmp_path / "yi", dict(SOUND))
    faults = faults_of(lambda: load_offices(tmp_path, ["jia", "yi"]))
    assert any("JA 已由 jia 使用" in f for f in faults)
    assert any("id 是“jia”，文件夹叫“yi”" in f for f in faults)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "没有这个文件夹" in faults_of(lambda: load_office(tmp_path / "none"))[0]
    assert faults_of(lambda: load_offices(tmp_path / "none", ["jia"]))
