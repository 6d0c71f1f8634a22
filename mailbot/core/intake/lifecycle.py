"""How a mail's item relates to items already recorded: new, sent again, or corrected.

The rules, in the order they are tried:

1. The mail refers to a letter of ours or to a receipt number (a thread). Then its target is among
   that letter's items: a returned or held one is corrected; an accepted one is corrected when the
   title is still the same, and otherwise the mail only happens to be written as a reply.
2. The sender has a returned item which this one completes: nothing known of it contradicts.
3. The unit has an item of the same title: the same content is a re-send, another content a new
   version when it says so or comes within days, else an item of its own that staff should compare.

Nobody changes another's item: a thread that names an item of somebody else is a conflict for a
person, unless the mail answers our own letter (whose Message-ID only its receivers know) and speaks
for the same unit. An accepted item is replaced without such a letter only where the sender could be
verified, or where this mailbox has no means of verifying anyone (faults A13, A19).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from mailbot.core.intake.content import Content
from mailbot.core.intake.model import Draft, EarlierItem, Facts, Relation
from mailbot.core.intake.titles import (
    normal_title,
    other_issue,
    same_numbers,
    says_new_version,
    similarity,
)
from mailbot.core.mail.authentication import AuthResult

COMPLETES = 0.6
"""Title similarity from which a mail is taken to correct an item."""
SURELY = 0.8
"""The same where content and thread both speak for an item of its own: two of one sender's titles
easily share most of their words."""
UNRELATED = 0.35
"""Title similarity below which a reply that brings its own content is not about the item."""
SAME_TITLE_DAYS = 5
"""Days within which the same title with other content is a new version without saying so. Longer
ago it may be the next issue of a column (一周工作动态)."""

OPEN_STATES = frozenset({"returned", "held"})
COUNTED_STATES = frozenset({"accepted", "withdrawal_requested"})
DOUBTFUL = "category_doubtful"
"""Flag of an item booked under the office's default category until staff look at it."""


@dataclass(frozen=True, slots=True)
class Relationship:
    """What was found. `conflict` is a Chinese sentence for staff: then nothing may change."""

    draft: Draft
    conflict: str = ""


def relate(
    draft: Draft, content: Content, sender: str, facts: Facts, *, subject: str
) -> Relationship:
    """The draft with its target and relation filled in, or a conflict."""
    title = draft.title.value if draft.title else ""
    foreign = [i for i in facts.thread if not _may_touch(i, draft, sender, facts)]
    if foreign:
        return Relationship(
            draft,
            f"来信引用了回执编号{foreign[0].receipt}，但该条不是这个邮箱报送的，未作任何变更，请人工核对。",
        )
    found = _in_thread(draft, content, title, facts)
    if found is None:
        returned = _returned_by_sender(draft, content, title, facts)
        if returned is not None:
            found = Relationship(_link(draft, returned, Relation.CORRECTION, content))
    if found is None:
        found = _same_title(draft, content, sender, facts, title, subject)
    return replace(found, draft=_of_the_accepted_one(found.draft, facts))


def awaiting(facts: Facts, count: int) -> tuple[EarlierItem, ...]:
    """The `count` items that came in one mail and all wait for a correction by this sender; ()
    when there is no such mail. The newest, where there are several."""
    for items in (facts.thread, facts.of_sender):
        groups: dict[int | None, list[EarlierItem]] = {}
        for item in items:
            if item.state in OPEN_STATES and item.title:
                groups.setdefault(item.inbound_id, []).append(item)
        fitting = [g for g in groups.values() if len(g) == count]
        if fitting:
            newest = max(fitting, key=lambda g: g[0].id)
            return tuple(sorted(newest, key=lambda i: i.id))
    return ()


# --- 1: in a thread --------------------------------------------------------------------------


def _may_touch(item: EarlierItem, draft: Draft, sender: str, facts: Facts) -> bool:
    if item.inbound_id is not None and item.from_addr == sender:
        return True
    if facts.bound_unit is not None and facts.bound_unit == item.unit_id:
        return True
    unit_id = draft.unit.unit_id if draft.unit else None
    return not item.by_reference and unit_id is not None and item.unit_id in (None, unit_id)


