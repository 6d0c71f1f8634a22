"""Chinese words found in an old Office file (.doc, .wps, .xls, .ppt), roughly.

For the look for secrets marks only: what is found is no text to show or to judge by. Word 97 and
later keep their text as UTF-16LE, WPS and older ones as GBK, both in long runs between binary
tables; whatever reads as such a run is taken. A real reader for these files comes with attachment
reading.
"""

from __future__ import annotations

import re

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""First bytes of a compound file ([MS-CFB] 2.2)."""
MAX_BYTES = 8_000_000
"""Read of one file; the text of a long report is in its first megabyte."""

_RUN = re.compile("[\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e\u2605\u2606A-Za-z0-9 :()\\[\\]\\t]{4,}")
_CHINESE = re.compile("[\u4e00-\u9fff]{2}")


def ole_words(data: bytes) -> str:
    """The runs, one a line; "" for what is no compound file. Never raises."""
    if not data.startswith(MAGIC):
        return ""
    data = data[:MAX_BYTES]
    runs: dict[str, None] = {}
    for encoding in ("utf-16-le", "gb18030"):
        for run in _RUN.findall(data.decode(encoding, "ignore")):
            if _CHINESE.search(run):
                runs.setdefault(run)
    return "\n".join(runs)
