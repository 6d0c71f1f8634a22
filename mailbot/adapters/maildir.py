"""The mail source over a Maildir: a local mailbox filled by an MTA, or by `make demo`.

Follows https://cr.yp.to/proto/maildir.html and, for subfolders, Maildir++ (`.Name` beside `new`).
Promises never to delete a mail and never to overwrite one: a file is linked under its new name
before the old name goes. A mail keeps its UID when a mail program changes its flags, because the UID
comes from the part of the file name before the `:`.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import logging
import os
import re
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mailbot.adapters.fetching import HEADER_CAP, header_section
from mailbot.adapters.system import SHANGHAI
from mailbot.app.errors import Fault, OperatorFault, Permanent, Retryable, Unfetched, WorldFault
from mailbot.app.ports import Clock
from mailbot.app.records import Disposition, Envelope, Fetched, FolderState, Origin

log = logging.getLogger(__name__)

UIDVALIDITY = 1

POLL = 0.5
"""Seconds between looks at the directories' times in `wait`: one stat each."""


class MaildirSource:
    """Implements `app.ports.MailSource`. Folders are `INBOX` (the Maildir itself) and subfolders by
    their Unicode names, `/` between levels. `moves` maps `Disposition` values to subfolders; a
    settled mail without one goes to `cur` as seen."""

    def __init__(
        self,
        account: str,
        root: Path,
        folders: Sequence[str] = ("INBOX",),
        *,
        clock: Clock,
        moves: Mapping[str, str] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.account = account
        self.missing_folders: frozenset[str] = frozenset()
        self._root, self._folders, self._clock = root, tuple(folders), clock
        self._moves = dict(moves or {})
        self._stop = stop or threading.Event()
        self._paths: dict[tuple[str, int], Path] = {}
        self._times: dict[str, tuple[int, ...]] = {}
        self._check_settings()

    # --- the port -----------------------------------------------------------------------------

    def search(self) -> Iterator[FolderState]:
        missing = set()
        for folder in self._folders:
            # Before the listing: what arrives during it must end the next wait.
            times = self._changed_at(folder)
            found = self._list(folder)
            if found is None:
                missing.add(folder)
                continue
            self._times[folder] = times
            yield FolderState(folder, UIDVALIDITY, sorted(found), lasting=True)
        for folder in missing - self.missing_folders:
            log.warning("%s: there is no folder %r in %s", self.account, folder, self._root)
        self.missing_folders = frozenset(missing)
        if missing and len(missing) == len(set(self._folders)):
            raise Permanent(
                f"{self.account}: {self._root} is no Maildir (no new/ and cur/ in it)",
                code="folder",
                systemic=True,
            )

    def envelopes(self, state: FolderState, uids: Sequence[int]) -> Iterator[Envelope]:
        for uid in uids:
            found = self._stat(state.folder, uid)
            if found is not None:
                origin = Origin(self.account, state.folder, state.uidvalidity, uid)
                yield Envelope(origin, found.st_size, self._moment(found.st_mtime))

    def fetch(self, envelopes: Sequence[Envelope], cap: int) -> Iterator[Fetched]:
        """One file at a time. Raises `Unfetched` at the end for files that could not be read, or
        that are still being written (their size is not what it was)."""
        failed: list[tuple[Origin, str]] = []
        for envelope in envelopes:
            try:
                raw = self._read(envelope, cap)
            except OSError as error:
                if error.errno in (errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE):
                    raise self._fault(error) from error
                failed.append((envelope.origin, error.strerror or str(error)))
                continue
            whole = envelope.size <= cap
            if raw is not None and whole and len(raw) != envelope.size:
                failed.append((envelope.origin, f"{len(raw)} bytes now, {envelope.size} before"))
                continue
            yield Fetched(envelope, raw, complete=whole)
        if failed:
            raise Unfetched(failed)

    def settle(self, origin: Origin, disposition: Disposition) -> None:
        target = self._moves.get(disposition.value, origin.folder)
        try:
            path = self._find(origin.folder, origin.uid)
            if path is None or origin.uidvalidity != UIDVALIDITY:
                return  # moved before, or by a person
            into = self._make(target) / "cur"
            moved = _relink(path, into / _seen_name(path.name))
        except OSError as error:
            raise Permanent(
                f"{self.account} {origin.folder}: not settled: {error}", code="folder"
            ) from error
        if not moved:
            log.warning("%s: %s holds another mail of that name", self.account, into)
        elif target == origin.folder:
            self._paths[origin.folder, origin.uid] = into / _seen_name(path.name)

    def wait(self, seconds: float) -> bool:
        left = seconds
        while left > 0 and not self._stop.is_set():
            if any(self._changed_at(folder) != seen for folder, seen in self._times.items()):
                return True
            self._stop.wait(min(POLL, left))
            left -= POLL
        return False

    def abort(self) -> None:
        """Nothing to cut: files do not hang."""

    def close(self) -> None:
        """Nothing is held open."""

    # --- files --------------------------------------------------------------------------------

    def _list(self, folder: str) -> set[int] | None:
        """UIDs in the folder, their paths noted; None when there is no such folder. `new` before
        `cur`: a file moved between them in the meantime is seen once at least."""
        home = self._home(folder)
        found: dict[int, Path] = {}
        try:
            for part in ("new", "cur"):
                with os.scandir(home / part) as entries:
                    for entry in entries:
                        if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                            # Two names of one mail: a settlement that a crash cut short.
                            found.setdefault(_uid(entry.name), Path(entry.path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._fault(error) from error
        for key in [key for key in self._paths if key[0] == folder]:
            del self._paths[key]
        self._paths.update({(folder, uid): path for uid, path in found.items()})
        return set(found)

    def _find(self, folder: str, uid: int) -> Path | None:
        """Where the file is now: flags are part of its name, so it may have been renamed."""
        path = self._paths.get((folder, uid))
        if path is None or not path.exists():
            self._list(folder)
            path = self._paths.get((folder, uid))
        return path

    def _stat(self, folder: str, uid: int) -> os.stat_result | None:
        for _ in range(2):  # renamed between the look and the stat: look again
            path = self._find(folder, uid)
            if path is None:
                return None
            try:
                found = path.lstat()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise self._fault(error) from error
            return found if stat.S_ISREG(found.st_mode) else None
        return None

    def _read(self, envelope: Envelope, cap: int) -> bytes | None:
        """The file's bytes, or its header section above the cap; None when it is gone."""
        origin = envelope.origin
        for _ in range(2):
            path = self._find(origin.folder, origin.uid)
            if path is None or origin.uidvalidity != UIDVALIDITY:
                return None
            try:
                with path.open("rb") as file:
                    if envelope.size > cap:
                        return header_section(file.read(HEADER_CAP))
                    # One byte more than expected tells that the file grew, whatever it grew to.
                    return file.read(envelope.size + 1)
            except FileNotFoundError:
                continue
        return None

    def _moment(self, seconds: float) -> datetime:
        try:
            return datetime.fromtimestamp(seconds, UTC).astimezone(SHANGHAI)
        except (OverflowError, ValueError, OSError):
            return self._clock.now()

    # --- directories --------------------------------------------------------------------------

    def _check_settings(self) -> None:
        faults = []
        for folder in (*self._folders, *self._moves.values()):
            try:
                self._home(folder)
            except ValueError as error:
                faults.append(Fault(f"{self.account}: folders", str(error), "INBOX, or Name/Name"))
        for key, folder in self._moves.items():
            if folder in self._folders:
                where = f"{self.account}: moves.{key}"
                faults.append(Fault(where, f"{folder!r} is a watched folder", "another folder"))
        if faults:
            raise OperatorFault(*faults)

    def _home(self, folder: str) -> Path:
        """Maildir++ names are modified UTF-7 in Dovecot, plain UTF-8 elsewhere: whichever is
        there, else Dovecot's."""
        if folder.upper() == "INBOX":
            return self._root
        levels = [level for level in folder.split("/") if level]
        if levels and levels[0].upper() == "INBOX":
            levels = levels[1:]
        # A level can neither leave the Maildir nor be mistaken for two.
        if not levels or any(re.search(r"[.\x00-\x1f\x7f]", level) for level in levels):
            raise ValueError(f"{folder!r} is no folder name")
        plain = self._root / ("." + ".".join(levels))
        if plain.is_dir():
            return plain
        return self._root / ("." + ".".join(_modified_utf7(level) for level in levels))

    def _make(self, folder: str) -> Path:
        home = self._home(folder)
        for part in ("tmp", "new", "cur"):
            (home / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        if home != self._root:
            (home / "maildirfolder").touch()
        return home

    def _changed_at(self, folder: str) -> tuple[int, ...]:
        times = []
        for part in ("new", "cur"):
            try:
                times.append((self._home(folder) / part).stat().st_mtime_ns)
            except OSError:
                times.append(0)
        return tuple(times)

    def _fault(self, error: OSError) -> WorldFault:
        message = f"{self.account}: {error}"
        if isinstance(error, PermissionError):
            return Permanent(message, code="folder", systemic=True)
        return Retryable(message, code="folder", systemic=True)


def _uid(name: str) -> int:
    """63 bits of the unique part's hash: names carry no number that is unique by itself. Never 0.
    Two of a million mails share one with a probability of 1 in 10 million."""
    unique = os.fsencode(name).split(b":")[0]
    return int.from_bytes(hashlib.sha256(unique).digest()[:8], "big") >> 1 or 1


def _seen_name(name: str) -> str:
    """The name in `cur` with the flag S, others kept, in ASCII order as the format wants."""
    unique, _, info = name.partition(":")
    flags = info[2:] if info.startswith("2,") else ""
    return f"{unique}:2,{''.join(sorted({*flags, 'S'}))}"


def _relink(path: Path, target: Path) -> bool:
    """Moves without ever overwriting; False when another mail has that name. Repeatable: a crash
    between link and unlink leaves two names of one file."""
    if path == target:
        return True
    try:
        target.hardlink_to(path)
    except FileExistsError:
        if not target.samefile(path):
            return False
    except OSError as error:
        # File systems without hard links (exFAT, some network mounts).
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        if target.exists():
            return False
        path.rename(target)
        return True
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    return True


def _modified_utf7(name: str) -> str:
    """RFC 3501 §5.1.3."""

    def shifted(match: re.Match[str]) -> str:
        coded = base64.b64encode(match[0].encode("utf-16-be")).decode("ascii")
        return "&" + coded.rstrip("=").replace("/", ",") + "-"

    return re.sub(r"[^\x20-\x7e]+", shifted, name.replace("&", "&-"))
