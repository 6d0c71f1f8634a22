"""Tells machines' letters from people's, and who must never get an automatic answer.

Two questions that look alike and are not (RFC 3834 §2):

* `judge`: is this mail a machine's message (a bounce, a receipt, an autoresponder's reply, a
  recall, our own letter come back)? Then it is no submission and is set aside.
* `answer_refused`: may an automatic answer go to it? The gate before every answer. It refuses in
  all judged cases and in many more, but it never drops anything: an item sent through a mailing
  list is recorded and simply not answered.

| sign                                                        | judged        | answer  |
|-------------------------------------------------------------|---------------|---------|
| our loop mark verified, a Message-ID of ours                | OWN           | refused |
| multipart/report, message/delivery-status (RFC 3464)        | BOUNCE        | refused |
| multipart/report disposition-notification (RFC 8098)        | READ_RECEIPT  | refused |
| From mailer-daemon, postmaster, bounce; X-Failed-Recipients | BOUNCE        | refused |
| subject opens with 系统退信, 投递失败, Undeliverable ...       | BOUNCE        | refused |
| text opens with 您的邮件被退回, could not be delivered ...     | BOUNCE (1)    | refused |
| subject opens with 已读:, 未读:, Read: ...                    | READ_RECEIPT  | refused |
| subject opens with 发信方已撤回邮件：, 撤回:, Recall:           | RECALL        | refused |
| Auto-Submitted: auto-replied (RFC 3834 §5)                  | AUTO_REPLY    | refused |
| X-Autoreply family, Precedence: auto_reply                  | AUTO_REPLY    | refused |
| subject opens with 自动回复:, Automatic reply: ...            | AUTO_REPLY    | refused |
| Auto-Submitted: auto-generated and all others but no        | only if bare  | refused |
| From no-reply, noreply, do-not-reply ...                    | only if bare  | refused |
| null return path `<>` (RFC 5321 §4.5.5)                     | no            | refused |
| From missing, unreadable or naming several                  | no            | refused |
| From, Sender, Reply-To or Return-Path is our address        | no            | refused |
| a letter of ours nested or quoted with its header           | no            | refused |
| a foreign mailbot's mark                                    | no            | refused |
| List-*, Precedence bulk/junk/list (RFC 2919, 2369)          | no            | refused |
| X-Auto-Response-Suppress: All, OOF, AutoReply               | no            | refused |
| X-Auto-Response-Suppress: DR, RN, NRN; Auto-Submitted: no   | no            | allowed |
| no Return-Path field at all (usual over IMAP)               | no            | allowed |

"Bare" is a mail with nothing of a submission in sight: no attachment, no number long enough for a
telephone and no name of an office in the subject. (1) Unless it brings a file or is a forward, by
which a person shows us a bounce. OA systems send real items from noreply@ with
Auto-Submitted: auto-generated; a provider's account notices come from there as well.

Header names compare without case, order never matters, a structured value is parsed without its
comments and parameters. Headers alone do not stop loops: limits from the send log come on top
(`app.intake`). What a machine's letter belongs to (`bounced_message_ids`, `recalled_subject`) is
read here; the linking is not this module's business.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mailbot.core.mail.auto_subjects import SubjectSign, machine_subject
from mailbot.core.mail.auto_texts import bounce_phrase
from mailbot.core.mail.fields import (
    author_role,
    field_with_address,
    first_word,
    folded_name,
    role_behind,
    without_comments,
)
from mailbot.core.mail.model import IncomingMail


class AutomaticKind(StrEnum):
    BOUNCE = "bounce"
    READ_RECEIPT = "read_receipt"
    AUTO_REPLY = "auto_reply"
    RECALL = "recall"
    LIST = "list"
    OWN = "own"
    NULL_SENDER = "null_sender"
    NO_REPLY = "no_reply"
    NO_AUTHOR = "no_author"


@dataclass(frozen=True, slots=True)
class Automatic:
    """Why a mail counts as automatic: `why` names the header and its rule, for the log."""

    kind: AutomaticKind
    why: str


@dataclass(frozen=True, slots=True)
class Ourselves:
    """How to recognise our own letters and addresses."""

    addresses: frozenset[str]
    """Every address of the mailbox and its aliases, lower case; +tags need not be listed."""
    marker_header: str = "X-Mailbot-Id"
    message_id_domain: str = ""
    """What stands right of the @ in the Message-IDs we make; used only where `verify` is None."""
    verify: Callable[[str], bool] | None = None
    """Is this value of the marker header, or this Message-ID (without brackets), keyed by us?"""


def judge(mail: IncomingMail, us: Ourselves) -> Automatic | None:
    """The kind of machine's message this is, or None for what may be a submission."""
    return (
        _own(mail, us)
        or _report(mail)
        or _by_headers(mail)
        or _by_subject(mail)
        or _by_text(mail)
        or _bare(mail)
    )


