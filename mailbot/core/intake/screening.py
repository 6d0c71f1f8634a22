"""What is settled before a mail is read as a submission.

Each function returns the decision when its case applies, else None; `core.intake.decide` has the
order in which they are asked. None of them looks at the office's convention.
"""

from __future__ import annotations

from mailbot.core.intake.content import content_of
from mailbot.core.intake.lanes import is_urgent_report
from mailbot.core.intake.model import Decision, DecisionKind, Facts, Reason, Relation
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.mail.automatic import AutomaticKind
from mailbot.core.mail.bounces import is_failure
from mailbot.core.mail.model import DefectCode, IncomingMail
from mailbot.core.rules.basis import NoRuleInForce
from mailbot.core.rules.events import Fault
from mailbot.core.rules.periods import day_of


def secrets(mail: IncomingMail, facts: Facts) -> Decision | None:
    """保密法 2024 arts. 29, 31: only time, sender, UID, hash and rule id may be kept."""
    hits = [m for m in mail.secrets if not m.hold_only]
    if not hits:
        return None
    rules = ",".join(sorted({f"{m.rule}@{m.where}" for m in hits}))
    sender = mail.author.addr if mail.author else "不明"
    urgent = facts.book.info.urgent_lane and is_urgent_report(mail, content_of(mail))
    # The office was told when the same mail came first, if it was in quarantine then as well.
    told = facts.duplicate_decision == DecisionKind.QUARANTINE.value
    again = facts.duplicate_of is not None
    return Decision(
        DecisionKind.QUARANTINE,
        (
            Reason(
                "secrets",
                "发现疑似密级标志，内容未保存、未显示、未回复，请保密员处理。",
                f"{rules}; from {sender}",
            ),
        ),
        no_answer="secrets",
        lane="urgent" if urgent else "item",
        links=((Relation.DUPLICATE, facts.duplicate_of),) if facts.duplicate_of else (),
        task=""
        if told and again
        else f"{sender}来信带有疑似密级标志：内容未保存。请保密员按原邮箱中的邮件处理，不要转发。"
        + _proposed(facts),
        keep_content=False,
    )


def _proposed(facts: Facts) -> str:
    """Where the office's notices name units that broke secrets rules: how a person puts this one
    there, once it is confirmed."""
    named = any(
        Fault.SECRETS in match.fault
        for rule in facts.book.scoring.lists
        for version in rule.versions
        for match in version.matches
    )
    if not named:
        return ""
    unit = facts.book.roster.get(facts.bound_unit).name if facts.bound_unit else "单位名"
    command = f"mailbot record error --unit {unit} --fault secrets"
    return f"核实属实、要列入通报的，登记差错：{command}"


def unreadable(mail: IncomingMail, facts: Facts) -> Decision | None:
    """Nothing can be said about its content, so a person looks. Its bytes are kept."""
    codes = {d.code for d in mail.defects}
    if DefectCode.UNREADABLE in codes:
        what = (
            "邮件无法自动解析，原件已保存"
            if mail.size
            else "邮箱服务器没有给出完整的邮件，原件仍在邮箱中"
        )
        return Decision(
            DecisionKind.QUARANTINE,
            (
                Reason(
                    "unreadable",
                    f"{what}，需人工查看。",
                    "; ".join(d.detail for d in mail.defects if d.code is DefectCode.UNREADABLE),
                ),
            ),
            no_answer="unreadable",
            task=f"{what}，请人工查看。",
        )
    if DefectCode.EMPTY in codes:
        return Decision(
            DecisionKind.HOLD,
            (Reason("empty", "邮件是空的，没有可登记的内容。"),),
            no_answer="empty",
            task="收到一封空邮件。",
        )
    return None


def read_in_part(mail: IncomingMail) -> Decision | None:
    """Too large or too complex: what is known of it is no base for a decision."""
    codes = {d.code for d in mail.defects}
    if DefectCode.TOO_LARGE in codes:
        return Decision(
            DecisionKind.HOLD,
            (
                Reason(
                    "too_large", "邮件超过大小上限，只读取了邮件头，需人工下载。", str(mail.size)
                ),
            ),
            no_answer="too_large",
            task=f"邮件过大（{mail.size // 1_000_000} MB），只读取了邮件头。请在邮箱中查看。",
        )
    cut = codes & {DefectCode.PARTS_CUT, DefectCode.DEPTH_CUT, DefectCode.TEXT_CUT}
    if mail.author is None:
        cut |= codes & {DefectCode.HEADERS_CUT}
    if not cut:
        return None
    return Decision(
        DecisionKind.HOLD,
        (
            Reason(
                "too_complex",
                "邮件结构过于复杂，没有全部读取，需人工查看。",
                ",".join(sorted(c.value for c in cut)),
            ),
        ),
        no_answer="too_complex",
        task="邮件过长或过于复杂（文字、附件或层次过多），没有全部读取，请人工查看。",
    )


