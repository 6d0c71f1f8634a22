"""The decision: one mail and the facts about it in, one `Decision` out.

Deterministic and total. The order in which a mail is looked at is the same for every office:
secrets, the same mail again, unreadable, automatic, what asks something of the bot, urgent reports,
what was read only in part, forged and refused senders, strangers, then the item.

What is promised: an ambiguity is never resolved by guessing; every fault of a submission is named
at once; nothing is answered that the gate (`core.mail.automatic`) refuses; after a secrets hit the
decision itself says that no content may be kept.
"""

from __future__ import annotations

from dataclasses import replace

from mailbot.core.intake.content import Content, content_of
from mailbot.core.intake.describe import PROBLEM_LABELS
from mailbot.core.intake.faults import content_faults, field_faults
from mailbot.core.intake.lanes import is_urgent_report
from mailbot.core.intake.model import Decision, DecisionKind, Facts, Reason, Relation
from mailbot.core.intake.outcomes import (
    accepted,
    chatter,
    conflicting,
    disagreeing,
    flagged,
    internal,
    malformed,
    new_sender,
    other_unit,
    several_by_line,
    stranger,
    uncertain_new_sender,
    warnings_of,
    with_gate,
)
from mailbot.core.intake.requests import command
from mailbot.core.intake.screening import (
    automatic,
    before_the_rules,
    read_in_part,
    refused_sender,
    same_mail,
    secrets,
    unreadable,
)
from mailbot.core.intake.split import Part, Split
from mailbot.core.intake.submission import (
    by_itself,
    drafts_of,
    is_forward,
    parts_of,
    read_submission,
    related,
    sent_before,
    titles_in_files,
)
from mailbot.core.letters.answers import AnswerKind
from mailbot.core.mail.authentication import AuthResult
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.periods import day_of


def decide(mail: IncomingMail, facts: Facts) -> Decision:
    """What becomes of the mail."""
    return (
        secrets(mail, facts)
        or same_mail(mail, facts)
        or unreadable(mail, facts)
        or automatic(mail, facts)
        or before_the_rules(facts)
        or command(mail, facts)
        or _urgent(mail, facts)
        or read_in_part(mail)
        or refused_sender(mail, facts)
        or _submission(mail, facts)
    )


def _submission(mail: IncomingMail, facts: Facts) -> Decision:
    book, day = facts.book, day_of(facts.received)
    convention = book.convention_on(day)
    content = content_of(mail, forwarded=is_forward(mail))
    reading = facts.reading or read_submission(mail, facts)

    unbound = stranger(facts, convention.senders)
    if unbound is not None:
        return replace(unbound, reading=reading)

    parts = _whole(content) if facts.line_only else parts_of(reading, content, facts)
    faults = field_faults(
        reading, convention, book.roster, titles_elsewhere=titles_in_files(reading, parts)
    )
    drafts, conflict = related(drafts_of(reading, parts, content, facts), mail, content, facts)
    keeps = any(d.keeps_content or d.link is Relation.RESEND for d in drafts)
    in_order = keeps or facts.line_only
    problems = faults.problems + (() if in_order else content_faults(mail, content))
    if all(sent_before(d, mail) for d in drafts):
        problems = ()  # registered already: nothing needs to be corrected

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
    return with_gate(
        chatter(base, content, facts)
        or other_unit(base, facts)
        or conflicting(base, content, conflict)
        or internal(base, mail, content, facts)
        or malformed(base, content, facts)
        or uncertain_new_sender(base, facts)
        or disagreeing(base, parts)
        or several_by_line(base, facts)
        or accepted(base, mail, facts),
        facts,
    )


def _urgent(mail: IncomingMail, facts: Facts) -> Decision | None:
    """Never returned and never held, whatever is missing or unbound (“打破层层审核”): what is
    missing is named in the acknowledgement. Only an address that our own server calls forged, or
    that staff refused, is held, and then the duty desk is told at once all the same."""
    content = content_of(mail, forwarded=is_forward(mail))
    if not facts.book.info.urgent_lane or not is_urgent_report(mail, content):
        return None
    doubted = facts.authentication is AuthResult.FAIL or facts.refused_sender
    if doubted and (held := refused_sender(mail, facts)) is not None:
        task = "收到要情专报，但发件人未通过验证或已设为不受理，请立即电话核实。"
        return replace(held, lane="urgent", task=task)
    reading = facts.reading or read_submission(mail, facts)
    convention = facts.book.convention_on(day_of(facts.received))
    faults = field_faults(reading, convention, facts.book.roster)
    drafts = drafts_of(reading, _whole(content), content, facts)
    found, _ = related(drafts, mail, content, facts)
    item_links = tuple(
        (d.link if d.link is Relation.RESEND else Relation.REPLY, d.target.id)
        for d in found
        if d.link and d.target
    )
    # A follow-up (续报) stands beside the first report; it never replaces it.
    drafts = tuple(d if d.link is Relation.RESEND else by_itself(d, content) for d in found)
    labels = "、".join(PROBLEM_LABELS[p.code] for p in faults.problems)
    part = read_in_part(mail)
    return with_gate(
        Decision(
            DecisionKind.ACCEPT,
            (Reason("urgent", "要情专报，优先登记。", part.reasons[0].code if part else ""),),
            answer=AnswerKind.ACKNOWLEDGEMENT,
            lane="urgent",
            reading=reading,
            drafts=flagged(drafts, facts, mail),
            missing=faults.missing,
            warnings=(f"请补充：{labels}。",) * bool(labels)
            + ("来信过大或过于复杂，附件没有全部读取。",) * (part is not None)
            + warnings_of(mail),
            links=_links(facts),
            item_links=item_links,
            task="收到要情专报，请立即处理。",
            propose_binding=new_sender(facts),
        ),
        facts,
    )


def _whole(content: Content) -> Split:
    """Everything in the mail as one part."""
    return Split((Part("", content.files, content.text),))


def _links(facts: Facts) -> tuple[tuple[Relation, int], ...]:
    return ((Relation.SAME_ID, facts.same_id_as),) if facts.same_id_as is not None else ()
