"""What the readers of `letters.toml` share: the office's words a letter may use, and texts with
names in braces.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailbot.adapters.offices.rulewords import known
from mailbot.adapters.offices.tablereader import Table
from mailbot.core.duties.model import RECOMMENDER
from mailbot.core.mail.compose import usable_address
from mailbot.core.rules.periods import PeriodKind

ROLES = ("liaison", "head", "deputy")
"""Who in a unit can be written to."""
PERIOD_NAMES: Mapping[PeriodKind, str] = {
    PeriodKind.WEEK: "每周",
    PeriodKind.MONTH: "每月",
    PeriodKind.QUARTER: "每季度",
    PeriodKind.HALF: "每半年",
    PeriodKind.YEAR: "每年",
}
_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class LetterWords:
    """What letters may refer to. None where the file that defines it could not be read: then it
    cannot be checked."""

    quotas: Mapping[str, PeriodKind] | None = None
    lists: Mapping[str, Sequence[PeriodKind]] | None = None
    """Id and the periods it comes in."""
    columns: Collection[str] | None = None
    """Ids of the rankings' own columns."""
    settles: PeriodKind | None = None


def roles(table: Table, key: str, *, copies: bool = False) -> tuple[str, ...]:
    return known(table, key, (*ROLES, RECOMMENDER) if copies else ROLES, "身份")


def check_braces(table: Table, key: str, text: str, allowed: Iterable[str]) -> str:
    """The text; what stands in braces is one of `allowed`, and no brace stands elsewhere. It would
    be printed as it is, or break the letter on the day it is due."""
    options = "、".join(f"{{{name}}}" for name in allowed)
    for name in dict.fromkeys(_BRACES.findall(text)):
        if name not in allowed:
            table.fault(key, f"花括号里的 {{{name}}} 不认识", f"可用的有：{options}")
    rest = _BRACES.sub("", text)
    if "{" in rest or "}" in rest:
        table.fault(key, "花括号不成对", f"花括号只用来写 {options}；别处改用圆括号")
    return text


def filled(table: Table, key: str, allowed: Iterable[str], *, required: bool = False) -> str:
    """One line with names in braces."""
    return check_braces(table, key, table.text(key, None if required else ""), allowed)


def paragraphs(
    table: Table, key: str, allowed: Iterable[str], *, required: bool = False
) -> tuple[str, ...]:
    """A list of them, one paragraph each."""
    texts = table.texts(key, required=required)
    for number, text in enumerate(texts, 1):
        check_braces(table, f"{key} 第 {number} 项", text, allowed)
    return texts


def address(table: Table, key: str, value: str) -> str:
    if not usable_address(value):
        table.fault(key, f"“{value}”不能用作邮箱地址", "例如 xinxi@example.com，每项一个地址")
    return value


def list_of_period(
    table: Table, key: str, list_id: str, period: PeriodKind | None, words: LetterWords
) -> None:
    """The list is the office's, and comes in such periods: elsewhere it would always be empty."""
    if words.lists is None or period is None or list_id not in words.lists:
        return
    comes = words.lists[list_id]
    if comes and period not in comes:
        when = "、".join(PERIOD_NAMES[p] for p in comes)
        found = (
            f"名单“{list_id}”不列在{PERIOD_NAMES[period]}的通报里（notices.toml 里写的是{when}）"
        )
        expected = f"从这里删掉，或在 notices.toml 那份名单的 periods 里加上 {period.value}"
        table.fault(key, found, expected)
