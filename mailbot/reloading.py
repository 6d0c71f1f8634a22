"""Settings, offices' data and templates afresh, in a running installation (SIGHUP).

All or nothing: everything is read and checked as at a start (the cases too, and every template by
rendering it), then the new `Office` replaces the old one between two passes. With a single fault, or
when a file changed while it was being read, nothing is replaced: the old data go on serving, all
faults are in the log, and somebody is told (board, key `config`). Nothing is read from the files
between two reloads, so a file that is being edited changes no answer.

What connections, the database or threads were made from counts only after a restart; such changes are
named and otherwise left alone.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mailbot.adapters.letters.render import MailTemplates
from mailbot.adapters.offices.rulefiles import load_offices
from mailbot.adapters.offices.selftest import failing_cases
from mailbot.adapters.settings.model import Settings, load_settings
from mailbot.adapters.word.offices import template_faults
from mailbot.app.board import Board
from mailbot.app.errors import Fault, OperatorFault
from mailbot.bootstrap import Office, working_calendar

log = logging.getLogger(__name__)

KEY = "config"
"""The board's key."""
_AFTER_RESTART = (
    "data_dir",
    "database_url",
    "archive",
    "secret_file",
    "lease_seconds",
    "reader_processes",
    "health",
    "health_remote",
    "alerts",
    "log_level",
    "log_format",
    "log_redact",
)
"""Keys beside `mailboxes` that something was made from at the start."""
_SHOWN = 3
"""Faults told in the alert; the log has them all."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    office: Office
    after_restart: tuple[str, ...]
    """Keys and mailboxes whose change waits for a restart."""


def renewed(office: Office, board: Board) -> Office:
    """The office to go on with: the new one, or the old one where anything is wrong. Tells either
    in the log and on the board."""
    try:
        found = reload(office)
    except Exception as bug:
        if not isinstance(bug, OperatorFault):
            log.exception("not reloaded: a fault in mailbot itself")
            text = f"重新载入配置时程序自身出错（{type(bug).__name__}），继续使用原来的配置。"
            board.note(KEY, text + "请把日志交给维护人员。", office.clock.now())
            return office
        fault = bug
        for one in fault.faults:
            log.error("not reloaded: %s", one)
        shown = "；".join(str(one) for one in fault.faults[:_SHOWN])
        more = f" 等共 {len(fault.faults)} 处" if len(fault.faults) > _SHOWN else ""
        text = f"重新载入配置时发现错误，继续使用原来的配置：{shown}{more}。"
        board.note(KEY, text + "改好后再次载入：systemctl reload mailbot。", office.clock.now())
        return office
    board.clear(KEY)
    log.info("reloaded: settings, office data, templates")
    for name in found.after_restart:
        log.warning("changed, counts after a restart only: %s", name)
    return found.office


def reload(office: Office) -> Reloaded:
    """Reads everything again. Raises `OperatorFault` with all faults; the office given stays as it
    is in any case."""
    faults: list[Fault] = []
    old = office.settings
    fresh = old
    try:
        fresh = load_settings(old.file)
    except OperatorFault as error:
        faults += error.faults  # the old settings serve to find the other files' faults
    kept = ("mailboxes", *_AFTER_RESTART)
    settings = fresh.model_copy(update={name: getattr(old, name) for name in kept})
    before = _print(settings)
    books, calendar = office.books, office.calendar
    try:
        books = load_offices(settings.offices_dir, settings.offices)
        calendar = working_calendar(settings)
        faults += failing_cases(settings.offices_dir, books, calendar.is_working_day)
        for book in books.values():
            faults += template_faults(settings.offices_dir, book)
    except OperatorFault as error:
        faults += error.faults
    templates = MailTemplates(settings.templates_dir, settings.offices_dir)
    for name in books:
        faults += templates.check(name)
    if _print(settings) != before:
        found = "文件在读取时又被改动了"
        faults.append(Fault(str(settings.config_dir), found, "等文件都写完，再重新载入一次"))
    if faults:
        raise OperatorFault(*dict.fromkeys(faults))
    new = dataclasses.replace(office, settings=settings, books=books, calendar=calendar)
    new.use_templates(templates)
    return Reloaded(new, tuple(_waiting(old, fresh)))


def _waiting(old: Settings, fresh: Settings) -> Iterator[str]:
    for name in _AFTER_RESTART:
        if getattr(old, name) != getattr(fresh, name):
            yield name
    was = {box.name: box for box in old.mailboxes}
    now = {box.name: box for box in fresh.mailboxes}
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            yield f"mailboxes[{name}]"


def _print(settings: Settings) -> frozenset[tuple[str, int, int, int]]:
    """What tells that one of the files was changed, replaced, added or removed."""
    roots = [settings.offices_dir / office for office in settings.offices]
    roots += [settings.templates_dir, settings.config_dir / "holidays.toml"]
    if settings.file is not None:
        roots.append(settings.file)
    return frozenset(_marks(roots))


def _marks(roots: list[Path]) -> Iterator[tuple[str, int, int, int]]:
    for root in roots:
        for path in (root, *(root.rglob("*") if root.is_dir() else ())):
            try:
                status = path.stat()
            except OSError:
                continue  # gone meanwhile: its absence tells
            yield str(path), status.st_mtime_ns, status.st_size, status.st_ino
