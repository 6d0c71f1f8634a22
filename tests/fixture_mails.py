"""The sample mails and what must come of them, run through the real code on a throwaway store."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mailbot.adapters.sandbox import InProcessReader
from mailbot.adapters.settings.model import MailboxSettings, OutgoingSettings, load_settings
from mailbot.app.explain import Saved, look
from mailbot.app.settle import Settled
from mailbot.bootstrap import Office, open_bench

EMAILS = Path(__file__).parent.parent / "fixtures" / "emails"
MAILBOX = MailboxSettings(
    name="test",
    offices=("otog",),
    address="xinxi@example.org",
    outgoing=OutgoingSettings(outbox=Path("unused")),
)


@dataclass(frozen=True)
class Story:
    """One fixture: its name, raw bytes and expectations."""

    name: str
    raw: bytes
    spec: dict[str, Any]

    @property
    def expect(self) -> dict[str, Any]:
        return self.spec["expect"]

    @property
    def received(self) -> datetime:
        return self.spec["received"]


def story(name: str) -> Story:
    path = EMAILS / f"{name}.eml"
    return Story(
        name, path.read_bytes(), tomllib.loads(path.with_suffix(".toml").read_text("utf-8"))
    )


def all_stories() -> list[Story]:
    return [story(p.stem) for p in sorted(EMAILS.glob("*.eml"))]


def chain(one: Story) -> list[Story]:
    """The mails that come before it, oldest first, and itself."""
    before = [s for name in one.spec.get("after", []) for s in chain(story(name))]
    unique = {s.name: s for s in [*before, one]}
    return list(unique.values())


def saved(stories: Sequence[Story]) -> list[Saved]:
    reader = InProcessReader()
    return [Saved(s.name, reader.read(s.raw), s.received) for s in stories]


class Bench:
    """A throwaway office in which mails can be looked at together."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.settler = office.settler(office.mailbox(MAILBOX))

    def run(self, mails: Sequence[Saved]) -> list[Settled]:
        now = max(m.received for m in mails if m.received is not None)
        return look(mails, self.settler, self.office.store, now, together=True)


def open_test_bench():
    return open_bench(load_settings(None, {}))
