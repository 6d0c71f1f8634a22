"""Reads `[retention]` of `office.toml`: how long mail is kept.

It decides no point and no answer, so it is no part of the book's digest: `without_retention` gives
the file as it would be without it.
"""

from __future__ import annotations

import re

from mailbot.adapters.offices.tablereader import Table
from mailbot.core.rules.retention import Retention

RETENTION = "retention"
LEAST_DAYS = 30
"""Under a month no notice is out yet: a slip of the finger (years meant, days written)."""
MOST_DAYS = 36_500
_ANY_TABLE = re.compile(rb"\s*\[")
_RETENTION_TABLE = re.compile(rb"\s*\[\s*retention\s*\]")


def read_retention(root: Table) -> Retention:
    if RETENTION not in root.data:
        return Retention()
    table = root.table(RETENTION)
    found = Retention(
        mail_days=_days(table, "mail_days"), content_days=_days(table, "content_days")
    )
    if not found.is_set:
        table.fault(
            "mail_days",
            "这一段里没有写天数",
            "写 mail_days（原始邮件保存几天）、content_days（读出的正文保存几天），"
            "一直保存的就删掉整段",
        )
    table.close()
    return found


def _days(table: Table, key: str) -> int | None:
    if key not in table.data:
        return None
    return table.number(key, least=LEAST_DAYS, most=MOST_DAYS)


def without_retention(contents: bytes) -> bytes:
    """The file's bytes without the table, its comments and the empty lines before it."""
    kept: list[bytes] = []
    inside = False
    for line in contents.splitlines(keepends=True):
        if _RETENTION_TABLE.match(line):
            inside = True
            while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith(b"#")):
                kept.pop()
        elif inside and _ANY_TABLE.match(line):
            inside = False
        if not inside:
            kept.append(line)
    return b"".join(kept)
