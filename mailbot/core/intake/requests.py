"""Whether what a mail asks of the bot is granted. What it asks is read in `commands`; nothing of a
command ever counts as an item.

| who                                    | 查询, 申诉      | 帮助   | ruling on a draft                 |
|----------------------------------------|-----------------|--------|-----------------------------------|
| an address bound to a unit             | of that unit    | yes    | no                                |
| an address whose mail was accepted     | held, in silence| yes    | no                                |
| an approver                            | as above        | as above | with the code made for it, once |
| anybody else, or failed authentication | held, in silence| held   | held                              |

A ruling without a code of ours is a command only as an approver's reply; else it is read on as any
other mail. So is one that says neither yes nor no, unless its code would have been good.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.core.intake.commands import Request, Ruling, Supplement, Verb
from mailbot.core.intake.content import content_of
from mailbot.core.intake.model import CodeState, Decision, DecisionKind, Facts, Reason, Relation
from mailbot.core.intake.outcomes import with_gate
from mailbot.core.intake.screening import refused_sender
from mailbot.core.letters.answers import AnswerKind
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.mail.model import IncomingMail
from mailbot.core.subject.prefixes import strip_prefixes

ORDERED = "审批码有效，按回信办理。"
WRONG_CODE = "审批码不对，没有办理。"
WRONG_CODES = 5
"""A day, from one address, after which none is looked at."""


def command(mail: IncomingMail, facts: Facts) -> Decision | None:
    found = facts.command
    if found is None or facts.line_only:
        return None
    if isinstance(found, Ruling) and not (facts.code_known or _replies(mail, facts)):
        return None
    if isinstance(found, Ruling) and found.silent and not _about_draft(facts):
        return None
    if isinstance(found, Supplement) and (facts.bound_unit is None or facts.appeal_open is None):
        return None
    if (held := refused_sender(mail, facts)) is not None:
        return held
    if isinstance(found, Ruling):
        return _ruling(found, mail, facts)
    if isinstance(found, Supplement):
        return _supplement(found, facts)
    return _request(found, mail, facts)


# --- requests


_SUBJECTS = {Verb.QUERY: "query", Verb.APPEAL: "appeal", Verb.HELP: "help"}


def _request(found: Request, mail: IncomingMail, facts: Facts) -> Decision:
    helped = found.verb is Verb.HELP and facts.known_sender
    if facts.bound_unit is None and not helped:
        return _held(
            "unbound_command",
            f"来信邮箱没有绑定报送单位，“{found.verb.value}”没有办理，没有回复。",
            f"未绑定的邮箱来信{found.verb.value}：请核实是哪个单位，绑定（mailbot senders --bind）后"
            "自动办理；不受理的请拒绝。",
        )
    task = ""
    if found.verb is not Verb.APPEAL and content_of(mail).documents:
        task = f"来信按“{found.verb.value}”办理，但带有附件，请看其中有没有要报送的信息。"
    reason = Reason(f"command:{_SUBJECTS[found.verb]}", f"来信{found.verb.value}，按指令办理。")
    decision = Decision(
        DecisionKind.COMMAND, (reason,), answer=AnswerKind.SERVICE, task=task, command=found
    )
    return with_gate(decision, facts)


def _supplement(found: Supplement, facts: Facts) -> Decision:
    number = found.appeal
    what = "补充材料" if facts.appeal_open else "答复后的回信"
    held = _held(
        "appeal_more",
        f"这是对第{number}号申诉的{what}，转人工查看。",
        f"单位发来第{number}号申诉的{what}，请查看：mailbot appeals show {number}",
    )
    assert facts.appeal_mail is not None, "the appeal is known"
    return replace(held, links=((Relation.REPLY, facts.appeal_mail),))


# --- rulings


def _replies(mail: IncomingMail, facts: Facts) -> bool:
    """Does an approver answer something? Else what looks like a code may be a telephone number, and
    the mail an item."""
    prefixes, _ = strip_prefixes(mail.subject)
    return facts.approver and (facts.answers_our_letter or "re" in prefixes)


def _about_draft(facts: Facts) -> bool:
    """Of a mail that says neither yes nor no: is it an approver's about a draft that waits? Else it
    may be a word of thanks."""
    return facts.approver and facts.code is CodeState.GOOD


_CODES = {
    CodeState.UNKNOWN: WRONG_CODE,
    CodeState.SEVERAL: "来信里有几个不同的审批码，不能确定指哪一份草稿，没有办理。",
    CodeState.USED: "审批码已经用过，没有再办理。",
    CodeState.EXPIRED: "审批码已经过期，没有办理。",
}


def _ruling(found: Ruling, mail: IncomingMail, facts: Facts) -> Decision:
    sender = mail.author.addr if mail.author else ""
    if not facts.approver:
        return _held(
            "not_approver",
            "来信用审批码批复草稿，但该邮箱不在批准人名单里，没有办理。",
            f"{sender}用审批码批复草稿，但不在批准人名单（letters.toml 的 approvers）里，没有办理，请核实。",
        )
    doubt = _doubt(facts)
    if doubt:
        return _held(
            "ruling_doubted",
            f"来信批复草稿，但{doubt}，没有办理。",
            f"{sender}来信批复草稿，但{doubt}，没有办理。请核实后用命令办理（mailbot notices list）。",
        )
    code, text = _judged(found, facts)
    # What he wrote instead may be a question to a person.
    asked = f"{sender}回复了草稿，既没有写“批准”也没有写“退回”，已回信说明怎样写；请看来信有没有别的事。"
    return Decision(
        DecisionKind.COMMAND,
        (Reason(f"command:{code}", text),),
        answer=AnswerKind.SERVICE,
        task=asked if found.silent else "",
        command=found,
    )


def _doubt(facts: Facts) -> str:
    if facts.verifiable and facts.authentication is not AuthResult.PASS:
        return "发件人没有通过本邮箱服务器的验证"
    if facts.answer_refused is not None:
        return "这是一封不能自动答复的来信"
    if facts.wrong_codes >= WRONG_CODES:
        return f"该邮箱今天已有{facts.wrong_codes}次审批码不对"
    return ""


def _judged(found: Ruling, facts: Facts) -> tuple[str, str]:
    """The reason's code and text. An unclear ruling with a wrong code is a wrong code."""
    if facts.code is not CodeState.GOOD:
        return f"code_{facts.code.value}", _CODES[facts.code]
    if found.silent:
        return "no_verdict", "回信既没有写“批准”，也没有写“退回”，没有办理。"
    if found.approves is None:
        return "unclear", "回信第一行除“批准”外还有别的话，不能确定是否批准，没有办理。"
    if not found.approves and not found.why:
        return "no_reason", "回信退回草稿，但没有写理由，没有办理。"
    return "order", ORDERED


def is_order(decision: Decision) -> bool:
    """Is a draft to be approved or rejected by it?"""
    return decision.command is not None and decision.reasons[0].code == "command:order"


def _held(code: str, text: str, task: str) -> Decision:
    return Decision(DecisionKind.HOLD, (Reason(code, text),), no_answer=code, task=task)
