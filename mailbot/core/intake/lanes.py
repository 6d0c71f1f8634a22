"""Which lane a mail belongs to, before it is read as an item.

The order in which a mail is looked at (all offices): secrets, automatic, command token, urgent,
task, document for issue, commission, item. Of the lanes only the urgent one is told apart here;
the word 专报 alone never enters it (four senses, see the glossary).
"""

from __future__ import annotations

import re
import unicodedata

from mailbot.core.intake.content import Content
from mailbot.core.mail.model import IncomingMail
from mailbot.core.subject.prefixes import strip_prefixes

_GAP = re.compile(r"[\s+\-_—–－·|｜:：【】\[\]（）()《》、,，]")
_URGENT_END = re.compile(
    r"要情专报(?:续报|首报|初报|终报|第?[一二三四五六七八九十\d]+[号期]?|紧急|特急)*$"
)
_ABOUT = re.compile(r"(?:关于|制度|通知|办法|规定|培训|工作|座谈|会议|情况的)")


def is_urgent_report(mail: IncomingMail, content: Content) -> bool:
    """Is this a 要情专报 (济政办字〔2016〕47号: 单位简称+要情专报), by subject, a file's name or the
    first line? A title that merely speaks of such reports is none."""
    _, subject = strip_prefixes(mail.subject)
    first_line = next((s for s in content.text.split("\n") if s.strip()), "")
    names = [f.name.rsplit(".", 1)[0] for f in content.files]
    return any(_is_urgent(text) for text in (subject, *names, first_line[:60]))


def _is_urgent(text: str) -> bool:
    folded = _GAP.sub("", unicodedata.normalize("NFKC", text[:500]))
    head, found, tail = folded.partition("要情专报")
    if not found or _ABOUT.search(head) or _ABOUT.match(tail):
        return False
    # The form of the document is unit + 要情专报; a title may follow it, little may precede it.
    return bool(_URGENT_END.search(folded)) or len(head) <= 20
