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

import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import (
    Environment,
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
    nodes,
)
from jinja2.sandbox import SandboxedEnvironment

from mailbot.adapters.i18n import _
from mailbot.adapters.letters.samples import SAMPLES
from mailbot.adapters.letters.text import (
    TemplateFile,
    clean,
    one_line,
    read_templates,
    short,
    tidy,
    when,
)
from mailbot.app.errors import Fault, OperatorFault
from mailbot.core.intake.describe import FIELD_LABELS, SOURCE_LABELS, human_size
from mailbot.core.intake.problems import Problem, ProblemCode
from mailbot.core.letters.answers import (
    Acknowledgement,
    AnswerKind,
    Letter,
    LimitNotice,
    PendingNotice,
    Rendered,
    ReturnNotice,
)
from mailbot.core.subject.model import FieldName, Source

RETURN_BYTES = 2000
"""A send-back's text is shorter than this (UTF-8 octets): it is no use for backscatter."""
SUBJECT_CHARS = 100
SHOWN_ITEMS = 40
"""Items and attachments listed in one acknowledgement; more are counted."""

_SCALES = (1.0, 0.6, 0.35, 0.2)
"""How much of each value is shown at each attempt to keep a send-back small (`brevity` 0 to 3)."""
_SHIPPED = "shipped/"
_KINDS: dict[type[Letter], AnswerKind] = {
    Acknowledgement: AnswerKind.ACKNOWLEDGEMENT,
    ReturnNotice: AnswerKind.RETURN,
    PendingNotice: AnswerKind.PENDING,
    LimitNotice: AnswerKind.LIMIT,
}
_PARTS = ("subject", "txt", "html")
_ALWAYS = {"letter", "brevity", "shown_items", "part", "say"}
"""Names in every template beside the letter's own fields; the last two are imported."""

T = TypeVar("T")


class MailTemplates:
    """Implements `app.ports.Renderer`. `shipped` is the installation's `templates` folder (the
    mail templates lie in its `mail`), `overrides` the folder that holds the offices' folders."""

    def __init__(self, shipped: Path, overrides: Path | None = None) -> None:
        self._shipped = shipped / "mail"
        self._overrides = overrides
        self._offices: dict[str, _Office] = {}

    def render(self, office_id: str, letter: Letter) -> Rendered:
        """Raises `OperatorFault` naming template and line when a template is broken."""
        office = self._office(office_id)
        kind = _KINDS[type(letter)]
        safe = clean(letter)
        return Rendered(
            subject=one_line(office.render(f"{kind}.subject.j2", office.context(safe, 0)))[
                :SUBJECT_CHARS
            ],
            text=self._text(office, kind, safe),
            html=office.render(f"{kind}.html.j2", office.context(safe, 0)).strip() + "\n",
        )

    def check(self, office_id: str) -> list[Fault]:
        """Renders every kind of letter with samples and looks for names no letter has; all faults
        at once, empty when the office's templates are good. Reads the files anew."""
        self._offices.pop(office_id, None)
        try:
            office = self._office(office_id)
        except OperatorFault as fault:
            return list(fault.faults)
        faults = [*office.unknown_files(), *office.unknown_names(), *office.paragraph_faults()]
        for letter in SAMPLES:
            try:
                rendered = self.render(office_id, letter)
            except OperatorFault as fault:
                faults += fault.faults
                continue
            kind = _KINDS[type(letter)]
            if not rendered.subject or not rendered.text.strip():
                name = f"{kind}.{'txt' if rendered.subject else 'subject'}.j2"
                faults.append(Fault(office.where(name), _("renders to nothing")))
            elif isinstance(letter, ReturnNotice) and letter.corrected_subject not in rendered.text:
                faults.append(
                    Fault(
                        office.where(f"{kind}.txt.j2"),
                        _("the corrected subject line is missing or cut off"),
                        _("show {{ corrected_subject }} on a line of its own, early in the letter"),
                    )
                )
        return list(dict.fromkeys(faults))

    def _office(self, office_id: str) -> _Office:
        if office_id not in self._offices:
            own = None
            if self._overrides is not None:
                own = self._overrides / office_id / "templates" / "mail"
            self._offices[office_id] = _Office(
                read_templates(self._shipped), read_templates(own) if own else {}
            )
        return self._offices[office_id]

    def _text(self, office: _Office, kind: AnswerKind, letter: Letter) -> str:
        if kind is not AnswerKind.RETURN:
            return tidy(office.render(f"{kind}.txt.j2", office.context(letter, 0)))
        for brevity in range(len(_SCALES)):
            text = tidy(office.render(f"{kind}.txt.j2", office.context(letter, brevity)))
            if len(text.encode("utf-8")) < RETURN_BYTES:
                return text
        # Only an office's own wording or an endless corrected line comes here.
        return text.encode("utf-8")[: RETURN_BYTES - 8].decode("utf-8", "ignore").rstrip() + "…\n"


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """What a paragraph of `problems.j2` may use."""

    found: str
    options: str
    fields: str


