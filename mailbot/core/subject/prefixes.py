"""What mail programs and we ourselves put before a subject: reply and forward prefixes, tags of
mail gateways, our own receipt numbers.

They are told apart from the submission here, so that no field ever holds them. What a prefix means
for the decision (an answer, a read receipt) is not this module's business.
"""

from __future__ import annotations

import re

from mailbot.core.subject.text import fold

_WORDS: dict[str, tuple[str, ...]] = {
    "recall": ("发信方已撤回邮件", "邮件撤回", "撤回邮件", "撤回", "召回", "recall"),
    "auto": (
        "自动回复",
        "自动答复",
        "自动应答",
        "自动转发",
        "automatic reply",
        "automatische antwort",
        "auto reply",
        "autoreply",
        "auto-reply",
        "auto",
        "out of office",
        "系统退信",
    ),
    "read": ("已读回执", "已读", "已阅", "未读", "阅读回执", "not read", "read"),
    "re": ("答复", "回复", "回覆", "答覆", "回信", "re", "aw", "sv", "antw"),
    "fw": ("转发", "转寄", "轉寄", "轉發", "转", "fwd", "fw", "wg", "forward"),
}
_MEANING = {word: name for name, words in _WORDS.items() for word in words}
_ALTERNATIVES = "|".join(re.escape(w) for w in sorted(_MEANING, key=len, reverse=True))

_PREFIX = re.compile(
    rf"[ ]*({_ALTERNATIVES})[ ]*(?:[\[(][ ]*[0-9]{{1,3}}[ ]*[\])]|\^?[0-9]{{1,3}})?[ ]*:"
)
"""`Re:`, `RE[2]：`, `回复(2):`, `Re^3:` (folded text)."""
_BRACKETED = re.compile(r"[ ]*[\[(][ ]*(转发|转寄|回复|答复|自动回复|fwd|fw|re)[ ]*[\])][ ]*:?")
_GATEWAY = re.compile(
    r"[ ]*[\[(][ ]*(?:外部邮件|外部来信|外来邮件|外网邮件|站外邮件|外部|外域|external(?: (?:email|mail|sender))?|ext)"
    r"[ ]*[\])][ ]*:?|[ ]*(?:外部邮件|external)[ ]*:"
)

_NUMBER = r"[A-Za-zＡ-Ｚａ-ｚ]{2,6}[0-9０-９]{6}[-－—–][0-9０-９]{4,}"
_REFERENCE = re.compile(
    rf"[\[【(（〔「［]\s*(?:(?:信息|受理|收件|回执)?编号|receipt)?\s*[:：]?\s*({_NUMBER})\s*[\]】)）〕」］]"
    rf"|(?:信息|受理|收件|回执)?编号\s*[:：]?\s*({_NUMBER})(?![0-9A-Za-z])"
    rf"|(?:(?<=^)|(?<=[\s+＋|｜,，;；_:：、/-]))({_NUMBER})(?=$|[\s+＋|｜,，;；_、/])"
)
_SHAPE = re.compile(r"[A-Z]{2,6}20[0-9]{2}(?:0[1-9]|1[0-2])-[0-9]{4,}")
"""A receipt number of ours: two to six capitals, year and month, running number."""


def strip_prefixes(subject: str) -> tuple[tuple[str, ...], str]:
    """Normalised prefixes from the outside in (`re`, `fw`, `auto`, `read`, `recall`) and the rest
    of the line as written. Gateway tags (`[External]`, 【外部邮件】) go without a trace: they say
    something about the way of the mail, not about its kind. Total; linear in the length."""
    found: list[str] = []
    folded = fold(subject)
    at = 0
    while True:
        if match := _PREFIX.match(folded, at) or _BRACKETED.match(folded, at):
            found.append(_MEANING[match.group(1)])
        elif not (match := _GATEWAY.match(folded, at)):
            break
        at = match.end()
    while at < len(subject) and folded[at] == " ":
        at += 1
    return tuple(found), subject[at:]


def take_reference(text: str) -> tuple[str | None, str]:
    """The first receipt number of ours in the line and the line without any.

    Taken only where it stands by itself (in brackets, after 编号, or between delimiters): a contract
    number inside a title stays in the title."""
    first: str | None = None

    def drop(match: re.Match[str]) -> str:
        nonlocal first
        number = fold(next(g for g in match.groups() if g)).upper()
        if not _SHAPE.fullmatch(number):
            return match.group(0)
        first = first or number
        return " "

    rest = _REFERENCE.sub(drop, text)
    return first, (rest.strip() if first else text)
