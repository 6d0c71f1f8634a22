"""`mailbot init` and `mailbot doctor`: setting up, and finding out what is wrong.

`init` asks, tries everything out with what was answered, and only then writes: the code into a
file only we can read, then the configuration under its final name. A file that is there is never
overwritten unasked, and kept beside as `.bak` when it is. Every question can be answered by an
option; with `--yes` nothing is asked and what is missing is told all at once. The code itself is
never an option: options can be read by every user of the machine (ps).
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mailbot.adapters.doctor.checks import run_checks
from mailbot.adapters.doctor.mail import check_mailbox
from mailbot.adapters.i18n import _
from mailbot.adapters.settings.credentials import write_credential
from mailbot.adapters.settings.model import DEFAULT_FILE, Settings, find_file, load_settings
from mailbot.adapters.settings.providers import Provider, profile_for, provider_ids
from mailbot.adapters.system import SystemClock, shipped
from mailbot.app.doctor import Check, State, healthy
from mailbot.app.errors import Fault, OperatorFault
from mailbot.cli.context import config_path
from mailbot.cli.setup_file import Answers, data_folder, render

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_COLOURS = {
    State.OK: typer.colors.GREEN,
    State.WARN: typer.colors.YELLOW,
    State.FAIL: typer.colors.RED,
    State.SKIP: typer.colors.BRIGHT_BLACK,
}


def doctor(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help=_("The configuration file."))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_("Print JSON."))] = False,
    alerts: Annotated[
        bool, typer.Option("--alerts", help=_("Send a test message over every alert channel."))
    ] = False,
) -> None:
    """Check every part and say what to do about what is wrong. Changes nothing."""
    done: list[Check] = []
    for check in run_checks(config or config_path(), SystemClock(), alerts=alerts):
        done.append(check)
        if not as_json:
            _show(check)
    if as_json:
        report = {"ok": healthy(done), "checks": [asdict(check) for check in done]}
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        typer.echo("")
        typer.echo(_summary(done))
    raise typer.Exit(0 if healthy(done) else 1)


def init(
    address: Annotated[str, typer.Option(help=_("The mailbox's address."))] = "",
    office: Annotated[
        list[str] | None,
        typer.Option(help=_("An office whose submissions arrive here; may be repeated.")),
    ] = None,
    name: Annotated[str, typer.Option(help=_("A short name for the mailbox."))] = "",
    provider: Annotated[
        str,
        typer.Option(
            help=_("The provider's profile: {names}.").format(names=", ".join(provider_ids()))
        ),
    ] = "",
    credential_env: Annotated[
        str, typer.Option(help=_("Environment variable that holds the authorisation code."))
    ] = "",
    credential_file: Annotated[
        Path | None,
        typer.Option(help=_("File (mode 0600) that holds the authorisation code.")),
    ] = None,
    code_stdin: Annotated[
        bool,
        typer.Option("--code-stdin", help=_("Read the authorisation code from standard input.")),
    ] = False,
    username: Annotated[str, typer.Option(help=_("Login, where it is not the address."))] = "",
    imap_host: Annotated[str, typer.Option(help=_("IMAP server."))] = "",
    imap_port: Annotated[int, typer.Option(help=_("IMAP port; 0: the usual one."))] = 0,
    imap_security: Annotated[str, typer.Option(help="tls | starttls | plain")] = "",
    smtp_host: Annotated[str, typer.Option(help=_("SMTP server."))] = "",
    smtp_port: Annotated[int, typer.Option(help=_("SMTP port; 0: the usual one."))] = 0,
    smtp_security: Annotated[str, typer.Option(help="tls | starttls | plain")] = "",
    ca_file: Annotated[
        Path | None,
        typer.Option(help=_("Certificate authority (PEM) of a mail system of your own.")),
    ] = None,
    outbox: Annotated[
        Path | None,
        typer.Option(help=_("Put answers into this Maildir instead of sending them.")),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help=_("Folder for database and archive."))
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help=_("The configuration file."))
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=_("Ask nothing."))] = False,
    force: Annotated[
        bool, typer.Option("--force", help=_("Replace an existing configuration file."))
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help=_("Write without trying the servers."))
    ] = False,
) -> None:
    """Set up a mailbox: ask, try it out, write the configuration file."""
    target = find_file(config or config_path()) or DEFAULT_FILE.absolute()
    _may_replace(target, yes=yes, force=force)
    answers = Answers(
        address=address.strip(),
        offices=list(office or []),
        name=name,
        provider=provider,
        credential_env=credential_env,
        credential_file=credential_file.absolute() if credential_file else None,
        username=username,
        imap=(imap_host, imap_port, imap_security),
        smtp=(smtp_host, smtp_port, smtp_security),
        ca_file=ca_file.absolute() if ca_file else None,
        outbox=outbox.absolute() if outbox else None,
        data_dir=data_dir.absolute() if data_dir else data_folder(target),
    )
    code = sys.stdin.readline().strip() if code_stdin else ""
    if yes:
        _complete(answers, target, code)
    else:
        code = _ask(answers, target, code)
    _try_and_write(answers, target, code, yes=yes, offline=offline)


# --- asking ---------------------------------------------------------------------------------


def _may_replace(target: Path, *, yes: bool, force: bool) -> None:
    if not target.exists() or force:
        return
    if yes or not typer.confirm(
        _("{file} exists already. Replace it (the old one is kept as .bak)?").format(file=target)
    ):
        raise OperatorFault(
            Fault(
                str(target),
                _("exists already and was left as it is"),
                _("use --force to replace it, or --config for another file"),
            )
        )


def _complete(answers: Answers, target: Path, code: str) -> None:
    """Fills in what follows from the rest; raises for all that is missing, at once."""
    faults: list[Fault] = []
    if not _ADDRESS.fullmatch(answers.address):
        faults.append(Fault("--address", _("is no mail address"), _("the mailbox's own address")))
    offices = _known_offices(target)
    if not answers.offices and len(offices) == 1:
        answers.offices = offices
    if not answers.offices:
        faults.append(Fault("--office", _("is missing"), ", ".join(offices)))
    if not (code or answers.credential_env or answers.credential_file):
        faults.append(
            Fault(
                "--code-stdin",
                _("nothing says where the authorisation code is"),
                _("--code-stdin, --credential-file or --credential-env"),
            )
        )
    if faults:
        raise OperatorFault(*faults)
    answers.name = answers.name or answers.offices[0]
    if code:
        answers.keep_code()


def _ask(answers: Answers, target: Path, code: str) -> str:
    """Asks for what no option answered; returns the code where one was typed."""
    while not _ADDRESS.fullmatch(answers.address):
        answers.address = typer.prompt(_("Address of the submission mailbox")).strip()
    profile = _ask_provider(answers)
    offices = _known_offices(target)
    while not set(answers.offices) <= set(offices) or not answers.offices:
        words = typer.prompt(
            _("Office ({names}; several with commas)").format(names=", ".join(offices)),
            default=offices[0] if len(offices) == 1 else None,
        )
        answers.offices = [w.strip() for w in words.replace("，", ",").split(",") if w.strip()]
    answers.name = answers.name or answers.offices[0]
    if not (code or answers.credential_env or answers.credential_file):
        code = _ask_code(profile)
    if code:
        answers.keep_code()
    return code


def _ask_provider(answers: Answers) -> Provider:
    profile = profile_for(answers.provider or answers.address, answers.address)
    if profile.id == "generic" and not answers.provider and not answers.imap[0]:
        typer.echo(_("The address's domain is not one mailbot knows. Who runs the mail system?"))
        for known in provider_ids():
            typer.echo(f"  {known:14}{profile_for(known, answers.address).name}")
        while answers.provider not in provider_ids():
            answers.provider = typer.prompt(_("Provider"), default="generic").strip()
        profile = profile_for(answers.provider, answers.address)
    typer.echo(_("Provider: {name}").format(name=profile.name))
    if profile.id in ("generic", "coremail"):
        answers.provider = profile.id
        if not answers.imap[0]:
            host = typer.prompt(_("IMAP server"), default=profile.imap.host).strip()
            answers.imap = (host, *answers.imap[1:])
        if not answers.smtp[0] and answers.outbox is None:
            host = typer.prompt(_("SMTP server"), default=profile.smtp.host).strip()
            answers.smtp = (host, *answers.smtp[1:])
    return profile


def _ask_code(profile: Provider) -> str:
    typer.echo(_("How to get the code ({name}):").format(name=profile.code_name))
    typer.echo(f"  {profile.hint}")
    typer.echo(f"  {profile.login_help}")
    code = ""
    while not code:
        code = typer.prompt(
            _("{name} (not shown while you type)").format(name=profile.code_name), hide_input=True
        ).strip()
    return code


def _known_offices(target: Path) -> list[str]:
    own = target.parent / "offices"
    folder = own if own.is_dir() else shipped("config") / "offices"
    return sorted(d.name for d in folder.iterdir() if (d / "office.toml").is_file())


# --- trying and writing ---------------------------------------------------------------------


def _try_and_write(answers: Answers, target: Path, code: str, *, yes: bool, offline: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    while True:
        draft = _draft(target, render(answers, target))
        try:
            settings = _load_draft(draft, target)
            good = offline or _try(settings, code)
            if not good and not yes:
                choice = typer.prompt(
                    _(
                        "Not everything works. 1 type the code again, 2 write it all the same, 3 stop"
                    ),
                    default="1",
                )
                if choice.strip() == "1":
                    box = settings.mailboxes[0]
                    code = _ask_code(profile_for(box.provider or box.address, box.address))
                    answers.keep_code()
                    continue
                good = choice.strip() == "2"
            if not good:
                typer.echo(_("Nothing was written."))
                raise typer.Exit(1)
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if code and answers.credential_file is not None:
                write_credential(answers.credential_file, code)
            if target.exists():
                target.replace(target.with_name(target.name + ".bak"))
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        break
    _say_next(answers, target)


def _load_draft(draft: Path, target: Path) -> Settings:
    """The settings as they will be, without the overrides of this shell: what is written must be
    good on its own. Faults name the file it will be."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAILBOT_")}
    try:
        return load_settings(draft, environment)
    except OperatorFault as fault:
        raise OperatorFault(
            *(
                Fault(f.where.replace(str(draft), str(target)), f.found, f.remedy)
                for f in fault.faults
            )
        ) from None


