"""What the commands share: the settings file asked for, the installation, and printing."""

from __future__ import annotations

import errno
import gc
import getpass
import json
import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mailbot.adapters.i18n import N_, _
from mailbot.adapters.system import SHANGHAI
from mailbot.app.errors import Fault, OperatorFault

if TYPE_CHECKING:
    from mailbot.adapters.settings.model import Settings
    from mailbot.bootstrap import Office

_config: Path | None = None
_verbose = False


def set_config(path: Path | None) -> None:
    """Remembers `--config` for the command that follows."""
    global _config
    _config = path


def set_verbose(verbose: bool) -> None:
    """Remembers `--verbose`, which wins over the settings' `log_level`."""
    global _verbose
    _verbose = verbose


def config_path() -> Path | None:
    return _config


def settings() -> Settings:
    """The operator's settings. Raises `OperatorFault` with all faults."""
    from mailbot.adapters import logs
    from mailbot.adapters.settings.model import load_settings

    found = load_settings(_config)
    logs.set_up(
        "debug" if _verbose else found.log_level,
        found.log_format,
        redact=found.log_redact,
        secret_file=found.secret_path,
    )
    return found


def installation(*, letters: bool = True) -> Office:
    """The installation whose records a command is about. Raises `OperatorFault` where none was ever
    set up: an empty table would only hide that the wrong folder was looked at. `letters` False for
    a command that writes none: their templates are not checked then."""
    from mailbot.bootstrap import open_office

    found = settings()
    known = found.database_url is not None or (found.data_dir / "mailbot.db").exists()
    if not known:
        found.require_mailboxes()
    # What such a command makes it keeps until it ends: looking through all of it for garbage again
    # and again would be a quarter of the time of a year's standings.
    gc.freeze()
    gc.set_threshold(500_000, 10, 20)
    return open_office(found, letters=letters)


def say(text: str = "", *, err: bool = False) -> None:
    """One line. A reader that has seen enough (`mailbot items | head`) ends the command in peace."""
    try:
        typer.echo(text, err=err)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


def print_json(value: Any) -> None:
    """One JSON document, readable, in Chinese characters; times in ISO 8601."""
    say(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


_WHY = {
    errno.ENOENT: N_("there is no such folder"),
    errno.ENOTDIR: N_("a part of the path is no folder"),
    errno.EACCES: N_("you have no right to"),
    errno.EPERM: N_("you have no right to"),
    errno.EROFS: N_("the disk is read-only"),
    errno.ENOSPC: N_("the disk is full"),
    errno.ENAMETOOLONG: N_("the name is too long"),
}


def why(error: OSError) -> str:
    """What the system said, in the reader's language where we know the words."""
    return _(_WHY[error.errno]) if error.errno in _WHY else str(error.strerror or error)


def moment(option: str, text: str | None) -> datetime | None:
    """A day or time as people type it, in the office's time zone where it names none."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text.strip().replace("/", "-"))
    except ValueError:
        raise OperatorFault(
            Fault(f"{option} {text}", _("this is no date"), _("write it like 2026-08-12T09:30"))
        ) from None
    return found.replace(tzinfo=SHANGHAI) if found.tzinfo is None else found.astimezone(SHANGHAI)


def month(option: str, text: str | None) -> date | None:
    """The first day of a month written 2026-08, 202608 or 2026年8月."""
    if text is None:
        return None
    plain = text.strip().rstrip("月").replace("年", "-").replace("/", "-").replace(".", "-")
    if plain.isdigit() and len(plain) == 6:
        plain = f"{plain[:4]}-{plain[4:]}"
    year, _dash, number = plain.partition("-")
    try:
        if len(year) != 4:
            raise ValueError
        return date(int(year), int(number), 1)
    except ValueError:
        raise OperatorFault(
            Fault(f"{option} {text}", _("this is no month"), _("write it like 2026-08"))
        ) from None


def decided_by(who: str) -> str:
    """The login name where nobody is named. `mailbot` is the program's own name in the records."""
    try:
        name = who.strip() or getpass.getuser()
    except (KeyError, OSError):
        name = ""
    if name.lower() in ("", "mailbot"):
        raise OperatorFault(
            Fault("--who", _("nobody is named as the one who decided"), _("add --who NAME"))
        )
    return name
