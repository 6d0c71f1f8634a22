"""What may become of a submission: each outcome with its reasons, its answer and its task.

Each function takes the decision as far as it is known (fields, drafts, problems) and returns the
outcome when its case applies, else None. The order is `core.intake.decide`'s.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.core.intake.content import Content
from mailbot.core.intake.describe import PROBLEM_LABELS
from mailbot.core.intake.model import Decision, DecisionKind, Draft, Facts, Reason, Relation
from mailbot.core.intake.split import Split
from mailbot.core.intake.submission import by_itself
from mailbot.core.letters.answers import AnswerKind
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.mail.automatic import NULL_PATH
from mailbot.core.mail.model import Attachment, DefectCode, IncomingMail
from mailbot.core.rules.rulebook import SenderPolicy
from mailbot.core.subject.model import Certainty, Source

WARY_FILES = {
    "encrypted": "加了密码",
    "macro": "带有宏",
    "in_part": "没有读全（过大或损坏）",
}
"""What a file's flags mean to a person before it is opened (faults A7, A24); flags of the item."""


def stranger(facts: Facts, policy: SenderPolicy) -> Decision | None:
    """`bound` and `closed` offices hold mail of addresses no person has bound yet."""
    if policy is SenderPolicy.OPEN or facts.bound_unit is not None:
        return None
    answer = AnswerKind.PENDING if policy is SenderPolicy.BOUND else None
    return Decision(
        DecisionKind.HOLD,
        (Reason("unbound_sender", "来信邮箱尚未绑定报送单位，待人工绑定后登记。"),),
        answer=None if facts.answer_refused else answer,
        no_answer=facts.answer_refused or ("" if answer else "closed"),
        task="来信邮箱尚未绑定报送单位，请核实后绑定或拒绝。",
        propose_binding=True,
    )


def chatter(base: Decision, content: Content, facts: Facts) -> Decision | None:
    """A reply to a letter of ours that submits nothing (收到，谢谢): for a person, unanswered.
    Answering it could start a loop with a responder that sets no header."""
    reading = base.reading
    assert reading is not None
    if not (facts.answers_our_letter or facts.thread):
        return None
    submits = (
        any(
            v is not None and v.source is Source.SUBJECT
            for v in (reading.unit, reading.submitter, *reading.contact)
        )
        or len(base.missing) == 0
        or bool(content.files)
    )
    # Our letter's subject quotes the first mail's: a reply that keeps it says nothing by that.
    repeats = bool(base.problems) and all(d.same_fields for d in base.drafts) and not content.files
    if submits and not repeats:
        return None
    in_body = reading.unit and reading.contact and reading.title
    if in_body and any(d.target is not None and d.target.state == "returned" for d in base.drafts):
        return None  # the corrected line was pasted into the body: say where it belongs
    return replace(
        base,
        kind=DecisionKind.HOLD,
        drafts=(),
        problems=(),
        reasons=(Reason("reply", "这是对本系统来信的回复，没有报送内容，转人工查看。"),),
        no_answer="reply",
        item_links=tuple((Relation.REPLY, i.id) for i in facts.thread),
        task="单位回复了系统的来信，请人工查看。",
    )


def other_unit(base: Decision, facts: Facts) -> Decision | None:
    unit = base.reading.unit if base.reading else None
    if facts.bound_unit is None or unit is None or unit.unit_id in (None, facts.bound_unit):
        return None
    own = facts.book.roster.get(facts.bound_unit).name
    return _hold(
        base,
        Reason(
            "other_unit",
            f"来信邮箱绑定的是{own}，主题写的是{unit.value}，需人工核对。",
            f"{facts.bound_unit}!={unit.unit_id}",
        ),
        task=f"邮箱绑定{own}，主题却写{unit.value}，请核对由谁报送。",
    )


