"""`backup`, `restore`, `verify`, `retention`: keeping an installation whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from mailbot.adapters.backup.locks import upkeep_lock
from mailbot.adapters.backup.making import BackupMaker, Made
from mailbot.adapters.backup.repository import Repository
from mailbot.adapters.backup.restoring import Restorer, bring_configuration
from mailbot.adapters.db.health import BACKUP_LACKS, LAST_BACKUP
from mailbot.adapters.db.removals import SqlRemovals
from mailbot.adapters.db.upkeep import all_kept, check_database
from mailbot.adapters.i18n import N_, _
from mailbot.adapters.installation import print_of
from mailbot.adapters.settings.model import DEFAULT_FILE, Settings, find_file, load_settings
from mailbot.adapters.signing import load_or_create_secret
from mailbot.adapters.system import SystemClock
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.upkeep.checking import check_archive
from mailbot.app.upkeep.model import Damage, Due, Part, Why, silent
from mailbot.app.upkeep.model import Progress as Told
from mailbot.app.upkeep.retention import remove_due, what_is_due
from mailbot.bootstrap import Office, only_one
from mailbot.cli import words
from mailbot.cli.context import config_path, decided_by, installation, say
from mailbot.core.intake.describe import human_size
from mailbot.core.rules.periods import day_of

CHECK_FAILED = 1
_STEPS = {
    "database": N_("database"),
    "mails": N_("mails"),
    "files": N_("files"),
    "archive": N_("archive"),
    "raw": N_("raw mails given up"),
    "content": N_("texts wiped"),
    "gone": N_("raw mails removed"),
}
_PARTS = {Part.RAW.value: N_("raw mail"), Part.CONTENT.value: N_("text as read")}
_WHYS = {
    Why.TASK.value: N_("an open task"),
    Why.ITEM.value: N_("a held or returned item, or one asked to be withdrawn"),
    Why.APPEAL.value: N_("an open appeal"),
    Why.PERIOD.value: N_("a period not sealed yet"),
    Why.LETTER.value: N_("a letter not finished"),
}


def backup(
    folder: Annotated[
        Path | None, typer.Argument(help=_("The backup folder; made when it is not there."))
    ] = None,
    keep: Annotated[
        int, typer.Option(min=0, help=_("Keep only so many snapshots; 0 keeps all."))
    ] = 0,
    check: Annotated[
        bool, typer.Option("--check", help=_("Only say how old the last backup is."))
    ] = False,
    max_hours: Annotated[
        int, typer.Option(min=1, help=_("With --check: older than this is a fault."))
    ] = 48,
) -> None:
    """The daemon may go on meanwhile."""
    here = installation(letters=False)
    if check:
        _age(here, timedelta(hours=max_hours))
        return
    if folder is None:
        raise OperatorFault(
            Fault("mailbot backup", _("no folder is named"), _("name one: mailbot backup DIR"))
        )
    _apart(folder, here.settings.data_dir)
    secret = load_or_create_secret(here.settings.secret_path)
    maker = BackupMaker(here.settings, here.store, here.archive, print_of(secret))
    with upkeep_lock(here.settings.data_dir), _progress() as told:
        made = maker.make(folder, here.clock.now(), keep=keep, progress=told)
    _tell_made(made)


def _tell_made(made: Made) -> None:
    manifest = made.manifest
    say(
        _("Snapshot {stamp}: {mails} mails, {new} of them new in the backup.").format(
            stamp=manifest.stamp, mails=manifest.mails, new=made.new_mails
        )
    )
    say(_("In {folder}").format(folder=made.folder))
    if made.dropped:
        say(_("Older snapshots removed: {stamps}").format(stamps=", ".join(made.dropped)))
    if manifest.damaged:
        for sha256 in manifest.damaged:
            say(sha256, err=True)
        say(
            _(
                "{count} mails are missing or damaged in the archive and are not in the backup: "
                "run mailbot verify"
            ).format(count=len(manifest.damaged)),
            err=True,
        )
        raise typer.Exit(CHECK_FAILED)


def _age(here: Office, most: timedelta) -> None:
    with here.store.reading() as reads:
        last, lacks = reads.fact(LAST_BACKUP), reads.fact(BACKUP_LACKS)
    if lacks:
        say(_("The newest backup lacks {count} mails: run mailbot verify").format(count=lacks))
    if not last and lacks:
        raise typer.Exit(CHECK_FAILED)
    if not last:
        say(_("No backup was ever made. Run: mailbot backup DIR"))
        raise typer.Exit(CHECK_FAILED)
    taken = datetime.fromisoformat(last)
    age = here.clock.now() - taken
    say(
        _("Last backup: {when}, {hours} hours ago.").format(
            when=f"{taken:%Y-%m-%d %H:%M}", hours=int(age.total_seconds() // 3600)
        )
    )
    if age > most:
        say(_("That is too old. Run: mailbot backup DIR"))
    if age > most or lacks:
        raise typer.Exit(CHECK_FAILED)


def _apart(folder: Path, data_dir: Path) -> None:
    if folder.absolute().is_relative_to(data_dir):
        raise OperatorFault(
            Fault(
                str(folder),
                _("lies inside the data folder and would be lost with it"),
                _("name a folder elsewhere, best on another disk"),
            )
        )


def restore(
    folder: Annotated[Path, typer.Argument(help=_("The backup folder."))],
    snapshot: Annotated[str, typer.Option(help=_("Which snapshot; default the newest."))] = "",
    into: Annotated[
        Path | None, typer.Option(help=_("Data folder; default as in the settings."))
    ] = None,
    who: Annotated[str, typer.Option(help=_("Who restores; default the login name."))] = "",
) -> None:
    """Never overwrites. Where there is no settings file, it comes back too, to --config."""
    repository = Repository(folder)
    person = decided_by(who)
    with repository.lock(), _progress() as told:
        target = find_file(config_path()) or DEFAULT_FILE.absolute()
        brought = bring_configuration(repository, snapshot, target)
        found = load_settings(target if target.exists() else None)
        if into is not None:
            found = found.model_copy(update={"data_dir": into.absolute()})
        with only_one(found.data_dir):
            came = Restorer(repository, found).restore(snapshot, SystemClock().now(), person, told)
    say(
        _("Restored snapshot {stamp} into {folder}: {mails} mails.").format(
            stamp=came.manifest.stamp, folder=found.data_dir, mails=came.mails
        )
    )
    for path in brought:
        say(_("Brought back: {file}").format(file=path))
    for sha256 in came.lost:
        say(_("Lost, the backup has no sound copy: {digest}").format(digest=sha256), err=True)
    _say_next(found, target, into)


def _say_next(found: Settings, target: Path, into: Path | None) -> None:
    command = "mailbot" if target == DEFAULT_FILE.absolute() else f"mailbot --config {target}"
    say()
    say(_("Next:"))
    if into is not None:
        say(
            "  "
            + _('set data_dir = "{folder}" in {file}').format(folder=into.absolute(), file=target)
        )
    for box in found.mailboxes:
        if box.credential_file is not None and not box.credential_file.exists():
            say(
                "  "
                + _("put the authorisation code of {name} into {file}, mode 600").format(
                    name=box.name, file=box.credential_file
                )
            )
        if box.credential_env:
            say(
                "  "
                + _("set the environment variable {variable} for {name}").format(
                    variable=box.credential_env, name=box.name
                )
            )
    say("  " + _("(codes are never in a backup)"))
    if os.geteuid() == 0:
        say(
            "  "
            + _(
                "let mailbot's own user own {data} and read {config}: what root brought back is root's"
            ).format(data=into or found.data_dir, config=target.parent)
        )
    for name, what in (
        ("verify", _("re-hashes everything that came back")),
        ("doctor", _("checks every part")),
        (
            "run",
            _(
                "reads again what came since the backup; answers that may have gone out are withheld"
            ),
        ),
    ):
        say(f"  {command} {name}    {what}")


def verify(
    backup: Annotated[
        Path | None, typer.Option(help=_("A backup folder instead of the installation."))
    ] = None,
) -> None:
    """Changes nothing. Exit code 1 when something is damaged."""
    with _progress() as told:
        if backup is not None:
            from mailbot.adapters.backup.inspecting import check_backup

            repository = Repository(backup)
            with repository.lock():
                count = _show(check_backup(repository, told))
        else:
            here = installation(letters=False)
            with upkeep_lock(here.settings.data_dir):
                count = _show(_everything(here, told))
    if count:
        say(_("{count} things are damaged.").format(count=count))
        raise typer.Exit(CHECK_FAILED)
    say(_("Everything is sound."))


def _everything(here: Office, told: Told) -> Iterator[Damage]:
    yield from check_database(here.store)
    total, kept = all_kept(here.store)
    yield from check_archive(here.archive, kept, total, told)


def _show(damages: Iterable[Damage]) -> int:
    count = 0
    for one in damages:
        count += 1
        say(f"{one.where}：{one.found}")
        say(f"  → {one.remedy}")
    return count


def retention(
    confirm: Annotated[
        bool, typer.Option("--confirm", help=_("Remove what is due. It does not come back."))
    ] = False,
    who: Annotated[str, typer.Option(help=_("Who confirms; default the login name."))] = "",
) -> None:
    """What is due by `[retention]` of each office's office.toml."""
    here = installation(letters=False)
    rules = {office: book.retention for office, book in here.books.items()}
    removals, now = SqlRemovals(here.store), here.clock.now()
    if not confirm:
        due = what_is_due(rules, removals, now)
        _table(due)
        if any(one.count for one in due):
            say()
            say(_("Nothing was removed. To remove it: mailbot retention --confirm --who NAME"))
        return
    person = decided_by(who)
    with upkeep_lock(here.settings.data_dir, alone=True), _progress() as told:
        done = remove_due(rules, removals, here.archive, person, now, told)
    say(
        _("{raw} raw mails given up, {content} texts wiped; {gone} raw mails removed.").format(
            raw=done.marked[Part.RAW], content=done.marked[Part.CONTENT], gone=done.gone
        )
    )
    if done.left:
        say(
            _("{count} stay for now, because mail is just coming in: run it again later.").format(
                count=done.left
            )
        )


def _table(due: Iterable[Due]) -> None:
    shown = False
    for one in due:
        shown = True
        part = words.word(_PARTS, one.part.value)
        say(
            _("{office}, {part}, kept {days} days: {count} due").format(
                office=one.office, part=part, days=one.days, count=one.count
            )
        )
        if one.oldest is not None and one.newest is not None:
            say(
                "  "
                + _("received {first} to {last}, {size}").format(
                    first=day_of(one.oldest), last=day_of(one.newest), size=human_size(one.size)
                )
            )
        for why, count in one.kept:
            say(
                "  "
                + _("past its time, but needed by {why}: {count}").format(
                    why=words.word(_WHYS, why.value), count=count
                )
            )
    if not shown:
        say(_("No office has set how long mail is kept: all of it is kept for ever."))


@contextmanager
def _progress() -> Iterator[Told]:
    """A bar on a terminal; nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield silent
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(_(_STEPS[what]), total=total or None)
            bars.update(tasks[what], completed=done, total=total or None)

        yield told