def _in_thread(draft: Draft, content: Content, title: str, facts: Facts) -> Relationship | None:
    for item in _likest_first(facts.thread, title):
        if item.state in OPEN_STATES:
            if not _contradicts(item, draft) and not _another(item, draft, title):
                return Relationship(_link(draft, item, Relation.CORRECTION, content))
        elif item.state in COUNTED_STATES and (
            not title or similarity(title, item.title) >= COMPLETES
        ):
            if _contradicts(item, draft):
                return Relationship(
                    draft,
                    f"来信引用了回执编号{item.receipt}，但写的是另一个报送单位，未作任何变更，请人工核对。",
                )
            linked = _link(draft, item, Relation.CORRECTION, content)
            if linked.unchanged:
                return Relationship(replace(linked, link=Relation.RESEND))
            if item.by_reference and not _verified(facts):
                return Relationship(
                    draft,
                    f"来信要求更正已登记的{item.receipt}，但来信邮箱未通过验证，未自动替换，请人工核对。",
                )
            return Relationship(linked)
    return None


def _likest_first(items: tuple[EarlierItem, ...], title: str) -> list[EarlierItem]:
    return sorted(
        items,
        key=lambda i: (-similarity(title, i.title), i.state not in OPEN_STATES, -i.id),
    )


def _contradicts(item: EarlierItem, draft: Draft) -> bool:
    unit_id = draft.unit.unit_id if draft.unit else None
    return item.unit_id is not None and unit_id is not None and item.unit_id != unit_id


def _another(item: EarlierItem, draft: Draft, title: str) -> bool:
    """An item of its own, written as a reply to an old letter: another title and other content."""
    return (
        bool(title and item.title and draft.fingerprint)
        and draft.fingerprint != item.fingerprint
        and (similarity(title, item.title) < UNRELATED or other_issue(title, item.title))
    )


# --- 2: what the sender has open -------------------------------------------------------------


def _returned_by_sender(
    draft: Draft, content: Content, title: str, facts: Facts
) -> EarlierItem | None:
    """The open item this mail completes, or None. An open item without a title is completed only
    when nothing else tells the mails apart: same files, or no files and the only open one."""
    open_items = [
        i for i in facts.of_sender if i.state in OPEN_STATES and not _contradicts(i, draft)
    ]
    titled = [i for i in open_items if title and _completes(draft, title, i)]
    if titled:
        return max(titled, key=lambda i: (similarity(title, i.title), i.id))
    same_files = [i for i in open_items if i.fingerprint and i.fingerprint == draft.fingerprint]
    if same_files:
        return max(same_files, key=lambda i: i.id)
    untitled = [i for i in open_items if not i.title or not title]
    if len(untitled) == 1 and content.empty:
        return untitled[0]
    return None


def _completes(draft: Draft, title: str, item: EarlierItem) -> bool:
    alike = similarity(title, item.title)
    if alike < COMPLETES:
        return False
    own_content = bool(draft.fingerprint) and draft.fingerprint != item.fingerprint
    if not own_content or not item.fingerprint:
        return True
    return alike >= SURELY and same_numbers(title, item.title)


# --- 3: what the unit has under this title ---------------------------------------------------


