"""Where an authorisation code, password or token comes from: the environment or a file of ours.

Promises: the value is read anew at every call, so a rotated token or a renewed code works without a
restart; it never appears in a `repr`, a `str` or an error; a file that others could read is refused
with the command that mends it. Whether the server accepts the value is the probe's business.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault

MAX_BYTES = 64 * 1024
"""OAuth2 tokens are a few kB; anything larger is not a credential but a wrong file."""


_WIDE = re.compile("[\uff01-\uff5e\u3000]")
"""Letters and digits typed with the Chinese input method on: never part of a code."""


class CredentialKind(StrEnum):
    PASSWORD = "password"
    """Password or authorisation code (授权码): LOGIN / AUTH PLAIN."""
    OAUTH2 = "oauth2"
    """Access token for XOAUTH2."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One secret, ready to be used. `source` says where it came from, fit for messages."""

    kind: CredentialKind
    value: str = field(repr=False)
    source: str

    def __str__(self) -> str:
        return f"<credential from {self.source}>"


def read_credential(
    env: str | None, file: Path | None, kind: CredentialKind | str = CredentialKind.PASSWORD
) -> Credential:
    """The credential in environment variable `env`, or in `file`.

    `file` is looked for in systemd's credential directory first (`LoadCredential=<file name>:...`,
    systemd.exec(5)), then where it says. A file outside that directory must be ours with no right
    for group and others. Raises `OperatorFault` naming the variable or file and the remedy.
    """
    kind = CredentialKind(kind)
    if env:
        source = _("environment variable {name}").format(name=env)
        text = os.environ.get(env)
        if text is None:
            raise OperatorFault(
                Fault(
                    source,
                    _("is not set"),
                    _("set it to the authorisation code, or use credential_file instead"),
                )
            )
        return Credential(kind, _clean(text, source), source)
    if file is None:
        raise OperatorFault(
            Fault(
                "credential_env / credential_file",
                _("neither is set"),
                _("name the environment variable or the file that holds the authorisation code"),
            )
        )
    loaded = _systemd_file(file)
    path = loaded or file
    raw = _read(path, trusted=loaded is not None)
    return Credential(kind, _clean(_decode(raw, str(path)), str(path)), str(path))


def write_credential(path: Path, value: str) -> None:
    """Puts a code into a file only we can read: created 0600, written, synced, then renamed, so
    that it never lies there half written or open to others. Folders it needs are created 0700."""
    for folder in reversed([p for p in path.parents if not p.exists()]):
        folder.mkdir(mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp gives 0600
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(value.strip() + "\n")
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _systemd_file(file: Path) -> Path | None:
    directory = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not directory:
        return None
    candidate = Path(directory) / file.name
    return candidate if candidate.is_file() else None


def _read(path: Path, *, trusted: bool) -> bytes:
    try:
        if path.exists() and not path.is_file():  # opening a named pipe would wait for ever
            raise OperatorFault(
                Fault(str(path), _("is not an ordinary file"), _("name a text file"))
            )
        with path.open("rb") as handle:
            if not trusted:
                _check_private(path, os.fstat(handle.fileno()))
            raw = handle.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise OperatorFault(
            Fault(
                str(path),
                _("the file with the authorisation code does not exist"),
                _("write the code into it, one line, then: chmod 600 {path}").format(path=path),
            )
        ) from None
    except OSError as error:
        raise OperatorFault(
            Fault(
                str(path),
                _("cannot be read: {error}").format(error=error.strerror or error),
                _("it must be a file of the user that runs mailbot, with mode 0600"),
            )
        ) from None
    if len(raw) > MAX_BYTES:
        raise OperatorFault(
            Fault(
                str(path),
                _("is larger than {n} bytes").format(n=MAX_BYTES),
                _("the file holds the authorisation code and nothing else"),
            )
        )
    return raw


def _check_private(path: Path, status: os.stat_result) -> None:
    """All that is wrong with the open file's owner and mode, at once. Checked on the open file:
    nothing can be exchanged between the check and the reading."""
    faults: list[Fault] = []
    if status.st_uid != os.geteuid():
        faults.append(
            Fault(
                str(path),
                _("belongs to user number {found}, mailbot runs as {we}").format(
                    found=status.st_uid, we=os.geteuid()
                ),
                f"sudo chown {os.geteuid()} {path}",
            )
        )
    if status.st_mode & 0o077:
        faults.append(
            Fault(
                str(path),
                _("other users can read or change it (mode {mode:04o})").format(
                    mode=stat.S_IMODE(status.st_mode)
                ),
                f"chmod 600 {path}",
            )
        )
    if faults:
        raise OperatorFault(*faults)


def _decode(raw: bytes, source: str) -> str:
    """Notepad writes UTF-8 with a BOM or UTF-16; a code itself is ASCII."""
    try:
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            return raw.decode("utf-16")
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unusable(source, _("holds something that is not text")) from None


def _clean(text: str, source: str) -> str:
    value = text.strip("\ufeff\u200b \t\r\n\u3000")
    if not value:
        raise _unusable(source, _("is empty"))
    if len(value.splitlines()) > 1:
        raise _unusable(source, _("has more than one line"))
    if _WIDE.search(value):
        raise _unusable(source, _("contains full-width characters"))
    if not value.isprintable():
        raise _unusable(source, _("contains control characters"))
    return value


def _unusable(source: str, found: str) -> OperatorFault:
    return OperatorFault(
        Fault(
            source,
            found,
            _("it must hold the authorisation code (or token) alone, as the provider showed it"),
        )
    )
