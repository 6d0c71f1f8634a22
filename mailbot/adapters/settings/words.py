"""The models' validation errors in the operator's words: what was found, expected, and meant.

Knows pydantic's error types by name only; what is checked is said by the models in `settings`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mailbot.adapters.i18n import _
from mailbot.adapters.settings.sources import Loc, Places, Tree
from mailbot.app.errors import Fault

_SYNONYMS = {
    "user": "username",
    "login": "username",
    "server": "host",
    "ssl": "security",
    "encryption": "security",
    "email": "address",
    "mailbox": "mailboxes",
    "ca": "ca_file",
    "interval": "poll_seconds",
    "type": "kind",
}


def no_outgoing(place: str) -> Fault:
    return Fault(
        place,
        _("nothing says how answers leave"),
        _("set outgoing.smtp.host, or outgoing.outbox = a Maildir for trying things out"),
    )


def describe(
    kind: str, loc: Loc, found: Any, context: Mapping[str, Any], where: Places, shape: Tree
) -> Fault:
    """One validation error. `kind` is pydantic's error type, `loc` its path."""
    if loc[-1] == "[key]":  # pydantic's mark for a fault in a key, not in its value
        loc = loc[:-1]
    place, key = where(*loc), str(loc[-1])
    if kind == "extra_forbidden":
        return Fault(
            place, _("no setting is called “{key}” here").format(key=key), _near(loc, shape)
        )
    if kind == "missing":
        if key == "outgoing":
            return no_outgoing(place)
        return Fault(place, _("is missing"), _MISSING.get(key, _missing_default)())
    if loc == ("mailboxes",):
        return Fault(place, _("is not a list of tables"), _("write [[mailboxes]], two brackets"))
    shown = _("found {value}").format(value=_shown(found))
    if kind in ("tuple_type", "list_type"):
        return Fault(place, shown, _('a list is expected, in brackets: ["…", "…"]'))
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return Fault(
            place, shown, _("a table is expected: [{key}] with its keys below").format(key=key)
        )
    if kind in ("literal_error", "enum"):
        return Fault(
            place,
            shown,
            _("one of: {words}").format(
                words=str(context.get("expected", "")).replace(" or ", ", ")
            ),
        )
    if kind in ("too_short", "string_too_short"):
        return Fault(place, _("is empty"), _MISSING.get(key, _missing_default)())
    if kind == "string_pattern_mismatch":
        return Fault(place, shown, _PATTERNS.get(key, _missing_default)())
    for limit, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
        if limit in context:
            return Fault(
                place, shown, _("a number {sign} {limit}").format(sign=sign, limit=context[limit])
            )
    for prefix, words in _TYPES.items():
        if kind.startswith(prefix):
            return Fault(place, shown, words())
    return Fault(place, shown, kind)


def _missing_default() -> str:
    return _("see config/mailbot.example.toml")


_MISSING: dict[str, Callable[[], str]] = {
    "host": lambda: _(
        "the address's domain is unknown to mailbot: set host, or provider (coremail, exmail, "
        "qiye.aliyun, qiye163 …)"
    ),
    "username": lambda: _("set the mailbox's address"),
    "address": lambda: _("the mailbox's own address, such as otog_xxk@163.com"),
    "name": lambda: _("a short name for the mailbox, such as otog"),
    "offices": lambda: _('the offices whose submissions arrive here: offices = ["otog"]'),
}
_PATTERNS: dict[str, Callable[[], str]] = {
    "name": lambda: _("letters, digits, - _ . only, at most 40"),
    "address": lambda: _("one mail address, such as otog_xxk@163.com"),
    "health": lambda: _("a host and a port, such as 127.0.0.1:8025"),
    "webhook": lambda: _("an address that begins with https://"),
}
_TYPES: dict[str, Callable[[], str]] = {
    "int": lambda: _("a whole number is expected, without quotes"),
    "float": lambda: _("a number is expected, without quotes"),
    "bool": lambda: _("true or false is expected, without quotes"),
    "string": lambda: _("text in quotes is expected"),
    "path": lambda: _("a path in quotes is expected"),
}


def _shown(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return _("a table") if isinstance(value, dict) else _("a list")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"“{text[:60]}{'…' if len(text) > 60 else ''}”"


def _near(loc: Loc, shape: Tree) -> str:
    """What the operator may have meant by an unknown key: a like name here, or its right place."""
    key = str(loc[-1]).lower().replace("-", "_")
    here: Any = shape
    for part in loc[:-1]:
        here = here[0] if isinstance(part, int) else here.get(part)
        if not isinstance(here, dict | list):
            return _missing_default()
    near = [_SYNONYMS[key]] if _SYNONYMS.get(key) in here else []
    near = near or difflib.get_close_matches(key, here, n=1)
    if near:
        return _("did you mean “{name}”?").format(name=near[0])
    elsewhere = [section for section, keys in _sections(shape) if key in keys]
    if elsewhere:
        return _("it belongs under {sections}").format(sections=" / ".join(elsewhere))
    return _("keys allowed here: {keys}").format(keys=", ".join(here))


def _sections(shape: Tree, path: str = "") -> Iterator[tuple[str, Tree]]:
    yield (f"[{path}]" if path else _("the top of the file")), shape
    for key, kind in shape.items():
        child = kind[0] if isinstance(kind, list) else kind
        if isinstance(child, dict) and child and any(v is not None for v in child.values()):
            yield from _sections(child, f"{path}.{key}" if path else key)
