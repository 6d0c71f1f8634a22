"""All commands in one place, and what every command does with a fault."""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from mailbot import __version__
from mailbot.adapters import i18n
from mailbot.adapters.doctor.remedies import explain_fault
from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault, WorldFault
from mailbot.cli import look, record, results, rules, setup, staff, work
from mailbot.cli.context import set_config, set_verbose

BUG = 70
"""EX_SOFTWARE of sysexits.h."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help=_("Runs the submission mailbox of a government information office."),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mailbot {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    config: Annotated[
        Path | None, typer.Option(help=_("Settings file; default config/mailbot.toml."))
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help=_("Say more."))] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=_("The version."))
    ] = False,
    lang: Annotated[str, typer.Option(help=_("Language: zh or en."))] = "",
) -> None:
    if lang:  # a language that is one was taken out of the command line before
        raise OperatorFault(Fault(f"--lang {lang}", _("no such language"), "zh, en"))
    set_config(config)
    set_verbose(verbose)
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    # Its notes about every migration step are no news to an operator.
    logging.getLogger("alembic").setLevel(logging.WARNING)


app.command(help=_("Runs the main job on the sample mails: nothing to set up, no server."))(
    work.demo
)
app.command(help=_("Watches the mailboxes and answers, until stopped."))(work.run)
app.command(help=_("One pass over the mailboxes, then exit (for cron)."))(work.once)
app.command(help=_("Lists what came in; filters; exports CSV and XLSX."))(look.items)
app.command(help=_("Everything known about one item or mail."))(look.show)
app.command(help=_("What would become of saved mails (.eml), and why. Changes nothing."))(
    look.explain
)
app.command(help=_("What would become of one subject line, and why."))(look.subject)
app.command(help=_("Runs stored mail through the present code and shows what would differ."))(
    look.replay
)
app.command(help=_("What a person should look at."))(staff.tasks)
app.command(help=_("Corrects the category of an item."))(staff.category)
app.command(help=_("Accepts a held item, under a unit you name where it had none."))(staff.release)
app.command(help=_("Which addresses belong to which unit; bind or refuse one."))(staff.senders)
app.command(help=_("Answers withheld because the mail was old: list, send or drop them."))(
    staff.backlog
)
app.command(help=_("Enters what happened: adoptions, instructions, errors ...; one or a file."))(
    record.record
)
app.command(help=_("Who stands where in a month, quarter, half-year or year."))(results.standings)
app.command(help=_("A unit's account: every entry with rule, clause and running total."))(
    results.statement
)
app.command(help=_("Closes a period whose notice is approved."))(results.seal)
rules.rules.command("diff", help=_("Scores a period under the rules of two days."))(results.diff)
app.command(help=_("Sets up a mailbox by asking."))(setup.init)
app.command(help=_("Checks every part and says what to do about each fault."))(setup.doctor)
app.add_typer(rules.rules, name="rules", help=_("The offices' data."))


def main() -> int:
    """Runs the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that is not UTF-8 shows a question mark; it must not stop the bot.
            stream.reconfigure(errors="replace")
    _language, args = i18n.take_lang(sys.argv[1:])
    try:
        result = app(args=args, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except OperatorFault as fault:
        for one in fault.faults:
            typer.echo(f"{one.where}: {one.found}", err=True)
            if one.remedy:
                typer.echo(f"  → {one.remedy}", err=True)
        return 2
    except WorldFault as fault:
        typer.echo(explain_fault(fault), err=True)
        return 3
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        typer.echo(_("Stopped."), err=True)
        return 130
    except BrokenPipeError:
        # `mailbot items | head`: the reader has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        # A usage error of the framework (it keeps its own copy of click, so no class to name).
        show, code = getattr(error, "show", None), getattr(error, "exit_code", None)
        if callable(show) and isinstance(code, int):
            show()
            return code
        traceback.print_exc()
        typer.echo(_("A fault in mailbot itself. Please report the lines above."), err=True)
        return BUG
