"""Two ends of a correspondence by themselves: our bot, and another that answers everything.

Each end's new letters arrive in the other's mailbox, round after round, on a virtual clock, until
neither says anything or the rounds are used up.
"""

from __future__ import annotations

import email
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path

from mailbot.adapters.signing import Signer
from mailbot.app.answers import Answering
from mailbot.app.records import Outgoing
from mailbot.app.settle import Settler
from mailbot.core.mail.automatic import Ourselves
from mailbot.core.rules.rulebook import OfficeBook
from tests.integration.intake_help import OFFICE_ADDRESS, World, templates

ROUNDS = 100


@dataclass(frozen=True)
class Counted:
    """How it ended. `letters`: what our bot sent after the mail that began it all."""

    rounds: int
    letters: int
    kinds: Counter[str]
    by_day: tuple[int, ...]
    per_thread: int


Responder = Callable[[int, Outgoing], bytes]
"""The answer to the n-th letter."""


def text_of(raw: bytes) -> str:
    body = email.message_from_bytes(raw, policy=default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def answered_by(
    world: World,
    respond: Responder,
    *,
    between: timedelta = timedelta(minutes=7),
    rounds: int = ROUNDS,
    insists: bool = False,
) -> Counted:
    """Everything we send is answered. `insists`: the responder repeats its last answer every round
    even when we are silent."""
    done = seen = 0
    last: Outgoing | None = None
    for _ in range(rounds):
        sent = world.sent()
        new = sent[seen:]
        seen = len(sent)
        if not new and not (insists and last is not None):
            break
        done += 1
        for one in new or ([last] if last is not None else []):
            last = one
            world.receive(respond(done, one))
        world.clock.time += between
    return counted(world, done)


def counted(world: World, rounds: int) -> Counted:
    rows = world.rows("select kind, thread, queued from outbox order by id")
    days = Counter(str(r.queued)[:10] for r in rows)
    threads = Counter(r.thread for r in rows)
    return Counted(
        rounds,
        len(rows),
        Counter(r.kind for r in rows),
        tuple(days[d] for d in sorted(days)),
        max(threads.values(), default=0),
    )


def subject_of(raw: bytes) -> str:
    return str(email.message_from_bytes(raw, policy=default)["Subject"])


def carried(sent: Outgoing, to: str, *, strip: bool = False) -> bytes:
    """The letter as it arrives at the other end. `strip`: a gateway on the way takes away every
    header by which a machine shows itself, and gives a new Message-ID."""
    mail = email.message_from_bytes(sent.raw, policy=default)
    if not strip:
        return sent.raw
    out = EmailMessage(policy=SMTP)
    for name in ("From", "To", "Subject", "Date"):
        out[name] = str(mail[name])
    out["Message-ID"] = f"<gateway-{sent.message_id[3:20]}@gw.example.net>"
    out.set_content(text_of(sent.raw))
    assert to in str(out["To"])
    return out.as_bytes()


class OtherWorld(World):
    """Another office's installation: own address, own secret, own database."""

    ADDRESS = "xinxi@other.example.com"

    def __init__(self, root: Path, *books: OfficeBook) -> None:
        root.mkdir()
        super().__init__(root, *books)
        self.signer = Signer(b"another-secret-of-another-office")
        self.mailbox = replace(self.mailbox, address=self.ADDRESS)
        self.settler = Settler(
            books={b.info.id: b for b in self.books},
            answering=Answering(self.mailbox, self.policy, templates(), self.signer),
            us=Ourselves(addresses=frozenset({self.ADDRESS}), verify=self.signer.is_ours),
            is_working_day=lambda day: day.weekday() < 5,
        )


def wired(
    one: World, other: World, *, between: timedelta, strip: bool, rounds: int = ROUNDS
) -> tuple[Counted, Counted]:
    """What each sends arrives at the other, until nobody says anything."""
    seen = {id(one): 0, id(other): 0}
    done = 0
    for _ in range(rounds):
        moved = False
        for source, target, to in (
            (one, other, OtherWorld.ADDRESS),
            (other, one, OFFICE_ADDRESS),
        ):
            sent = source.sent()
            new = sent[seen[id(source)] :]
            seen[id(source)] = len(sent)
            target.clock.time = max(target.clock.time, source.clock.time)
            for letter_ in new:
                if letter_.recipient == to:
                    moved = True
                    target.receive(carried(letter_, to, strip=strip))
        if not moved:
            break
        done += 1
        for world in (one, other):
            world.clock.time += between
    return counted(one, done), counted(other, done)
