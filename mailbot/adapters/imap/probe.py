"""A look at an IMAP mailbox for `mailbot doctor` and `mailbot init`. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.adapters.imap import faults as imap_faults
from mailbot.adapters.imap.account import ImapAccount, Secret
from mailbot.adapters.imap.faults import Refused
from mailbot.adapters.imap.session import Session
from mailbot.adapters.system import SystemClock


@dataclass(frozen=True)
class ProbeReport:
    """What `mailbot doctor` and `mailbot init` show of a mailbox that let us in."""

    capabilities: tuple[str, ...]
    folders: tuple[str, ...]
    """All of the server's."""
    server_id: dict[str, str]
    """Its answer to ID; empty when not offered."""
    missing: tuple[str, ...]
    """Configured folders (watched ones and targets of moves) it does not have."""
    exists: dict[str, int]
    """Mails in each watched folder that could be opened."""
    steps: tuple[str, ...]
    """What was tried and worked, in order: `connect`, `tls`, `login`, `id`, `folders`, `open`."""


def probe(account: ImapAccount, secret: Secret) -> ProbeReport:
    """Logs in and looks around without changing anything. Raises the faults `ImapSource` raises;
    an "Unsafe Login" shows only when a folder is opened, so one is."""
    session = Session(account, secret, SystemClock().monotonic)
    steps = ["connect", *(["tls"] if account.security != "plain" else []), "login"]
    try:
        if session.server_id:
            steps.append("id")
        folders = tuple(session.folders())
        steps.append("folders")
        exists: dict[str, int] = {}
        for folder in account.watched:
            try:
                opened = session.open(folder)
            except Refused as refusal:
                if fault := imap_faults.folder_refused(refusal.said, folder):
                    raise fault from refusal
                continue
            exists[folder] = opened.exists
        if exists:
            steps.append("open")
        known = {*folders, *exists}
        wanted = dict.fromkeys((*account.watched, *account.moves.values()))
        missing = tuple(name for name in wanted if name and name not in known)
        return ProbeReport(
            tuple(sorted(session.capabilities)),
            folders,
            session.server_id,
            missing,
            exists,
            tuple(steps),
        )
    finally:
        session.close()
