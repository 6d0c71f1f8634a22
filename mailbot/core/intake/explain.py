"""A decision as JSON: what was read, from where, decided and why.

The keys are a promise to scripts (`mailbot explain --json`, `mailbot subject --json`):
`decision`, `reasons`, `items` (each with `fields` and `category`), `missing`. `app.explain` adds
`received` and `answer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mailbot.core.intake.describe import PROBLEM_LABELS
from mailbot.core.intake.model import Decision, Draft
from mailbot.core.rules.rulebook import Categories
from mailbot.core.subject.model import FieldValue, UnitValue
from mailbot.core.subject.roster import Roster


def field_json(value: FieldValue | Sequence[FieldValue] | None) -> Any:
    """`{"value", "source", "certainty"}`, a list of them for the contact, None for nothing. A unit
    adds `unit_id`."""
    if value is None:
        return None
    if isinstance(value, FieldValue):
        out: dict[str, Any] = {
            "value": value.value,
            "source": value.source.value,
            "certainty": value.certainty.value,
        }
        if isinstance(value, UnitValue):
            out["unit_id"] = value.unit_id
        return out
    return [field_json(v) for v in value]


def decision_json(decision: Decision, roster: Roster, categories: Categories) -> dict[str, Any]:
    """The decision's part of an explanation. Says nothing of the content after a secrets hit."""
    return {
        "decision": decision.kind.value,
        "reasons": [{"code": r.code, "text": r.text, "detail": r.detail} for r in decision.reasons],
        "items": _items(decision, roster, categories) if decision.keep_content else [],
        "missing": [f.value for f in decision.missing],
        "problems": [
            {
                "code": p.code.value,
                "text": PROBLEM_LABELS[p.code],
                "found": p.found,
                "candidates": list(p.candidates),
            }
            for p in decision.problems
        ],
        "lane": decision.lane,
        "links": [
            *({"relation": r.value, "mail": i} for r, i in decision.links),
            *(
                {"relation": d.link.value, "receipt": d.target.receipt}
                for d in decision.drafts
                if d.link is not None and d.target is not None
            ),
        ],
        "warnings": list(decision.warnings),
        "reading": _reading(decision),
    }


def _items(decision: Decision, roster: Roster, categories: Categories) -> list[dict[str, Any]]:
    if decision.drafts:
        return [_item(d, roster, categories) for d in decision.drafts]
    reading = decision.reading
    if reading is None:
        return []
    fields = _fields(reading.unit, reading.title, reading.submitter, reading.contact, roster)
    return [{"fields": fields, "category": None}]


def _item(draft: Draft, roster: Roster, categories: Categories) -> dict[str, Any]:
    found = draft.classification
    return {
        "fields": _fields(draft.unit, draft.title, draft.submitter, draft.contact, roster),
        "category": found.category,
        "category_name": categories.get(found.category).name,
        "category_by": found.by,
        "category_evidence": list(found.evidence),
        "category_doubtful": found.doubtful,
        "marks": list(found.link),
        "topics": list(found.topics),
        "scope": draft.scope,
        "flags": list(draft.flags),
        "attachments": list(draft.attachment_paths),
    }


def _fields(
    unit: UnitValue | None,
    title: FieldValue | None,
    submitter: FieldValue | None,
    contact: Sequence[FieldValue],
    roster: Roster,
) -> dict[str, Any]:
    unit_json = field_json(unit)
    if unit is not None:
        unit_json["unit_name"] = roster.get(unit.unit_id).name if unit.unit_id else None
        unit_json["candidates"] = [roster.get(u).name for u in unit.candidates]
    return {
        "unit": unit_json,
        "title": field_json(title),
        "submitter": field_json(submitter),
        "contact": field_json(contact),
    }


def _reading(decision: Decision) -> dict[str, Any] | None:
    reading = decision.reading
    if reading is None or not decision.keep_content:
        return None
    return {
        "subject": reading.raw,
        "prefixes": list(reading.prefixes),
        "reference": reading.reference,
        "marks": list(reading.marks),
        "titles": list(reading.titles),
        "count": reading.count,
        "month": reading.month,
        "ambiguities": [
            {"field": a.field.value, "candidates": list(a.candidates)} for a in reading.ambiguities
        ],
        "leftover": list(reading.leftover),
    }
