"""`notices template`: a Word template for an office to make its own, and what is wrong with one."""

from __future__ import annotations

from typing import Annotated

import typer

from mailbot.adapters.i18n import _
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.adapters.word.offices import letters_with_documents, template_faults
from mailbot.app.errors import Fault, OperatorFault
from mailbot.cli.context import say, settings


def template(
    office: Annotated[str, typer.Argument(help=_("The office."))],
    letter: Annotated[
        str, typer.Argument(help=_("The letter to print on it; default: lists them, and checks."))
    ] = "",
) -> None:
    folder = settings().offices_dir
    if not (folder / office).is_dir():
        raise OperatorFault(Fault(office, _("no such office"), str(folder)))
    book = load_office(folder / office)
    known = letters_with_documents(book)
    if letter:
        if letter not in known:
            raise OperatorFault(Fault(letter, _("no letter of this name"), "、".join(known)))
        _write(office, letter)
    faults = template_faults(folder, book)
    if faults:
        raise OperatorFault(*faults)
    for name, title in known.items():
        own = folder / office / "templates" / "word" / f"{name}.docx"
        say(f"{name}  {title}  " + (str(own) if own.exists() else _("the official layout")))


def _write(office: str, letter: str) -> None:
    from mailbot.adapters.sheets import replacing
    from mailbot.adapters.word.example import example
    from mailbot.adapters.word.own import template_path

    path = template_path(settings().offices_dir, office, letter)
    if path.exists():
        raise OperatorFault(
            Fault(str(path), _("there is a template already"), _("edit it, or move it away first"))
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as written:
            written.write_bytes(example())
    except OSError as error:
        raise OperatorFault(Fault(str(path), str(error.strerror or error))) from error
    say(_("Written: {path}. Open it in Word; the grey lines at its end say how.").format(path=path))
