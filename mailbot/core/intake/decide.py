"""The decision: one mail and the facts about it in, one `Decision` out.

Deterministic and total. The order in which a mail is looked at is the same for every office:
secrets, unreadable, automatic, the same mail again, strangers, urgent reports, then the item.

What is promised: an ambiguity is never resolved by guessing; every fault of a submission is named
at once; nothing is answered that the gate (`core.mail.automatic`) refuses; after a secrets hit the
decision itself says that no content may be kept.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.core.intake.classify import classify
from mailbot.core.intake.content import Content, content_of
from mailbot.core.intake.describe import PROBLEM_LABELS
from mailbot.core.intake.faults import content_faults, field_faults
from mailbot.core.intake.lanes import is_urgent_report
from mailbot.core.intake.lifecycle import relate
from mailbot.core.intake.model import Decision, DecisionKind, Draft, Facts, Reason, Relation
from mailbot.core.intake.split import Part, Split, split
from mailbot.core.letters import AnswerKind
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.mail.automatic import AutomaticKind
from mailbot.core.mail.model import DefectCode, IncomingMail
from mailbot.core.rules.periods import day_of
from mailbot.core.rules.rulebook import SenderPolicy
from mailbot.core.subject.model import Certainty, FieldValue, Hints, Reading, Source
from mailbot.core.subject.reader import read_subject

MAX_ATTEMPTS = 3
"""Readings after which a mail that keeps breaking goes to a person (faults P5)."""


def decide(mail: IncomingMail, facts: Facts) -> Decision:
    """What becomes of the mail."""
    return (
        _secrets(mail)
        or _unreadable(mail, facts)
        or _automatic(mail, facts)
        or _same_mail(facts)
        or _refused_sender(mail, facts)
        or _submission(mail, facts)
    )


# --- before the mail is read as a submission -------------------------------------------------


def _secrets(mail: IncomingMail) -> Decision | None:
    """保密法 2024 arts. 29, 31: only time, sender, UID, hash and rule id may be kept."""
    hits = [m for m in mail.secrets if not m.hold_only]
    if not hits:
        return None
    rules = ",".join(sorted({f"{m.rule}@{m.where}" for m in hits}))
    return Decision(
        DecisionKind.QUARANTINE,
        (Reason("secrets", "发现疑似密级标志，内容未保存、未显示、未回复，请保密员处理。", rules),),
        no_answer="secrets",
        task="来信带有疑似密级标志：内容未保存。请保密员按原邮箱中的邮件处理，不要转发。",
        keep_content=False,
    )


def _unreadable(mail: IncomingMail, facts: Facts) -> Decision | None:
    """Nothing can be said about its content, so a person looks. Its bytes are kept."""
    codes = {d.code for d in mail.defects}
    if DefectCode.UNREADABLE in codes or facts.attempts > MAX_ATTEMPTS:
        return Decision(
            DecisionKind.QUARANTINE,
            (
                Reason(
                    "unreadable",
                    "邮件无法解析，原件已保存，需人工查看。",
                    "; ".join(d.detail for d in mail.defects if d.code is DefectCode.UNREADABLE),
                ),
            ),
            no_answer="unreadable",
            task="邮件无法自动解析，原件已保存，请人工查看。",
        )
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
    if DefectCode.EMPTY in codes:
        return Decision(
            DecisionKind.HOLD,
            (Reason("empty", "邮件是空的，没有可登记的内容。"),),
            no_answer="empty",
            task="收到一封空邮件。",
        )
    cut = codes & {DefectCode.PARTS_CUT, DefectCode.DEPTH_CUT}
    if cut:
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
            task="邮件结构过于复杂（附件或层次过多），没有全部读取，请人工查看。",
        )
    marked = [m for m in mail.secrets if m.hold_only]
    if marked:
        return Decision(
            DecisionKind.HOLD,
            (
                Reason(
                    "internal",
                    "来信标有“内部资料”等字样，须由人工判断能否登记。",
                    ",".join(sorted({f"{m.rule}@{m.where}" for m in marked})),
                ),
            ),
            no_answer="internal",
            task="来信标有“内部资料”或“注意保存”，请人工判断。",
        )
    return None


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


def _automatic(mail: IncomingMail, facts: Facts) -> Decision | None:
    """RFC 3834, 3464, 8098: a machine's mail is recorded, linked and never answered."""
    verdict = facts.automatic
    if verdict is None:
        return None
    text = _AUTOMATIC_TEXT.get(verdict.kind, "自动发出的邮件，不是报送的信息。")
    relation = _AUTOMATIC_LINK.get(verdict.kind)
    targets = facts.thread
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


def _same_mail(facts: Facts) -> Decision | None:
    """The same mail again, under another UID or after the mailbox was rebuilt."""
    if facts.duplicate_of is None:
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


