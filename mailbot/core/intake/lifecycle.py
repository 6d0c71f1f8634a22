"""How a mail's item relates to items already recorded: new, sent again, or corrected.

The rules, in the order they are tried:

1. The mail refers to a letter of ours or to a receipt number (a thread). Then its target is among
   that letter's items: a returned or held one is corrected; an accepted one is corrected when the
   title is still the same, and otherwise the mail only happens to be written as a reply.
2. The sender has a returned item which this one completes: nothing known of it contradicts.
3. The unit has an item of the same title: the same content is a re-send, another content a new
   version when it says so or comes within days, else an item of its own that staff should compare.

Nobody changes another's item: a thread that names an item of somebody else is a conflict for a
person. An accepted item is replaced without our thread token only where the sender could be
verified, or where this mailbox has no means of verifying anyone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from mailbot.core.intake.content import Content
from mailbot.core.intake.model import Draft, EarlierItem, Facts, Relation
from mailbot.core.intake.titles import normal_title, says_new_version, similarity
from mailbot.core.mail.authentication import AuthResult

COMPLETES = 0.6
"""Title similarity from which a mail is taken to correct a returned item."""
SAME_TITLE_DAYS = 5
"""Days within which the same title with other content is a new version without saying so. Longer
ago it may be the next issue of a column (一周工作动态)."""

OPEN_STATES = frozenset({"returned", "held"})
COUNTED_STATES = frozenset({"accepted", "withdrawal_requested"})


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
    unit_id = draft.unit.unit_id if draft.unit else None

    foreign = [i for i in facts.thread if not _may_touch(i, sender, facts)]
    if foreign:
        return Relationship(
            draft,
            f"来信引用了回执编号{foreign[0].receipt}，但该条不是这个邮箱报送的，未作任何变更，请人工核对。",
        )
    for item in _open_first(facts.thread, title):
        if item.state in OPEN_STATES and not _contradicts(item, unit_id):
            return Relationship(_link(draft, item, Relation.CORRECTION, content))
        if item.state in COUNTED_STATES and (
            not title or similarity(title, item.title) >= COMPLETES
        ):
            same = _same_content(draft, item)
            return Relationship(
                _link(draft, item, Relation.RESEND if same else Relation.CORRECTION, content)
            )

    returned = _returned_by_sender(draft, content, unit_id, title, facts)
    if returned is not None:
        return Relationship(_link(draft, returned, Relation.CORRECTION, content))

    return _same_title(draft, content, sender, facts, title, subject)


def _may_touch(item: EarlierItem, sender: str, facts: Facts) -> bool:
    if item.from_addr == sender:
        return True
    return facts.bound_unit is not None and facts.bound_unit == item.unit_id


def _open_first(items: tuple[EarlierItem, ...], title: str) -> list[EarlierItem]:
    return sorted(
        items,
        key=lambda i: (-similarity(title, i.title), i.state not in OPEN_STATES, -i.id),
    )


def _contradicts(item: EarlierItem, unit_id: str | None) -> bool:
    return item.unit_id is not None and unit_id is not None and item.unit_id != unit_id


def _returned_by_sender(
    draft: Draft, content: Content, unit_id: str | None, title: str, facts: Facts
) -> EarlierItem | None:
    """The open item this mail completes, or None. An open item without a title is completed only
    when nothing else tells the mails apart: same files, or no files and the only open one."""
    open_items = [
        i for i in facts.of_sender if i.state in OPEN_STATES and not _contradicts(i, unit_id)
    ]
    titled = [
        i for i in open_items if i.title and title and similarity(title, i.title) >= COMPLETES
    ]
    if titled:
        return max(titled, key=lambda i: (similarity(title, i.title), i.id))
    same_files = [i for i in open_items if i.fingerprint and i.fingerprint == draft.fingerprint]
    if same_files:
        return max(same_files, key=lambda i: i.id)
    untitled = [i for i in open_items if not i.title or not title]
    if len(untitled) == 1 and content.empty:
        return untitled[0]
    return None


def _same_title(
    draft: Draft, content: Content, sender: str, facts: Facts, title: str, subject: str
) -> Relationship:
    wanted = normal_title(title)
    same = [
        i
        for i in facts.of_unit
        if i.state in COUNTED_STATES | {"held"} and wanted and normal_title(i.title) == wanted
    ]
    if not same:
        return Relationship(draft)
    item = max(same, key=lambda i: (_same_content(draft, i), i.id))
    if _same_content(draft, item) or (content.empty and not draft.has_attachments):
        return Relationship(_link(draft, item, Relation.RESEND, content))
    newer = says_new_version(subject, title, content.text) or (
        abs(facts.received - item.received) <= timedelta(days=SAME_TITLE_DAYS)
    )
    if not newer:
        return Relationship(replace(draft, flags=(*draft.flags, "same_title")))
    verified = facts.authentication is AuthResult.PASS or not facts.verifiable
    if item.from_addr != sender or not verified:
        return Relationship(
            draft,
            f"与已登记的{item.receipt}同题而内容不同，但来信邮箱不同或未通过验证，未自动替换，请人工核对。",
        )
    return Relationship(_link(draft, item, Relation.CORRECTION, content))


def _same_content(draft: Draft, item: EarlierItem) -> bool:
    return bool(draft.fingerprint) and draft.fingerprint == item.fingerprint


def _link(draft: Draft, item: EarlierItem, relation: Relation, content: Content) -> Draft:
    """A mail that brings no file keeps those of the item it is about; one that brings nothing at
    all (the corrected line pasted into a new mail) keeps its text too."""
    keeps = not content.files and (
        item.has_attachments or (content.empty and bool(item.fingerprint))
    )
    return replace(draft, target=item, link=relation, keeps_content=keeps)
