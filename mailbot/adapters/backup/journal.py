"""How far a restore got, in the folder it restores into: `restoring/journal.json`.

Everything is made in `restoring/` and takes its place by renaming only when all of it is there and
checked. While the journal is there no mailbot starts on the folder: half an installation would look
like an empty one, and all mail would be answered again. Running the same restore again finishes it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from mailbot.adapters.backup.files import sync_folder, write_file
from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault

WORK = "restoring"
_NAME = "journal.json"


@dataclass(frozen=True, slots=True)
class Journal:
    backup: str
    """The backup folder."""
    stamp: str
    at: str
    """The moment of the restore, ISO: what `restored_at` says, and how a restore knows its own."""
    checked: bool
    """Everything is made; what is left is putting it in its place."""


def read_journal(data_dir: Path) -> Journal | None:
    try:
        return Journal(**json.loads((data_dir / WORK / _NAME).read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError):
        return Journal("", "", "", False)  # cut short while the first line was written


def write_journal(data_dir: Path, journal: Journal) -> None:
    """Durable on return."""
    folder = data_dir / WORK
    fresh = folder / f".{_NAME}.{os.getpid()}"
    fresh.unlink(missing_ok=True)
    write_file(fresh, json.dumps(asdict(journal)).encode())
    fresh.rename(folder / _NAME)
    sync_folder(folder)


def begun_by_us(folder: Path) -> bool:
    """Of a work folder without a journal: nothing is in it but the beginning of one."""
    return all(path.name.startswith(f".{_NAME}.") for path in folder.iterdir())


def refuse_unfinished(data_dir: Path) -> None:
    """Raises `OperatorFault` where a restore was cut short."""
    if not (data_dir / WORK).exists():
        return
    journal = read_journal(data_dir)
    command = "mailbot restore " + (
        f"{journal.backup} --snapshot {journal.stamp} --into {data_dir}"
        if journal and journal.stamp
        else f"DIR --into {data_dir}"
    )
    raise OperatorFault(
        Fault(
            str(data_dir / WORK),
            _("a restore into this folder was cut short or is still running"),
            _("run it again, it goes on by itself: {command}").format(command=command),
        )
    )
