"""An approver's reply about a draft: whether its code may be used up, and what is answered where it
may not."""

from __future__ import annotations

from datetime import date, datetime

from mailbot.app.notices.approval import leaves_blanks
from mailbot.app.notices.drafting import notices
from mailbot.app.notices.guards import may_be_approved, waiting
from mailbot.app.notices.refusals import NotDecided, told
from mailbot.app.ports import Reads, Transaction
from mailbot.app.service.codes import draft_of, own_tokens
from mailbot.core.intake.commands import Ruling
from mailbot.core.intake.model import Decision
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.service import NotDone
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import OfficeBook

_AGAIN = "也可以在值班电脑上办理：mailbot notices list。"
_REFUSED = {
    "code_unknown": ("审批码不对", "请直接回复载有草稿的邮件，并保留主题里的审批码。"),
    "code_several": ("来信里有几个审批码", "请直接回复要批复的那一封草稿邮件，每封只批复一份。"),
    "code_used": ("审批码已经用过，每个只能用一次", ""),
    "code_expired": ("审批码已经过期", ""),
    "no_verdict": (
        "第一行没有写“批准”，也没有写“退回”",
        "同意的，第一行写“批准”，可以加发文字号和日期；不同意的，第一行写“退回”加理由。"
        "审批码没有作废，可以再回复一次。",
    ),
    "unclear": (
        "不能确定是否批准：除“批准”、发文字号和日期外还有别的话",
        "同意的，第一行只写“批准”，可以加发文字号和日期，如“批准 某政办通〔2026〕12号”；"
        "不同意的，第一行写“退回”加理由。审批码没有作废，可以再回复一次。",
    ),
    "no_reason": ("没有写退回的理由", "第一行写“退回”加理由。审批码没有作废，可以再回复一次。"),
}


def not_ruled(decision: Decision, ruling: Ruling, card: OfficeCard) -> NotDone:
    code = decision.reasons[0].code.removeprefix("command:")
    found, remedy = _REFUSED[code]
    # With a wrong code nothing is said that helps to guess one.
    again = "" if code == "code_unknown" else _AGAIN
    return NotDone(card, ruling.written, found, remedy + again)


def take_order(
    ruling: Ruling,
    sender: str,
    book: OfficeBook,
    card: OfficeCard,
    tx: Transaction,
    now: datetime,
) -> NotDone | None:
    """None: the code is used up, and the order stands. What can be known beforehand to be in vain
    does not use it up."""
    (token,) = own_tokens(ruling, sender, book.info.id, tx.read)
    try:
        _must_be_decidable(ruling, draft_of(token), book, tx.read, day_of(now))
    except NotDecided as refusal:
        return NotDone(card, ruling.written, *told(refusal))
    if tx.use_token(token.new.digest, now) is None:
        return NotDone(card, ruling.written, _REFUSED["code_used"][0], _AGAIN)
    return None


def _must_be_decidable(
    ruling: Ruling, draft_id: int, book: OfficeBook, reads: Reads, today: date
) -> None:
    """As far as can be told without working the draft out once more. Raises `NotDecided`."""
    row = waiting(reads, draft_id)
    if not ruling.approves:
        return
    may_be_approved(reads, row, ruling.number, ruling.issued or today, today)
    if any(leaves_blanks(rule) for rule in notices(book) if rule.id == row.letter):
        raise NotDecided("unfilled", draft_id)
