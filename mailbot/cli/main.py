"""All commands in one place, and what every command does with a fault."""

from __future__ import annotations

import io
import os
import sys
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from mailbot import __version__
from mailbot.adapters import i18n, logs
from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault, WorldFault
from mailbot.cli.context import set_config, set_verbose
from mailbot.cli.usage import usage_fault

BUG = 70
"""EX_SOFTWARE of sysexits.h."""


class _Commands(TyperGroup):
    """Lists all commands, and imports a command's module only when it is asked for: mail parsers,
    templates and spreadsheets would be most of the time of a command that needs none of them."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _stand_in, rest = super().resolve_command(ctx, args)
        return name, None if name is None else _loaded(name), rest


app = typer.Typer(
    cls=_Commands,
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
    logs.set_up("debug" if verbose else "info")


_COMMANDS = {
    # name: module, function, what it does
    "demo": (
        "work",
        "demo",
        _("Runs the main job on the sample mails: nothing to set up, no server."),
    ),
    "run": ("work", "run", _("Watches the mailboxes and answers, until stopped.")),
    "once": ("work", "once", _("One pass over the mailboxes, then exit (for cron).")),
    "items": ("look", "items", _("Lists what came in; filters; exports CSV and XLSX.")),
    "show": ("look", "show", _("Everything known about one item or mail.")),
    "explain": (
        "look",
        "explain",
        _("What would become of saved mails (.eml), and why. Changes nothing."),
    ),
    "subject": ("look", "subject", _("What would become of one subject line, and why.")),
    "replay": (
        "look",
        "replay",
        _("Runs stored mail through the present code and shows what would differ."),
    ),
    "tasks": ("staff", "tasks", _("What a person should look at.")),
    "category": ("staff", "category", _("Corrects the category of an item.")),
    "release": (
        "staff",
        "release",
        _("Accepts a held item, under a unit you name where it had none."),
    ),
    "senders": ("staff", "senders", _("Which addresses belong to which unit; bind or refuse one.")),
    "backlog": (
        "staff",
        "backlog",
        _("Answers withheld because the mail was old: list, send or drop them."),
    ),
    "record": (
        "record",
        "record",
        _("Enters what happened: adoptions, instructions, errors ...; one or a file."),
    ),
    "standings": (
        "results",
        "standings",
        _("Who stands where in a month, quarter, half-year or year."),
    ),
    "statement": (
        "results",
        "statement",
        _("A unit's account: every entry with rule, clause and running total."),
    ),
    "seal": ("results", "seal", _("Closes a period whose notice is approved.")),
    "duties": (
        "duties",
        "duties",
        _("Letters by the calendar: what is due, done, passed over and why, and what comes next."),
    ),
    "backup": (
        "upkeep",
        "backup",
        _("Copies database, mail, secret and configuration into a backup folder that grows."),
    ),
    "restore": ("upkeep", "restore", _("Brings an installation back from a backup folder.")),
    "verify": (
        "upkeep",
        "verify",
        _("Re-hashes all that is stored, or a backup, and names what is damaged."),
    ),
    "retention": (
        "upkeep",
        "retention",
        _("Mail past the time the office keeps it: shows it; removes it when confirmed."),
    ),
    "init": ("setup", "init", _("Sets up a mailbox by asking.")),
    "new-secret": (
        "newsecret",
        "new_secret",
        _("Lets another signing secret count, when the old one is lost for good."),
    ),
    "doctor": ("setup", "doctor", _("Checks every part and says what to do about each fault.")),
    "health": ("health", "health", _("How it does: ages, queues, what wants a person (for cron).")),
}
_GROUPS = {
    # name: module, typer of its commands, what they are about
    "notices": (
        "notices",
        "notices",
        _("Notices: the drafts, and a person's decision about each."),
    ),
    "secrets": (
        "secrets",
        "secrets",
        _("Mails with a secrets mark: for the security officer alone."),
    ),
    "appeals": ("appeals", "appeals", _("Units' objections to what was recorded, and answers.")),
    "rules": ("rules", "rules", _("The offices' data.")),
}
_DIFF = _("Scores a period under the rules of two days.")


def _nothing() -> None:
    """Stands in the list of commands until one is asked for."""


for _name, (_module, _function, _help) in _COMMANDS.items():
    app.command(_name, help=_help)(_nothing)
for _name, (_module, _function, _help) in _GROUPS.items():
    app.add_typer(typer.Typer(), name=_name, help=_help)


@cache
def _loaded(name: str) -> Any:
    """The command itself, its module imported."""
    alone = typer.Typer(add_completion=False)
    module, function, told = _COMMANDS.get(name) or _GROUPS[name]
    found = getattr(import_module(f"mailbot.cli.{module}"), function)
    if name in _COMMANDS:
        alone.command(name, help=told)(found)
    else:
        if name == "rules":
            from mailbot.cli import results

            found.command("diff", help=_DIFF)(results.diff)
        alone.add_typer(found, name=name, help=told)
    return get_group(alone).commands[name]


def _tell(*faults: Fault) -> None:
    for one in faults:
        typer.echo(f"{one.where}: {one.found}", err=True)
        if one.remedy:
            typer.echo(f"  → {one.remedy}", err=True)


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
        _tell(*fault.faults)
        return 3 if fault.passing else 2
    except WorldFault as fault:
        from mailbot.adapters.doctor.remedies import explain_fault

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
            if (fault_ := usage_fault(error)) is not None:
                _tell(fault_)
            else:
                show()
            return code
        traceback.print_exc()
        typer.echo(_("A fault in mailbot itself. Please report the lines above."), err=True)
        return BUG
