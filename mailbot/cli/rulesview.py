"""What `rules check` and `rules test` show of an office: for people, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailbot.adapters.i18n import N_, _
from mailbot.adapters.offices.openpoints import Open, OpenKind, Reading, open_points, readings
from mailbot.adapters.offices.selftest import Trial, Tried
from mailbot.cli.context import say
from mailbot.cli.lettersview import letters_json, print_letters
from mailbot.core.rules.basis import Basis
from mailbot.core.rules.rulebook import OfficeBook

_OPEN = {
    OpenKind.LEFT: "",
    OpenKind.LADDER: N_("a ladder without steps, shown without points: "),
    OpenKind.FACTOR: N_("a conversion without its factor, off: "),
    OpenKind.GROUP: N_("a group without units: "),
    OpenKind.UNIT: N_("to be confirmed: "),
    OpenKind.NOTE: N_("a note in the roster: "),
    OpenKind.MAILBOX: N_("no mailbox is named in office.toml: "),
    OpenKind.READERS: N_("readers of notices without an address: "),
    OpenKind.ADDRESSES: N_("letters that cannot be delivered: "),
    OpenKind.PHONES: N_("text messages without a number: "),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """One office: its book and what its cases said."""

    folder: Path
    book: OfficeBook
    trial: Trial


def print_office(one: Checked) -> None:
    book, passed = one.book, len(one.trial.tried) - len(one.trial.failed)
    scoring = book.scoring
    say(f"━━ {one.folder.name}  {book.info.name}")
    say(
        _("{units} units, {names} names; digest {digest}").format(
            units=len(book.roster.units),
            names=sum(len(u.names) for u in book.roster.units),
            digest=book.digest[:12],
        )
    )
    say(
        _("{rules} rules in {versions} versions, {quotas} quotas, {lists} lists").format(
            rules=len(scoring.rules),
            versions=sum(len(r.versions) for r in scoring.rules),
            quotas=len(book.quotas),
            lists=len(scoring.lists),
        )
        + (_(", {tasks} tasks").format(tasks=len(scoring.tasks)) if scoring.tasks else "")
    )
    if one.trial.tried:
        say(_("{passed} of {count} cases pass").format(passed=passed, count=len(one.trial.tried)))
    else:
        say(_("no cases: nothing shows that the rules say what the document says"))
    for failure in one.trial.failed:
        print_failure(failure)
    print_letters(book)
    _print_readings(readings(book))
    _print_open(open_points(book))
    say()


def print_failure(one: Tried) -> None:
    say(f"✗ {one.name}")
    say(f"    {one.where}")
    for line in one.said:
        say(f"    {line}")


def _print_readings(found: Sequence[Reading]) -> None:
    if found:
        say(_("Readings ({count}): the document can be read in two ways").format(count=len(found)))
    for one in found:
        say(f"  · {one.where}  {one.basis.document} {one.basis.clause}")
        _print_alternative(one.basis)


def _print_open(found: Sequence[Open]) -> None:
    if found:
        say(_("Left to the office ({count})").format(count=len(found)))
    for one in found:
        lead = _(_OPEN[one.kind]) if _OPEN[one.kind] else ""
        say(f"  · {lead}{one.about}")
        if one.basis is not None and one.kind is not OpenKind.GROUP:
            say(f"      {one.basis.document} {one.basis.clause}")
            if one.kind is OpenKind.LEFT and one.basis.reading:
                _print_alternative(one.basis)


def _print_alternative(basis: Basis) -> None:
    if basis.alternative:
        say("      " + _("the other way: {alternative}").format(alternative=basis.alternative))


# --- JSON -------------------------------------------------------------------------------------


def office_json(one: Checked) -> dict[str, Any]:
    book, scoring = one.book, one.book.scoring
    return {
        "office": book.info.id,
        "name": book.info.name,
        "digest": book.digest,
        "units": len(book.roster.units),
        "names": sum(len(u.names) for u in book.roster.units),
        "rules": len(scoring.rules),
        "versions": sum(len(r.versions) for r in scoring.rules),
        "quotas": len(book.quotas),
        "lists": len(scoring.lists),
        "tasks": len(scoring.tasks),
        "letters": letters_json(book),
        "cases": len(one.trial.tried),
        "failed": [failure_json(t) for t in one.trial.failed],
        "readings": [{"where": r.where, **_basis_json(r.basis)} for r in readings(book)],
        "left": [
            {
                "kind": o.kind.value,
                "about": o.about,
                **(_basis_json(o.basis) if o.basis is not None else {}),
            }
            for o in open_points(book)
        ],
    }


def _basis_json(basis: Basis) -> dict[str, str]:
    told = {"document": basis.document, "clause": basis.clause}
    return told | ({"alternative": basis.alternative} if basis.reading else {})


def failure_json(one: Tried) -> dict[str, Any]:
    return {"office": one.office, "case": one.name, "where": one.where, "said": list(one.said)}
