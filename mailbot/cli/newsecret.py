"""`new-secret`: the way out when the signing secret is lost for good."""

from __future__ import annotations

from typing import Annotated

import typer

from mailbot.adapters.db.engine import open_store
from mailbot.adapters.i18n import _
from mailbot.adapters.installation import accept_secret
from mailbot.adapters.signing import load_or_create_secret
from mailbot.adapters.system import SystemClock
from mailbot.cli.context import decided_by, say, settings


def new_secret(
    who: Annotated[str, typer.Option(help=_("Who decides; default the login name."))] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Ask nothing."))] = False,
) -> None:
    """From now on the secret on this machine is the installation's; where there is no file, one is
    made."""
    found = settings()
    person = decided_by(who)
    if found.database.startswith("sqlite"):
        say(
            _(
                "A database file belongs to one machine, and its secret is not compared: start mailbot."
            )
        )
        return
    say(
        _(
            "With the old secret is lost: letters sent until now are no longer known as ours (an "
            "automatic answer to one of them may be taken for a mail to answer); codes for approval "
            "in letters sent until now do not count: approve such a draft here instead (mailbot "
            "notices); and the backup folder takes no more snapshots: begin another one. Items, records and letters that wait stay "
            "as they are."
        )
    )
    if not yes:
        typer.confirm(
            _("Let the secret in {file} count?").format(file=found.secret_path), abort=True
        )
    store = open_store(found.database, create=False)
    try:
        secret = load_or_create_secret(found.secret_path)
        before, after = accept_secret(
            store, secret, found.lease_seconds, person, SystemClock().now()
        )
    finally:
        store.close()
    if before == after:
        say(_("It already is the one the installation uses. Nothing was changed."))
        return
    say(
        _(
            "It counts now. Copy {file} to every other machine (mode 600), then start mailbot."
        ).format(file=found.secret_path)
    )
