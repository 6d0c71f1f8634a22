"""Letters become Chinese text and HTML through `templates/mail/`, which an office may override.

What this module promises beside `app.ports.Renderer`:

* What a stranger wrote is shown, never run: templates are sandboxed and single pass, HTML is
  escaped, control and direction characters are gone, addresses of web pages in titles are cut out
  (nobody advertises through our answers).
* A send-back's text stays under `RETURN_BYTES`: values are shortened further, then the example is
  left out, until it fits.
* Templates are read once, whole: a file that is being edited changes nothing until the operator
  reloads, and an office's broken template is named with file and line before it is used.

An office overrides a template by a file of the same name in `<offices>/<office>/templates/mail/`.
Its file can build on the shipped one: `{% extends "shipped/return.html.j2" %}`. Of `problems.j2`
it need only hold the paragraphs it words differently. What is said when is not decided here.
"""

from __future__ import annotations

from pathlib import Path

from mailbot.adapters.i18n import _
from mailbot.adapters.letters.checks import file_faults
from mailbot.adapters.letters.names import REPLIES, TEMPLATE_NAMES
from mailbot.adapters.letters.office_templates import SCALES, OfficeTemplates
from mailbot.adapters.letters.samples import SAMPLES
from mailbot.adapters.letters.text import clean, one_line, read_templates, tidy
from mailbot.app.errors import Fault, OperatorFault
from mailbot.core.letters.answers import Rendered, ReturnNotice
from mailbot.core.letters.every import Letter

RETURN_BYTES = 2000
"""A send-back's text is shorter than this (UTF-8 octets): it is no use for backscatter."""
SUBJECT_CHARS = 100


class MailTemplates:
    """Implements `app.ports.Renderer`. `shipped` is the installation's `templates` folder (the
    mail templates lie in its `mail`), `overrides` the folder that holds the offices' folders."""

    def __init__(self, shipped: Path, overrides: Path | None = None) -> None:
        self._shipped = shipped / "mail"
        self._overrides = overrides
        self._offices: dict[str, OfficeTemplates] = {}

    def render(self, office_id: str, letter: Letter) -> Rendered:
        """Raises `OperatorFault` naming template and line when a template is broken."""
        office = self._office(office_id)
        name = TEMPLATE_NAMES[type(letter)]
        safe = clean(letter)
        subject = one_line(office.render(f"{name}.subject.j2", office.context(safe, 0)))
        return Rendered(
            subject=subject
            if len(subject) <= SUBJECT_CHARS
            else subject[: SUBJECT_CHARS - 1] + "…",
            text=self._text(office, name, safe),
            html=office.render(f"{name}.html.j2", office.context(safe, 0)).strip() + "\n",
        )

    def check(self, office_id: str, *, replies_only: bool = False) -> list[Fault]:
        """Renders every kind of letter with samples and looks for names no letter has; all faults
        at once, empty when the office's templates are good. Reads the files anew. `replies_only`:
        only what is written while mail is being taken in."""
        letters = REPLIES if replies_only else TEMPLATE_NAMES
        self._offices.pop(office_id, None)
        try:
            office = self._office(office_id)
        except OperatorFault as fault:
            return list(fault.faults)
        faults = list(file_faults(office, letters))
        for letter in SAMPLES:
            if type(letter) not in letters:
                continue
            try:
                rendered = self.render(office_id, letter)
            except OperatorFault as fault:
                faults += fault.faults
            else:
                faults += _rendered_faults(office, letter, rendered)
        return list(dict.fromkeys(faults))

    def _office(self, office_id: str) -> OfficeTemplates:
        if office_id not in self._offices:
            own = None
            if self._overrides is not None:
                own = self._overrides / office_id / "templates" / "mail"
            self._offices[office_id] = OfficeTemplates(
                read_templates(self._shipped), read_templates(own) if own else {}
            )
        return self._offices[office_id]

    def _text(self, office: OfficeTemplates, name: str, letter: Letter) -> str:
        if not isinstance(letter, ReturnNotice):
            return tidy(office.render(f"{name}.txt.j2", office.context(letter, 0)))
        for brevity in range(len(SCALES)):
            text = tidy(office.render(f"{name}.txt.j2", office.context(letter, brevity)))
            if len(text.encode("utf-8")) < RETURN_BYTES:
                return text
        # Only an office's own wording or an endless corrected line comes here.
        return text.encode("utf-8")[: RETURN_BYTES - 8].decode("utf-8", "ignore").rstrip() + "…\n"


def _rendered_faults(office: OfficeTemplates, letter: Letter, rendered: Rendered) -> list[Fault]:
    """What a letter must hold whatever the office's wording."""
    name = TEMPLATE_NAMES[type(letter)]
    if not rendered.subject:
        return [Fault(office.where(f"{name}.subject.j2"), _("renders to nothing"))]
    if not rendered.text.strip():
        return [Fault(office.where(f"{name}.txt.j2"), _("renders to nothing"))]
    if isinstance(letter, ReturnNotice) and letter.corrected_subject not in rendered.text:
        return [
            Fault(
                office.where(f"{name}.txt.j2"),
                _("the corrected subject line is missing or cut off"),
                _("show {{ corrected_subject }} on a line of its own, early in the letter"),
            )
        ]
    return []
