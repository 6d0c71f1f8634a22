"""Exports open in Excel as what they are, run nothing, and are never half written."""

from __future__ import annotations

import csv
import io
import math
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from mailbot.adapters.sheets import (
    MAX_TEXT,
    Sheet,
    guarded,
    replacing,
    unguarded,
    write_csv,
    write_xlsx,
)

DANGEROUS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "−1",
    "  =1",
    "\u3000=1",
    "\u200b=1",
    "\ufeff=1",
    "=cmd|' /C calc'!A0",
    "'=1",
    "+86 138 4770 0000",
]
HARMLESS = ["", "教体局", "7622029", "0477-7622029", "a=b", "'quoted'", "(=1)", "1-2", "《=》"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_a4_what_looks_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert guarded(text) == "'" + text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text


@given(st.text())
@example("''=1")
@example("'")
@example("'\t")
def test_a4_the_apostrophe_comes_off_again(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r"))


def test_a4_a_csv_reads_back_exactly(tmp_path: Path) -> None:
    rows = [
        [text, 'say "hi", 好', "two\nlines", 3, Decimal("1.50")] for text in (*DANGEROUS, *HARMLESS)
    ]
    path = tmp_path / "信息.csv"
    assert write_csv(path, ["标题", "b", "c", "d", "=e"], rows) == len(rows)
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        read = [[unguarded(c) for c in row] for row in csv.reader(stream)]
    assert read[0] == ["标题", "b", "c", "d", "=e"]
    assert read[1:] == [[a, b, c, "3", "1.50"] for a, b, c, _, _ in rows]


def test_a_csv_to_a_stream_has_the_same_form() -> None:
    stream = io.StringIO()
    at = datetime(2026, 7, 31, 16, 30, tzinfo=UTC)
    write_csv(
        stream, ["时间", "日", "联系", "空", "是否"], [[at, at.date(), ["a", "b"], None, True]]
    )
    assert stream.getvalue() == (
        "\ufeff时间,日,联系,空,是否\r\n2026-08-01 00:30:00,2026-07-31,a、b,,是\r\n"
    )


def test_numbers_stay_numbers() -> None:
    stream = io.StringIO()
    write_csv(stream, ["x"], [[-5], [Decimal("-0.5")]])
    assert stream.getvalue().split("\r\n")[1:3] == ["-5", "-0.5"]


def test_a4_a_workbook_keeps_types_and_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "信息.xlsx"
    at = datetime(2026, 7, 31, 16, 30, tzinfo=UTC)
    texts = [*DANGEROUS, *HARMLESS[1:], "http://example.com/", "mailto:a@b", "00123"]
    rows = [[t, at, date(2026, 8, 1), 5, Decimal("1.5"), ["a", "b"]] for t in texts]
    assert write_xlsx(
        path, [Sheet("信息", ["标题", "时间", "日", "数", "分", "联系"], rows)]
    ) == len(rows)
    page = load_workbook(path)["信息"]
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == f"A1:F{len(rows) + 1}"
    for cells, text in zip(page.iter_rows(min_row=2), texts, strict=True):
        assert cells[0].data_type == "s"
        assert cells[0].value.replace("_x000D_", "\r") == text
        assert cells[0].hyperlink is None
        assert cells[1].value == datetime(2026, 8, 1, 0, 30)
        assert cells[1].is_date and cells[2].is_date
        assert [c.value for c in cells[3:]] == [5, 1.5, "a、b"]


def test_columns_are_wide_enough_for_chinese_and_not_endless(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    write_xlsx(path, [Sheet("a", ["短", "长"], [["鄂托克前旗教育体育局", "字" * 500]])])
    widths = load_workbook(path)["a"].column_dimensions
    assert widths["A"].width >= 20
    assert widths["B"].width <= 62


def test_sheet_names_excel_refuses_are_made_to_fit(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    names = ["8月/信息", "8月:信息", "", "'x'", "长" * 40, "长" * 40, "History", "a", "A"]
    write_xlsx(path, [Sheet(n, ["h"], []) for n in names])
    found = load_workbook(path).sheetnames
    assert len({n.lower() for n in found}) == len(names)
    assert all(len(n) <= 31 for n in found)


def test_what_no_cell_can_hold_is_cut_and_does_not_break_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    odd = ["字" * (MAX_TEXT + 5), "a\x00b\x0bc\x1b[31m", "lone \ud800 half", 10**20, math.inf]
    write_xlsx(path, [Sheet("a", ["x"], [[o] for o in odd])])
    values = [row[0].value for row in load_workbook(path)["a"].iter_rows(min_row=2)]
    assert len(values[0]) == MAX_TEXT and values[0].endswith("…")
    assert values[1:4] == ["abc[31m", "lone ? half", str(10**20)]
    write_csv(tmp_path / "x.csv", ["x"], [[o] for o in odd])
    assert "lone ? half" in (tmp_path / "x.csv").read_text("utf-8-sig")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.text(max_size=20), min_size=1, max_size=4), max_size=5))
def test_a4_any_text_goes_through_a_workbook(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("x") / "x.xlsx"
    write_xlsx(path, [Sheet("a", ["x"], rows)])
    for row in load_workbook(path)["a"].iter_rows(min_row=2):
        assert all(c.data_type in ("s", "n") for c in row)  # "n": an empty cell


def test_an_export_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("old")
    path.chmod(0o640)

    def broken():  # type: ignore[no-untyped-def]
        yield ["a"]
        raise RuntimeError

    for write in (
        lambda: write_csv(path, ["h"], broken()),
        lambda: write_xlsx(path, [Sheet("a", ["h"], broken())]),
    ):
        with pytest.raises(RuntimeError):
            write()
        assert path.read_text() == "old"
        assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]
    write_csv(path, ["h"], [["a"]])
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_killed_export_leaves_the_old_file_under_the_name(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("old")
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from mailbot.adapters.sheets import write_csv\n"
        "def rows():\n"
        "    yield from ([str(n) * 100] for n in range(5000))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_csv(Path(sys.argv[1]), ['h'], rows())\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


def test_a_long_name_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250 + ".csv")
    with replacing(path) as tmp:
        tmp.write_text("new")
    assert path.read_text() == "new"