def _same_title(
    draft: Draft, content: Content, sender: str, facts: Facts, title: str, subject: str
) -> Relationship:
    wanted = normal_title(title)
    same = [
        i
        for i in facts.of_unit
        if wanted
        and normal_title(i.title) == wanted
        # What another sender has waiting is between that sender and staff.
        and (i.state in COUNTED_STATES or (i.state == "held" and i.from_addr == sender))
    ]
    if not same:
        return Relationship(draft)
    item = max(
        same,
        key=lambda i: (
            _same_content(draft, i),
            i.from_addr == sender,
            i.state in COUNTED_STATES,
            i.id,
        ),
    )
    recent = abs(facts.received - item.received) <= timedelta(days=SAME_TITLE_DAYS)
    again = _same_content(draft, item) or (
        # The corrected line pasted once more. From anybody else it would only ask us for what
        # another one has sent.
        content.empty and recent and item.from_addr == sender
    )
    if again:
        # A held item sent again is looked at again: it may have become clear in the meantime.
        held = item.state not in COUNTED_STATES
        relation = Relation.CORRECTION if held else Relation.RESEND
        return Relationship(_link(draft, item, relation, content))
    if content.empty:
        return Relationship(draft)
    if not (recent or says_new_version(subject, title, content.text)):
        return Relationship(replace(draft, flags=(*draft.flags, "same_title")))
    if item.from_addr != sender or not _verified(facts):
        return Relationship(
            draft,
            f"与已登记的{item.receipt}同题而内容不同，但来信邮箱不同或未通过验证，未自动替换，请人工核对。",
        )
    flagged = replace(draft, flags=(*draft.flags, "same_title"))
    return Relationship(_link(flagged, item, Relation.CORRECTION, content))


def _verified(facts: Facts) -> bool:
    return facts.authentication is AuthResult.PASS or not facts.verifiable


def _same_content(draft: Draft, item: EarlierItem) -> bool:
    return bool(draft.fingerprint) and draft.fingerprint == item.fingerprint


# --- linking ---------------------------------------------------------------------------------


def _link(draft: Draft, item: EarlierItem, relation: Relation, content: Content) -> Draft:
    """A mail that brings no file keeps those of the item it is about; one that brings nothing at
    all (the corrected line pasted into a new mail), or answers a return with a mere note (已改正),
    keeps its text too."""
    note = content.empty or (content.slight and item.state in OPEN_STATES)
    keeps = not content.files and (item.has_attachments or (note and item.has_content))
    same = _same_fields(draft, item)
    other_content = bool(draft.fingerprint) and draft.fingerprint != item.fingerprint
    linked = replace(
        draft,
        target=item,
        link=relation,
        same_fields=same,
        unchanged=same and (content.empty or not other_content),
    )
    if keeps:
        linked = replace(
            linked,
            keeps_content=True,
            fingerprint=item.fingerprint,
            attachment_paths=item.attachment_paths,
            has_attachments=item.has_attachments,
            has_content=True,
            scope=draft.scope or item.scope,
            content_from=item.content_from or item.inbound_id,
        )
    return _keep_category(linked, item)


def _keep_category(draft: Draft, item: EarlierItem) -> Draft:
    """Staff's word stands. What the rules found in the text that is kept stands as well, unless
    the mail declares another category."""
    earlier = item.classification
    if earlier is None:
        return draft
    staff = earlier.by == "staff"
    if not staff and (not draft.keeps_content or draft.classification.by == "mark"):
        return draft
    flags = tuple(f for f in draft.flags if f != DOUBTFUL)
    return replace(
        draft,
        classification=replace(earlier, link=draft.classification.link),
        flags=(*flags, DOUBTFUL) if earlier.doubtful and not staff else flags,
    )


def _same_fields(draft: Draft, item: EarlierItem) -> bool:
    """Does every field it gives repeat the item's? A field it does not give repeats nothing."""
    contact = tuple(c.value for c in draft.contact)
    return (
        (draft.title is None or normal_title(draft.title.value) == normal_title(item.title))
        and (draft.unit is None or draft.unit.unit_id == item.unit_id)
        and (draft.submitter is None or draft.submitter.value == item.submitter)
        and contact in ((), item.contact)
    )


def _of_the_accepted_one(draft: Draft, facts: Facts) -> Draft:
    """A returned second version that is now complete becomes the next version of the accepted item
    it was meant for."""
    waiting = draft.target
    if waiting is None or not waiting.revises:
        return draft
    for item in (*facts.thread, *facts.of_unit):
        if item.receipt == waiting.revises and item.state in COUNTED_STATES:
            return replace(draft, target=item, absorbs=waiting)
    return draft