def _draft(target: Path, text: str) -> Path:
    """The text beside the target, synced, under a name nothing reads."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".mailbot.", suffix=".toml")
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft = Path(name)
    draft.chmod(0o644)
    return draft


def _try(settings: Settings, code: str) -> bool:
    done: list[Check] = []
    for box in settings.mailboxes:
        for check in check_mailbox(box, SystemClock(), (lambda: code) if code else None):
            done.append(check)
            _show(check)
    return healthy(done)


def _say_next(answers: Answers, target: Path) -> None:
    typer.echo("")
    typer.echo(_("Written: {file}").format(file=target))
    if answers.credential_file is not None:
        typer.echo(
            _("The code is in {file}, readable for you alone.").format(file=answers.credential_file)
        )
    option = "" if target == DEFAULT_FILE.absolute() else f" --config {target}"
    typer.echo(_("Next:"))
    typer.echo(f"  mailbot doctor{option}    " + _("checks every part"))
    typer.echo(
        f"  mailbot once{option}      " + _("one pass over the mailbox, then look: mailbot items")
    )
    typer.echo(f"  mailbot run{option}       " + _("keeps watching"))


# --- showing --------------------------------------------------------------------------------


def _word(state: State) -> str:
    return {
        State.OK: _("ok"),
        State.WARN: _("look"),
        State.FAIL: _("FAIL"),
        State.SKIP: _("skipped"),
    }[state]


def _show(check: Check) -> None:
    word = typer.style(f"[{_word(check.state)}]", fg=_COLOURS[check.state])
    typer.echo(f"{word} {check.title}: {check.found}")
    if check.remedy:
        typer.echo("    " + _("what to do: {remedy}").format(remedy=check.remedy))


def _summary(done: list[Check]) -> str:
    count = {state: sum(1 for c in done if c.state is state) for state in State}
    if count[State.FAIL]:
        return _(
            "{n} of {all} checks failed: mend the first one, then run mailbot doctor again."
        ).format(n=count[State.FAIL], all=len(done))
    if count[State.WARN]:
        return _("Everything works; {n} things to look at.").format(n=count[State.WARN])
    return _("Everything works.")
