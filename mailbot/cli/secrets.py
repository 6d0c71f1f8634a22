"""`secrets`: mails with a secrets mark, for the security officer (保密员) alone.

Who asks is what the kernel says, never what an option or the environment says: the login uid, which
stays with a person through sudo and su, else the uid of the process.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from mailbot.adapters.i18n import N_, _
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.secretmail import Refused
from mailbot.cli.context import installation, print_json, say, why
from mailbot.cli.rows import Column, Lines, plain, room

secrets = typer.Typer(no_args_is_help=True)

_NO_LOGIN = 2**32 - 1
"""What Linux shows where nobody logged in: a service, a container."""

_WORDS: Mapping[str, tuple[str, str]] = {
    "officer": (
        N_("{detail} is no security officer; this attempt was recorded"),
        N_("ask a security officer: [security] officers in the settings names their logins"),
    ),
    "unknown": (
        N_("there is no mail with a secrets mark of this number"),
        N_("look at the numbers: mailbot secrets list"),
    ),
    "mailbox": (
        N_("the mailbox {detail} is not in the settings any more"),
        N_("set it up again under the same name, or look into it with a mail program"),
    ),
    "folder": (
        N_("the folder {detail} is not in the mailbox any more, or is not watched"),
        N_("look for the mail with a mail program"),
    ),
    "renumbered": (
        N_("the mail server has renumbered the folder (UIDVALIDITY {detail})"),
        N_("the number kept names no mail any more: find the mail by its time with a mail program"),
    ),
    "gone": (
        N_("the mail is not where it lay ({detail})"),
        N_("it was moved, recalled or deleted: look for it with a mail program"),
    ),
    "other": (
        N_("what lies there now is another mail ({detail}); nothing was written"),
        N_("find the mail by its time with a mail program"),
    ),
    "garbled": (
        N_("the mail server did not give the mail whole ({detail})"),
        N_("try again later"),
    ),
}

AsJson = Annotated[bool, typer.Option("--json", help=_("Print JSON."))]


def login_name() -> str:
    """The person at the keyboard. Without a name for the uid, the number: no officer is called so."""
    uid = os.getuid()
    try:
        login = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        login = _NO_LOGIN
    wanted = uid if login == _NO_LOGIN else login
    try:
        return pwd.getpwuid(wanted).pw_name
    except KeyError:
        return str(wanted)


@secrets.command("list", help=_("Number, time, sender, place and rule of each; nothing of it."))
def list_(as_json: AsJson = False) -> None:
    here = installation(letters=False)
    try:
        found = here.secret_mails().listed(login_name())
    except Refused as refusal:
        raise _fault("mailbot secrets list", refusal) from None
    if as_json:
        print_json(
            [
                {
                    "number": one.row.id,
                    "received": one.row.received,
                    "sender": one.row.from_addr,
                    "mailbox": one.row.origin.account,
                    "folder": one.row.origin.folder,
                    "uidvalidity": one.row.origin.uidvalidity,
                    "uid": one.row.origin.uid,
                    "size": one.row.size,
                    "sha256": one.row.sha256,
                    "log": list(one.log),
                }
                for one in found
            ]
        )
        return
    if not found:
        say(_("No mail with a secrets mark."))
        return
    lines = Lines(
        [
            Column(_("No."), 6),
            Column(_("Received"), 16),
            Column(_("Sender"), 30, 14),
            Column(_("Mailbox"), 24, 12),
            Column(_("UID"), 12),
            Column(_("Rule"), 40, 14, 1),
        ],
        room(),
    )
    say(lines.head())
    for one in found:
        rules = "; ".join(one.log).partition("; from ")[0].removeprefix("secrets: ")
        say(
            lines.row(
                [
                    str(one.row.id),
                    f"{one.row.received:%Y-%m-%d %H:%M}",
                    one.row.from_addr,
                    f"{one.row.origin.account}/{one.row.origin.folder}",
                    str(one.row.origin.uid),
                    plain(rules),
                ]
            )
        )


@secrets.command("fetch", help=_("Fetches one from the mailbox into a file of your own."))
def fetch(
    number: Annotated[int, typer.Argument(help=_("Number of the mail: see list."))],
    to: Annotated[Path, typer.Option("--to", help=_("A new file; only you can read it."))],
) -> None:
    here = installation(letters=False)
    who, mails = login_name(), here.secret_mails()
    target = to.absolute()
    home = here.settings.data_dir.absolute()
    if target.resolve().is_relative_to(home.resolve()):
        raise OperatorFault(
            Fault(
                f"--to {to}",
                _("this is in mailbot's own folder, which is backed up"),
                _("choose a folder of your own"),
            )
        )
    if os.path.lexists(target):
        raise OperatorFault(
            Fault(f"--to {to}", _("this is there already"), _("choose another name"))
        )
    try:
        raw = mails.fetch(number, who, str(target))
    except Refused as refusal:
        raise _fault(f"mailbot secrets fetch {number}", refusal) from None
    try:
        _write(target, raw)
    except OSError as error:
        mails.audit(who, "not_written", f"inbound:{number}", {"to": str(target)})
        raise OperatorFault(
            Fault(
                f"--to {to}",
                _("cannot be written ({why})").format(why=why(error)),
                _("choose another name"),
            )
        ) from None
    say(
        _("{count} bytes written to {file}, readable by you alone.").format(count=len(raw), file=to)
    )
    say(_("The mail still lies in the mailbox; nothing deletes it but you."))


def _write(target: Path, raw: bytes) -> None:
    """New and for its owner alone from the first byte; on the disk when this returns."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(target, flags, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        target.unlink(missing_ok=True)
        raise


def _fault(where: str, refusal: Refused) -> OperatorFault:
    found, remedy = _WORDS[refusal.code]
    return OperatorFault(Fault(where, _(found).format(detail=refusal.detail), _(remedy)))
