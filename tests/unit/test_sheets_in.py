"""Tables as people send them back: read cell by cell as meant, or refused with what to do."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from mailbot.adapters import csv_in, sheets_in, workbook_look
from mailbot.adapters.sheets import write_csv
from mailbot.adapters.sheets_in import read_table
from mailbot.app.errors import OperatorFault
from mailbot.app.recording.grid import Grid, column_letters
from mailbot.app.recording.values import (
    Unreadable,
    Wrong,
    read_count,
    read_day,
    read_list,
    read_moment,
    read_number,
    read_part,
    read_text,
    read_yes,
)

Fill = Callable[[Worksheet], None]


def workbook(path: Path, fill: Fill, sheet: str = "登记") -> Path:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    fill(page)
    book.save(path)
    return path


def cells(*rows: tuple[object, ...]) -> Fill:
    def fill(page: Worksheet) -> None:
        for row in rows:
            page.append(row)

    return fill


def read(path: Path) -> Grid:
    return read_table(path, "登记")


def refusal(path: Path) -> str:
    with pytest.raises(OperatorFault) as caught:
        read(path)
    (fault,) = caught.value.faults
    assert fault.remedy, "it says what was found, but not what to do"
    return f"{fault.where} {fault.found} {fault.remedy}"


def repacked(path: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The archive with every part passed through `change`; None leaves it out."""
    source = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            data = change(info.filename, source.read(info))
            if data is not None:
                target.writestr(info.filename, data)
    return path


# --- cells -------------------------------------------------------------------------------------


def test_numbers_come_without_noise_and_days_as_days(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        cells((12.5, 0.1 + 0.2, 3, date(2026, 8, 3), datetime(2026, 8, 3, 15, 20), True, "x")),
    )
    (row,) = read(path).rows
    assert row.cells[:3] == (Decimal("12.5"), Decimal("0.3"), Decimal(3))
    assert read_day(row.cells[3]) == date(2026, 8, 3)
    assert read_moment(row.cells[4]).strftime("%Y-%m-%d %H:%M") == "2026-08-03 15:20"
    assert row.cells[5:] == (True, "x")


@given(st.decimals(min_value=-100_000, max_value=100_000, places=2))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_points_come_back_to_the_last_digit(tmp_path: Path, points: Decimal) -> None:
    path = workbook(tmp_path / "a.xlsx", cells(("a", float(points))))
    assert read_number(read(path).rows[0].cells[1]) == points


def test_hidden_rows_are_read_and_blank_ones_keep_their_number(tmp_path: Path) -> None:
    def fill(page: Worksheet) -> None:
        page["A1"], page["A3"], page["A6"] = "事项", "采用", "批示"
        page["B9"] = "   "
        page.row_dimensions[3].hidden = True

    rows = read(workbook(tmp_path / "a.xlsx", fill)).rows
    assert [(r.number, r.cells[0]) for r in rows[:3]] == [(1, "事项"), (3, "采用"), (6, "批示")]


def test_what_is_merged_downwards_stands_in_every_row(tmp_path: Path) -> None:
    def fill(page: Worksheet) -> None:
        for row in (("登记表", None, None), ("事项", "单位", "标题"), ("采用", "农牧局", "甲")):
            page.append(row)
        page.append(("采用", None, "乙"))
        page.append(("采用", None, "丙"))
        page.merge_cells("A1:C1")
        page.merge_cells("B3:B5")

    rows = read(workbook(tmp_path / "a.xlsx", fill)).rows
    assert [r.cells[1] for r in rows[2:]] == ["农牧局"] * 3
    assert rows[0].cells == ("登记表",)