def refusal(mail: IncomingMail, us: Ourselves) -> Automatic | None:
    """Why no automatic answer may go to this mail, or None when one may."""
    return judge(mail, us) or _own_inside(mail, us) or _our_address(mail, us) or _unanswerable(mail)


def answer_refused(mail: IncomingMail, us: Ourselves) -> str | None:
    """`refusal`'s reason as text for the log."""
    found = refusal(mail, us)
    return found.why if found else None


NULL_PATH = "Return-Path: <> (RFC 5321 §4.5.5)"
"""`refusal`'s reason where nothing but the null return path forbids the answer."""


# --- judged ----------------------------------------------------------------------------------


def _own(mail: IncomingMail, us: Ourselves) -> Automatic | None:
    for value in mail.header_all(us.marker_header):
        if us.verify is not None and us.verify(value.strip()):
            return Automatic(AutomaticKind.OWN, f"{us.marker_header}: our own loop mark")
    # A provider's domain names no one in particular, so without a key the From must be ours too.
    if _our_message_id(mail.message_id, us) and (us.verify or _our_address(mail, us)):
        return Automatic(AutomaticKind.OWN, "Message-ID: a letter of our own come back")
    return None


def _our_message_id(message_id: str | None, us: Ourselves) -> bool:
    """Ours by its keyed token; without a key by its domain, which anybody can write."""
    if not message_id:
        return False
    if us.verify is not None:
        return us.verify(message_id)
    domain = message_id.rpartition("@")[2].lower()
    return bool(us.message_id_domain) and domain == us.message_id_domain.lower()


def _report(mail: IncomingMail) -> Automatic | None:
    types = [mail.content_type, *(a.content_type for a in mail.attachments)]
    if mail.content_type == "multipart/report":
        if mail.report_type == "disposition-notification":
            return Automatic(
                AutomaticKind.READ_RECEIPT,
                "Content-Type: multipart/report disposition-notification (RFC 8098 §3)",
            )
        report = mail.report_type or "no report-type"
        return Automatic(
            AutomaticKind.BOUNCE, f"Content-Type: multipart/report {report} (RFC 6522 §3)"
        )
    for wanted, kind in _REPORT_PARTS.items():
        if wanted in types:
            return Automatic(kind, f"a part of type {wanted} (RFC 3464, 5965, 8098)")
    return None


_REPORT_PARTS = {
    "message/delivery-status": AutomaticKind.BOUNCE,
    "message/global-delivery-status": AutomaticKind.BOUNCE,
    "message/feedback-report": AutomaticKind.BOUNCE,
    "message/disposition-notification": AutomaticKind.READ_RECEIPT,
    "message/global-disposition-notification": AutomaticKind.READ_RECEIPT,
}

_BOUNCERS = re.compile(
    "mail(?:er)?daemon|postmaster|bounce[sd]?|mailbounce|mdaemon|mailerror"
    "|mail(?:delivery)?(?:sub)?system"
)
_NO_REPLIERS = re.compile(
    "(?:no|not|non|dont|donot|never)(?:reply|replies|response|respond|answer)|unattended"
)


def _by_headers(mail: IncomingMail) -> Automatic | None:
    if (local := author_role(mail, _BOUNCERS)) is not None:
        return Automatic(AutomaticKind.BOUNCE, f"From: {local} (RFC 2142 §5, RFC 5321 §6.1)")
    for name, value in mail.headers:
        plain = folded_name(name)
        if plain == "xfailedrecipients":
            return Automatic(AutomaticKind.BOUNCE, "X-Failed-Recipients is present")
        if plain in ("autosubmitted", "xautosubmitted") and first_word(value) == "auto-replied":
            return Automatic(AutomaticKind.AUTO_REPLY, f"{name}: auto-replied (RFC 3834 §5.1)")
        if plain in ("precedence", "xprecedence", "preference") and folded_name(
            first_word(value)
        ) in (
            "autoreply",
            "autoresponse",
        ):
            return Automatic(AutomaticKind.AUTO_REPLY, f"{name}: auto_reply")
        if _autoresponder_header(plain, value):
            return Automatic(AutomaticKind.AUTO_REPLY, f"{name}: set by autoresponders")
    return None


def _autoresponder_header(plain: str, value: str) -> bool:
    """`plain` is the field name without case, hyphens and underscores, so that X-Auto-Reply,
    X-AutoReply and x_auto_reply are one."""
    if plain == "xautoresponsesuppress":
        return False
    word = first_word(value)
    if plain.startswith(_AUTORESPONDERS):
        return word not in ("no", "false", "0", "none", "off")
    if plain == "xautogenerated":  # GroupWise: Reply, Forward, Group, Letter ...
        return word == "reply"
    if plain == "xpostmessageclass":
        return "autoresponder" in value.lower()
    if plain == "xmsexchangegeneratedmessagesource":
        return "rules agent" in value.lower()
    return plain == "deliveredto" and word == "autoresponder"


