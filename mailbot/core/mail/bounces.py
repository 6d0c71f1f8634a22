"""What a delivery notice says: did the letter fail for good, and why.

A notice by the standard (RFC 3464 §2.3.3, §2.3.4) names an action and a status for each recipient;
`delayed`, `delivered`, `relayed` and `expanded` are no failures, whatever the subject says. Of the
many others only the words are left: whoever does not speak of a delay speaks of a failure.
"""

from __future__ import annotations

import re

from mailbot.core.mail.model import IncomingMail

_ACTION = re.compile(r"^[ \t>]*Action[ \t]*:[ \t]*([A-Za-z]{4,12})", re.I | re.M)
_STATUS = re.compile(r"^[ \t>]*Status[ \t]*:[ \t]*([245]\.\d{1,3}\.\d{1,3})", re.I | re.M)
_DIAGNOSTIC = re.compile(
    r"^[ \t>]*Diagnostic-Code[ \t]*:[ \t]*(?:[A-Za-z0-9-]{1,20}[ \t]*;[ \t]*)?(.{1,300})",
    re.I | re.M,
)
_SAID = re.compile(r"(?<![\d.])([45]\d\d(?:[ -]#?[45]\.\d{1,3}\.\d{1,3})?[ -].{3,200})")
_DELAYED = re.compile(
    r"延迟|延误|推迟|正在重试|delay|warning:\s*could\s?not\s?send|still\s?being\s?retried|will\s?retry",
    re.I,
)
_LOOKED_AT = 20_000
_SHOWN = 120

_WORDS = (
    (
        re.compile(r"5\.1\.[0-9]|user unknown|no such (?:user|mailbox)|not found|不存在", re.I),
        "地址不存在",
    ),
    (re.compile(r"[45]\.2\.2|quota|full|已满|超出配额", re.I), "对方邮箱已满"),
    (re.compile(r"5\.2\.1|disabled|inactive|停用|冻结", re.I), "对方邮箱已停用"),
    (re.compile(r"5\.[23]\.[34]|too (?:large|big)|过大", re.I), "邮件过大，对方不收"),
    (re.compile(r"5\.7\.\d|spam|blocked|rejected|policy|拒收|垃圾", re.I), "被对方邮件系统拒收"),
    (
        re.compile(r"5\.4\.\d|host (?:or domain )?not found|domain|域名", re.I),
        "对方邮箱的域名找不到",
    ),
)


def is_failure(mail: IncomingMail) -> bool:
    """Is the delivery it reports over, in vain?"""
    actions = {a.lower() for text in _report_texts(mail) for a in _ACTION.findall(text)}
    if actions:
        return "failed" in actions
    statuses = [s for text in _report_texts(mail) for s in _STATUS.findall(text)]
    if statuses:
        return any(s.startswith("5") for s in statuses)
    return _DELAYED.search(mail.subject[:300]) is None


def failure_reason(mail: IncomingMail) -> str:
    """Why, in a few Chinese words with what the other server said; a phrase without full stop."""
    said = _said(mail)
    meaning = next((word for pattern, word in _WORDS if pattern.search(said)), "")
    shown = " ".join(said.split())[:_SHOWN].strip()
    if meaning:
        return f"{meaning}（{shown}）"
    return f"对方邮件系统的说明：{shown}" if shown else "退信没有说明原因"


def _said(mail: IncomingMail) -> str:
    texts = _report_texts(mail)
    for text in texts:
        if found := _DIAGNOSTIC.search(text):
            return found[1].strip()
    for text in (*texts, mail.text[:_LOOKED_AT]):
        if found := _SAID.search(text):
            return found[1].strip()
    for text in texts:
        if found := _STATUS.search(text):
            return found[1]
    return ""


def _report_texts(mail: IncomingMail) -> list[str]:
    """The machine's part where there is one, else the text."""
    parts = [a.text for a in mail.attachments if a.content_type.startswith("message/")]
    return [text[:_LOOKED_AT] for text in (*parts, mail.text) if text]