def test_a_formula_counts_by_its_stored_value_only(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", cells(("=1+1", "=A1", "=A2", "b")))

    def store(name: str, data: bytes) -> bytes:
        if not name.startswith("xl/worksheets/"):
            return data
        text = data.decode()
        text = text.replace("<f>1+1</f><v></v>", "<f>1+1</f><v>2</v>")
        text = text.replace("<f>1+1</f><v />", "<f>1+1</f><v>2</v>")
        text = text.replace('<c r="B1"', '<c r="B1" t="str"')
        return text.encode()

    (row,) = read(repacked(path, store)).rows
    assert row.cells[0] == Decimal(2)
    assert row.cells[1] in (None, ""), "a text result that is empty is a result"
    assert isinstance(row.cells[2], Unreadable)
    with pytest.raises(Wrong, match="公式"):
        read_text(row.cells[2])


def test_an_error_value_is_told_only_where_it_is_read(tmp_path: Path) -> None:
    (row,) = read(workbook(tmp_path / "a.xlsx", cells(("#REF!", "好")))).rows
    with pytest.raises(Wrong, match="#REF!"):
        read_number(row.cells[0])
    assert row.cells[1] == "好"


def test_a_guard_against_formulas_is_taken_off(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", cells(("'-5", "'引用'")))
    write_csv(tmp_path / "b.csv", ["x", "y"], [["-5", "'引用'"]])
    assert read(tmp_path / "a.xlsx").rows[0].cells == ("-5", "'引用'")
    assert read(tmp_path / "b.csv").rows[1].cells == ("-5", "'引用'")


# --- which sheet -------------------------------------------------------------------------------


def test_the_sheet_is_found_by_name_else_the_only_filled_one(tmp_path: Path) -> None:
    book = Workbook()
    one = book.active
    assert one is not None
    one.title = "Sheet1"
    one.append(("事项", "单位"))
    book.create_sheet("Sheet2")
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx").name == "Sheet1"
    book["Sheet2"]["A1"] = "也有"
    book.save(tmp_path / "a.xlsx")
    assert "Sheet1、Sheet2" in refusal(tmp_path / "a.xlsx")
    book["Sheet2"].title = "登记"
    book["登记"].sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx").rows[0].cells == ("也有",)


def test_what_a_sheet_says_of_its_own_size_is_not_believed(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", cells(("a", "b"), ("c", "d")))
    repacked(
        path,
        lambda name, data: data.replace(b'<dimension ref="A1:B2"', b'<dimension ref="A1:A1"'),
    )
    assert [r.cells for r in read(path).rows] == [("a", "b"), ("c", "d")]


# --- what is refused ---------------------------------------------------------------------------


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets_in, "MAX_ROWS", 30)
    monkeypatch.setattr(csv_in, "MAX_ROWS", 30)
    workbook(tmp_path / "a.xlsx", cells(*[(n,) for n in range(60)]))
    (tmp_path / "b.csv").write_text("\n".join("a,b" for _ in range(60)), encoding="utf-8")
    assert "30 行" in refusal(tmp_path / "a.xlsx")
    assert "30 行" in refusal(tmp_path / "b.csv")


def test_a_file_too_large_to_be_such_a_table_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets_in, "MAX_BYTES", 1000)
    (tmp_path / "a.csv").write_bytes(b"a," * 600)
    assert "MB" in refusal(tmp_path / "a.csv")


@pytest.mark.parametrize("cap", ["MAX_UNPACKED", "MAX_PARTS"])
def test_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cap: str
) -> None:
    path = workbook(tmp_path / "a.xlsx", cells(("a", "b")))
    monkeypatch.setattr(workbook_look, cap, 3)
    monkeypatch.setattr(sheets_in.openpyxl, "load_workbook", pytest.fail)
    assert "过大" in refusal(path)


def test_a_part_that_shrinks_beyond_belief_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", cells(("a", "b")))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings2.xml", b"0" * 8_000_000)
    assert "压缩比" in refusal(path)


def test_definitions_in_the_xml_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", cells(("a", "b")))
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'

    def change(name: str, data: bytes) -> bytes:
        return bomb + data.split(b"?>", 1)[-1] if name == "xl/workbook.xml" else data

    assert "DOCTYPE" in refusal(repacked(path, change))


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("旧.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "旧格式"),
        (
            "密.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "密码",
        ),
        ("空.csv", b"", "空的"),
        ("图.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "不是表格"),
        ("坏.xlsx", b"PK\x03\x04not really", "损坏"),
    ],
)
def test_other_files_are_named_for_what_they_are(
    tmp_path: Path, name: str, raw: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(raw)
    assert told in refusal(tmp_path / name)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("xl/vbaProject.bin", "宏"),
        ("xl/workbook.bin", "xlsb"),
    ],
)
def test_workbooks_that_run_something_or_are_binary_are_refused(
    tmp_path: Path, part: str, told: str
) -> None:
    path = workbook(tmp_path / "a.xlsx", cells(("a", "b")))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(part, b"x")
    assert told in refusal(path)


