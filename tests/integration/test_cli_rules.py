"""`rules check`, `test`, `new`, `units`, and that the main job refuses an office that fails."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mailbot.adapters.offices.newoffice import SKELETON, write_office
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.adapters.system import shipped
from mailbot.cli import rules
from mailbot.core.duties.model import DutyKind
from mailbot.core.rules.kinds import KINDS
from tests.integration.cli_help import Cli, installed, speaking


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """An installation whose office is a fresh skeleton called otog, as the settings name it."""
    config_dir = tmp_path / "config"
    (config_dir / "offices").mkdir(parents=True)
    shutil.copy(shipped("config") / "holidays.toml", config_dir)
    write_office(config_dir / "offices", "otog")
    (tmp_path / "home").mkdir()
    return Cli(capsys, monkeypatch, installed(tmp_path / "home", config_dir))


def office(cli: Cli, name: str = "otog") -> Path:
    return cli.folder.parent / "config" / "offices" / name


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# --- new --------------------------------------------------------------------------------------


def test_a_new_office_is_sound_as_it_is_written(cli: Cli) -> None:
    with speaking("en"):
        said = cli.good("rules", "check")
    assert "1 of 1 cases pass" in said
    assert load_office(office(cli)).info.receipt_prefix == "OT"


def test_offices_written_one_after_the_other_fit_together(cli: Cli) -> None:
    for name in ("otter", "ot2", "ox"):
        cli.good("rules", "new", name)
    books = {p.name: load_office(p) for p in office(cli).parent.iterdir()}
    assert len({b.info.receipt_prefix for b in books.values()}) == len(books) == 4
    cli.good("rules", "check", *books)


def test_a_new_office_may_stand_elsewhere(cli: Cli, tmp_path: Path) -> None:
    said = cli.good("rules", "new", "bing", "--path", str(tmp_path / "elsewhere"))
    folder = tmp_path / "elsewhere" / "bing"
    assert str(folder / "scoring.toml") in said
    assert "bing" in cli.good("rules", "check", str(folder))
    cli.good("rules", "test", str(folder))


@pytest.mark.parametrize("name", ["OTOG", "a", "../x", "某旗", "a b", ".hidden", "", "x" * 33])
def test_a_name_that_is_none_is_refused(cli: Cli, name: str) -> None:
    before = sorted(office(cli).parent.rglob("*"))
    assert "标识" in cli.refused("rules", "new", name)
    assert sorted(office(cli).parent.rglob("*")) == before


def test_nothing_is_ever_overwritten(cli: Cli) -> None:
    edit(office(cli) / "office.toml", "0000000", "1234567")
    assert "已经有这个文件夹" in cli.refused("rules", "new", "otog")
    assert "1234567" in (office(cli) / "office.toml").read_text("utf-8")


def test_every_example_of_the_skeleton_is_sound_when_its_marks_are_taken_away(cli: Cli) -> None:
    """All together: a line `#key = ...` is an example, `# ...` a remark."""
    for path in office(cli).glob("*.toml"):
        text = re.sub(r"(?m)^#(?=[\w\[])", "", path.read_text("utf-8"))
        path.write_text(text, encoding="utf-8")
    book = load_office(office(cli))
    assert {r.kind for r in book.scoring.rules} == set(KINDS)
    assert len(book.quotas) == 2
    assert {one.kind for one in book.letters.letters} == set(DutyKind)
    assert book.letters.readers and book.letters.left
    assert book.info.mailbox


def test_the_skeleton_is_part_of_the_package() -> None:
    assert SKELETON.is_relative_to(Path(rules.__file__).resolve().parents[1])
    assert {p.name for p in SKELETON.glob("*.toml")} >= {"office.toml", "scoring.toml"}


# --- check ------------------------------------------------------------------------------------


def test_check_says_what_is_open(cli: Cli) -> None:
    scoring = office(cli) / "scoring.toml"
    edit(
        scoring,
        'clause = "四（一）报送积分" }',
        'clause = "四（一）", reading = true, alternative = "另一种算法" }',
    )
    text = scoring.read_text("utf-8")
    rule = text[text.index('#[[rule]]\n#id = "rate"') : text.index("#[[rule.version.step]]")]
    edit(scoring, rule, rule.replace("\n#", "\n").removeprefix("#"))
    edit(office(cli) / "units.toml", 'group = "group2"\nnote', 'group = "group1"\nnote')
    edit(office(cli) / "cases" / "first.toml", "items = 3", "items = 6")
    with speaking("en"):
        said = cli.good("rules", "check", "otog")
    for words in (
        "另一种算法", "联合报送的信息怎样分", "ladder without steps", "采用率加分", "a group without units: 第二组",
        "no mailbox", "to be confirmed: 农牧局、水利局",
    ):  # fmt: skip
        assert words in said
    told = cli("rules", "check", "--json").json
    assert told[0]["readings"][0]["alternative"] == "另一种算法"
    assert {o["kind"] for o in told[0]["left"]} == {
        *("left", "ladder", "group", "unit", "mailbox"),
        "addresses",
    }
    assert (told[0]["cases"], told[0]["failed"]) == (1, [])


def test_check_shows_the_letters_when_they_are_due_and_who_gets_them(cli: Cli) -> None:
    path = office(cli) / "letters.toml"
    text = re.sub(r"(?m)^#(?=[\w\[])", "", path.read_text("utf-8"))
    people = text[text.index("[people]") : text.index("[[letter]]")]
    path.write_text(text.replace(people, ""), encoding="utf-8")
    edit(path, "readers = true", "auto_approve = true")
    edit(path, "auto_approve = false", "")
    with speaking("en"):
        said = cli.good("rules", "check", "otog")
    for words in (
        "working day 5 counted back from the end of the month 09:00 to 信息员；",
        "working day 6 after the quarter 09:00 drafted and sent without approval to 主要负责人",
        "“零报送单位” gets its own letter; seals the period",
        "working day 1 after the due day",
        "every working day 08:30 to the office only",
        "the first working day of each week 09:00 to submitters and heads",
        "No staff is set, nor a mailbox",
        "No approvers are set",
        "text messages without a number: 2 个单位的主要负责人没有电话",
    ):
        assert words in said, words
    (told,) = cli("rules", "check", "--json").json
    assert len(told["letters"]) == text.count("[[letter]]")
    quarter = next(one for one in told["letters"] if one["id"] == "quarter")
    assert (quarter["period"], quarter["to"], quarter["seals"]) == ("quarter", ["head"], True)

    path.write_text(text, encoding="utf-8")
    with speaking("en"):
        said = cli.good("rules", "check", "otog")
    for words in (
        "once approved to 主要负责人、1 readers outside the units",
        "go to xinxishi@example.com",
        "by reply from zhuren@example.com",
    ):
        assert words in said, words

    path.unlink()
    with speaking("en"):
        assert "no letters of our own accord" in cli.good("rules", "check", "otog")


def test_check_tells_every_fault_of_every_file_with_code_2(cli: Cli) -> None:
    cli.good("rules", "new", "yi")
    edit(office(cli) / "scoring.toml", 'journal = "city"', 'journal = "citty"')
    edit(office(cli, "yi") / "cases" / "first.toml", '"水利局" = 0', '"水力局" = 0')
    edit(office(cli, "yi") / "cases" / "first.toml", "市级刊物", "县级刊物")
    said = cli.refused("rules", "check", "otog", "yi", "none")
    for words in ("citty", "是不是 city", "水力局", "县级刊物", "没有这个单位的文件夹"):
        assert words in said


def test_check_fails_with_code_1_where_a_case_does(cli: Cli) -> None:
    edit(office(cli) / "scoring.toml", "points = 20", "points = 21")
    for command in (("rules", "check"), ("rules", "test"), ("rules", "test", str(office(cli)))):
        said = cli(*command)
        assert said.code == 1
        assert "被两级刊物采用的信息" in said.out
        assert "first.toml" in said.out
        assert "21" in said.out and "22" in said.out
    told = cli("rules", "check", "--json")
    assert told.code == 1
    assert told.json[0]["failed"][0]["case"].startswith("被两级刊物")


def test_an_office_without_cases_is_told_so(cli: Cli) -> None:
    shutil.rmtree(office(cli) / "cases")
    with speaking("en"):
        assert "no cases" in cli.good("rules", "check")
        assert "No cases" in cli.good("rules", "test")


# --- test -------------------------------------------------------------------------------------

CASE = """office = "otog"
[[case]]
name = "外来的算例"
period = "2026-07"
[[case.event]]
unit = "农牧局"
kind = "submission"
day = 2026-07-10
category = "problem"
[case.expect]
points = { "农牧局" = 5 }
"""


def test_case_files_from_elsewhere_are_run(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CASE, encoding="utf-8")
    with speaking("en"):
        assert "1 cases, 0 failed" in cli.good("rules", "test", str(path))
        assert "2 cases, 0 failed" in cli.good("rules", "test", str(path), "otog")
    path.write_text(CASE.replace("= 5", "= 6"), encoding="utf-8")
    told = cli("rules", "test", str(path), "--json")
    assert told.code == 1
    assert told.json["failed"][0]["case"] == "外来的算例"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CASE.replace('office = "otog"\n', ""), "没有写是哪个办公室"),
        (CASE.replace("otog", "otoq"), "是不是 otog"),
        (CASE.replace("农牧局", "农木局"), "农牧局"),
        ("[[case", "方括号"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(
    cli: Cli, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    assert words in cli.refused("rules", "test", str(path))
    assert "→" in cli.refused("rules", "test", str(tmp_path / "nothing.toml"))


def test_a_case_that_expects_to_be_refused_counts_as_run(cli: Cli) -> None:
    case = (
        '\n[[case]]\nname = "没有的刊物不收"\nperiod = "2026-Q3"\n[[case.event]]\nunit = "农牧局"\n'
        'kind = "adoption"\nday = 2026-08-01\njournal = "市级刊"\n[case.expect]\nerror = "市级刊物"\n'
    )
    path = office(cli) / "cases" / "first.toml"
    path.write_text(path.read_text("utf-8") + case, encoding="utf-8")
    with speaking("en"):
        assert "2 cases, 0 failed" in cli.good("rules", "test")


# --- units ------------------------------------------------------------------------------------


def test_units_are_listed_whatever_they_owe(cli: Cli) -> None:
    quota = office(cli) / "quota.toml"
    (office(cli) / "letters.toml").unlink()  # it reminds of the quota that is renamed here
    with speaking("en"):
        assert "2/month" in cli.good("rules", "units")
        edit(quota, 'id = "items"', 'id = "reports"')
        edit(quota, 'period = "month"', 'period = "quarter"')
        assert "1/quarter" in cli.good("rules", "units")
        edit(quota, "from = 2026-01-01", "from = 2090-01-01")
        assert "水利局" in cli.good("rules", "units")


# --- the main job -----------------------------------------------------------------------------


def test_the_main_job_refuses_an_office_whose_cases_fail(cli: Cli) -> None:
    assert cli("once").code == 0
    edit(office(cli) / "scoring.toml", "points = 20", "points = 21")
    for command in ("once", "run"):
        said = cli.refused(command)
        assert "被两级刊物采用的信息" in said


def test_the_main_job_refuses_an_office_with_faults_and_tells_them_all(cli: Cli) -> None:
    edit(office(cli) / "scoring.toml", "points = 20", "points = nan")
    edit(office(cli) / "notices.toml", '"no_submission"', '"nosubmission"')
    said = cli.refused("once")
    assert "NaN" in said and "nosubmission" in said