_AUTORESPONDERS = (
    "xautoreply",
    "xautorespon",
    "xautorply",
    "xmailautoreply",
    "xmailautorespon",
    "xvacation",
    "xawayreply",
    "xoutofoffice",
    "autoreply",
    "autorespon",
    "xqqautoreply",
)

_SIGN_KINDS = {
    SubjectSign.BOUNCE: AutomaticKind.BOUNCE,
    SubjectSign.RECEIPT: AutomaticKind.READ_RECEIPT,
    SubjectSign.AUTO_REPLY: AutomaticKind.AUTO_REPLY,
    SubjectSign.RECALL: AutomaticKind.RECALL,
}


def _by_subject(mail: IncomingMail) -> Automatic | None:
    found = machine_subject(mail.subject)
    if found is None or found.behind_reply:
        return None
    return Automatic(_SIGN_KINDS[found.sign], f"Subject opens with {found.phrase!r}")


_FORWARD = re.compile(r"\s*(?:(?:fw|fwd|wg|转发|轉發|转寄)\s{0,3}[:：]|(?:转发|轉發))", re.I)


def _by_text(mail: IncomingMail) -> Automatic | None:
    """A bounce under any subject. The letter that came back may be attached; any other file is what
    people send."""
    if _FORWARD.match(mail.subject[:40]) or any(
        not a.inline and not a.content_type.startswith(("message/", "text/rfc822"))
        for a in mail.attachments
    ):
        return None
    phrase = bounce_phrase(mail.text)
    if phrase is None:
        return None
    return Automatic(AutomaticKind.BOUNCE, f"Text opens with {phrase[:40]!r}")


def _bare(mail: IncomingMail) -> Automatic | None:
    if _something_of_a_submission(mail):
        return None
    if (word := _auto_submitted(mail)) is not None:
        return Automatic(AutomaticKind.AUTO_REPLY, f"Auto-Submitted: {word} (RFC 3834 §5)")
    if (local := author_role(mail, _NO_REPLIERS)) is not None:
        return Automatic(AutomaticKind.NO_REPLY, f"From: {local}")
    return None


_OFFICE = re.compile(
    "[\u4e00-\u9fff](?:局|委|委员会|办|办公室|镇|苏木|乡|街道|中心|政府|管委会|开发区|供销社|学校|医院"
    "|队|站|所|院|公司|集团|支队|大队|法院|部)"
)
_NUMBER = re.compile(r"\d(?:[\s()+-]?\d){6}")
_ITEM_WORDS = ("信息", "简讯", "专报", "要情", "续报", "约稿", "调研")


def _something_of_a_submission(mail: IncomingMail) -> bool:
    subject = unicodedata.normalize("NFKC", mail.subject)
    return (
        any(not a.inline for a in mail.attachments)
        or bool(mail.cloud_attachments)
        or bool(mail.nested)
        or _NUMBER.search(subject) is not None
        or _OFFICE.search(subject) is not None
        or any(word in subject for word in _ITEM_WORDS)
    )


# --- only refused ----------------------------------------------------------------------------


def _own_inside(mail: IncomingMail, us: Ourselves) -> Automatic | None:
    """Our letter as an attachment, or a mark that is not ours: another mailbot's, or forged."""
    for nested in mail.nested:
        marks = [v for n, v in nested.headers if n.lower() == us.marker_header.lower()]
        if _our_message_id(nested.message_id, us) or any(
            us.verify is None or us.verify(mark.strip()) for mark in marks
        ):
            return Automatic(AutomaticKind.OWN, f"part {nested.path}: a letter of our own inside")
    if us.verify is not None:
        # Mail programs quote a letter without its Message-ID; servers return it with its header.
        for text in (mail.text, *(a.text for a in mail.attachments)):
            if any(us.verify(found) for found in _ID_IN_TEXT.findall(text[:_QUOTED_CHARS])):
                return Automatic(AutomaticKind.OWN, "text: a letter of our own with its header")
    if mail.header(us.marker_header) is not None:
        return Automatic(
            AutomaticKind.OWN, f"{us.marker_header}: a loop mark, not verified as ours"
        )
    return None


def _our_address(mail: IncomingMail, us: Ourselves) -> Automatic | None:
    field = field_with_address(mail, us.addresses)
    return (
        Automatic(AutomaticKind.OWN, f"{field}: our own address (RFC 3834 §2)") if field else None
    )