def conflicting(base: Decision, content: Content, conflict: str) -> Decision | None:
    if not conflict:
        return None
    drafts = tuple(by_itself(d, content) for d in base.drafts)
    return _hold(
        replace(base, drafts=drafts, item_links=()), Reason("conflict", conflict), task=conflict
    )


def malformed(base: Decision, content: Content, facts: Facts) -> Decision | None:
    """Back to the sender with every fault; a stranger whose mail has nothing of a submission in
    it gets no letter (backscatter, faults A16)."""
    if not base.problems:
        return None
    if not _something_of_a_submission(base, content, facts):
        return replace(
            base,
            kind=DecisionKind.HOLD,
            drafts=(),
            reasons=(
                Reason("no_submission", "陌生邮箱来信，看不出报送单位、电话或附件，转人工查看。"),
            ),
            no_answer="stranger",
            task="陌生邮箱来信，看不出是报送信息，请人工查看。",
        )
    reasons = tuple(
        Reason(p.code.value, PROBLEM_LABELS[p.code], p.found or ",".join(p.candidates))
        for p in base.problems
    )
    return replace(base, kind=DecisionKind.RETURN, reasons=reasons, answer=AnswerKind.RETURN)


def _something_of_a_submission(base: Decision, content: Content, facts: Facts) -> bool:
    reading = base.reading
    assert reading is not None
    return bool(
        (reading.unit is not None and reading.unit.unit_id is not None)
        or reading.contact
        or content.files
        or any(d.target is not None for d in base.drafts)
        or facts.bound_unit
        or facts.known_sender
    )


def internal(base: Decision, mail: IncomingMail, content: Content, facts: Facts) -> Decision | None:
    """内部资料, 注意保存: no secrets mark, but whether it may be registered is for a person."""
    marked = [m for m in mail.secrets if m.hold_only]
    if not marked:
        return None
    rules = ",".join(sorted({f"{m.rule}@{m.where}" for m in marked}))
    held = _hold(
        base,
        Reason("internal", "来信标有“内部资料”等字样，须由人工判断能否登记。", rules),
        task="来信标有“内部资料”或“注意保存”等字样，请人工判断。",
    )
    if _something_of_a_submission(base, content, facts):
        return held
    return replace(held, drafts=(), answer=None, no_answer="internal")


def uncertain_new_sender(base: Decision, facts: Facts) -> Decision | None:
    """A new address is accepted only when the unit reads with certainty."""
    unit = base.reading.unit if base.reading else None
    if facts.bound_unit or facts.known_sender or unit is None:
        return None
    if unit.certainty is Certainty.CERTAIN:
        return None
    return _hold(
        base,
        Reason(
            "uncertain_unit", f"首次来信的邮箱，报送单位“{unit.value}”不能完全确定，需人工核对。"
        ),
        task=f"首次来信的邮箱，报送单位“{unit.value}”不能完全确定，请核对。",
    )


def disagreeing(base: Decision, parts: Split) -> Decision | None:
    if not parts.disagreement:
        return None
    return _hold(base, Reason("counts_disagree", parts.disagreement), task=parts.disagreement)


def several_by_line(base: Decision, facts: Facts) -> Decision | None:
    """A line that states several items, judged alone: their titles come from the files."""
    reading = base.reading
    stated = max(len(reading.titles), reading.count or 0) if reading else 0
    if not facts.line_only or stated < 2:
        return None
    text = f"主题写明报送{stated}条：附件数与条数一致时自动分条登记，标题取自主题或附件名称。"
    return replace(
        base,
        kind=DecisionKind.ACCEPT,
        reasons=(Reason("several", text, str(stated)),),
        no_answer="line_only",
    )


