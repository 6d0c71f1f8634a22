"""`items`, `show`, `explain`, `subject`, `rules`: what a clerk sees, and what bad input is told."""

from __future__ import annotations

import csv
import logging
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from rich.cells import cell_len

from mailbot.adapters.db.history import SqlHistory
from mailbot.adapters.db.listing import everything_about
from mailbot.adapters.settings.model import load_settings
from mailbot.adapters.sheets import unguarded
from mailbot.adapters.system import SHANGHAI, SystemClock
from mailbot.bootstrap import open_office
from mailbot.cli.story import Record
from tests.integration.cli_help import FIXTURES, Cli, demo_copy, mail, speaking

TRACEBACK = "Traceback (most recent call last)"


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> Cli:
    config = demo_copy(tmp_path_factory.getbasetemp(), tmp_path / "office")
    monkeypatch.delenv("COLUMNS", raising=False)
    return Cli(capsys, monkeypatch, config)


@pytest.fixture
def chinese() -> Iterator[None]:
    with speaking("zh"):
        yield


def _rows(table: str) -> list[str]:
    """The lines of a printed table, without its head."""
    lines = table.splitlines()
    rule = next(i for i, text in enumerate(lines) if text.startswith("──"))
    return lines[rule + 1 : lines.index("", rule)]


# --- items -----------------------------------------------------------------------------------


def test_items_says_how_many_there_are_and_lists_the_newest_first(cli: Cli) -> None:
    said = cli.good("items")
    rows = _rows(said)
    assert f"{len(rows)} rows." in said
    times = [i["received"] for i in cli("items", "--json").json]
    assert len(times) == len(rows)
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("name", ["农牧局", "鄂托克前旗农牧局", "agriculture"])
def test_items_of_a_unit_by_any_of_its_names(cli: Cli, name: str) -> None:
    found = cli("items", "--unit", name, "--json").json
    assert found
    assert {i["unit_id"] for i in found} == {"agriculture"}


@pytest.mark.parametrize("name", ["问题", "problem"])
def test_items_of_a_category_by_name_or_id(cli: Cli, name: str) -> None:
    found = cli("items", "--category", name, "--json").json
    assert found
    assert {i["category"] for i in found} == {"problem"}


@pytest.mark.parametrize("word", ["hold", "held", "待核", "HOLD"])
def test_items_of_a_decision_by_code_or_word(cli: Cli, word: str) -> None:
    with speaking("zh" if word == "待核" else "en"):
        found = cli("items", "--decision", word, "--json").json
    assert found
    assert {i["decision"] for i in found} == {"hold"}


def test_quarantined_mail_is_listed_though_it_is_no_item(cli: Cli) -> None:
    found = cli("items", "--decision", "quarantine", "--json").json
    assert len(found) == 7
    assert all(m["subject"] == "" for m in found), "a secrets hit shows nothing of the content"


@pytest.mark.parametrize("form", ["{:%Y-%m}", "{:%Y%m}", "{:%Y年%m月}"])
def test_items_of_a_month_however_it_is_written(cli: Cli, form: str) -> None:
    today = SystemClock().now()
    everything = len(cli("items", "--json").json)
    last_month = today.replace(day=1) - timedelta(days=1)
    counts = [
        len(cli("items", "--month", form.format(day), "--json").json) for day in (today, last_month)
    ]
    assert sum(counts) == everything, "the demo's mails are hours old"
    assert "Nothing fits" in cli.good("items", "--month", "2020-01")


def test_filters_go_together(cli: Cli) -> None:
    found = cli(
        "items", "--unit", "农牧局", "--decision", "return", "--text", "张三", "--json"
    ).json
    assert found
    assert {(i["unit_id"], i["decision"]) for i in found} == {("agriculture", "return")}


def test_json_keys_and_codes_do_not_change_with_the_language(cli: Cli) -> None:
    english = cli("items", "--json").json
    with speaking("zh"):
        assert cli("items", "--json").json == english
    assert {"receipt", "received", "month", "unit", "title", "submitter", "contact"} <= set(
        english[0]
    )
    assert all(datetime.fromisoformat(i["received"]).tzinfo is not None for i in english)
    assert all(isinstance(i["contact"], list) for i in english)


