"""A mailbox's two threads as the daemon has them, reading and sending, with the board they write on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailbot.adapters.settings.model import load_settings
from mailbot.app.board import Board
from mailbot.bootstrap import Office, open_office
from mailbot.daemon.reading import Reading
from mailbot.daemon.sending import Sending


@dataclass(frozen=True, slots=True)
class AtWork:
    office: Office
    board: Board

    def count(self, sql: str) -> int:
        with self.office.store.engine.connect() as db:
            return int(db.exec_driver_sql(sql).scalar_one())

    def trouble(self, key: str) -> str:
        """What the board says under the key; empty when nothing."""
        found = self.board.troubles().get(key)
        return found.text if found is not None else ""


@contextmanager
def at_work(config: Path, *changes: tuple[str, str]) -> Iterator[AtWork]:
    """`changes`: text of the settings file -> what stands there instead. The environment must have
    the credential."""
    text = config.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    config.write_text(text, "utf-8")
    office = open_office(load_settings(config, {}))
    (box,) = office.settings.require_mailboxes()
    board, stop = Board(), threading.Event()
    sending = Sending(office, box, board, stop, stop.is_set)
    reading = Reading(office, box, board, stop, stop.is_set, lambda _: sending.queued.set())
    threads = [threading.Thread(target=part.run, daemon=True) for part in (reading, sending)]
    for thread in threads:
        thread.start()
    try:
        yield AtWork(office, board)
    finally:
        stop.set()
        sending.queued.set()
        reading.break_off()
        for thread in threads:
            thread.join(30)
