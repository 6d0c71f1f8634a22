"""Writes the template people fill in for `mailbot record --import`: one sheet for every kind of
event, with drop-downs from the office's own words, and two to look things up in.

Promises that what is written here is read back by `sheets_in` and `app.recording` as it is. The
columns and what each kind needs are the application's; this module only lays them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter

from mailbot.adapters.sheets import replacing, write_csv
from mailbot.app.recording.columns import NEEDS, Column, Read, columns_in, needs_in
from mailbot.core.rules.basis import in_force
from mailbot.core.rules.events import NAMES
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.rules.scorebook import ListKind

ENTRIES, HOW, NAMES_SHEET = "登记", "填写说明", "名单"
PREPARED_ROWS = 2_000
"""Rows with drop-downs and formats; further ones may be filled in too."""
_WIDE = {"title": 40, "reason": 24, "evidence": 24, "unit": 20, "receipt": 16, "day": 17}


@dataclass(frozen=True, slots=True)
class _List:
    """One column of the sheet of names, and the entry column that chooses from it."""

    header: str
    key: str
    words: tuple[str, ...]


def write_template(path: Path, book: OfficeBook, today: date) -> None:
    """A CSV has no drop-downs: only the header. Raises OSError."""
    if path.suffix.lower() == ".csv":
        write_csv(path, [c.header for c in columns_in(book)], [])
        return
    with replacing(path) as tmp:
        workbook = xlsxwriter.Workbook(
            str(tmp), {"strings_to_formulas": False, "strings_to_urls": False}
        )
        head = workbook.add_format({"bold": True, "bg_color": "#DDE7F0", "border": 1})
        wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
        entries = workbook.add_worksheet(ENTRIES)
        _explain(workbook.add_worksheet(HOW), book, head, wrap)
        lists = _lists(book, today)
        _names(workbook.add_worksheet(NAMES_SHEET), lists, book, head)
        _entries(workbook, entries, columns_in(book), lists, head)
        workbook.close()


# --- 登记 --------------------------------------------------------------------------------------


def _entries(
    workbook: Any, page: Any, columns: Sequence[Column], lists: Sequence[_List], head: Any
) -> None:
    formats = {
        Read.MOMENT: workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        Read.DAY: workbook.add_format({"num_format": "yyyy-mm-dd"}),
        Read.TEXT: workbook.add_format({"num_format": "@"}),
        Read.NAMES: workbook.add_format({"num_format": "@"}),
    }
    for index, column in enumerate(columns):
        page.write_string(0, index, column.header, head)
        page.write_comment(0, index, column.hint, {"x_scale": 1.6})
        width = _WIDE.get(column.key, 4 + 2 * len(column.header))
        page.set_column(index, index, width, formats.get(column.read))
        if source := _choices(column, lists):
            page.data_validation(1, index, PREPARED_ROWS, index, _drop_down(source, column))
    page.freeze_panes(1, 1)


def _choices(column: Column, lists: Sequence[_List]) -> str | list[str]:
    """A short closed list by itself; the office's own words by their place among the names."""
    if column.read is Read.YES:
        return ["是", "否"]
    for number, one in enumerate(lists):
        if one.key == column.key and one.words:
            letter = chr(ord("A") + number)
            return f"='{NAMES_SHEET}'!${letter}$2:${letter}${len(one.words) + 1}"
    return list(column.words.values())


def _drop_down(source: str | list[str], column: Column) -> dict[str, Any]:
    """A warning, not a bar: an alias of a unit is right too."""
    return {
        "validate": "list",
        "source": source,
        "error_type": "warning",
        "error_title": column.header,
        "error_message": "不在下拉名单里。别名也可以；导入时会再核对。",
    }


# --- 填写说明 ----------------------------------------------------------------------------------

_REMARKS = (
    "在“登记”表里填，一行一件事；第一列“事项”从下拉名单里选，各列次序可以变动，不用的列可以删掉。",
    "先核对：mailbot record --import 文件名（只检查，不登记）；没有问题再加 --apply 登记。",
    "有一处错误，整个文件都不登记；改好后重新导入。登记过的行会报出来，删掉再导入。",
    "日期写 2026-08-03，报送可写到时分。登记错了不要改：用 mailbot record --reverse 编号 --why 理由 冲销后重新登记。",
)


def _explain(page: Any, book: OfficeBook, head: Any, wrap: Any) -> None:
    page.set_column(0, 0, 12, wrap)
    page.set_column(1, 2, 50, wrap)
    row = 0
    for remark in _REMARKS:
        page.merge_range(row, 0, row, 2, remark, wrap)
        page.set_row(row, 32)
        row += 1
    row = _table(page, row + 1, ("事项", "必填", "选填"), _kinds(book), head)
    hints = [(c.header, c.hint, "、".join(c.words.values())) for c in columns_in(book)]
    _table(page, row + 1, ("列", "填什么", "可选的词"), hints, head)


def _table(
    page: Any, row: int, header: Sequence[str], rows: Iterable[Sequence[str]], head: Any
) -> int:
    """The row below it."""
    for index, title in enumerate(header):
        page.write_string(row, index, title, head)
    for cells in rows:
        row += 1
        for index, cell in enumerate(cells):
            page.write_string(row, index, cell)
    return row + 1


def _kinds(book: OfficeBook) -> Iterable[tuple[str, str, str]]:
    headers = {c.key: c.header for c in columns_in(book)}
    for kind in NEEDS:
        needs = needs_in(kind, book)
        required = [headers[k] for k in needs.required]
        optional = [headers[k] for k in needs.optional if k in headers]
        if needs.item == "must":
            required.insert(0, "回执编号（或单位和标题）")
        elif needs.item == "may":
            optional.insert(0, "回执编号或标题")
        if "reason" not in needs.required:
            optional.append(headers["reason"])
        yield NAMES[kind.value], "、".join(required), "、".join(optional)


# --- 名单 --------------------------------------------------------------------------------------


def _lists(book: OfficeBook, today: date) -> list[_List]:
    """The office's words as of today, without what no list has any."""
    scoring = book.scoring
    version = in_force(book.categories, today)
    categories = version.categories if version else ()
    mentioned = [r.name for r in scoring.lists if r.kind is ListKind.MENTIONED]
    found = [
        _List("单位", "unit", tuple(u.name for u in book.roster.units if u.on(today))),
        _List("刊物", "journal", tuple(t.name for t in scoring.journals)),
        _List("级别", "level", tuple(t.name for t in scoring.levels)),
        _List("类别", "category", tuple(c.name for c in categories)),
        _List("记分规则", "rule", tuple(r.name for r in scoring.rules if r.kind == "manual")),
        _List("通报名单", "list", tuple(mentioned)),
        _List("任务编号", "task", tuple(t.id for t in scoring.tasks)),
    ]
    closed = [_List(c.header, c.key, tuple(c.words.values())) for c in columns_in(book) if c.words]
    return [one for one in (*found, *closed) if one.words]


def _names(page: Any, lists: Sequence[_List], book: OfficeBook, head: Any) -> None:
    for index, one in enumerate(lists):
        page.write_string(0, index, one.header, head)
        page.set_column(index, index, 24 if one.key in ("unit", "list") else 14)
        for row, word in enumerate(one.words, 1):
            page.write_string(row, index, word)
    page.write_string(0, len(lists) + 1, f"{book.info.name}（{book.info.id}）")
    page.freeze_panes(1, 0)
