"""A mail read as a submission: its subject with all hints, its parts, and what each relates to.

No judgement: whether what was read is enough is the outcomes' business.
"""

from __future__ import annotations

import re
from dataclasses import replace

from mailbot.core.intake.classify import classify
from mailbot.core.intake.content import Content, content_of
from mailbot.core.intake.lifecycle import DOUBTFUL, awaiting, relate
from mailbot.core.intake.model import Draft, Facts, Relation
from mailbot.core.intake.scope import distribution_scope
from mailbot.core.intake.split import Part, Split, split
from mailbot.core.mail.model import IncomingMail
from mailbot.core.rules.periods import day_of
from mailbot.core.subject.model import Certainty, FieldValue, Hints, Reading, Source
from mailbot.core.subject.prefixes import strip_prefixes
from mailbot.core.subject.reader import read_subject


def read_submission(mail: IncomingMail, facts: Facts) -> Reading:
    """The subject read with everything beside it that may fill in what it lacks."""
    day = day_of(facts.received)
    content = content_of(mail, forwarded=is_forward(mail))
    convention = facts.book.convention_on(day)
    categories = facts.book.categories_on(day)
    marks = tuple(m for c in categories.categories for m in c.marks) + categories.link_marks
    author = mail.author
    reading = read_subject(
        _OUR_WORDS.sub(r"\1 ", mail.subject[:_OUR_WORDS_WITHIN]) + mail.subject[_OUR_WORDS_WITHIN:],
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
    return replace(reading, raw=mail.subject)


_OUR_WORDS = re.compile(
    r"([\[【]\s*[A-Za-z]{2,6}\d{6}-\d{4,}\s*[\]】])\s*"
    r"(?:请更正后重发|已收到(?:，正在核对|\d*条)?|已更正|此前已登记)\s*[:：]?"
)
"""How the subjects of our own letters open (`templates/mail/*.subject.j2`): a reply keeps them."""
_OUR_WORDS_WITHIN = 200


def titles_in(mail: IncomingMail, facts: Facts) -> tuple[str, ...]:
    """Every item's title in the mail, as far as it can be told before relating it to others."""
    reading = facts.reading or read_submission(mail, facts)
    content = content_of(mail, forwarded=is_forward(mail))
    own = reading.title.value if reading.title else ""
    return tuple(part.title or own for part in parts_of(reading, content, facts).parts)


def is_forward(mail: IncomingMail) -> bool:
    prefixes, _ = strip_prefixes(mail.subject[:_OUR_WORDS_WITHIN])
    return "fw" in prefixes


def parts_of(reading: Reading, content: Content, facts: Facts) -> Split:
    stated = len(reading.titles) or reading.count or 0
    awaited = tuple(i.title for i in awaiting(facts, stated)) if stated else ()
    return split(reading, content, facts.book.roster, day_of(facts.received), awaited=awaited)


def titles_in_files(reading: Reading, parts: Split) -> bool:
    return parts.titles_from is not Source.SUBJECT or (
        reading.count is not None and reading.count > 1
    )


def drafts_of(reading: Reading, parts: Split, content: Content, facts: Facts) -> tuple[Draft, ...]:
    return tuple(_draft(reading, part, parts, content, facts) for part in parts.parts)


def _draft(reading: Reading, part: Part, parts: Split, content: Content, facts: Facts) -> Draft:
    title = reading.title
    if part.title:
        title = FieldValue(part.title, parts.titles_from, Certainty.CERTAIN)
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
        has_content=not own.empty,
        flags=(DOUBTFUL,) if classification.doubtful else (),
        scope=distribution_scope(reading.raw, part.text)
        or next((s for f in part.files if (s := distribution_scope("", f.text))), ""),
    )


def related(
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
        taken |= {i.id for i in (found.draft.target, found.draft.absorbs) if i is not None}
        related.append(found.draft)
    return tuple(related), conflict


def sent_before(draft: Draft, mail: IncomingMail) -> bool:
    """Is it the sender's own registered item, sent once more?"""
    return (
        draft.link is Relation.RESEND
        and draft.target is not None
        and mail.author is not None
        and draft.target.from_addr == mail.author.addr
    )


def by_itself(draft: Draft, content: Content) -> Draft:
    """The draft without what it would have corrected, and with its own content only."""
    own = replace(
        draft,
        target=None,
        link=None,
        absorbs=None,
        content_from=None,
        same_fields=False,
        unchanged=False,
    )
    if not draft.keeps_content:
        return own
    return replace(
        own,
        keeps_content=False,
        fingerprint=content.fingerprint,
        attachment_paths=(),
        has_attachments=False,
    )