@pytest.mark.parametrize(
    ("part", "told"),
    [("word/document.xml", "Word"), ("mimetype", "ods"), ("照片.jpg", "压缩包")],
)
def test_other_archives_are_told_apart(tmp_path: Path, part: str, told: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr(part, b"x")
    assert told in refusal(tmp_path / "a.xlsx")


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert "没有这个文件" in refusal(tmp_path / "none.xlsx")
    assert "文件夹" in refusal(tmp_path)


def test_years_counted_from_1904_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", cells(("a", "b")))

    def change(name: str, data: bytes) -> bytes:
        return data.replace(b"<workbookPr", b'<workbookPr date1904="1"')

    assert "1904" in refusal(repacked(path, change))


# --- CSV ---------------------------------------------------------------------------------------

TABLE = [["事项", "单位", "标题"], ["采用", "农牧局", "牧区饮水，全部完工"], ["批示", "", "一\n二"]]


def written(rows: list[list[str]], delimiter: str) -> str:
    quoted = [[f'"{c}"' if any(x in c for x in ',;\t\n"') else c for c in row] for row in rows]
    return "\r\n".join(delimiter.join(row) for row in quoted) + "\r\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_common_csv_says_the_same(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(written(TABLE, delimiter).encode(encoding))
    assert [list(r.cells) for r in read(path).rows] == TABLE
    assert [r.number for r in read(path).rows] == [1, 2, 3]


def test_the_separator_a_csv_names_itself_is_used(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("sep=;\r\n事项;单位，全称,a\r\n\r\n采用;农牧局\r\n", encoding="utf-8")
    rows = read(path).rows
    assert [(r.number, len(r.cells)) for r in rows] == [(2, 2), (4, 2)]


def test_a_quote_that_never_ends_swallows_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('事项,单位\n采用,"农牧局\n批示,水利局\n', encoding="utf-8")
    assert "引号" in refusal(path)


@given(raw=st.binary(max_size=400))
@example(raw=b"\xff\xfe\x00")
@example(raw=b'"')
@example(raw=b"PK")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_table_or_a_refusal(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(raw)
    try:
        grid = read(path)
    except OperatorFault:
        return
    assert all(r.number >= 1 for r in grid.rows)


# --- values as people write them ---------------------------------------------------------------


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_day_is_read_however_it_is_written(day: date) -> None:
    y, m, d = day.year, day.month, day.day
    serial = (day - date(1899, 12, 30)).days
    wide = f"{y}年{m}月{d}日".translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    for text in (
        day.isoformat(),
        f"{y}-{m}-{d}",
        f"{y}/{m:02}/{d:02}",
        f"{y}.{m}.{d}",
        f"{y}年{m}月{d}日",
        f"{y} 年 {m} 月 {d} 号",
        f"{y}{m:02}{d:02}",
        f"\u00a0{day.isoformat()}\u3000",
        f"{day.isoformat()} 00:00:00",
        f"{y}年{m}月{d}日（星期三）",
        str(serial),
        wide,
    ):
        assert read_day(text) == day, text
    for cell in (Decimal(serial), Decimal(f"{serial}.5"), datetime(y, m, d, 23, 59), day):
        assert read_day(cell) == day


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("2026-08-03 15:20", "15:20"),
        ("2026-08-03T09:05:30", "09:05"),
        ("2026年8月3日 下午3:20", "15:20"),
        ("2026年8月3日15时", "15:00"),
        ("2026/8/3 上午12:10", "00:10"),
        ("2026-08-03", "00:00"),
        ("46237.5", "12:00"),
    ],
)
def test_times_are_read(text: str, clock: str) -> None:
    assert read_moment(text).strftime("%H:%M") == clock


@pytest.mark.parametrize(
    "text",
    [
        "8月3日",
        "2026-02-30",
        "2026-13-01",
        "明天",
        "12",
        "2026",
        "2026-08-03 25:00",
        "2026-08-03至05",
        "",
    ],
)
def test_what_is_no_day_is_told_with_how_to_write_one(text: str) -> None:
    with pytest.raises(Wrong) as caught:
        read_day(text)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.5", "12.5"),
        (" １２．５ ", "12.5"),
        ("-20分", "-20"),
        ("−3", "-3"),
        ("+5", "5"),
        ("0.10", "0.10"),
    ],
)
def test_numbers_kept_as_text_are_numbers(text: str, number: str) -> None:
    assert read_number(text) == Decimal(number)


@pytest.mark.parametrize(
    "text", ["1,5", "十", "1e5", "NaN", "Infinity", "1.2.3", "", "5分6", "9" * 40]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Wrong):
        read_number(text)


def test_counts_parts_lists_and_yes() -> None:
    assert read_count("３人次") == 3
    for wrong in ("0", "2.5", "-1"):
        with pytest.raises(Wrong):
            read_count(wrong)
    assert read_part("60%") == Decimal("0.6") == read_part("0.6")
    assert read_list("农牧局、 水利局，农牧局;") == ("农牧局", "水利局")
    assert read_yes("√") and read_yes(True) and not read_yes("否") and not read_yes(Decimal(0))
    with pytest.raises(Wrong, match="也许"):
        read_yes("也许")


def test_titles_keep_their_punctuation_and_lose_only_blanks() -> None:
    assert read_text("\u00a0“两会”，\u200b开幕 \u3000\n 了 ") == "“两会”，开幕 了"


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_are_named_as_in_the_program(index: int, letters: str) -> None:
    assert column_letters(index) == letters
