"""One office's mail templates: found, compiled, rendered with a letter's values.

Text and HTML are compiled apart, so that nothing rendered as text can count as escaped HTML. What
goes wrong in a template is told as the operator's fault with file and line.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, TypeVar

from jinja2 import (
    Environment,
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    nodes,
)
from jinja2.sandbox import SandboxedEnvironment

from mailbot.adapters.i18n import _
from mailbot.adapters.letters.text import (
    TemplateFile,
    clock,
    code_shown,
    day,
    one_line,
    short,
    short_day,
    when,
)
from mailbot.app.errors import Fault, OperatorFault
from mailbot.core.intake.describe import FIELD_LABELS, SOURCE_LABELS, human_size
from mailbot.core.intake.problems import Problem, ProblemCode
from mailbot.core.letters.answers import Acknowledgement, ReturnNotice
from mailbot.core.letters.every import Letter
from mailbot.core.rules.numbers import plain, signed
from mailbot.core.subject.model import FieldName, Source

SHIPPED = "shipped/"
"""Before a template's name: the one of the installation, whatever the office has."""
SCALES = (1.0, 0.6, 0.35, 0.2)
"""How much of each value is shown at each attempt to keep a send-back small (`brevity` 0 to 3)."""
SHOWN_ITEMS = 40
"""Items and attachments listed in one acknowledgement; more are counted."""
SHOWN_LINES = 200
"""Lines of a table in the other letters, which have no such limit of size: all units of a district
stand in one summary, a busy unit's whole month in one account."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """What a paragraph of `problems.j2` may use."""

    found: str
    options: str
    fields: str


class OfficeTemplates:
    """The office's own files by name before the shipped ones; compiled when first used."""

    def __init__(self, shipped: dict[str, TemplateFile], own: dict[str, TemplateFile]) -> None:
        self.shipped, self.own = shipped, own
        self._text, self._html = self._environment(html=False), self._environment(html=True)
        self._one_paragraph = self._text.from_string(
            "{% import file as paragraphs %}{{ paragraphs[code](p) }}"
        )
        self._scale = 1.0

    def parse(self, name: str) -> nodes.Template:
        """Raises TemplateSyntaxError."""
        source = self.source(name)
        assert source is not None, f"no template {name}"
        return self._text.parse(source.text, name, str(source.path))

    def where(self, name: str, line: int | None = None) -> str:
        source = self.source(name)
        return f"{source.path if source else name}" + (f":{line}" if line else "")

    def render(self, name: str, context: dict[str, Any]) -> str:
        """One template; `brevity` in `context` sets how far `short` shortens."""
        environment = self._html if name.endswith(".html.j2") else self._text
        self._scale = SCALES[context["brevity"]]
        return self._told(name, lambda: environment.get_template(name).render(context))

    def context(self, letter: Letter, brevity: int) -> dict[str, Any]:
        """The names a template may use: the letter's own fields, `letter`, and a few more."""
        self._scale = SCALES[brevity]
        names: dict[str, Any] = {f.name: getattr(letter, f.name) for f in fields(letter)}
        if isinstance(letter, ReturnNotice):
            names["problems"] = [self.paragraph(p) for p in letter.problems]
        if isinstance(letter, Acknowledgement):
            people = {(i.submitter, i.contact) for i in letter.items}
            names["same_people"] = len(people) == 1
        return names | {
            "letter": letter,
            "brevity": brevity,
            "shown_items": SHOWN_ITEMS,
            "shown_lines": SHOWN_LINES,
        }

    def paragraph(self, problem: Problem) -> str:
        """The office's paragraph for a problem, else the shipped one."""
        for name in ("problems.j2", SHIPPED + "problems.j2"):
            if problem.code.value in self.paragraph_names(name):
                names = {"file": name, "code": problem.code.value, "p": _paragraph_view(problem)}
                return one_line(self._told(name, partial(self._one_paragraph.render, names)))
        raise OperatorFault(
            Fault(
                self.where("problems.j2"),
                _("no paragraph for {name}").format(name=problem.code.value),
            )
        )

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
            day=day,
            clock=clock,
            short_day=short_day,
            plain=plain,
            signed=signed,
            code=code_shown,
            month=lambda d: f"{d.year}年{d.month}月",
            label=lambda name: FIELD_LABELS[FieldName(name)],
            source=lambda source: SOURCE_LABELS[Source(source)],
            receipts=lambda numbers: "、".join(numbers[:5]) + ("等" if len(numbers) > 5 else ""),
        )
        return environment

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        source = self.source(name)
        return None if source is None else (source.text, str(source.path), lambda: True)

    def source(self, name: str) -> TemplateFile | None:
        if name.startswith(SHIPPED):
            return self.shipped.get(name.removeprefix(SHIPPED))
        return self.own.get(name) or self.shipped.get(name)

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
        paths = {str(s.path) for s in (*self.shipped.values(), *self.own.values())}
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in paths]
        return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None


def _paragraph_view(problem: Problem) -> _Paragraph:
    labels = {f.value: FIELD_LABELS[f] for f in FieldName}
    named = tuple(labels[c] for c in problem.candidates if c in labels)
    # Field names are no candidates where the problem is about fields.
    options = () if problem.code is ProblemCode.FIELDS_ELSEWHERE else problem.candidates
    clean = [one_line(o) for o in options[:5]]
    return _Paragraph(one_line(problem.found), "、".join(c for c in clean if c), "、".join(named))