def test_csv_has_every_column_and_no_formula(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "items.csv"
    count = len(cli("items", "--json").json)
    assert str(count) in cli.good("items", "--csv", str(target))
    raw = target.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "Excel in China reads GBK without it"
    head, *rows = list(csv.reader(raw.decode("utf-8-sig").splitlines()))
    assert len(rows) == count
    assert {"Number", "Title", "Sender", "To look at"} <= set(head)
    assert not [c for row in rows for c in row if c[:1] in "=+-@" and c not in ("", "-")]
    contacts = [unguarded(row[head.index("Contact")]) for row in rows]
    assert "+86 138-4770-0005" in contacts


def test_xlsx_opens_with_dates_and_texts(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "items.xlsx"
    cli.drop(mail("农牧局+=HYPERLINK(1)春耕物资到位+张三+7622029"), SystemClock().now(), "formula")
    cli.good("once")
    cli.good("items", "--xlsx", str(target))
    sheet = openpyxl.load_workbook(target).active
    assert sheet is not None
    head = [c.value for c in sheet[1]]
    assert sheet.max_row == len(cli("items", "--json").json) + 1
    for row in sheet.iter_rows(min_row=2):
        assert all(cell.data_type != "f" for cell in row)
        assert isinstance(row[head.index("Received")].value, datetime)
    titles = [row[head.index("Title")] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert any("HYPERLINK" in str(t) for t in titles)


@pytest.mark.parametrize("columns", [60, 80, 100, 140, 220])
@pytest.mark.parametrize("args", [(), ("--mails",)])
def test_a_table_fits_its_terminal_and_stays_aligned(
    cli: Cli, chinese: None, monkeypatch: pytest.MonkeyPatch, columns: int, args: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    said = cli.good("items", *args)
    lines = said.splitlines()
    rule = next(text for text in lines if text.startswith("──"))
    assert cell_len(rule) <= columns
    assert max(cell_len(text) for text in lines) <= columns
    starts = [m.start() for m in re.finditer("─+", rule)]
    for row in _rows(said):
        for start in starts[1:]:
            assert _cells_before(row, start).endswith("  ") or cell_len(row) <= start, row


def _cells_before(text: str, cells: int) -> str:
    taken = ""
    for char in text:
        if cell_len(taken) >= cells:
            break
        taken += char
    assert cell_len(taken) <= cells, f"a character straddles a column: {text}"
    return taken


def test_a_hundred_columns_still_show_what_matters(
    cli: Cli, chinese: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    head = cli.good("items", "--limit", "1").splitlines()[0]
    assert {"编号", "收到", "单位", "标题", "类别", "状态"} <= set(head.split())


def test_into_a_pipe_the_table_goes_in_full(cli: Cli) -> None:
    head = cli.good("items", "--limit", "1").splitlines()[0]
    assert {"Contact", "Sender", "Answer"} <= set(head.split())


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--unit", "农牧"), "农牧局"),
        (("--unit", "农木局"), "农牧局"),
        (("--unit", "火星办事处"), "rules units"),
        (("--category", "杂谈"), "问题（problem）"),
        (("--decision", "maybe"), "accept"),
        (("--month", "August"), "2026-08"),
        (("--month", "2026-13"), "2026-08"),
        (("--office", "laiwu"), "otog"),
        (("--csv", "a.csv", "--xlsx", "b.xlsx"), "one of them"),
        (("--csv", "a.csv", "--json"), "one of them"),
        (("--csv", "no-such-folder/a.csv"), "no-such-folder/a.csv"),
        (("--xlsx", "no-such-folder/a.xlsx"), "no-such-folder/a.xlsx"),
        (("--csv", "."), "folder"),
    ],
)
def test_a_wrong_filter_is_told_with_what_would_be_right(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, args: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told in cli.refused("items", *args)
    assert not list(tmp_path.glob("*.csv")) + list(tmp_path.glob("*.xlsx"))


def test_a_limit_below_one_is_refused(cli: Cli) -> None:
    assert cli("items", "--limit", "0").code == 2


# --- without a configuration -----------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("items",),
        ("show", "1"),
        ("tasks",),
        ("senders",),
        ("backlog",),
        ("replay",),
        ("release", "EQ202608-0001"),
        ("category", "EQ202608-0001", "问题"),
        ("once",),
        ("run",),
    ],
)
def test_without_configuration_a_command_says_so_and_makes_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.delenv("MAILBOT_CONFIG", raising=False)
    said = cli.bare(*command)
    assert said.code == 2
    assert "mailbot init" in said.err
    assert not list(empty.iterdir())


def test_a_settings_file_that_is_not_there_is_named(cli: Cli) -> None:
    said = cli.bare("--config", "/nowhere/mailbot.toml", "items")
    assert said.code == 2
    assert "/nowhere/mailbot.toml" in said.err


# --- show ------------------------------------------------------------------------------------


def test_show_tells_everything_of_an_item_in_chinese(cli: Cli, chinese: None) -> None:
    item = next(i for i in cli("items", "--text", "社会救助对象动态核查", "--json").json)
    said = cli.good("show", item["receipt"])
    for expected in (
        "第2版",
        "第1版",
        "现行",
        "民政局",
        "邮件主题",
        "7622043",
        "更正稿，已替换原来的登记。",
        "收件回执",
        "已发出",
        "要求撤回",
        "docx",
        ".eml",
        "经过",
    ):
        assert expected in said
    english = re.findall(r"\b(?:accepted|settled|file|rule|first_address|unverified)\b", said)
    assert not english, "codes are for the administrator"


def test_show_by_receipt_in_lower_case_by_number_and_by_mail(cli: Cli) -> None:
    one = cli("items", "--limit", "1", "--json").json[0]
    by_receipt = cli("show", one["receipt"].lower(), "--json").json
    number = by_receipt["items"][0]["id"]
    assert cli("show", str(number), "--json").json == by_receipt
    by_mail = cli("show", f"mail:{one['mail']}", "--json").json
    assert by_mail["items"] == by_receipt["items"]


def test_every_mail_of_the_office_can_be_printed(cli: Cli, chinese: None) -> None:
    """Hostile, empty, quarantined, automatic: none of them breaks the printing."""
    office = open_office(load_settings(cli.config, {}))
    rows = SqlHistory(office.store).rows()
    assert len(rows) == len(list(FIXTURES.glob("*.eml"))) > 150
    for row in rows:
        cli.capsys.readouterr()
        Record(office.books).show(everything_about(office.store, f"mail:{row.id}"))
        said = cli.capsys.readouterr().out
        assert said.startswith(("━━", "──"))
        assert not [c for c in said if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]


def test_show_says_nothing_of_a_mail_with_a_secrets_mark(cli: Cli, chinese: None) -> None:
    for one in cli("items", "--decision", "quarantine", "--json").json:
        said = cli.good("show", f"mail:{one['mail']}")
        assert "内容" in said and "没有保存" in said
        assert "附件 " not in said and "正文" not in said
        assert cli("show", f"mail:{one['mail']}", "--json").json["mails"][0]["content"] is None


@pytest.mark.parametrize("what", ["EQ999999-0001", "mail:99999", "mail:x", "99999", "农牧局", ""])
def test_show_of_nothing_says_where_the_numbers_are(cli: Cli, what: str) -> None:
    assert "mailbot items" in cli.refused("show", what)


# --- explain and subject ---------------------------------------------------------------------


def _snapshot(*roots: Path) -> dict[str, tuple[int, int]]:
    return {
        str(p): (p.stat().st_mtime_ns, p.stat().st_size)
        for root in roots
        for p in sorted(root.rglob("*"))
        if "__pycache__" not in p.parts
    }


def test_explain_writes_nothing_but_what_it_removes_again(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scratch, work = tmp_path / "scratch", tmp_path / "work"
    scratch.mkdir()
    work.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(work)
    files = [str(FIXTURES / f"{n}.eml") for n in ("subject-plus-signs", "unit-missing")]
    before = _snapshot(cli.folder, FIXTURES, work)
    assert cli("explain", *files).code == 0
    assert cli("subject", "农牧局+春耕+张三+7622029").code == 0
    assert _snapshot(cli.folder, FIXTURES, work) == before
    assert not list(scratch.iterdir())


def test_explain_needs_no_configuration(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILBOT_CONFIG", raising=False)
    said = cli.bare("explain", "--json", str(FIXTURES / "subject-plus-signs.eml"))
    assert said.code == 0
    assert said.json["decision"] == "accept"
    assert [p.name for p in tmp_path.iterdir()] == ["office"]


def test_the_keys_of_an_explanation(cli: Cli) -> None:
    found = cli("explain", "--json", str(FIXTURES / "subject-plus-signs.eml")).json
    assert {"decision", "reasons", "items", "missing", "received", "answer"} <= set(found)
    (item,) = found["items"]
    assert set(item["fields"]) == {"unit", "title", "submitter", "contact"}
    for name in ("unit", "title", "submitter"):
        assert {"value", "source", "certainty"} <= set(item["fields"][name])
    assert [set(c) for c in item["fields"]["contact"]] == [{"value", "source", "certainty"}]
    assert item["category"] == "news"
    assert set(found["received"]) == {"time", "source"}
    assert set(found["answer"]) == {"kind", "to", "subject", "text"}
    assert found["answer"]["kind"] == "acknowledgement"


def test_one_file_gives_an_object_several_a_list(cli: Cli) -> None:
    files = [
        str(FIXTURES / f"{n}.eml")
        for n in ("bounce-163", "unit-missing", "secrets-star-in-subject")
    ]
    assert isinstance(cli("explain", "--json", files[0]).json, dict)
    several = cli("explain", "--json", *files).json
    assert [d["decision"] for d in several] == ["ignore", "return", "quarantine"]
    assert [d["file"] for d in several] == files
    assert several[0]["answer"] is None
    secret = several[2]
    assert secret["items"] == [] and secret["answer"] is None
    assert "mail" not in secret and "defects" not in secret and secret["reading"] is None


def test_every_sample_mail_is_explained_for_people(cli: Cli, chinese: None) -> None:
    files = sorted(map(str, FIXTURES.glob("*.eml")))
    said = cli.good("explain", *files)
    assert said.count("━━ ") == len(files)
    assert "\x1b" not in said


def test_together_a_resend_is_seen_alone_it_is_not(cli: Cli) -> None:
    files = [str(FIXTURES / f"{n}.eml") for n in ("version-1", "version-2-revised")]
    alone = cli("explain", "--json", *files).json
    together = cli("explain", "--json", "--together", *files).json
    assert alone[1]["reasons"][0]["code"] == "complete"
    assert together[1]["reasons"][0]["code"] == "correction"


@pytest.mark.parametrize(
    ("given", "time"),
    [
        ("2026-08-12T09:30", "2026-08-12T09:30:00+08:00"),
        ("2026-08-12 09:30", "2026-08-12T09:30:00+08:00"),
        ("2026-08-12", "2026-08-12T00:00:00+08:00"),
        ("2026-08-12T01:30:00Z", "2026-08-12T09:30:00+08:00"),
        ("2026/08/12 09:30", "2026-08-12T09:30:00+08:00"),
    ],
)
def test_received_as_people_write_it(cli: Cli, given: str, time: str) -> None:
    found = cli(
        "explain", "--json", "--received", given, str(FIXTURES / "subject-slashes.eml")
    ).json
    assert found["received"] == {"time": time, "source": "given"}
    assert found["answer"]["subject"].startswith("[EQ202608-")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("explain", "no-such.eml"), "no-such.eml"),
        (("explain", str(FIXTURES)), "*.eml"),
        (("explain", "--received", "yesterday", str(FIXTURES / "body-empty.eml")), "2026-08-12"),
        (("subject", "农牧局+a", "--received", "12.8."), "2026-08-12"),
        (("explain", "--office", "nowhere", str(FIXTURES / "body-empty.eml")), "nowhere"),
    ],
)
def test_what_cannot_be_explained_is_told(cli: Cli, args: tuple[str, ...], told: str) -> None:
    assert told in cli.refused(*args)


def test_all_missing_files_are_told_at_once(cli: Cli) -> None:
    said = cli.refused("explain", "a.eml", str(FIXTURES / "body-empty.eml"), "b.eml")
    assert "a.eml" in said and "b.eml" in said


def test_what_is_no_mail_is_explained_too(cli: Cli, tmp_path: Path) -> None:
    for name, raw in (
        ("empty", b""),
        ("noise", bytes(range(256)) * 40),
        ("zip", b"PK\x03\x04" + b"\0" * 99),
    ):
        path = tmp_path / f"{name}.eml"
        path.write_bytes(raw)
        assert cli("explain", "--json", str(path)).json["decision"] in (
            "hold",
            "quarantine",
            "return",
        )


@pytest.mark.parametrize(
    "line", ["", " ", "\x1b[31m农牧局", "农牧局\n张三", "=cmd|x", "一" * 5000, "\udcff", "--"]
)
def test_any_subject_line_is_explained(cli: Cli, line: str) -> None:
    found = cli("subject", "--json", "--", line).json
    assert found["decision"] in ("hold", "return", "accept")


def test_a_subject_with_a_secrets_mark_shows_no_reading(cli: Cli) -> None:
    found = cli("subject", "--json", "农牧局+机密★1年 春耕+张三+7622029").json
    assert found["decision"] == "quarantine"
    assert found["items"] == [] and found["answer"] is None


def test_a_day_before_all_rules_is_no_crash(cli: Cli) -> None:
    said = cli("subject", "农牧局+春耕+张三+7622029", "--received", "2001-01-01")
    assert said.code in (0, 2)
    assert TRACEBACK not in said.err


# --- rules -----------------------------------------------------------------------------------


def test_rules_units_names_the_units_and_what_they_are_called(cli: Cli) -> None:
    said = cli.good("rules", "units")
    assert "农牧局" in said and "农牧和水务执法局" in said
    assert len(_rows(said)) > 40


# --- as a process ----------------------------------------------------------------------------


def _process(cli: Cli, *args: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    kept = {k: v for k, v in os.environ.items() if k not in ("LANG", "LC_ALL", "MAILBOT_LANG")}
    return subprocess.run(
        [sys.executable, "-m", "mailbot", "--config", str(cli.config), *args],
        capture_output=True,
        env={**kept, **environ},
        timeout=60,
        check=False,
    )


def test_without_any_locale_it_speaks_chinese(cli: Cli) -> None:
    done = _process(cli, "items", "--limit", "1", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert "共 1 条" in done.stdout.decode("utf-8")


def test_a_terminal_without_chinese_shows_marks_and_does_not_fail(cli: Cli) -> None:
    done = _process(cli, "items", "--limit", "1", PYTHONIOENCODING="ascii", MAILBOT_LANG="en")
    assert done.returncode == 0, done.stderr
    assert b"1 rows." in done.stdout


def test_a_reader_that_has_seen_enough_is_no_fault(cli: Cli) -> None:
    command = [sys.executable, "-m", "mailbot", "--config", str(cli.config), "items"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        code = process.wait(60)
    assert (code, said) == (0, b"")


def test_the_work_is_done_whether_somebody_reads_on_or_not(cli: Cli) -> None:
    cli.drop(mail("水利局+渠道清淤完成+李四+7622041"), SystemClock().now(), "late")
    command = [sys.executable, "-m", "mailbot", "--config", str(cli.config), "once"]
    before = len(cli.letters())
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 0
    assert len(cli.letters()) == before + 1


def test_an_unknown_command_and_a_missing_argument_end_with_code_2(cli: Cli) -> None:
    for args in (("nonsense",), ("show",), ("items", "--nonsense")):
        said = cli(*args)
        assert said.code == 2
        assert TRACEBACK not in said.err


def test_shanghai_is_the_time_whatever_the_machine_says(cli: Cli) -> None:
    newest = cli("items", "--limit", "1", "--json").json[0]["received"]
    assert datetime.fromisoformat(newest).utcoffset() == SHANGHAI.utcoffset(datetime(2026, 8, 1))


def test_the_log_level_of_the_settings_counts(cli: Cli) -> None:
    text = cli.config.read_text("utf-8")
    cli.config.write_text(f'log_level = "error"\n{text}', encoding="utf-8")
    root = logging.getLogger()
    before = root.level
    try:
        cli.good("items")
        assert root.level == logging.ERROR
    finally:
        root.setLevel(before)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("查询", ("指令“查询”，不是报送", "本单位2026年8月的报送")),
        ("Re: 【查询】三季度", ("本单位2026年第三季度的报送",)),
        ("查询 EQ202608-0012", ("本单位EQ202608-0012的登记",)),
        ("查询 2026年13月", ("“2026年13月”不是月份", "请写成“查询 2026年7月”")),
        ("查询 2026年12月", ("2026年12月还没有开始",)),
        ("申诉 记录17", ("指令“申诉”", "记录17是本单位的")),
        ("申诉", ("没有写明", "不立申诉")),
        ("帮助", ("指令“帮助”", "报送要求")),
    ],
)
def test_a_request_is_told_with_what_would_be_answered(
    cli: Cli, line: str, told: tuple[str, ...]
) -> None:
    said = cli.good("subject", line, "--received", "2026-08-12")
    assert all(one in said for one in told), said
    found = cli("subject", "--json", line, "--received", "2026-08-12").json
    assert found["decision"] == "command" and found["reasons"][0]["text"] in said


def test_a_line_that_only_resembles_a_request_is_judged_as_a_submission(cli: Cli) -> None:
    found = cli("subject", "--json", "农牧局+查询平台上线+张三+7622029").json
    assert found["decision"] == "accept"