class _Office:
    """One office's templates, compiled when first used: text and HTML apart, so that nothing
    rendered as text can count as escaped HTML."""

    def __init__(self, shipped: dict[str, TemplateFile], own: dict[str, TemplateFile]) -> None:
        self._shipped, self._own = shipped, own
        self._text, self._html = self._environment(html=False), self._environment(html=True)
        self._one_paragraph = self._text.from_string(
            "{% import file as paragraphs %}{{ paragraphs[code](p) }}"
        )
        self._scale = 1.0

    def where(self, name: str, line: int | None = None) -> str:
        source = self._source(name)
        return f"{source.path if source else name}" + (f":{line}" if line else "")

    def render(self, name: str, context: dict[str, Any]) -> str:
        """One template; `brevity` in `context` sets how far `short` shortens."""
        environment = self._html if name.endswith(".html.j2") else self._text
        self._scale = _SCALES[context["brevity"]]
        return self._told(name, lambda: environment.get_template(name).render(context))

    def context(self, letter: Letter, brevity: int) -> dict[str, Any]:
        """The names a template may use: the letter's own fields, `letter`, and a few more."""
        self._scale = _SCALES[brevity]
        names: dict[str, Any] = {f.name: getattr(letter, f.name) for f in fields(letter)}
        if isinstance(letter, ReturnNotice):
            names["problems"] = [self.paragraph(p) for p in letter.problems]
        if isinstance(letter, Acknowledgement):
            people = {(i.submitter, i.contact) for i in letter.items}
            names["same_people"] = len(people) == 1
        return names | {"letter": letter, "brevity": brevity, "shown_items": SHOWN_ITEMS}

    def paragraph(self, problem: Problem) -> str:
        """The office's paragraph for a problem, else the shipped one."""
        for name in ("problems.j2", _SHIPPED + "problems.j2"):
            if problem.code.value in self.paragraph_names(name):
                names = {"file": name, "code": problem.code.value, "p": _paragraph_view(problem)}
                return one_line(self._told(name, partial(self._one_paragraph.render, names)))
        raise OperatorFault(
            Fault(
                self.where("problems.j2"),
                _("no paragraph for {name}").format(name=problem.code.value),
            )
        )

    # --- faults, for `check` ----------------------------------------------------------------

    def unknown_files(self) -> Iterator[Fault]:
        for name, source in self._own.items():
            if name not in self._shipped and not self._included(name):
                yield Fault(
                    str(source.path),
                    _("no letter uses a template of this name"),
                    _("known names: {names}").format(names=", ".join(sorted(self._shipped))),
                )

    def unknown_names(self) -> Iterator[Fault]:
        """Names that no letter of the template's kind has, also in branches no sample takes."""
        for kind_type, kind in _KINDS.items():
            known = {f.name for f in fields(kind_type)} | _ALWAYS
            known |= {"same_people"} if kind is AnswerKind.ACKNOWLEDGEMENT else set()
            for part in _PARTS:
                name = f"{kind}.{part}.j2"
                source = self._source(name)
                if source is None:
                    continue
                try:
                    tree = self._text.parse(source.text, name, str(source.path))
                    undeclared = meta.find_undeclared_variables(tree)
                except TemplateSyntaxError:
                    continue  # told by rendering
                # jinja2 counts a name set inside a fork as undeclared
                own = {n.name for n in tree.find_all(nodes.Name) if n.ctx != "load"}
                for unknown in sorted(undeclared - known - own):
                    yield Fault(
                        self.where(name, _line_of(source.text, unknown)),
                        _("unknown field {name}").format(name=unknown),
                        _("known fields: {names}").format(names=", ".join(sorted(known))),
                    )

    def paragraph_faults(self) -> Iterator[Fault]:
        codes = {c.value for c in ProblemCode}
        try:
            written = set(self.paragraph_names("problems.j2"))
            shipped = set(self.paragraph_names(_SHIPPED + "problems.j2"))
        except OperatorFault as fault:
            yield from fault.faults
            return
        for name in sorted(written - codes):
            yield Fault(
                self.where("problems.j2"), _("no problem is called {name}").format(name=name)
            )
        for name in sorted(codes - written - shipped):
            yield Fault(self.where("problems.j2"), _("no paragraph for {name}").format(name=name))
        for code in ProblemCode:
            for problem in (Problem(code), Problem(code, "示例", ("unit", "备选乙"))):
                try:
                    self.paragraph(problem)
                except OperatorFault as fault:
                    yield from fault.faults

    def paragraph_names(self, name: str) -> list[str]:
        module = self._module(name)
        return [n for n in vars(module) if not n.startswith("_")]

    # --- jinja ------------------------------------------------------------------------------

    def _environment(self, *, html: bool) -> Environment:
        environment = SandboxedEnvironment(
            loader=FunctionLoader(self._load),
            autoescape=html,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(
            short=self._short,
            whole_line=one_line,
            size=human_size,
            when=when,
            day=lambda d: f"{d.year}年{d.month}月{d.day}日",
            month=lambda d: f"{d.year}年{d.month}月",
            label=lambda name: FIELD_LABELS[FieldName(name)],
            source=lambda source: SOURCE_LABELS[Source(source)],
            receipts=lambda numbers: "、".join(numbers[:5]) + ("等" if len(numbers) > 5 else ""),
        )
        return environment

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        source = self._source(name)
        return None if source is None else (source.text, str(source.path), lambda: True)

    def _source(self, name: str) -> TemplateFile | None:
        if name.startswith(_SHIPPED):
            return self._shipped.get(name.removeprefix(_SHIPPED))
        return self._own.get(name) or self._shipped.get(name)

    def _included(self, name: str) -> bool:
        return any(name in s.text for n, s in self._own.items() if n != name)

    def _module(self, name: str) -> Any:
        return self._told(name, lambda: self._text.get_template(name).module)

    def _short(self, value: object, chars: int) -> str:
        """At most `chars` characters (fewer when the letter must be brief), links cut out."""
        return short(str(value), max(6, int(chars * self._scale)))

    def _told(self, name: str, action: Callable[[], T]) -> T:
        """`action`, its exceptions told as the operator's fault with file and line."""
        try:
            return action()
        except TemplateSyntaxError as error:
            place, line = error.filename or error.name or name, error.lineno
            found = _("not a valid template: {error}").format(error=error.message)
            raise OperatorFault(Fault(f"{place}:{line}", found)) from error
        except TemplateNotFound as error:
            raise OperatorFault(
                Fault(self.where(name), _("there is no template {name}").format(name=error.name))
            ) from error
        except OperatorFault:
            raise
        except Exception as error:  # whatever a template can do wrong while it runs
            place = self._place(error) or self.where(name)
            kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
            raise OperatorFault(Fault(place, f"{kind}{error}")) from error

    def _place(self, error: Exception) -> str | None:
        """File and line of the innermost template in the traceback (jinja2 maps them)."""
        paths = {str(s.path) for s in (*self._shipped.values(), *self._own.values())}
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in paths]
        return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None


def _paragraph_view(problem: Problem) -> _Paragraph:
    labels = {f.value: FIELD_LABELS[f] for f in FieldName}
    named = tuple(labels[c] for c in problem.candidates if c in labels)
    # Field names are no candidates where the problem is about fields.
    options = () if problem.code is ProblemCode.FIELDS_ELSEWHERE else problem.candidates
    clean = [one_line(o) for o in options[:5]]
    return _Paragraph(one_line(problem.found), "、".join(c for c in clean if c), "、".join(named))


def _line_of(text: str, name: str) -> int:
    word = re.compile(rf"\b{re.escape(name)}\b")
    return next((n for n, line in enumerate(text.splitlines(), 1) if word.search(line)), 1)
