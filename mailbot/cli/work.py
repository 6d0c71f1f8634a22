"""`run`, `once` and `demo`: the main job."""

from __future__ import annotations

import os
import shutil
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from mailbot.adapters import systemd
from mailbot.adapters.i18n import N_, _
from mailbot.adapters.offices.selftest import failing_cases
from mailbot.adapters.settings.model import load_settings
from mailbot.adapters.system import SystemClock, shipped
from mailbot.app.deliver import DeliverReport
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.records import OutboxState
from mailbot.app.settle import Settled
from mailbot.bootstrap import Office, alone, open_office
from mailbot.cli import words
from mailbot.cli.context import say, settings, why
from mailbot.cli.rows import settled_lines, settled_row
from mailbot.core.letters.kinds import LetterKind
from mailbot.daemon import Daemon
from mailbot.daemon.onepass import Passed, one_pass
from mailbot.watching import Watch
from mailbot.web.health import serve

LETTERS: Mapping[str, str] = {
    LetterKind.REMINDER.value: N_("reminders"),
    LetterKind.RESULT.value: N_("results of a period"),
    LetterKind.THANKS.value: N_("thanks"),
    LetterKind.TASKS.value: N_("reminders of tasks and commissions"),
    LetterKind.NEWS.value: N_("news of adoptions"),
    LetterKind.SUMMARY.value: N_("summaries for the office"),
    LetterKind.DIGEST.value: N_("daily digests"),
    LetterKind.DRAFT.value: N_("drafts for approval"),
    LetterKind.COVER.value: N_("notices to units"),
    LetterKind.READER.value: N_("notices to leaders"),
    LetterKind.OWN.value: N_("letters to single units"),
    LetterKind.APPEAL_ANSWER.value: N_("answers to objections"),
    LetterKind.SECRETS.value: N_("alerts to security officers"),
}
"""What goes out of our own accord."""
WORLD_FAILED = 3
"""Exit code: see `mailbot.cli`."""
DEMO_MARK = ".mailbot-demo"
"""Only a folder that holds this file is emptied by a second `demo`."""


def run() -> None:
    """Watches until SIGTERM or Ctrl-C."""
    found = settings()
    found.require_mailboxes()
    with alone(found):
        office = open_office(found)
        _refuse_failing_cases(office)
        _watched(office, _table() if sys.stdout.isatty() else None).run()


def _table() -> Callable[[Settled], None]:
    """For somebody who looks on. Elsewhere the output ends in a log, where no title belongs: the log
    has a line of numbers for each mail."""
    lines = settled_lines()
    _live(lines.head())
    return lambda settled: _live(settled_row(lines, settled))


def _watched(office: Office, on_settled: Callable[[Settled], None] | None) -> Daemon:
    """The daemon, with who is told of its troubles, the health page and systemd's watchdog."""
    daemon = Daemon(office, on_settled)
    watch = Watch(office, daemon.board, daemon.keeper.has)
    daemon.jobs |= {"alerts": watch.look, "systemd": _alive}
    if office.settings.health:
        serve(office.settings.health, watch.health, daemon.stop)
    return daemon


def _alive() -> None:
    systemd.notify("READY=1\nWATCHDOG=1")


def once() -> None:
    """One pass: read, decide, answer, do what is due, exit. Good for cron."""
    found = settings()
    found.require_mailboxes()
    with alone(found):
        office = open_office(found)
        _refuse_failing_cases(office)
        seen, passed = _pass(office, duties=True)
    _summary(seen, passed.report)
    if passed.failed is not None:
        raise typer.Exit(WORLD_FAILED)


def demo(
    folder: Annotated[
        Path, typer.Option(help=_("Where the demo keeps its mailbox, database and outbox."))
    ] = Path("demo"),
    mails: Annotated[
        Path | None, typer.Option(help=_("Folder of .eml files; default the sample mails."))
    ] = None,
) -> None:
    """The main job on an embedded default: a Maildir in, SQLite, a Maildir out."""
    source = mails or _sample_mails()
    config = folder / "mailbot.toml"
    try:
        _fresh_folder(folder)
        count = _fill_maildir(folder / "mailbox", source)
        config.write_text(_DEMO_CONFIG, encoding="utf-8")
    except OSError as error:
        raise OperatorFault(
            Fault(
                str(error.filename or folder),
                _("cannot be written ({why})").format(why=why(error)),
                _("choose another with --folder"),
            )
        ) from None
    office = open_office(load_settings(config, {}))
    _live(
        _("{count} mails in {folder}; reading them now.").format(
            count=count, folder=folder / "mailbox"
        )
    )
    _live()
    seen, passed = _pass(office)
    _summary(seen, passed.report)
    _live()
    _live(_("Look next:"))
    command = f"mailbot --config {config}"
    if shutil.which("mailbot") is None and Path(".venv/bin/mailbot").exists():
        command = f".venv/bin/{command}"
    receipt = next((i.receipt for s in seen for i in s.items), "")
    for line, what in (
        (f"{command} items", _("everything that came in, as a table")),
        (f"{command} show {receipt}" if receipt else "", _("all that is known of one item")),
        (f"{command} tasks", _("what a person should look at")),
        (f"{command} standings otog {_month_of(seen)}", _("who stands where, and what is missing")),
        (f"{command} duties", _("what it would send by the calendar: reminders, notices")),
        (f"ls {folder / 'outbox' / 'new'}", _("the answers, as mails")),
    ):
        if line:
            _live(f"  {what}")
            _live(f"    {line}")