def _refused_sender(mail: IncomingMail, facts: Facts) -> Decision | None:
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


# --- the submission --------------------------------------------------------------------------


def _submission(mail: IncomingMail, facts: Facts) -> Decision:
    book, day = facts.book, day_of(facts.received)
    convention = book.convention_on(day)
    content = content_of(mail, forwarded=_is_forward(mail))
    reading = facts.reading or read_submission(mail, facts)

    if book.info.urgent_lane and is_urgent_report(mail, content):
        return _urgent(mail, facts, content, reading)

    stranger = _stranger(facts, convention.senders)
    if stranger is not None:
        return replace(stranger, reading=reading)

    parts = split(reading, content, book.roster)
    faults = field_faults(
        reading, convention, book.roster, titles_elsewhere=_titles_in_files(reading, parts)
    )
    drafts, conflict = _related(_drafts(reading, parts, content, facts), mail, content, facts)
    keeps = any(d.keeps_content or d.link is Relation.RESEND for d in drafts)
    problems = faults.problems + (() if keeps else content_faults(mail, content))

    base = Decision(
        DecisionKind.HOLD,
        (),
        reading=reading,
        drafts=drafts,
        problems=problems,
        missing=faults.missing,
        links=_links(facts),
        item_links=tuple((d.link, d.target.id) for d in drafts if d.link and d.target),
    )
    return _with_gate(
        _chatter(base, mail, facts)
        or _other_unit(base, facts)
        or _conflicting(base, conflict)
        or _malformed(base, content, facts)
        or _uncertain_new_sender(base, facts)
        or _disagreeing(base, parts)
        or _accepted(base, mail, facts),
        facts,
    )


def read_submission(mail: IncomingMail, facts: Facts) -> Reading:
    """The subject read with everything beside it that may fill in what it lacks."""
    day = day_of(facts.received)
    content = content_of(mail, forwarded=_is_forward(mail))
    convention = facts.book.convention_on(day)
    categories = facts.book.categories_on(day)
    marks = tuple(m for c in categories.categories for m in c.marks) + categories.link_marks
    author = mail.author
    return read_subject(
        mail.subject,
        facts.book.roster,
        day,
        hints=Hints(
            body=content.text,
            attachment_names=tuple(f.name for f in content.files),
            sender_unit_id=facts.bound_unit,
            sender_name=author.name if author else "",
        ),
        noise=convention.noise,
        marks=marks,
    )


def _is_forward(mail: IncomingMail) -> bool:
    return mail.subject.lstrip().lower().startswith(("fw", "转发"))


def _titles_in_files(reading: Reading, parts: Split) -> bool:
    return parts.titles_from_files or (reading.count is not None and reading.count > 1)


def _stranger(facts: Facts, policy: SenderPolicy) -> Decision | None:
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


def _drafts(reading: Reading, parts: Split, content: Content, facts: Facts) -> tuple[Draft, ...]:
    return tuple(_draft(reading, part, parts, content, facts) for part in parts.parts)


def _draft(reading: Reading, part: Part, parts: Split, content: Content, facts: Facts) -> Draft:
    title = reading.title
    if part.title:
        source = Source.ATTACHMENT if parts.titles_from_files else Source.SUBJECT
        title = FieldValue(part.title, source, Certainty.CERTAIN)
    classification = classify(
        title.value if title else "",
        part.text,
        reading.marks,
        facts.book.categories_on(day_of(facts.received)),
    )
    own = replace(content, text=part.text, files=part.files, documents=())
    return Draft(
        unit=reading.unit,
        title=title,
        submitter=reading.submitter,
        contact=reading.contact,
        classification=classification,
        fingerprint=own.fingerprint,
        attachment_paths=tuple(f.path for f in part.files),
        has_attachments=bool(part.files),
        flags=("category_doubtful",) if classification.doubtful else (),
    )


def _related(
    drafts: tuple[Draft, ...], mail: IncomingMail, content: Content, facts: Facts
) -> tuple[tuple[Draft, ...], str]:
    """Each draft with what it relates to. Two parts of one mail never correct the same item."""
    sender = mail.author.addr if mail.author else ""
    related: list[Draft] = []
    taken: set[int] = set()
    conflict = ""
    for draft in drafts:
        open_facts = replace(
            facts,
            thread=tuple(i for i in facts.thread if i.id not in taken),
            of_sender=tuple(i for i in facts.of_sender if i.id not in taken),
            of_unit=tuple(i for i in facts.of_unit if i.id not in taken),
        )
        found = relate(draft, content, sender, open_facts, subject=mail.subject)
        conflict = conflict or found.conflict
        if found.draft.target is not None:
            taken.add(found.draft.target.id)
        related.append(found.draft)
    return tuple(related), conflict


