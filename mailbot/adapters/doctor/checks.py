"""The check-up behind `mailbot doctor`: every part mailbot needs, in the order it needs them.

Promises: nothing is created, migrated, moved or sent; every failure says what to do; a part that
cannot be looked at because another failed is skipped and says so; a fault of ours in one check is
that check's failure, not the end of the others. Mailboxes are looked at by `checks_mail`.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailbot.adapters.db import dialect, migrate
from mailbot.adapters.db.engine import open_store
from mailbot.adapters.db.faults import world_fault
from mailbot.adapters.db.tables import HEAD
from mailbot.adapters.doctor.mail import check_mailbox
from mailbot.adapters.doctor.remedies import explain
from mailbot.adapters.doctor.watch import check_watching
from mailbot.adapters.i18n import N_, _
from mailbot.adapters.letters.render import MailTemplates
from mailbot.adapters.offices.calendar import WorkingCalendar
from mailbot.adapters.offices.rulefiles import load_offices
from mailbot.adapters.sandbox import SandboxedReader
from mailbot.adapters.settings.model import Settings, load_settings
from mailbot.adapters.word.offices import template_faults
from mailbot.app.doctor import Check, State
from mailbot.app.errors import OperatorFault, WorldFault
from mailbot.app.ports import Clock

MINIMUM_PYTHON = (3, 11)
COMFORT_BYTES = 1_000_000_000
"""Free space below which a warning is due."""
_TINY_MAIL = b"Subject: =?gb2312?B?suLK1A==?=\r\n\r\nmailbot doctor\r\n"
_TINY_SUBJECT = "测试"

Finding = tuple[State, str, str]
"""State, what was found, what to do."""


def run_checks(config: Path | None, clock: Clock, *, alerts: bool = False) -> Iterator[Check]:
    """All checks, one by one as they are done. `config` as for `load_settings`; `alerts`: a test
    message goes over every second channel."""
    yield _python()
    try:
        settings = load_settings(config)
    except OperatorFault as fault:
        title = _("configuration")
        for f in fault.faults:
            yield Check("settings", title, State.FAIL, f"{f.where}: {f.found}", f.remedy)
        why = _("the configuration has faults")
        for name, part, _check in _PARTS:
            yield Check(name, _(part), State.SKIP, why)
        return
    yield _settings(settings)
    for name, part, check in _PARTS:
        yield from _guarded(name, _(part), partial(check, settings, clock))
    for box in settings.mailboxes:
        yield from check_mailbox(box, clock)
    yield from check_watching(settings, clock, send=alerts)


def _guarded(name: str, title: str, check: Callable[[], Finding]) -> Iterator[Check]:
    """One part; whatever its check raises is its finding, each operator's fault a line of its
    own."""
    try:
        yield Check(name, title, *check())
    except OperatorFault as fault:
        for f in fault.faults:
            yield Check(name, title, State.FAIL, f"{f.where}: {f.found}", f.remedy)
    except WorldFault as fault:
        words = explain(fault)
        yield Check(name, title, State.FAIL, words.found, words.remedy)
    except Exception as error:
        found = _("the check itself broke: {error}").format(
            error=f"{type(error).__name__}: {error}"
        )
        yield Check(name, title, State.FAIL, found, _("report this with the whole output"))


# --- before and around the settings ---------------------------------------------------------


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= MINIMUM_PYTHON:
        return Check("python", "Python", State.OK, version)
    wanted = ".".join(map(str, MINIMUM_PYTHON))
    return Check(
        "python",
        "Python",
        State.FAIL,
        version,
        _("mailbot needs Python {version} or later").format(version=wanted),
    )


def _settings(settings: Settings) -> Check:
    title = _("configuration")
    if settings.file is None:
        return Check(
            "settings",
            title,
            State.FAIL,
            _("there is no configuration file yet"),
            _("run: mailbot init"),
        )
    if not settings.mailboxes:
        return Check(
            "settings",
            title,
            State.FAIL,
            _("{file}: no mailbox is set up").format(file=settings.file),
            _("run: mailbot init"),
        )
    names = ", ".join(f"{box.name} <{box.address}>" for box in settings.mailboxes)
    return Check("settings", title, State.OK, f"{settings.file} ({names})")


# --- this machine ---------------------------------------------------------------------------


def _offices(settings: Settings, clock: Clock) -> Finding:
    names = settings.offices or _shipped_offices(settings)
    books = load_offices(settings.offices_dir, names)
    units = sum(len(book.roster.units) for book in books.values())
    day = clock.now().date()
    for book in books.values():  # a missing rule is an error, never zero
        book.convention_on(day)
        book.categories_on(day)
    found = _("{offices} ({n} units)").format(
        offices="、".join(book.info.name for book in books.values()), n=units
    )
    return State.OK, found, ""


def _shipped_offices(settings: Settings) -> tuple[str, ...]:
    return tuple(
        sorted(d.name for d in settings.offices_dir.iterdir() if (d / "office.toml").is_file())
    )


def _templates(settings: Settings, clock: Clock) -> Finding:
    templates = MailTemplates(settings.templates_dir, settings.offices_dir)
    names = settings.offices or _shipped_offices(settings)
    faults = [fault for name in names for fault in templates.check(name)]
    for book in load_offices(settings.offices_dir, names).values():
        faults += template_faults(settings.offices_dir, book)
    if faults:
        raise OperatorFault(*dict.fromkeys(faults))
    return State.OK, str(settings.templates_dir), ""


def _data_dir(settings: Settings, clock: Clock) -> Finding:
    folder = settings.data_dir
    nearest = next(p for p in (folder, *folder.parents) if p.exists())
    if not nearest.is_dir():
        return (
            State.FAIL,
            _("{path} is a file, not a folder").format(path=nearest),
            _("correct data_dir"),
        )
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        return (
            State.FAIL,
            _("{path} cannot be written: {error}").format(path=nearest, error=error.strerror),
            _("sudo chown -R {user} {path}, and look at the disk: df -h").format(
                user=os.geteuid(), path=nearest
            ),
        )
    if nearest != folder:
        return State.OK, _("{path} will be created at the first start").format(path=folder), ""
    foreign = [p for p in folder.iterdir() if not os.access(p, os.R_OK | os.W_OK)]
    if foreign:
        return (
            State.FAIL,
            _("files of another user: {names}").format(
                names=", ".join(p.name for p in foreign[:5])
            ),
            _("sudo chown -R {user} {path}, and look at the disk: df -h").format(
                user=os.geteuid(), path=folder
            ),
        )
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        return (
            State.WARN,
            _("{path}: other users of this machine can look inside (mode {mode:04o})").format(
                path=folder, mode=mode
            ),
            f"chmod 700 {folder}",
        )
    return State.OK, str(folder), ""


def _disk(settings: Settings, clock: Clock) -> Finding:
    folder = settings.data_dir
    nearest = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(nearest).free
    found = _("{n} MB free at {path}").format(n=free // 1_000_000, path=nearest)
    remedy = _("make room: old logs, old backups; mailbot deletes nothing by itself")
    if free < settings.max_mail_mb * 1_500_000:  # one and a half of the largest mail
        return State.FAIL, found, remedy
    if free < COMFORT_BYTES:
        return State.WARN, found, remedy
    return State.OK, found, ""


def _database(settings: Settings, clock: Clock) -> Finding:
    """Reads only: an old version is told, not upgraded."""
    engine = dialect.make_engine(settings.database)
    try:
        path = dialect.database_path(engine)
        shown = str(path) if path else engine.url.render_as_string(hide_password=True)
        if path is not None and not path.exists():
            return State.OK, _("{path} will be created at the first start").format(path=path), ""
        try:
            with engine.connect() as connection:
                version = migrate.version_of(connection)
        except OperatorFault:
            raise
        except Exception as error:
            fault = world_fault(getattr(error, "orig", None) or error)
            if fault is None:
                raise
            raise fault from error
    finally:
        engine.dispose()
    if version is None:
        return State.OK, _("{path} is empty, filled at the first start").format(path=shown), ""
    if version != HEAD and version in _known_versions():
        return (
            State.WARN,
            _("{path}: version {found}, this mailbot uses {wanted}").format(
                path=shown, found=version, wanted=HEAD
            ),
            _("make a backup; the next mailbot run or mailbot once upgrades it"),
        )
    if version != HEAD:
        return (
            State.FAIL,
            _("{path}: version {found} is newer than this mailbot (up to {wanted})").format(
                path=shown, found=version, wanted=HEAD
            ),
            _("start the newer mailbot again, or restore the backup made before its upgrade"),
        )
    store = open_store(settings.database, create=False)
    try:
        damage = store.check()
    finally:
        store.close()
    if damage:
        return (
            State.FAIL,
            _("{path} is damaged: {what}").format(path=shown, what="; ".join(damage[:3])),
            _("stop mailbot, keep the damaged file for a look, and restore the last backup"),
        )
    return State.OK, _("{path} (version {version})").format(path=shown, version=version), ""


def _known_versions() -> set[str]:
    """Revision files are named `<revision>_<words>.py`."""
    return {p.name.split("_")[0] for p in (migrate.SCRIPTS / "versions").glob("[0-9]*.py")}


def _reader(settings: Settings, clock: Clock) -> Finding:
    """A tiny mail through the child, with the limits of real work."""
    reader = SandboxedReader(seconds=settings.reader_seconds, memory_mb=settings.reader_memory_mb)
    try:
        mail = reader.read(_TINY_MAIL)
    finally:
        reader.close()
    if mail.subject != _TINY_SUBJECT:
        return (
            State.FAIL,
            _("the child that reads mail does not work: {defects}").format(
                defects=", ".join(f"{d.code} {d.detail}" for d in mail.defects)
                or repr(mail.subject)
            ),
            _("raise reader_memory_mb; look at the limits of this machine (ulimit -a)"),
        )
    return State.OK, _("reads mail in a child process with limits"), ""


def _time(settings: Settings, clock: Clock) -> Finding:
    """The time zone's data is there, and the clock is not behind what was already written here."""
    now = clock.now()
    try:
        zone = ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        return State.FAIL, _("the time zone Asia/Shanghai is missing"), "apt install tzdata"
    if now.astimezone(zone).utcoffset() != timedelta(hours=8):
        return State.FAIL, _("Asia/Shanghai is not eight hours ahead"), "apt install tzdata"
    newest = _newest_file(settings.data_dir, zone)
    if newest is not None and newest - now > timedelta(minutes=2):
        return (
            State.FAIL,
            _("the clock says {now}, but a file here was written at {newest}").format(
                now=_stamp(now), newest=_stamp(newest)
            ),
            _("set the clock: sudo timedatectl set-ntp true, then look at: timedatectl"),
        )
    return State.OK, _("{now} (Asia/Shanghai)").format(now=_stamp(now)), ""


def _holidays(settings: Settings, clock: Clock) -> Finding:
    overrides = settings.config_dir / "holidays.toml"
    calendar = WorkingCalendar(overrides if overrides.exists() else None)
    covered = _("known up to {day}").format(day=calendar.covered_until.isoformat())
    warnings = calendar.warnings(clock.now().date())
    if warnings:
        remedy = _("enter the announced days in {file}").format(file=overrides)
        return State.WARN, "；".join(warnings), remedy
    return State.OK, covered, ""


def _newest_file(folder: Path, zone: ZoneInfo) -> datetime | None:
    try:
        times = [p.stat().st_mtime for p in folder.iterdir() if p.is_file()]
    except OSError:
        return None
    return datetime.fromtimestamp(max(times), zone) if times else None


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


_PARTS: tuple[tuple[str, str, Callable[[Settings, Clock], Finding]], ...] = (
    ("offices", N_("office data"), _offices),
    ("templates", N_("mail templates"), _templates),
    ("data_dir", N_("data folder"), _data_dir),
    ("disk", N_("disk space"), _disk),
    ("database", N_("database"), _database),
    ("reader", N_("reading child"), _reader),
    ("time", N_("clock and time zone"), _time),
    ("holidays", N_("holidays and working days"), _holidays),
)
