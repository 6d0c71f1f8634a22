"""`mailbot notices` as the office's people use it, on a real installation with the shipped office."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from mailbot.adapters.system import SHANGHAI, shipped
from mailbot.core.rules.periods import Period, PeriodKind, day_of
from tests.integration.cli_help import Cli, installed, speaking
from tests.integration.notice_help import finished

NOW = datetime.now(SHANGHAI)
LAST = Period.of(PeriodKind.QUARTER, day_of(NOW)).previous()
"""The quarter before the one in which the tests run: it is over, and the shipped rules cover it."""
NUMBER = "鄂前政办通〔2026〕12号"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("LOGNAME", "wangfang")
    config = tmp_path / "config"
    shutil.copytree(shipped("config"), config)
    _with_head(config / "offices" / "otog" / "units.toml")
    found = Cli(capsys, monkeypatch, installed(tmp_path / "office", config))
    day = LAST.first.replace(day=5)
    for unit in ("农牧局", "水利局"):
        found.good(
            *("record", "submission", "--unit", unit, "--title", f"{unit}渠道清淤完成"),
            *("--day", f"{day} 10:20", "--category", "动态", "--channel", "oa"),
            *("--evidence", "OA 1"),
        )
    return found


def _with_head(units: Path) -> None:
    """Gives one unit of the shipped roster a head with address and mobile."""
    before = units.read_text(encoding="utf-8")
    head = (
        'contact = [{ role = "head", name = "王甲", phone = "13900000001",'
        ' address = "head@example.org" }]\n'
    )
    mark = 'id = "agriculture"\n'
    assert before.count(mark) == 1
    units.write_text(before.replace(mark, mark + head), encoding="utf-8")


def _with_text(folder: Path) -> None:
    """Gives the shipped quarterly letter a text message."""
    (letters,) = folder.parent.glob("config/offices/otog/letters.toml")
    before = letters.read_text(encoding="utf-8")
    assert before.count('id = "quarter"\n') == 1
    text = 'sms = "{unit}在{table}列第{place}位"\n'
    letters.write_text(before.replace('id = "quarter"\n', 'id = "quarter"\n' + text), "utf-8")


@pytest.fixture
def drafted(cli: Cli) -> Iterator[Cli]:
    said = cli.good("notices", "draft", "otog", LAST.code)
    assert "1" in said and LAST.name in said
    yield cli


def letters(cli: Cli) -> list[dict[str, Any]]:
    return [x for x in cli("notices", "show", "1", "--json").json["recipients"] if x["state"]]


def test_no_draft_yet(cli: Cli) -> None:
    assert "notices draft" in cli.good("notices", "list")
    assert cli("notices", "list", "--json").json == []


def test_a_draft_is_listed_and_shown(drafted: Cli) -> None:
    listed = drafted.good("notices", "list")
    assert LAST.name in listed
    (row,) = drafted("notices", "list", "--office", "otog", "--json").json
    assert (row["id"], row["state"], row["period"], row["by"]) == (
        1,
        "draft",
        LAST.code,
        "wangfang",
    )
    shown = drafted.good("notices", "show", "1")
    assert "head@example.org" in shown and "王甲" in shown
    assert "没有可用邮箱" in shown
    found = drafted("notices", "show", "1", "--json").json
    assert found["counts"]["letters"] == 1
    assert {f["role"] for f in found["files"]} >= {"document", "standings"}


def test_the_files_are_written_whole_and_nothing_is_overwritten(drafted: Cli) -> None:
    folder = drafted.folder / "通报"
    drafted.good("notices", "show", "1", "--files", str(folder))
    documents = sorted(p.suffix for p in folder.iterdir())
    assert documents == [".docx", ".xlsx"]
    assert next(folder.glob("*.docx")).read_bytes()[:2] == b"PK"
    said = drafted("notices", "show", "1", "--files", str(folder))
    assert said.code == 2 and ".docx" in said.err and "→" in said.err
    blocked = drafted.folder / "file"
    blocked.write_text("x")
    said = drafted("notices", "show", "1", "--files", str(blocked / "in it"))
    assert said.code == 2 and "→" in said.err


def test_approving_asks_and_says_to_how_many(drafted: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[str] = []

    def confirm(text: str, **_: object) -> bool:
        answers.append(text)
        return True

    monkeypatch.setattr("typer.confirm", confirm)
    said = drafted.good("notices", "approve", "1", "--number", NUMBER)
    (question,) = answers
    assert "1" in question and LAST.name in question
    assert LAST.name in said
    assert [x["address"] for x in letters(drafted)] == ["head@example.org"]
    found = drafted("notices", "show", "1", "--json").json
    assert (found["state"], found["number"], found["decided_by"]) == ("sent", NUMBER, "wangfang")
    decided = day_of(datetime.fromisoformat(found["decided_at"]))
    assert found["issued"] == decided.isoformat()


def test_saying_no_changes_nothing(drafted: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert drafted("notices", "approve", "1").code == 130
    assert drafted("notices", "list", "--json").json[0]["state"] == "draft"


def test_held_back_then_sent_then_not_again(drafted: Cli) -> None:
    drafted.good("notices", "approve", "1", "--hold", "--yes", "--date", "2026-10-13")
    assert letters(drafted) == []
    assert drafted("notices", "show", "1", "--json").json["issued"] == "2026-10-13"
    drafted.good("notices", "send", "1", "--yes")
    assert len(letters(drafted)) == 1
    assert "已经发送过" in drafted.refused("notices", "send", "1", "--yes")
    assert len(letters(drafted)) == 1


def test_rejected_and_drafted_anew(drafted: Cli) -> None:
    said = drafted.good("notices", "reject", "1", "--why", "漏了一条采用", "--who", "王五")
    assert f"notices draft otog {LAST.code}" in said
    assert "漏了一条采用" in drafted.good("notices", "show", "1")
    assert "已退回" in drafted.refused("notices", "approve", "1", "--yes")
    drafted.good("notices", "draft", "otog", LAST.code)
    assert [r["state"] for r in drafted("notices", "list", "--json").json] == ["draft", "rejected"]
    waiting = drafted("notices", "list", "--waiting", "--json").json
    assert [r["id"] for r in waiting] == [2]


def test_facts_changed_since_the_draft(drafted: Cli) -> None:
    drafted.good(
        *(
            "record",
            "submission",
            "--unit",
            "教体局",
            "--title",
            "秋季开学准备就绪",
            "--category",
            "动态",
        ),
        *("--day", f"{LAST.last} 09:00", "--channel", "oa", "--evidence", "OA 2"),
    )
    err = drafted.refused("notices", "approve", "1", "--yes")
    assert "教体局" in err and "notices show 2" in err
    drafted.good("notices", "approve", "2", "--yes")


def test_sealed_meanwhile_by_hand(drafted: Cli) -> None:
    drafted.good("seal", "otog", LAST.code, "--yes")
    drafted.good("notices", "approve", "1", "--yes")
    assert len(letters(drafted)) == 1


def test_the_office_s_own_document(drafted: Cli) -> None:
    folder = drafted.folder / "通报"
    drafted.good("notices", "show", "1", "--files", str(folder))
    (document,) = folder.glob("*.docx")
    (table,) = folder.glob("*.xlsx")
    assert ".docx" in drafted.refused("notices", "approve", "1", "--yes", "--document", str(table))
    missing = folder / "没有这个.docx"
    assert "没有这个" in drafted.refused(
        "notices", "approve", "1", "--yes", "--document", str(missing)
    )
    raw = document.read_bytes()
    assert "草稿（未经审定，不得印发）" in drafted.refused(
        "notices", "approve", "1", "--yes", "--document", str(document)
    )
    document.write_bytes(finished(raw, number=NUMBER))
    drafted.good(
        *("notices", "approve", "1", "--yes", "--number", NUMBER, "--document", str(document))
    )


def test_files_of_two_drafts_stand_side_by_side_and_are_told_apart(drafted: Cli) -> None:
    folder = drafted.folder / "通报"
    drafted.good("notices", "show", "1", "--files", str(folder))
    old = next(folder.glob("*.docx"))
    assert "第1号草稿" in old.name
    drafted.good("notices", "reject", "1", "--why", "漏了一条")
    drafted.good("notices", "draft", "otog", LAST.code)
    drafted.good("notices", "show", "2", "--files", str(folder))
    assert sorted(p.name[:5] for p in folder.iterdir()) == ["第1号草稿"] * 2 + ["第2号草稿"] * 2
    old.write_bytes(finished(old.read_bytes()))
    err = drafted.refused("notices", "approve", "2", "--yes", "--document", str(old))
    assert "第 1 号草稿" in err and "notices show 2 --files" in err
    other = drafted.folder / "通报.pdf"
    other.write_bytes(b"%PDF-1.7\n%%EOF\n")
    said = drafted.good("notices", "approve", "2", "--yes", "--document", str(other))
    assert "没有核对其中的内容" in said


def test_approving_without_a_number_is_said(drafted: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.confirm", lambda *_, **__: True)
    with speaking("en"):
        said = drafted.good("notices", "approve", "1", "--hold", "--date", "2026-10-13")
        assert "--number" in said and "It has no document number." in said
        assert "Dated 2026-10-13." in said
        assert "no document number" in drafted.good("notices", "show", "1")


def test_a_letter_goes_again_to_one_recipient_and_is_shown(drafted: Cli) -> None:
    missing = ("notices", "resend", "1", "--to")
    reached = "cover:agriculture:head"
    drafted.refused(*missing, reached, "--address", "new@example.org")
    drafted.good("notices", "approve", "1", "--yes")
    assert "没有退回" in drafted.refused(*missing, reached)
    found = drafted("notices", "show", "1", "--json").json
    key = next(x["key"] for x in found["recipients"] if not x["address"])
    before = found["counts"]
    drafted.refused(*missing, key)
    drafted.refused(*missing, key, "--address", "head@example.org")
    said = drafted.good(*missing, key, "--address", "new@example.org", "--why", "新任")
    assert "new@example.org" in said and "units.toml" in said
    found = drafted("notices", "show", "1", "--json").json
    (again,) = next(x["again"] for x in found["recipients"] if x["key"] == key)
    assert (again["address"], again["state"]) == ("new@example.org", "ready")
    assert found["counts"]["letters"] == before["letters"] + 1
    assert found["counts"]["without"] == before["without"] - 1
    assert "new@example.org" in drafted.good("notices", "show", "1")
    drafted.refused(*missing, key, "--address", "new@example.org")


def test_who_has_no_address_is_told_with_the_draft_s_number(drafted: Cli) -> None:
    assert "notices show 1" in drafted.good("notices", "approve", "1", "--yes")


def test_a_letter_without_text_messages_writes_no_file(drafted: Cli) -> None:
    path = drafted.folder / "短信.csv"
    drafted.good("notices", "approve", "1", "--yes", "--hold")
    for options in ((), ("--json",), ("--csv", str(path))):
        assert "letters.toml" in drafted.refused("notices", "sms", "1", *options)
    assert not path.exists()


def test_text_messages_as_csv_and_xlsx(cli: Cli) -> None:
    _with_text(cli.folder)
    cli.good("notices", "draft", "otog", LAST.code)
    drafted = cli
    assert "notices approve 1" in drafted.refused("notices", "sms", "1")
    drafted.good("notices", "approve", "1", "--yes", "--hold")
    found = drafted("notices", "sms", "1", "--json").json
    assert found["sendable"] and found["others"]
    path = drafted.folder / "短信.csv"
    drafted.good("notices", "sms", "1", "--csv", str(path))
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert len(rows) == 1 + len(found["sendable"])
    assert rows[1][:2] == ["王甲", "13900000001"]
    workbook = drafted.folder / "短信.xlsx"
    drafted.good("notices", "sms", "1", "--xlsx", str(workbook))
    assert load_workbook(workbook).worksheets[0].max_row == len(rows)
    drafted.refused("notices", "sms", "1", "--csv", str(drafted.folder))
    drafted.refused("notices", "sms", "1", "--xlsx", str(drafted.folder / "短信.txt"))
    drafted.refused("notices", "sms", "1", "--csv", "x.csv", "--xlsx", "x.xlsx")


def test_what_is_not_there_is_said(cli: Cli) -> None:
    for args in (
        ("show", "99"),
        ("approve", "99", "--yes"),
        ("reject", "99", "--why", "x"),
        ("send", "99", "--yes"),
        ("sms", "99"),
        ("list", "--office", "nowhere"),
        ("draft", "nowhere", "2026-Q3"),
        ("draft", "otog", "三季度"),
        ("draft", "otog", "2026-Q3", "--letter", "nothing"),
        ("draft", "otog", "2999-Q1"),
        ("draft", "otog", "2020-Q1"),
    ):
        cli.refused("notices", *args)


def test_faulty_options_decide_nothing(drafted: Cli) -> None:
    for option in (("--number", "12号"), ("--date", "十月"), ("--who", "mailbot")):
        drafted.refused("notices", "approve", "1", "--yes", *option)
    assert drafted("notices", "list", "--json").json[0]["state"] == "draft"


def test_in_english_the_frame_is_english(drafted: Cli) -> None:
    with speaking("en"):
        shown = drafted.good("notices", "show", "1")
        assert "waits for approval" in shown and "To look at:" in shown
        assert "letters;" in shown


def test_json_of_a_sent_notice_is_complete(drafted: Cli) -> None:
    drafted.good("notices", "approve", "1", "--yes")
    (letter,) = letters(drafted)
    assert letter["state"] == "ready" and letter["bounced"] is None
    assert date.fromisoformat(json.loads(json.dumps(letter))["queued"][:10])
