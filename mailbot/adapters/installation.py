"""Whether this machine belongs to the installation whose database it uses.

Several machines on one database must sign with one secret, or none would know the letters of the
others as ours; and they must find the raw mail that another one has kept. The first to start writes
down what holds (table `fact`); a machine where something else holds refuses to start.

A database file (SQLite) lies with its archive and its secret in one folder: nothing to compare.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from datetime import datetime
from pathlib import Path

from mailbot.adapters.archive import FileArchive
from mailbot.adapters.db.archive import DbArchive
from mailbot.adapters.db.engine import SqlStore
from mailbot.adapters.i18n import _
from mailbot.adapters.settings.model import Settings
from mailbot.app.errors import Fault, OperatorFault

SECRET = "secret"
ARCHIVE = "archive"
IN_DATABASE = "database"
NAME_FILE = "archive.id"
"""In the archive's folder: the name by which a machine knows it again."""


def open_archive(settings: Settings, store: SqlStore) -> FileArchive | DbArchive:
    """Where the settings say raw mail is kept. Raises `OperatorFault`."""
    if settings.archive == IN_DATABASE:
        return DbArchive(store.writing, store.snapshot)
    return file_archive(settings)


def file_archive(settings: Settings) -> FileArchive:
    room = int(1.5 * settings.max_mail_mb * 1_000_000)
    return FileArchive(settings.data_dir / "archive", min_free_bytes=room)


def check_installation(settings: Settings, store: SqlStore, secret: bytes, now: datetime) -> None:
    """Raises `OperatorFault` with what differs."""
    if not store.shared:
        return
    with store.reading() as reads:
        facts = {name: reads.fact(name) for name in (SECRET, ARCHIVE)}
    faults = []
    print_ = print_of(secret)
    if (facts[SECRET] or _first(store, SECRET, print_, now)) != print_:
        faults.append(
            Fault(
                str(settings.secret_path),
                _("this is not the signing secret the installation has been using"),
                _(
                    "copy the file from the machine that started first (or from the backup), "
                    "mode 600; secret_file names where it lies. Should it be lost for good: "
                    "mailbot new-secret"
                ),
            )
        )
    if fault := _check_archive(settings, store, facts[ARCHIVE], now):
        faults.append(fault)
    if faults:
        raise OperatorFault(*faults)


def accept_secret(
    store: SqlStore, secret: bytes, seconds: float, who: str, now: datetime
) -> tuple[str, str]:
    """Lets another secret count from now on; the prints of the old one and the new. Raises
    `OperatorFault` while a machine works, which would go on signing with the old one. `seconds`: a
    lease's."""
    after = print_of(secret)
    with store.begin() as tx:
        before = tx.read.fact(SECRET)
        if before == after:
            return before, after
        if count := tx.working(seconds):
            raise OperatorFault(
                Fault(
                    _("the daemons"),
                    _("{count} of them are working with the present secret").format(count=count),
                    _(
                        "stop mailbot on every machine (one that just died counts for {seconds} s "
                        "more), then run this again"
                    ).format(seconds=int(seconds)),
                )
            )
        tx.set_fact(SECRET, after, now)
        tx.audit(who, "secret.replaced", "installation", {"before": before, "after": after}, now)
    return before, after


def _check_archive(settings: Settings, store: SqlStore, known: str, now: datetime) -> Fault | None:
    folder = settings.data_dir / "archive"
    if settings.archive == IN_DATABASE:
        held = _name_of(folder)
        known = known or _first(store, ARCHIVE, IN_DATABASE, now)
        if known == IN_DATABASE:
            return None
        if held != known:
            return Fault(
                "archive",
                _("the raw mail still lies in the folder of another machine"),
                _(
                    'set archive = "database" on the machine that keeps it and start that one '
                    "first: it moves the mail into the database"
                ),
            )
        _move_in(settings, store)
        with store.begin() as tx:
            tx.set_fact(ARCHIVE, IN_DATABASE, now)
        return None
    if known == IN_DATABASE:
        return Fault(
            "archive",
            _("this installation keeps its raw mail in the database"),
            _('set archive = "database" on this machine as well'),
        )
    held = _name_of(folder) if known else _named(folder)
    if (known or _first(store, ARCHIVE, held, now)) == held:
        return None
    return Fault(
        str(folder),
        _("this is not the archive where the installation keeps its raw mail"),
        _(
            "put data_dir on a disk that all machines share, or set archive = "
            '"database" on all of them, starting with the one that keeps the mail'
        ),
    )


def _first(store: SqlStore, name: str, value: str, now: datetime) -> str:
    """Writes down what nobody has written yet; what stands there now."""
    with store.begin() as tx:
        return tx.first_fact(name, value, now)


def print_of(secret: bytes) -> str:
    """Tells one secret from another and nothing else of it."""
    return hmac.new(secret, b"mailbot:print", hashlib.sha256).hexdigest()[:16]


def _name_of(folder: Path) -> str:
    try:
        return (folder / NAME_FILE).read_text("ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def _named(folder: Path) -> str:
    """Its name, given now where it had none. Two machines that start together on one disk end with
    the same name."""
    if not (found := _name_of(folder)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = secrets.token_hex(8)
        fresh = folder / f".{NAME_FILE}.{found}"
        fresh.write_text(found + "\n", "ascii")
        try:
            os.link(fresh, folder / NAME_FILE)  # unlike rename, never replaces another's
        except FileExistsError:
            found = _name_of(folder)
        finally:
            fresh.unlink()
    return found


def _move_in(settings: Settings, store: SqlStore) -> None:
    """The files stay where they are: nothing is lost should the operator change back."""
    files, archive = file_archive(settings), DbArchive(store.writing, store.snapshot)
    lying = sorted(files.root.glob("??/??/*.eml"))
    archive.put((path.stem, files.get(path.stem)) for path in lying)
