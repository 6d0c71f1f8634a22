"""Mails with a secrets mark: whom they are told to, and who may look at one again.

Nothing of such a mail is kept but time, sender, place in the mailbox, hash and rule (保密法 2024
arts. 29, 31); the mail itself lies where it came in. Only a security officer (保密员) may fetch it
from there. Every fetch and every refusal is in the audit trail before a byte is handed out. Nothing
here deletes anything: what becomes of the mail in the mailbox is the officer's decision.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailbot.app.errors import OperatorFault, Unfetched
from mailbot.app.letter_content import office_card
from mailbot.app.ports import Clock, MailSource, Store, Transaction
from mailbot.app.posting import Addressee, Posted, Posting
from mailbot.app.records import Envelope, InboundRow
from mailbot.app.witness import state_for
from mailbot.core.letters.kinds import LetterKind
from mailbot.core.letters.office import SecretsAlert
from mailbot.core.mail.compose import usable_address
from mailbot.core.rules.rulebook import OfficeBook

_log = logging.getLogger(__name__)

ALERTS_A_DAY = 20
"""Letters to one officer; the last one says that the others are only listed. A storm must not use
up the mailbox's daily quota."""
_ANY_SIZE = 1 << 62


# --- telling ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfficerAlerts:
    """Tells the officers that there is one: its number and time, nothing of it.

    The letter's key is made from the mail's hash: read again after a restore, the same mail has the
    same alert under the same Message-ID, and Sent shows whether it went out (`app.witness`)."""

    posting: Posting
    addresses: Sequence[str] = ()

    def tell(
        self, row: InboundRow, sha256: str, book: OfficeBook, tx: Transaction, now: datetime
    ) -> None:
        state = state_for(tx.read, row.received)
        for number, address in enumerate(filter(usable_address, self.addresses), 1):
            counts = tx.read.answer_counts(book.info.id, address, "", now)
            told = counts.kind_last_day.get(LetterKind.SECRETS.value, 0)
            if told >= ALERTS_A_DAY:
                continue
            letter = SecretsAlert(
                office_card(book, self.posting.mailbox),
                row.id,
                row.received,
                row.origin.account,
                row.origin.folder,
                last=told == ALERTS_A_DAY - 1,
            )
            posted = Posted(
                f"secrets:{row.origin.account}:{sha256}:{number}",
                LetterKind.SECRETS,
                letter,
                Addressee(address, "officer"),
            )
            try:
                self.posting.queue(tx, posted, "", book, now, state)
            except OperatorFault as fault:
                # A broken template costs the letter; the task stands beside it in any case.
                _log.error("the alert of mail %d was not written: %s", row.id, fault)


# --- fetching ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SecretMail:
    """What is kept of one."""

    row: InboundRow
    decided: datetime
    log: tuple[str, ...]
    """Rules and places."""


class SecretRecords(Protocol):
    def secret_mails(self) -> list[SecretMail]:
        """Mails of whose content nothing was kept, newest first."""
        ...


class Refused(Exception):
    """The mail is not handed out. `code` names why; the command line has the words."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


class SecretMails:
    """For one installation. `officers` are login names; `source_for` opens a mailbox by its name
    (None: there is none of that name any more)."""

    def __init__(
        self,
        *,
        store: Store,
        records: SecretRecords,
        officers: Collection[str],
        source_for: Callable[[str], MailSource | None],
        cap_bytes: int,
        clock: Clock,
    ) -> None:
        self._store, self._records, self._source_for = store, records, source_for
        self._officers, self._cap, self._clock = frozenset(officers), cap_bytes, clock

    def listed(self, who: str) -> list[SecretMail]:
        """Raises `Refused`."""
        with self._audited(who, "list", "secrets", {}):
            return self._records.secret_mails()

    def fetch(self, inbound_id: int, who: str, to: str) -> bytes:
        """The mail's bytes from where it lies; `to` is where they will be written, for the trail.
        Raises `Refused`, and `WorldFault` where the mailbox cannot be reached."""
        with self._audited(who, "fetch", f"inbound:{inbound_id}", {"to": to}):
            found = next((m for m in self._records.secret_mails() if m.row.id == inbound_id), None)
            if found is None:
                raise Refused("unknown")
            source = self._source_for(found.row.origin.account)
            if source is None:
                raise Refused("mailbox", found.row.origin.account)
            with closing(source):
                return self._from(source, found.row)

    def audit(self, who: str, action: str, subject: str, detail: dict[str, str]) -> None:
        with self._store.begin() as tx:
            tx.audit(who, f"secrets.{action}", subject, detail, self._clock.now())

    @contextmanager
    def _audited(self, who: str, what: str, subject: str, detail: dict[str, str]) -> Iterator[None]:
        try:
            if who not in self._officers:
                raise Refused("officer", who)
            yield
        except Refused as refusal:
            self.audit(who, f"{what}_refused", subject, {**detail, "why": refusal.code})
            raise
        except Exception as fault:
            self.audit(who, f"{what}_failed", subject, {**detail, "why": type(fault).__name__})
            raise
        self.audit(who, what, subject, detail)

    def _from(self, source: MailSource, row: InboundRow) -> bytes:
        origin = row.origin
        states = {s.folder: s for s in source.search() if s.folder == origin.folder}
        state = states.get(origin.folder)
        if state is None:
            raise Refused("folder", origin.folder)
        if state.uidvalidity != origin.uidvalidity:
            raise Refused("renumbered", f"{origin.uidvalidity} → {state.uidvalidity}")
        if origin.uid not in state.uids:
            raise Refused("gone", f"{origin.folder} UID {origin.uid}")
        raw, complete = self._bytes(source, row, self._cap)
        if hashlib.sha256(raw).hexdigest() != row.sha256:
            raise Refused("other", f"{origin.folder} UID {origin.uid}")
        if complete:
            return raw
        # Only its header section was read then, and only that is known by its hash.
        whole, _ = self._bytes(source, row, _ANY_SIZE)
        if not whole.startswith(raw.rstrip(b"\r\n")):
            raise Refused("other", f"{origin.folder} UID {origin.uid}")
        return whole

    def _bytes(self, source: MailSource, row: InboundRow, cap: int) -> tuple[bytes, bool]:
        wanted: Iterable[Envelope] = [Envelope(row.origin, row.size, row.received)]
        try:
            for one in source.fetch(list(wanted), cap):
                if one.raw is not None:
                    return one.raw, one.complete
        except Unfetched as fault:
            raise Refused("garbled", str(fault)) from fault
        raise Refused("gone", f"{row.origin.folder} UID {row.origin.uid}")