def _links(facts: Facts) -> tuple[tuple[Relation, int], ...]:
    return ((Relation.SAME_ID, facts.same_id_as),) if facts.same_id_as is not None else ()


# --- the outcomes, in the order they are tried -----------------------------------------------


def _chatter(base: Decision, mail: IncomingMail, facts: Facts) -> Decision | None:
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
        or any(not a.inline for a in mail.attachments)
    )
    if submits:
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


def _other_unit(base: Decision, facts: Facts) -> Decision | None:
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


def _conflicting(base: Decision, conflict: str) -> Decision | None:
    if not conflict:
        return None
    drafts = tuple(replace(d, target=None, link=None) for d in base.drafts)
    return _hold(replace(base, drafts=drafts), Reason("conflict", conflict), task=conflict)


def _malformed(base: Decision, content: Content, facts: Facts) -> Decision | None:
    """Back to the sender with every fault; a stranger whose mail has nothing of a submission in
    it gets no letter (backscatter, faults A16)."""
    if not base.problems:
        return None
    reading = base.reading
    assert reading is not None
    submission = (
        (reading.unit is not None and reading.unit.unit_id is not None)
        or bool(reading.contact)
        or bool(content.files)
        or any(d.target is not None for d in base.drafts)
    )
    if not (submission or facts.bound_unit or facts.known_sender):
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


def _uncertain_new_sender(base: Decision, facts: Facts) -> Decision | None:
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


def _disagreeing(base: Decision, parts: Split) -> Decision | None:
    if not parts.disagreement:
        return None
    return _hold(base, Reason("counts_disagree", parts.disagreement), task=parts.disagreement)


def _accepted(base: Decision, mail: IncomingMail, facts: Facts) -> Decision:
    new_sender = not (facts.bound_unit or facts.known_sender)
    flags: tuple[str, ...] = ()
    if new_sender:
        flags += ("first_address",)
    if facts.authentication is not AuthResult.PASS:
        flags += ("unverified",)
    drafts = tuple(replace(d, flags=(*d.flags, *flags)) for d in base.drafts)
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
        warnings=_warnings(mail),
        propose_binding=new_sender,
        task="首次来自这个邮箱的信息，已登记；请确认是否绑定到该单位。" if new_sender else "",
    )


def _warnings(mail: IncomingMail) -> tuple[str, ...]:
    warnings = []
    if mail.cloud_attachments:
        warnings.append("来信中的超大附件（网盘链接）本系统不会打开，请改用普通附件补发。")
    if any("encrypted" in a.flags for a in mail.attachments):
        warnings.append("有附件加了密码，无法读取，请补发不加密的附件。")
    if any(d.code is DefectCode.BYTES_REPLACED for d in mail.defects):
        warnings.append("来信有个别文字无法辨认（编码有误），请核对上面登记的内容。")
    return tuple(warnings)


def _urgent(mail: IncomingMail, facts: Facts, content: Content, reading: Reading) -> Decision:
    """Never returned and never held, whatever is missing or unbound (“打破层层审核”): what is
    missing is named in the acknowledgement."""
    convention = facts.book.convention_on(day_of(facts.received))
    faults = field_faults(reading, convention, facts.book.roster)
    parts = Split((Part("", content.files, content.text),))
    drafts, _ = _related(_drafts(reading, parts, content, facts), mail, content, facts)
    labels = "、".join(PROBLEM_LABELS[p.code] for p in faults.problems)
    return _with_gate(
        Decision(
            DecisionKind.ACCEPT,
            (Reason("urgent", "要情专报，优先登记。"),),
            answer=AnswerKind.ACKNOWLEDGEMENT,
            lane="urgent",
            reading=reading,
            drafts=drafts,
            missing=faults.missing,
            warnings=((f"请补充：{labels}。",) if labels else ()) + _warnings(mail),
            links=_links(facts),
            item_links=tuple((d.link, d.target.id) for d in drafts if d.link and d.target),
            task="收到要情专报，请立即处理。",
            propose_binding=not (facts.bound_unit or facts.known_sender),
        ),
        facts,
    )


def _hold(base: Decision, reason: Reason, *, task: str) -> Decision:
    return replace(
        base,
        kind=DecisionKind.HOLD,
        problems=(),
        reasons=(reason,),
        answer=AnswerKind.PENDING,
        task=task,
    )


def _with_gate(decision: Decision, facts: Facts) -> Decision:
    """The one gate before every automatic answer. It refuses the answer, never the submission."""
    if decision.answer is None or facts.answer_refused is None:
        return decision
    return replace(decision, answer=None, no_answer=f"gate: {facts.answer_refused}")