def _unanswerable(mail: IncomingMail) -> Automatic | None:
    if mail.return_path is not None and not mail.return_path.addr:
        return Automatic(AutomaticKind.NULL_SENDER, NULL_PATH)
    if mail.author is None:
        return Automatic(AutomaticKind.NO_AUTHOR, "From: not exactly one address (RFC 5322 §3.6.2)")
    if (word := _auto_submitted(mail)) is not None:
        return Automatic(AutomaticKind.AUTO_REPLY, f"Auto-Submitted: {word} (RFC 3834 §5)")
    if (local := author_role(mail, _NO_REPLIERS)) is not None:
        return Automatic(AutomaticKind.NO_REPLY, f"From: {local}")
    if (local := role_behind(mail, _BOUNCERS, _NO_REPLIERS)) is not None:
        return Automatic(AutomaticKind.NO_REPLY, f"Sender, Reply-To or Return-Path: {local}")
    if (phrase := bounce_phrase(mail.text)) is not None:
        return Automatic(AutomaticKind.BOUNCE, f"Text opens with {phrase[:40]!r}")
    found = machine_subject(mail.subject)
    if found is not None:
        return Automatic(
            _SIGN_KINDS[found.sign], f"Subject has {found.phrase!r} behind a reply prefix"
        )
    return _list(mail)


_SUPPRESSES_ANSWERS = frozenset({"all", "oof", "autoreply"})
_LIST_FIELDS = re.compile(
    "x?mailinglist(?:name)?|xbeenthere|xmlname|xmlserver|xmlinfo|xmailcount|xlist(?:name|id|server)"
    "|xmailmanversion|listprocessorversion|xlistprocessorversion|feedbackid"
)  # fml, Mailman, Majordomo, ezmlm and what senders of newsletters set


def _list(mail: IncomingMail) -> Automatic | None:
    for name, value in mail.headers:
        lower, plain = name.strip().lower(), folded_name(name)
        if lower.startswith("list-") or _LIST_FIELDS.fullmatch(plain):
            return Automatic(AutomaticKind.LIST, f"{name}: mailing list (RFC 2919, RFC 2369)")
        if plain in ("precedence", "xprecedence") and first_word(value) in ("bulk", "junk", "list"):
            return Automatic(AutomaticKind.LIST, f"{name}: {first_word(value)}")
        if plain == "xautoresponsesuppress":
            wishes = {part.strip() for part in without_comments(value).lower().split(",")}
            if wishes & _SUPPRESSES_ANSWERS:
                return Automatic(
                    AutomaticKind.AUTO_REPLY, f"{name}: the sender wants no automatic answer"
                )
    return None


def _auto_submitted(mail: IncomingMail) -> str | None:
    """The value that is not "no", if any (RFC 3834 §5). An empty field says nothing."""
    for name, value in mail.headers:
        if folded_name(name) in ("autosubmitted", "xautosubmitted"):
            word = first_word(value)
            if word not in ("no", ""):
                return word[:40]
    return None


# --- what a machine's letter is about --------------------------------------------------------


def recalled_subject(mail: IncomingMail) -> str | None:
    """The subject a recall notice names (发信方已撤回邮件：X), or None."""
    found = machine_subject(mail.subject)
    if found is None or found.sign is not SubjectSign.RECALL:
        return None
    rest = found.rest.strip().strip("\"“”「」『』'‘’").strip()
    return rest or None


_ID_IN_TEXT = re.compile(
    r"(?:^|[\s>|])(?:(?:Original[- ])?Message[- ]ID|(?:邮件|信件|郵件)(?:ID|编号|標識|标识)|メッセージID"
    r"|Nachrichten-ID)\s{0,4}[:：]\s{0,8}<?([^<>\s@]{1,200}@[^<>\s@,;)\]]{1,100})",
    re.I,
)
_QUOTED_CHARS = 200_000
_ID_LIMIT = 20


def bounced_message_ids(mail: IncomingMail) -> tuple[str, ...]:
    """Message-IDs (without brackets) a bounce, receipt or reply may be about, likeliest first: the
    returned mail itself, its returned headers, the text, then In-Reply-To and References. At most
    20; the caller keeps those that are letters of ours."""
    ids: list[str] = [n.message_id for n in mail.nested if n.message_id]
    for text in (*(a.text for a in mail.attachments), mail.text, *(n.text for n in mail.nested)):
        ids += _ID_IN_TEXT.findall(text)
    for name in ("Original-Message-ID", "X-Original-Message-ID"):
        for value in mail.header_all(name):
            ids.append(value.strip().strip("<>").strip())
    ids += mail.in_reply_to
    ids += reversed(mail.references)
    return tuple(dict.fromkeys(i for i in ids if i))[:_ID_LIMIT]
