"""The distribution scope a sender marks an item with (发布范围).

Some rules criticise items whose special scope was not marked (莱政办字〔2019〕3号), so the mark is
kept with the item as it was written. What follows from it is people's business.
"""

from __future__ import annotations

import re
import unicodedata

EDGE_LINES = 12
"""Lines at either end of a text among which a mark is looked for: in between it is a topic."""
LONGEST = 80

_LABEL = re.compile(
    r"(?:信息)?(?:发布|公开|发放|分发|印发|发送|报送|传阅|阅知|知悉|知晓|刊发|使用)范围\s*:\s*([^\n;。]{1,80})"
)
_BRACKET = re.compile(
    r"[(【\[](?:此件|本件|本信息)?((?:不(?:予|宜|得|要)?公开(?:发布|刊发)?|公开发布|主动公开|依申请公开"
    r"|仅[供限][^()【】\[\]]{1,30}|限[^()【】\[\]]{1,20}(?:参阅|阅知|阅|内部|范围)|内部参阅))[)】\]]"
)


def distribution_scope(subject: str, text: str) -> str:
    """The scope as written, or "" when none is marked. A labelled line wins over a bracket."""
    lines = [line for line in text.split("\n") if line.strip()]
    edges = lines if len(lines) <= 2 * EDGE_LINES else lines[:EDGE_LINES] + lines[-EDGE_LINES:]
    folded = unicodedata.normalize("NFKC", "\n".join([subject, *(e[:300] for e in edges)]))
    for pattern in (_LABEL, _BRACKET):
        found = pattern.search(folded)
        if found:
            return found[1].strip(" 、,.()【】[]")[:LONGEST]
    return ""
