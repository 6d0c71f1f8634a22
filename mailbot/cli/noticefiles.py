"""The files that go in and out with a draft: its documents, the office's own one, text messages."""

from __future__ import annotations

from pathlib import Path

from mailbot.adapters.i18n import _
from mailbot.adapters.sheets import Cell, Sheet, replacing, write_csv, write_xlsx
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.letter_records import DraftFile
from mailbot.app.notices.files import MAX_DOCUMENT
from mailbot.app.notices.sms import Messages
from mailbot.cli import context
from mailbot.cli.context import say


def read_document(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_DOCUMENT + 1)
    except OSError as error:
        raise OperatorFault(
            Fault(
                str(path),
                _("cannot be read ({why})").format(why=context.why(error)),
                _("close it in Word, and check its name"),
            )
        ) from None


def write_files(folder: Path, files: list[DraftFile]) -> int:
    """All of them, or none: somebody may have filled in one that is there already. What was written
    there of another draft has other names (`exported`)."""
    named: dict[Path, bytes] = {}
    for file in files:
        named[_free(folder / file.name, named)] = file.content
    there = [path for path in named if path.exists()]
    if there:
        raise OperatorFault(
            *(
                Fault(
                    str(p),
                    _("the file is there already"),
                    _("name another folder, or move it away"),
                )
                for p in there
            )
        )
    path = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in named.items():
            with replacing(path) as written:
                written.write_bytes(content)
    except OSError as error:
        raise _unwritable(path, error) from None
    return len(named)


def _free(path: Path, taken: dict[Path, bytes]) -> Path:
    number, free = 1, path
    while free in taken:
        number += 1
        free = path.with_stem(f"{path.stem}({number})")
    return free


def export(csv: Path | None, xlsx: Path | None, found: Messages) -> None:
    path = csv or xlsx
    assert path is not None, "one of them is given"
    if xlsx is not None and xlsx.suffix.lower() != ".xlsx":
        raise OperatorFault(
            Fault(str(path), _("this is no name of an Excel file"), _("let it end in .xlsx"))
        )
    if path.is_dir():
        raise OperatorFault(
            Fault(str(path), _("this is a folder"), _("name the file to write, e.g. sms.csv"))
        )
    heads = [_("Name"), _("Mobile"), _("Text"), _("Characters"), _("Messages"), _("Unit")]
    rows: list[list[Cell]] = [
        [m.name, m.phone, m.text, m.length, m.parts, m.unit] for m in found.sendable
    ]
    try:
        if csv is not None:
            count = write_csv(path, heads, rows)
        else:
            without: list[list[Cell]] = [[m.unit, m.name, m.why, m.text] for m in found.others]
            others = Sheet(_("No mobile"), [_("Unit"), _("Name"), _("Reason"), _("Text")], without)
            sheets = [Sheet(_("Text messages"), heads, rows), *([others] if without else [])]
            count = write_xlsx(path, sheets) - len(without)
    except OSError as error:
        raise _unwritable(path, error) from None
    say(_("{count} rows written to {path}.").format(count=count, path=path))


def _unwritable(path: Path, error: OSError) -> OperatorFault:
    return OperatorFault(
        Fault(
            str(path),
            _("cannot be written ({why})").format(why=context.why(error)),
            _("name a file in a folder that exists and that you may write to"),
        )
    )
