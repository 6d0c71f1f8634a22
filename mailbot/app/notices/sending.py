"""The letters of an approved notice, all of them or none, and what became of each.

What they carry and whom they go to was fixed with the draft; only the words around it are made here.
Each is composed before the first is queued, so that one which cannot be written stops them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailbot.app.errors import OperatorFault
from mailbot.app.letter_content import office_card
from mailbot.app.letter_records import DraftFile, DraftRecipient, DraftRow, SentLetter
from mailbot.app.notices.addressing import SMS
from mailbot.app.notices.covers import cover, own_notice, reader_cover
from mailbot.app.notices.draftmail import called
from mailbot.app.notices.files import DOCUMENT, enclosure, find, own_role, statement_role
from mailbot.app.notices.material import gather
from mailbot.app.notices.refusals import NotDecided
from mailbot.app.notices.said import facts_of, standings_of
from mailbot.app.papers import Papers
from mailbot.app.ports import Reads
from mailbot.app.posting import Addressee, Posted, Posting
from mailbot.app.records import Outgoing
from mailbot.core.documents.material import Material
from mailbot.core.duties.model import LetterRule
from mailbot.core.letters.answers import OfficeCard
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.mail.enclosures import Enclosure
from mailbot.core.rules.rulebook import OfficeBook

MAX_BYTES = 300_000_000
"""All letters of a notice together: they are held in memory, and kept in the database. A thousand of
the usual ones take half of it."""
_ENOUGH = 5
"""Letters that cannot be written, after which the others are not tried."""


def letter_key(draft_id: int, recipient: DraftRecipient) -> str:
    return f"notice:{draft_id}:{recipient.key}"


def again_key(draft_id: int, recipient: DraftRecipient, number: int) -> str:
    return f"{letter_key(draft_id, recipient)}:again:{number}"


def about(draft_id: int) -> str:
    return f"draft:{draft_id}"


@dataclass(frozen=True, slots=True)
class Mailing:
    """What the letters of one draft are made from."""

    row: DraftRow
    book: OfficeBook
    rule: LetterRule
    recipients: Sequence[DraftRecipient]
    files: Sequence[DraftFile]
    material: Material
    card: OfficeCard
    papers: Papers

    @property
    def written(self) -> list[DraftRecipient]:
        return [one for one in self.recipients if one.address and one.kind != SMS]


def mailing(
    reads: Reads,
    row: DraftRow,
    book: OfficeBook,
    rule: LetterRule,
    posting: Posting,
    papers: Papers,
) -> Mailing:
    """The standings are those that were approved, and everything else is as it was known then,
    whatever was recorded since."""
    files = reads.draft_files(row.id)
    standings = replace(standings_of(files), sealed=True)
    return Mailing(
        row=row,
        book=book,
        rule=rule,
        recipients=reads.draft_recipients(row.id),
        files=files,
        material=gather(reads, book, standings.period, standings.as_of, standings),
        card=office_card(book, posting.mailbox),
        papers=papers,
    )


def composed(of: Mailing, posting: Posting, now: datetime) -> list[Outgoing]:
    """Every letter. Raises `NotDecided` (`letter_failed`, `too_much`)."""
    found: list[Outgoing] = []
    failed: list[tuple[str, str]] = []
    size = 0
    for recipient in of.written:
        try:
            posted = _posted(of, recipient, letter_key(of.row.id, recipient))
            found.append(posting.compose(posted, about(of.row.id), of.book, now))
        except (OperatorFault, ValueError, LookupError) as error:
            failed.append((called(recipient, of.book), why_not(error)))
            if len(failed) == _ENOUGH:
                break
            continue
        size += len(found[-1].raw)
        if size > MAX_BYTES:
            raise NotDecided("too_much", of.row.id, f"{MAX_BYTES // 1_000_000} 以上")
    if failed:
        why = "；".join(dict.fromkeys(why for _, why in failed))
        raise NotDecided("letter_failed", of.row.id, why, tuple(who for who, _ in failed))
    return found


def once_more(
    of: Mailing, recipient: DraftRecipient, number: int, posting: Posting, now: datetime
) -> Outgoing:
    """The same letter to one of them again. Raises as `Posting.compose`, and LookupError for a file
    that was not kept."""
    posted = _posted(of, recipient, again_key(of.row.id, recipient, number))
    return posting.compose(posted, about(of.row.id), of.book, now)


def why_not(error: Exception) -> str:
    if isinstance(error, OperatorFault):
        return "；".join(str(fault) for fault in error.faults)
    return f"{type(error).__name__} {error}"


def _posted(of: Mailing, recipient: DraftRecipient, key: str) -> Posted:
    to = Addressee(recipient.address, recipient.role, recipient.unit_id, recipient.name)
    match recipient.kind:
        case LetterKind.COVER:
            return _cover(of, key, to)
        case LetterKind.READER:
            return _reader(of, key, to)
        case LetterKind.OWN:
            return _own(of, key, to, recipient)
    raise ValueError(f"no letter of kind {recipient.kind!r}")


def _cover(of: Mailing, key: str, to: Addressee) -> Posted:
    files = [_file(of, DOCUMENT), _file(of, statement_role(to.unit_id))]
    letter, images = cover(
        of.book,
        of.rule,
        of.material,
        to,
        of.card,
        of.papers,
        title=of.row.title,
        number=of.row.number,
        files=[one.name for one in files],
    )
    return Posted(key, LetterKind.COVER, letter, to, files, images)


def _reader(of: Mailing, key: str, to: Addressee) -> Posted:
    file = _file(of, DOCUMENT)
    letter = reader_cover(
        of.book,
        of.material,
        to,
        of.card,
        title=of.row.title,
        number=of.row.number,
        files=[file.name],
    )
    return Posted(key, LetterKind.READER, replace(letter, summary=of.row.summary), to, [file])


def _own(of: Mailing, key: str, to: Addressee, recipient: DraftRecipient) -> Posted:
    rules = (o for o in of.rule.own if recipient.key.startswith(f"own:{o.list}:{to.unit_id}:"))
    own = next(rules, None)
    if own is None:
        raise LookupError("letters.toml 里已经没有这种单独发的信")
    file = _file(of, own_role(own.list, to.unit_id))
    title = facts_of(of.files)["own"][f"{own.list}:{to.unit_id}"]["title"]
    letter = own_notice(of.book, own, of.material, to, of.card, title=title, files=[file.name])
    return Posted(key, LetterKind.OWN, letter, to, [file])


def _file(of: Mailing, role: str) -> Enclosure:
    file = find(of.files, role)
    if file is None:
        raise LookupError(f"the draft has no file {role}")
    return enclosure(file)


# --- progress ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivery:
    """A recipient of a notice and the letter to him. None: nothing is queued for him (yet)."""

    to: DraftRecipient
    letter: SentLetter | None
    again: tuple[SentLetter, ...] = ()
    """Those that followed because the one before was lost, oldest first."""

    @property
    def last(self) -> SentLetter | None:
        return self.again[-1] if self.again else self.letter


def progress(reads: Reads, draft_id: int) -> list[Delivery]:
    """In the order of the recipients; those of text messages only are left out."""
    letters = {letter.key: letter for letter in reads.letters_about(about(draft_id))}
    return list(_deliveries(reads.draft_recipients(draft_id), letters, draft_id))


def _deliveries(
    recipients: Sequence[DraftRecipient], letters: dict[str, SentLetter], draft_id: int
) -> Iterator[Delivery]:
    for one in recipients:
        if one.kind != SMS:
            again: list[SentLetter] = []
            while (key := again_key(draft_id, one, len(again) + 1)) in letters:
                again.append(letters[key])
            yield Delivery(one, letters.get(letter_key(draft_id, one)), tuple(again))
