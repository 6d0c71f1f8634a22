"""The shipped roster of otog against its document, and finding units in text."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from mailbot.core.subject.roster import Contact, Roster, Unit, UnitName
from mailbot.core.subject.text import fold
from mailbot.core.subject.units import find_units, match_unit, near_misses
from tests.unit.roster_helper import ROOT, load, made_of, otog

DAY = date(2026, 8, 12)


def _list(text: str) -> list[str]:
    return text.split("、")


SECOND = _list(
    "发改委、教体局、工信和科技局、民族事务委员会、公安局、民政局、司法局、财政局、人社局、自然资源局、住建局、交通局、水利局、农牧局、"
    "文化和旅游局、卫生健康委员会、退役军人事务局、应急管理局、审计局、市场监管局、统计局、能源局、林业和草原局、医疗保障局、信访局、"
    "政务服务局、国家安全局、税务局、生态环境分局、供电分局、气象局"
)
THIRD = _list(
    "营商环境促进中心、投资项目代建中心、供销社、机关事务服务中心、城市管理综合执法局、大数据中心、农牧和水务执法局、文化旅游执法局、"
    "法律服务中心、财政综合服务中心、住房保障服务中心、公用事业服务中心、疾控中心、乡村振兴事业发展中心、就业服务中心、社保服务中心"
)


def test_the_roster_is_that_of_the_document() -> None:
    """鄂前政办发〔2022〕65号 二（二）, in its order."""
    groups: dict[str, list[str]] = {}
    for unit in otog().units:
        groups.setdefault(unit.group, []).append(unit.name)
    assert groups["group2"] == SECOND and len(SECOND) == 31
    assert groups["group3"] == THIRD and len(THIRD) == 16
    assert groups["group1"] == ["上海庙经济开发区", "敖勒召其镇人民政府", "上海庙镇人民政府", "城川镇人民政府", "昂素镇人民政府"]  # fmt: skip


def test_what_the_document_does_not_name_is_marked() -> None:
    noted = {u.name for u in otog().units if u.note.startswith("to be confirmed")}
    assert noted == {"敖勒召其镇人民政府", "上海庙镇人民政府", "城川镇人民政府", "昂素镇人民政府"}


def test_no_text_belongs_to_two_units() -> None:
    owners = Counter(
        text for unit in otog().units for text in {fold(n.text) for n in unit.names if n.on(DAY)}
    )
    assert [text for text, count in owners.items() if count > 1] == []
    prefixed = Counter(
        text
        for unit in otog().units
        for text in {p + fold(n.text) for n in unit.names for p in ("", *otog().prefixes)}
    )
    assert [text for text, count in prefixed.items() if count > 1] == []


def test_groups_are_declared_with_their_clause() -> None:
    data = load(ROOT / "config/offices/otog/units.toml")[1]
    assert {g["id"] for g in data["group"]} == {u["group"] for u in data["unit"]}
    assert all("二（二）" in g["basis"]["clause"] for g in data["group"])


@pytest.mark.parametrize("unit", otog().units, ids=lambda u: u.id)
def test_every_name_with_every_prefix_finds_its_unit(unit: Unit) -> None:
    for name in unit.names:
        for prefix in ("", *otog().prefixes):
            match = match_unit(prefix + name.text, otog(), DAY)
            assert match is not None and match.unit_id == unit.id, prefix + name.text


@pytest.mark.parametrize(
    ("text", "unit_id"),
    [
        ("鄂托克前旗发展和改革委员会", "development"),
        ("发展改革委", "development"),
        ("发改局", "development"),
        ("教育体育局", "education"),
        ("民委", "ethnic"),
        ("卫健委", "health"),
        ("卫健局", "health"),
        ("人力资源和社会保障局", "labour"),
        ("旗住房和城乡建设局", "housing"),
        ("林草局", "forestry"),
        ("医保局", "medical-insurance"),
        ("市监局", "market"),
        ("文旅局", "culture"),
        ("鄂前旗应急局", "emergency"),
        ("退役军人局", "veterans"),
        ("供电公司", "power"),
        ("环保局", "environment"),
        ("上海庙镇", "shanghaimiao"),
        ("上海庙镇政府", "shanghaimiao"),
        ("开发区管委会", "shanghaimiao-zone"),
        ("农牧和水务综合行政执法局", "farm-water-enforcement"),
        ("国家税务总局鄂托克前旗税务局", "tax"),
        ("农牧局（旗）", "agriculture"),
    ],
)
def test_names_as_people_write_them(text: str, unit_id: str) -> None:
    match = match_unit(text, otog(), DAY)
    assert match is not None and match.unit_id == unit_id


def test_the_longest_name_wins_and_a_shorter_inside_it_is_not_found() -> None:
    found = find_units("农牧和水务执法局与农牧局、水利局", otog(), DAY)
    assert [m.text for m in found] == ["农牧和水务执法局", "农牧局", "水利局"]
    roster = made_of("执法局", "水务执法局", "农牧和水务执法局")
    assert [m.unit_id for m in find_units("农牧和水务执法局", roster, DAY)] == ["农牧和水务执法局"]
    assert [m.unit_id for m in find_units("水务执法局", roster, DAY)] == ["水务执法局"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("农收局", "agriculture"),
        ("农牧居", "agriculture"),
        ("牧农局", "agriculture"),
        ("卫生健康委员", "health"),
        ("林业和早原局", "forestry"),
        ("营商环竟促进中心", "business-environment"),
        ("农务执法局", "farm-water-enforcement"),
        ("旗水力局", "water"),
    ],
)
def test_misspelt_names_are_candidates_and_never_resolved(text: str, first: str) -> None:
    candidates = near_misses(text, otog(), DAY)
    assert first in candidates and len(candidates) <= 5


def test_a_text_that_resembles_nothing_has_no_candidates() -> None:
    assert near_misses("春耕备耕工作进展顺利", otog(), DAY) == ()
    assert near_misses("", otog(), DAY) == near_misses("局" * 60, otog(), DAY) == ()


def dated() -> Roster:
    return Roster(
        (
            Unit("old", (UnitName("农业局", None, date(2019, 3, 31)), UnitName("农口")), "g"),
            Unit("new", (UnitName("农牧局", date(2019, 4, 1)),), "g", start=date(2019, 4, 1)),
        ),
        ("旗",),
    )


def test_names_count_on_their_days_only() -> None:
    roster = dated()
    assert match_unit("农业局", roster, date(2019, 3, 31)) is not None
    assert match_unit("农业局", roster, date(2019, 4, 1)) is None
    assert match_unit("农牧局", roster, date(2019, 3, 31)) is None
    assert match_unit("旗农牧局", roster, date(2019, 4, 1)) is not None
    assert near_misses("农业局", roster, date(2019, 4, 1))[0] == "old"
    assert near_misses("农牧局", roster, date(2019, 3, 31))[0] == "new"


def test_one_text_of_two_units_names_both() -> None:
    roster = Roster((Unit("a", (UnitName("执法局"),), "g"), Unit("b", (UnitName("执法局"),), "g")))
    match = match_unit("执法局", roster, DAY)
    assert match is not None and match.unit_id is None and match.candidates == ("a", "b")


def test_addresses_are_found_whatever_their_case_and_in_their_days() -> None:
    contact = Contact(
        "liaison", "张三", "", "Liaison@Example.com", date(2026, 1, 1), date(2026, 6, 30)
    )
    roster = Roster((Unit("a", (UnitName("农牧局"),), "g", (contact,), ("nmj@example.com",)),))
    assert roster.by_address("NMJ@example.com", DAY) is not None
    assert roster.by_address("liaison@example.com", date(2026, 6, 30)) is not None
    assert roster.by_address("liaison@example.com", DAY) is None
    with pytest.raises(KeyError):
        roster.get("b")
