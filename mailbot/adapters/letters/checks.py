"""What is wrong with an office's mail templates, told before a letter is made from them.

Rendering the samples finds what breaks. This module finds what the samples need not meet: files no
letter uses, paragraphs of no problem, and names no letter has, also in branches no sample takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import get_type_hints

from jinja2 import TemplateSyntaxError, meta, nodes

from mailbot.adapters.i18n import _
from mailbot.adapters.letters.names import PARTS, TEMPLATE_NAMES, known_names
from mailbot.adapters.letters.office_templates import SHIPPED, OfficeTemplates
from mailbot.app.errors import Fault, OperatorFault
from mailbot.core.intake.problems import Problem, ProblemCode
from mailbot.core.letters.every import Letter


def file_faults(
    office: OfficeTemplates, letters: Mapping[type[Letter], str] = TEMPLATE_NAMES
) -> Iterator[Fault]:
    """Everything that can be told about the templates of `letters` without rendering one."""
    yield from _unknown_files(office)
    for letter, name in letters.items():
        for part in PARTS:
            file = f"{name}.{part}.j2"
            if office.source(file) is not None:  # one that is gone is told by rendering
                yield from _unknown_names(office, letter, file)
    yield from _paragraph_faults(office)


def _unknown_files(office: OfficeTemplates) -> Iterator[Fault]:
    for name, source in office.own.items():
        included = any(name in s.text for n, s in office.own.items() if n != name)
        if name not in office.shipped and not included:
            yield Fault(
                str(source.path),
                _("no letter uses a template of this name"),
                _("known names: {names}").format(names=", ".join(sorted(office.shipped))),
            )


def _unknown_names(office: OfficeTemplates, letter: type[Letter], name: str) -> Iterator[Fault]:
    try:
        tree = office.parse(name)
        undeclared = meta.find_undeclared_variables(tree)
    except TemplateSyntaxError:
        return  # told by rendering
    # jinja2 counts a name set inside a fork as undeclared
    own = {n.name for n in tree.find_all(nodes.Name) if n.ctx != "load"}
    known = known_names(letter)
    for unknown in sorted(undeclared - known - own):
        yield _unknown(office, name, unknown, known)
    for holder, its in _holders(letter):
        if holder in own:
            continue
        for attribute in tree.find_all(nodes.Getattr):
            node = attribute.node
            of_holder = isinstance(node, nodes.Name) and node.name == holder
            if of_holder and attribute.attr not in its:
                yield _unknown(office, name, f"{holder}.{attribute.attr}", its)


def _holders(letter: type[Letter]) -> Iterator[tuple[str, set[str]]]:
    """Names that hold fields of their own, with those fields: `letter`, `office`, a cover's
    `line`."""
    yield "letter", {f.name for f in fields(letter)}
    for name, kind in get_type_hints(letter).items():
        if isinstance(kind, type) and is_dataclass(kind):
            yield name, {f.name for f in fields(kind)}


def _unknown(office: OfficeTemplates, name: str, unknown: str, known: set[str]) -> Fault:
    source = office.source(name)
    return Fault(
        office.where(name, _line_of(source.text if source else "", unknown)),
        _("unknown field {name}").format(name=unknown),
        _("known fields: {names}").format(names=", ".join(sorted(known))),
    )


def _line_of(text: str, name: str) -> int:
    word = re.compile(rf"\b{re.escape(name)}\b")
    return next((n for n, line in enumerate(text.splitlines(), 1) if word.search(line)), 1)


def _paragraph_faults(office: OfficeTemplates) -> Iterator[Fault]:
    codes = {c.value for c in ProblemCode}
    try:
        written = set(office.paragraph_names("problems.j2"))
        shipped = set(office.paragraph_names(SHIPPED + "problems.j2"))
    except OperatorFault as fault:
        yield from fault.faults
        return
    where = office.where("problems.j2")
    for name in sorted(written - codes):
        yield Fault(where, _("no problem is called {name}").format(name=name))
    for name in sorted(codes - written - shipped):
        yield Fault(where, _("no paragraph for {name}").format(name=name))
    for code in ProblemCode:
        for problem in (Problem(code), Problem(code, "示例", ("unit", "备选乙"))):
            try:
                office.paragraph(problem)
            except OperatorFault as fault:
                yield from fault.faults
