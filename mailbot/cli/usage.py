"""A command line that cannot be read, told in the office's language: what is wrong and where to look.

The framework words such errors in English, and keeps their classes to itself: they are known by
their names, and what they say by its pattern. What is not known here it shows itself.
"""

from __future__ import annotations

import re
from typing import Any

from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault

_EXTRA = re.compile(r"Got unexpected extra argument\(s\) \((.*)\)", re.S)
_COMMAND = re.compile(r".*?['\"](.*?)['\"]", re.S)
_MEANT = re.compile(r"Did you mean (.+)\?\s*$", re.S)
_AT_LEAST = re.compile(r"greater than or equal to (\S+)")
_AT_MOST = re.compile(r"less than or equal to (\S+)")


def usage_fault(error: Exception) -> Fault | None:
    """None for an error that is shown as it is."""
    told = _TOLD.get(type(error).__name__)
    found = told(error) if told else ""
    if not found:
        return None
    context: Any = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "mailbot"
    remedy = _("see how it is written with: {command} --help").format(command=command)
    if meant := _meant(error):
        remedy = _("do you mean {names}?").format(names=meant) + " " + remedy
    return Fault(command, found, remedy)


def _missing(error: Any) -> str:
    return _("{what} is missing").format(what=_parameter(error))


def _no_option(error: Any) -> str:
    return _("there is no option {option}").format(option=error.option_name)


def _option(error: Any) -> str:
    if "requires" in error.message:
        return _("{option} needs a value").format(option=error.option_name)
    return _("{option} takes no value").format(option=error.option_name)


def _value(error: Any) -> str:
    if "integer" in error.message:
        wanted = _("a whole number is wanted")
    elif limit := _AT_LEAST.search(error.message):
        wanted = _("at least {limit} is wanted").format(limit=limit[1])
    elif limit := _AT_MOST.search(error.message):
        wanted = _("at most {limit} is wanted").format(limit=limit[1])
    else:
        wanted = _("this cannot be meant ({why})").format(why=error.message)
    return f"{_parameter(error)}: {wanted}"


def _other(error: Any) -> str:
    if extra := _EXTRA.fullmatch(error.message):
        return _("too much: {words}").format(words=extra[1])
    if (name := _COMMAND.match(error.message)) and _("No such command {name!r}.").format(
        name=name[1]
    ) in error.message:
        return _("there is no command {name}").format(name=name[1])
    return ""


_TOLD: dict[str, Any] = {
    "MissingParameter": _missing,
    "NoSuchOption": _no_option,
    "BadOptionUsage": _option,
    "BadParameter": _value,
    "UsageError": _other,
}


def _parameter(error: Any) -> str:
    """--why, or the argument's name with what it is."""
    parameter = error.param
    if parameter is None:
        return str(error.param_hint or "")
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    told = (getattr(parameter, "help", "") or "").rstrip("。.")
    return f"{parameter.name} ({told})" if told else str(parameter.name)


def _meant(error: Any) -> str:
    """Likely options or commands."""
    options = getattr(error, "possibilities", None)
    if options:
        return ", ".join(sorted(options))
    found = _MEANT.search(getattr(error, "message", "") or "")
    return found[1].replace("'", "") if found else ""