def accepted(base: Decision, mail: IncomingMail, facts: Facts) -> Decision:
    first = new_sender(facts)
    drafts = flagged(base.drafts, facts, mail)
    resends = [d for d in drafts if d.link is Relation.RESEND]
    corrections = [d for d in drafts if d.link is Relation.CORRECTION]
    if len(resends) == len(drafts):
        reason = Reason(
            "resend",
            "此前已登记，不重复计数。",
            drafts[0].target.receipt if drafts[0].target else "",
        )
    elif corrections:
        reason = Reason(
            "correction",
            "更正稿，已替换原来的登记。",
            ",".join(d.target.receipt for d in corrections if d.target),
        )
    else:
        reason = Reason(
            "complete", "四项齐全，已登记。" if len(drafts) == 1 else f"已分为{len(drafts)}条登记。"
        )
    return replace(
        base,
        kind=DecisionKind.ACCEPT,
        drafts=drafts,
        reasons=(reason,),
        answer=AnswerKind.ACKNOWLEDGEMENT,
        warnings=warnings_of(mail),
        propose_binding=first,
        task=_task_of_accepted(mail, first),
    )


def _task_of_accepted(mail: IncomingMail, first: bool) -> str:
    tasks = []
    if first:
        tasks.append("首次来自这个邮箱的信息，已登记；请确认是否绑定到该单位。")
    wary = {flag for file in _files(mail) for flag in file.flags}
    kinds = [text for flag, text in WARY_FILES.items() if flag in wary]
    if kinds:
        tasks.append(f"信息已登记，但有附件{'、'.join(kinds)}，请人工查看，打开前先确认安全。")
    return "".join(tasks)


def _files(mail: IncomingMail) -> tuple[Attachment, ...]:
    return (*mail.attachments, *(a for nested in mail.nested for a in nested.attachments))


def new_sender(facts: Facts) -> bool:
    return not (facts.bound_unit or facts.known_sender)


def flagged(drafts: tuple[Draft, ...], facts: Facts, mail: IncomingMail) -> tuple[Draft, ...]:
    """What staff should see beside each item."""
    flags: tuple[str, ...] = ()
    if new_sender(facts):
        flags += ("first_address",)
    if facts.authentication is not AuthResult.PASS:
        flags += ("unverified",)
    if facts.same_id_as is not None:
        flags += ("same_message_id",)
    return tuple(replace(d, flags=(*d.flags, *flags, *_wary(d, mail))) for d in drafts)


def _wary(draft: Draft, mail: IncomingMail) -> tuple[str, ...]:
    """The flags of the draft's own files."""
    own = [f for f in _files(mail) if f.path in draft.attachment_paths]
    return tuple(flag for flag in WARY_FILES if any(flag in f.flags for f in own))


def warnings_of(mail: IncomingMail) -> tuple[str, ...]:
    warnings = []
    if mail.cloud_attachments:
        warnings.append("来信中的超大附件（网盘链接）本系统不会打开，请改用普通附件补发。")
    if any("encrypted" in a.flags for a in _files(mail)):
        warnings.append("有附件加了密码，无法读取，请补发不加密的附件。")
    if any(d.code is DefectCode.BYTES_REPLACED for d in mail.defects):
        warnings.append("来信有个别文字无法辨认（编码有误），请核对上面登记的内容。")
    return tuple(warnings)


def _hold(base: Decision, reason: Reason, *, task: str) -> Decision:
    return replace(
        base,
        kind=DecisionKind.HOLD,
        problems=(),
        reasons=(reason,),
        answer=AnswerKind.PENDING,
        task=task,
    )


def with_gate(decision: Decision, facts: Facts) -> Decision:
    """The one gate before every automatic answer. It refuses the answer, never the submission."""
    if decision.answer is None or facts.answer_refused is None:
        return decision
    # Machines' reports were set aside before: this may be a person behind an odd server, who waits.
    waits = facts.answer_refused == NULL_PATH and not decision.task
    return replace(
        decision,
        answer=None,
        no_answer=f"gate: {facts.answer_refused}",
        task=UNANSWERABLE_TASK if waits else decision.task,
    )


UNANSWERABLE_TASK = (
    "这封来信声明了不接收任何自动回复（退信路径为空），已照常登记，没有回复。请看是不是报送人所发，"
    "需要时电话告知结果。"
)
