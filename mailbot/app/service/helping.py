"""帮助: the office's convention with an example of the unit's own, and what may be asked by mail."""

from __future__ import annotations

from datetime import date

from mailbot.core.intake.describe import FIELD_LABELS
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.service import Help
from mailbot.core.rules.periods import Period, PeriodKind
from mailbot.core.rules.rulebook import OfficeBook
from mailbot.core.subject.example import example_for


def help_letter(book: OfficeBook, card: OfficeCard, unit_id: str | None, today: date) -> Help:
    """Who is known but bound to no unit gets the office's own example, and no commands that would
    not be carried out for him."""
    convention = book.convention_on(today)
    example, unit = convention.example, ""
    if unit_id is not None:
        unit = book.roster.get(unit_id).name
        example = example_for(unit_id, convention.example, book.roster, today)
    return Help(
        office=card,
        unit=unit,
        fields=tuple(FIELD_LABELS[name] for name in convention.required),
        example=example,
        commands=_commands(book, today) if unit_id is not None else _HELP,
    )


_HELP = (("帮助", "收到本说明"),)


def _commands(book: OfficeBook, today: date) -> tuple[tuple[str, str], ...]:
    before = Period.of(PeriodKind.MONTH, today).previous()
    receipt = f"{book.info.receipt_prefix}{today:%Y%m}-0001"
    return (
        ("查询", "查看本单位本月的报送和计分情况"),
        (f"查询 {before.name}", "查看指定月份的情况；也可以写季度、半年或年份"),
        (f"查询 {receipt}", "按回执编号查看本单位一条信息的登记和计分"),
        (f"申诉 {receipt}", "对一条信息的登记或计分有异议；理由写在正文里"),
        ("申诉 记录17", "对计分明细里注明“记录17”的一笔有异议；理由写在正文里"),
        *_HELP,
    )
