"""`mailbot record` as the office's people use it: one event, a file, the list, a reversal."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from mailbot.adapters.system import shipped
from mailbot.app.recording.columns import COLUMNS, NEEDS
from mailbot.core.rules.events import NAMES
from tests.integration.cli_help import Cli, installed, mail, speaking

HEADER = {c.header for c in COLUMNS}
SUBMITTED = (
    "record", "submission", "--unit", "农牧局", "--title", "牧区饮水安全工程全部完工",
    "--day", "2022-08-01 10:20", "--category", "问题", "--channel", "fax", "--evidence", "传真12号",
)  # fmt: skip
ADOPTED = (
    "record", "采用", "--unit", "旗农牧局", "--title", "牧区饮水安全工程全部完工",
    "--day", "2022年8月5日", "--journal", "每日要情", "--evidence", "第12期",
)  # fmt: skip


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("LOGNAME", "wangfang")
    return Cli(capsys, monkeypatch, installed(tmp_path / "office", shipped("config")))


def template(cli: Cli, name: str = "模板.xlsx") -> Path:
    path = cli.folder / name
    cli.good("record", "--template", str(path))
    return path


def filled(cli: Cli, *rows: dict[str, Any], name: str = "八月.xlsx") -> Path:
    """The template as a person fills it in, saved under another name."""
    book = load_workbook(template(cli, f"空白 {name}"))
    page = book["登记"]
    columns = {c.value: c.column for c in page[1]}
    for number, row in enumerate(rows, 2):
        for header, value in row.items():
            page.cell(number, columns[header], value)
    book.save(cli.folder / name)
    return cli.folder / name


SENT = {
    "事项": "报送", "单位": "水利局", "日期": datetime(2022, 8, 1, 9, 30), "标题": "渠道清淤完成",
    "类别": "动态", "渠道": "OA系统", "依据": "OA 12",
}  # fmt: skip
PRINTED = {
    "事项": "采用", "单位": "水利局", "日期": date(2022, 8, 4), "标题": "渠道清淤完成",
    "刊物": "政讯", "采用形式": "全文", "依据": "第8期",
}  # fmt: skip


# --- one event ---------------------------------------------------------------------------------


def test_an_item_of_another_channel_and_its_adoption(cli: Cli) -> None:
    said = cli.good(*SUBMITTED)
    assert "EQ202208-0001" in said and "传真" in said and "+5" in said
    said = cli.good(*ADOPTED, "--who", "王芳芳")
    assert "《每日要情》采用" in said and "EQ202208-0001" in said
    assert "+30" in said and "二（四）1（2）" in said
    (item,) = cli("items", "--json").json
    assert (item["receipt"], item["unit_id"], item["month"]) == (
        "EQ202208-0001",
        "agriculture",
        "2022-08",
    )
    listed = cli.good("record", "--list", "--unit", "农牧局", "--kind", "采用")
    assert "王芳芳" in listed and "第12期" in listed
    assert "王芳芳" not in cli.good("record", "--list", "--since", "2022-08-06")


def test_what_came_by_mail_is_found_and_not_entered_again(cli: Cli) -> None:
    now = datetime.now().astimezone()
    cli.drop(mail("农牧局+牧区饮水安全工程全部完工+张三+7622029"), now, "one")
    cli.good("once")
    (item,) = cli("items", "--json").json
    again = [*SUBMITTED]
    again[again.index("2022-08-01 10:20")] = f"{now:%Y-%m-%d} 00:00"
    err = cli.refused(*again)
    assert item["receipt"] in err and "--title" in err and "--not-duplicate" in err
    assert cli("record", *again[1:], "--not-duplicate").code == 0
    assert len(cli("items", "--json").json) == 2


def test_a_reversal_says_what_it_takes_off(cli: Cli) -> None:
    cli.good(*SUBMITTED)
    cli.good(*ADOPTED)
    assert "--why" in cli.refused("record", "--reverse", "1")
    said = cli.good("record", "--reverse", "#1", "--why", "期号看错了", "--who", "王芳芳")
    assert "+30" in said and "每日要情" in said
    assert "1" in cli.good("record", "--list")
    cli.refused("record", "--reverse", "1", "--why", "再来")
    assert "EQ202208-0001" in cli.good("record", "--reverse", "eq202208-0001", "--why", "重复登记")
    assert [i["state"] for i in cli("items", "--json").json] == ["taken_back"]


def test_faults_name_the_option_and_nothing_is_kept(cli: Cli) -> None:
    err = cli.refused(
        "record",
        "采用",
        "--unit",
        "农牧剧",
        "--journal",
        "每日要请",
        "--day",
        "8月5日",
        "--points",
        "3",
    )
    for part in (
        "--unit",
        "农牧局",
        "--journal",
        "是不是 每日要情？",
        "--day",
        "--points",
        "--evidence",
    ):
        assert part in err, part
    assert "EQ" not in cli.good("record", "--list")


def test_the_day_before_the_rules_names_office_rule_and_day(cli: Cli) -> None:
    before = [*SUBMITTED]
    before[before.index("2022-08-01 10:20")] = "2019-01-05"
    err = cli.refused(*before)
    assert "otog" in err and "2019-01-05" in err


def test_a_kind_the_office_never_speaks_of_is_kept_and_told(cli: Cli) -> None:
    said = cli(
        "record", "training", "--unit", "农牧局", "--day", "2022-08-05", "--evidence", "文件"
    )
    assert said.code == 0
    assert "以干代训" in said.err


def test_a_leaders_comment_must_say_whether_the_item_was_urgent(cli: Cli) -> None:
    cli.good(*SUBMITTED)
    given = (
        "record",
        "批示",
        "--receipt",
        "EQ202208-0001",
        "--day",
        "2022-08-09",
        "--evidence",
        "批示单",
    )
    assert "重大紧急类" in cli.refused(*given, "--level", "市")
    assert "+20" in cli.good(*given, "--level", "市", "--not-urgent-major")


def test_one_thing_at_a_time(cli: Cli) -> None:
    cli.refused("record")
    cli.refused("record", "采用", "--list")
    cli.refused("record", "--list", "--kind", "采纳")
    cli.refused("record", "--list", "--since", "上周")
    cli.refused("record", "--list", "--office", "nowhere")
    cli.refused("record", "--reverse", "EQ202208-9999", "--why", "x")


# --- the template ------------------------------------------------------------------------------


def test_the_template_has_every_column_kind_and_word(cli: Cli) -> None:
    book = load_workbook(template(cli))
    assert book.sheetnames == ["登记", "填写说明", "名单"]
    assert {c.value for c in book["登记"][1]} == HEADER
    assert book["登记"]["A1"].value == "事项"
    names = {c.value for row in book["名单"].iter_rows() for c in row}
    assert {"农牧局", "每日要情", "采用", "漏报"} <= names
    told = {row[0].value for row in book["填写说明"].iter_rows()}
    assert {NAMES[k.value] for k in NEEDS} <= told
    assert told >= HEADER


def test_the_template_asks_for_no_word_that_the_office_has_none_of(cli: Cli) -> None:
    """jinan has neither journals nor levels: no column, no hint, and no need of them."""
    text = cli.config.read_text("utf-8")
    cli.config.write_text(text.replace('["otog"]', '["jinan"]'), "utf-8")
    book = load_workbook(template(cli))
    headers = {c.value for c in book["登记"][1]}
    assert HEADER - headers == {"刊物", "级别"}
    cells = {str(c.value) for row in book["填写说明"].iter_rows() for c in row if c.value}
    needs = {row[0].value: row for row in book["填写说明"].iter_rows()}
    assert "刊物" not in cells and "级别" not in cells
    assert needs["约稿"][1].value == "单位、日期、完成情况、依据"
    assert "刊物" not in needs["采用"][1].value + needs["采用"][2].value


def test_drop_downs_point_at_the_words_they_should(cli: Cli) -> None:
    book = load_workbook(template(cli))
    page, names = book["登记"], book["名单"]
    columns = {c.value: c.column_letter for c in page[1]}
    sources = {}
    for rule in page.data_validations.dataValidation:
        letters = str(rule.sqref).split(":")[0].rstrip("0123456789")
        sources[letters] = rule.formula1
    for header, title in (("单位", "单位"), ("刊物", "刊物"), ("级别", "级别"), ("事项", "事项")):
        place = sources[columns[header]].split("!")[1].replace("$", "")
        cells = [c.value for (c,) in names[place]]
        letter = place.split(":")[0].rstrip("0123456789")
        assert names[f"{letter}1"].value == title
        assert all(cells) and names[f"{letter}{len(cells) + 2}"].value is None
    assert page.cell(2, [c.value for c in page[1]].index("日期") + 1).number_format


def test_a_file_of_entries_is_never_written_over(cli: Cli) -> None:
    path = template(cli)
    before = path.read_bytes()
    cli.refused("record", "--template", str(path))
    assert path.read_bytes() == before
    cli.refused("record", "--template", str(cli.folder / "模板.doc"))
    cli.refused("record", "--template", str(cli.folder / "none" / "模板.xlsx"))


def test_an_empty_template_is_no_import(cli: Cli) -> None:
    assert "没有一行" in cli.refused("record", "--import", str(template(cli)))


# --- import ------------------------------------------------------------------------------------


def test_trial_then_entry_then_recognised(cli: Cli) -> None:
    path = filled(cli, SENT, PRINTED)
    said = cli.good("record", "--import", str(path))
    assert "渠道清淤完成" in said and "--apply" in said
    assert "EQ202208" not in said, "a trial gives no numbers"
    assert cli("items", "--json").json == []
    said = cli.good("record", "--import", str(path), "--apply", "--who", "王芳芳")
    assert "EQ202208-0001" in said
    assert "水利局" in cli.good("record", "--list")
    err = cli.refused("record", "--import", str(path), "--apply")
    assert "登记!" in err and "EQ202208-0001" in err
    assert len(cli("items", "--json").json) == 1


def test_all_faults_of_a_file_with_sheet_and_cell(cli: Cli) -> None:
    path = filled(
        cli,
        SENT,
        PRINTED | {"刊物": "每日要请"},
        PRINTED | {"日期": "2022-02-30", "单位": "水力局"},
        {"事项": "采纳"},
    )
    err = cli.refused("record", "--import", str(path), "--apply")
    column = {c.value: c.column_letter for c in load_workbook(path)["登记"][1]}
    assert f"登记!{column['刊物']}3: 没有刊物“每日要请”\n  → 是不是 每日要情？" in err
    for header, row in (("日期", 4), ("单位", 4), ("事项", 5)):
        assert f"登记!{column[header]}{row}: " in err
    assert cli("items", "--json").json == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_csv_from_the_template_is_read_in_any_encoding(cli: Cli, encoding: str) -> None:
    path = template(cli, "模板.csv")
    header = path.read_text(encoding="utf-8-sig").strip().split(",")
    cells = {h: str(SENT.get(h, "")) for h in header}
    lines = [",".join(header), ",".join(cells[h] for h in header)]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    cli.good("record", "--import", str(path), "--apply")
    (item,) = cli("items", "--json").json
    assert item["title"] == "渠道清淤完成"


def test_one_evidence_for_all_rows_without_their_own(cli: Cli) -> None:
    path = filled(cli, SENT, PRINTED | {"依据": None})
    assert "依据" in cli.refused("record", "--import", str(path))
    cli.good("record", "--import", str(path), "--apply", "--evidence", "八月采用情况表")
    assert "八月采用情况表" in cli.good("record", "--list")


def test_in_english_the_frame_is_english(cli: Cli) -> None:
    with speaking("en"):
        assert "No. 1: " in cli.good(*SUBMITTED) + cli.good(*ADOPTED)
        assert "1 rows." in cli.good("record", "--list")