def _month_of(seen: list[Settled]) -> str:
    """The month that most of the mails count in."""
    months = Counter(i.month for s in seen for i in s.items)
    return f"{months.most_common(1)[0][0]:%Y-%m}" if months else "2026-08"


_DEMO_CONFIG = """\
# Written by `mailbot demo`: one local mailbox, answers into a local outbox, nothing leaves.
data_dir = "data"

[[mailboxes]]
name = "demo"
kind = "maildir"
offices = ["otog"]
address = "xinxi@example.org"
maildir = "mailbox"
outgoing = { outbox = "outbox" }
"""


def _refuse_failing_cases(office: Office) -> None:
    """An office whose own cases do not come out as written must not score anybody."""
    books, working = office.books, office.calendar.is_working_day
    if faults := failing_cases(office.settings.offices_dir, books, working):
        raise OperatorFault(*faults)


def _pass(office: Office, *, duties: bool = False) -> tuple[list[Settled], Passed]:
    """One pass over every mailbox, the calendar and the outbox, printing each mail as it is
    decided."""
    lines = settled_lines()
    _live(lines.head())
    seen: list[Settled] = []

    def show(settled: Settled) -> None:
        seen.append(settled)
        _live(settled_row(lines, settled))

    passed = one_pass(office, show, lambda text: _live(text, err=True), duties=duties)
    for one in passed.ticked.failed:
        _live(f"{one.what}: {one.why}", err=True)
    if passed.ticked.done:
        _live(
            _("{count} duties done, {letters} letters queued: see `mailbot duties`.").format(
                count=len(passed.ticked.done), letters=passed.ticked.letters
            )
        )
    return seen, passed


def _live(text: str = "", *, err: bool = False) -> None:
    """A line while the work goes on, whether it can still be written or not (`mailbot once | head`,
    a full disk under the log)."""
    with suppress(typer.Exit, OSError):
        say(text, err=err)


def _summary(seen: list[Settled], report: DeliverReport) -> None:
    decided = Counter(s.kind for s in seen)
    sent = Counter(o.queued.letter.kind for o in report.outcomes if o.state is OutboxState.SENT)
    letters = Counter({kind: number for kind, number in sent.items() if kind in LETTERS})
    answers = sent - letters
    _live()
    _live(
        _("{count} mails in: ").format(count=len(seen))
        + _listing((words.word(words.DECISIONS, k), n) for k, n in decided.most_common())
    )
    _live(
        _("{count} answers out: ").format(count=answers.total())
        + _listing((words.answer_name(k), n) for k, n in answers.most_common())
    )
    if letters:
        _live(
            _("{count} letters out: ").format(count=letters.total())
            + _listing((words.word(LETTERS, k), n) for k, n in letters.most_common())
        )
    withheld = sum(
        s.answer.letter is not None and s.answer.state is OutboxState.WITHHELD for s in seen
    )
    if withheld:
        _live(
            _("{count} answers to old mail are withheld: see `mailbot backlog`.").format(
                count=withheld
            )
        )
    for rest in report.rests:
        _live(
            _("Sending from {sender} pauses: {reason}").format(
                sender=rest.sender, reason=rest.reason
            )
        )


def _listing(pairs: Any) -> str:
    return _(", ").join(f"{name} {n}" for name, n in pairs) or _("none")


def _sample_mails() -> Path:
    try:
        return shipped("fixtures") / "emails"
    except FileNotFoundError:
        raise OperatorFault(
            Fault(
                "mailbot demo",
                _("this installation has no sample mails"),
                _("run it in a checkout, or name a folder of .eml files with --mails"),
            )
        ) from None


def _fresh_folder(folder: Path) -> None:
    """Empties what an earlier demo left, and nothing else."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / DEMO_MARK).exists():
            raise OperatorFault(
                Fault(
                    str(folder),
                    _("the folder is not empty and was not made by a demo"),
                    _("choose another with --folder"),
                )
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DEMO_MARK).touch()


def _fill_maildir(maildir: Path, source: Path) -> int:
    """Delivers the sample mails, a minute apart, the last one just now. A mail that follows
    another (`after` in its .toml) comes later."""
    for part in ("tmp", "new", "cur"):
        (maildir / part).mkdir(parents=True)
    files = _in_story_order(sorted(source.glob("*.eml")))
    if not files:
        raise OperatorFault(Fault(str(source), _("there are no .eml files in it")))
    newest: datetime = SystemClock().now()
    for index, file in enumerate(files):
        target = maildir / "new" / f"{index:04d}.{file.stem}.demo"
        shutil.copyfile(file, target)
        stamp = (newest - timedelta(minutes=len(files) - 1 - index)).timestamp()
        os.utime(target, (stamp, stamp))
    return len(files)


def _in_story_order(files: list[Path]) -> list[Path]:
    by_name = {f.stem: f for f in files}
    ordered: dict[str, Path] = {}

    def add(name: str) -> None:
        if name in ordered or name not in by_name:
            return
        story = by_name[name].with_suffix(".toml")
        if story.exists():
            for earlier in tomllib.loads(story.read_text("utf-8")).get("after", []):
                add(earlier)
        ordered[name] = by_name[name]

    for name in by_name:
        add(name)
    return list(ordered.values())