_AUTOMATIC_LINK = {
    AutomaticKind.BOUNCE: Relation.BOUNCE,
    AutomaticKind.READ_RECEIPT: Relation.RECEIPT,
    AutomaticKind.RECALL: Relation.RECALL,
    AutomaticKind.AUTO_REPLY: Relation.REPLY,
}
_AUTOMATIC_TEXT = {
    AutomaticKind.BOUNCE: "退信通知，不是报送的信息。",
    AutomaticKind.READ_RECEIPT: "已读回执，不是报送的信息。",
    AutomaticKind.AUTO_REPLY: "自动回复，不是报送的信息。",
    AutomaticKind.RECALL: "发信方撤回通知，已关联到原来的信息。",
    AutomaticKind.OWN: "本系统自己发出的邮件。",
}


def automatic(mail: IncomingMail, facts: Facts) -> Decision | None:
    """RFC 3834, 3464, 8098: a machine's mail is recorded, linked and never answered."""
    verdict = facts.automatic
    if verdict is None:
        return None
    text = _AUTOMATIC_TEXT.get(verdict.kind, "自动发出的邮件，不是报送的信息。")
    relation = _AUTOMATIC_LINK.get(verdict.kind)
    if verdict.kind is AutomaticKind.BOUNCE and not is_failure(mail):
        text, relation = "投递延迟或送达的通知，不是退信，也不是报送的信息。", Relation.REPLY
    if verdict.kind is AutomaticKind.RECALL and not facts.thread:
        text = "发信方撤回通知，没有找到它说的那条信息。"
    # A forged notice changes nothing (faults A13).
    targets = () if facts.authentication is AuthResult.FAIL else facts.thread
    task = ""
    if verdict.kind is AutomaticKind.RECALL and targets:
        task = f"发信方撤回了邮件，{targets[0].receipt}可能要撤下，请人工确认。"
    return Decision(
        DecisionKind.IGNORE,
        (Reason(f"automatic:{verdict.kind.value}", text, verdict.why),),
        no_answer="automatic",
        item_links=tuple((relation, i.id) for i in targets) if relation else (),
        task=task,
    )


def same_mail(mail: IncomingMail, facts: Facts) -> Decision | None:
    """The same mail again, under another UID or after the mailbox was rebuilt. Empty mails are all
    alike and prove nothing."""
    if facts.duplicate_of is None or not mail.size:
        return None
    if any(d.code in (DefectCode.EMPTY, DefectCode.UNREADABLE) for d in mail.defects):
        return None
    kind = facts.duplicate_decision or DecisionKind.ACCEPT.value
    return Decision(
        DecisionKind(kind),
        (
            Reason(
                "same_mail",
                "同一封邮件此前已处理，不重复登记、不重复回复。",
                str(facts.duplicate_of),
            ),
        ),
        no_answer="same_mail",
        reading=facts.reading,
        links=((Relation.DUPLICATE, facts.duplicate_of),),
    )


def before_the_rules(facts: Facts) -> Decision | None:
    """Old mail from before the office's first rules: recorded, never judged by later ones."""
    day = day_of(facts.received)
    try:
        facts.book.convention_on(day)
        facts.book.categories_on(day)
    except NoRuleInForce as missing:
        return Decision(
            DecisionKind.HOLD,
            (
                Reason(
                    "no_rule",
                    f"收信日期（{day.isoformat()}）早于本办公室规则的生效日期，只登记来信。",
                    str(missing),
                ),
            ),
            no_answer="no_rule",
        )
    return None


def refused_sender(mail: IncomingMail, facts: Facts) -> Decision | None:
    if mail.author is None:
        return Decision(
            DecisionKind.HOLD,
            (Reason("no_author", "邮件没有写明唯一的发件人，无法回复，需人工查看。"),),
            no_answer="no_author",
            task="邮件没有写明唯一的发件人，未登记、未回复，请人工查看。",
        )
    if facts.authentication is AuthResult.FAIL:
        return Decision(
            DecisionKind.HOLD,
            (Reason("forged", "发件人没有通过本邮箱服务器的验证，可能是冒用的地址。"),),
            no_answer="authentication_failed",
            task="发件人未通过邮箱服务器验证，可能冒用他人地址：未登记、未回复，请核实。",
        )
    if facts.refused_sender:
        return Decision(
            DecisionKind.HOLD,
            (Reason("refused_sender", "该邮箱已被办公室设为不受理。"),),
            no_answer="refused_sender",
        )
    return None
