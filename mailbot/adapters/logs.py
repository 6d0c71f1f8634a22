"""The log: one event is one line, whatever anybody wrote into a mail.

Promises: a line break, an escape sequence or a sign that turns the writing direction in any value is
shown as an escape and never acts (in a terminal, in a log system that splits at line ends); a
traceback stands inside its event's line; a fault in formatting never reaches the program. As JSON
(RFC 8259) every line is one object with `time`, `level`, `logger`, `thread`, `message`, where they
are known `mail`, `letter`, `mailbox`, `receipt` (given by `extra={"mail": 12}`), and `exception`.

With `redact` addresses, telephone and identity numbers and quoted titles are masked
(`app.masking`), in tracebacks too. What must not be logged at all, a subject or a mail's content, is
the callers' business: they log numbers.
"""

from __future__ import annotations

import json
import logging
import secrets
import sys
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TextIO

from mailbot.adapters.system import SHANGHAI
from mailbot.app.masking import Print, keyed_print, masked

FIELDS = ("mail", "letter", "mailbox", "receipt")
"""What an event may be about, as `extra`."""
MAX_MESSAGE = 16_000
"""Signs of a message or a traceback that are written: a line that is longer is cut by journald."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of signs that act instead of showing: controls, formats (writing direction,
zero width), halves of pairs, private and unassigned ones, line and paragraph ends."""
_handler: logging.Handler | None = None
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Masks:
    """Masks what a record brings from outside. Numbers given as numbers (a UID, a size) are ours."""

    def __init__(self, print_of: Print) -> None:
        self._print = print_of

    def text(self, text: str) -> str:
        return masked(text, self._print)

    def arguments(self, args: Any) -> Any:
        if isinstance(args, Mapping):
            return {key: self._one(value) for key, value in args.items()}
        if isinstance(args, tuple):
            return tuple(self._one(value) for value in args)
        return args

    def _one(self, value: Any) -> Any:
        return value if isinstance(value, int | float) else self.text(str(value))


class LineFormatter(logging.Formatter):
    """`2026-08-12 09:30:00 WARNING mailbot.daemon …`, on one line."""

    def __init__(self, masks: Masks | None = None) -> None:
        super().__init__()
        self._masks = masks

    def format(self, record: logging.LogRecord) -> str:
        parts = [
            _moment(record).strftime("%Y-%m-%d %H:%M:%S"),
            record.levelname,
            record.name,
            self.message(record),
        ]
        if trace := self.trace(record):
            parts.append(trace)
        return escaped(" ".join(parts))

    def message(self, record: logging.LogRecord) -> str:
        """The message whole, or what there is of it when its arguments do not fit."""
        try:
            if self._masks is None:
                text = record.getMessage()
            elif record.args:
                text = str(record.msg) % self._masks.arguments(record.args)
            else:
                text = self._masks.text(str(record.msg))
        except Exception as error:
            text = f"{record.msg!r} (arguments left out: {type(error).__name__})"
        return text[:MAX_MESSAGE]

    def trace(self, record: logging.LogRecord) -> str:
        """The newest part of the traceback: it names the error."""
        parts = []
        if record.exc_info and record.exc_info[0] is not None:
            parts.append(self.formatException(record.exc_info))
        elif record.exc_text:
            parts.append(record.exc_text)
        if record.stack_info:
            parts.append(record.stack_info)
        text = "\n".join(parts)
        if self._masks is not None:
            text = self._masks.text(text)
        return text[-MAX_MESSAGE:]


class JsonFormatter(LineFormatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "time": _moment(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "message": self.message(record),
        }
        event |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if trace := self.trace(record):
            event["exception"] = trace
        return escaped_json(json.dumps(event, ensure_ascii=False, default=str))


def escaped(text: str) -> str:
    """One line in which everything shows: what acts instead is written as its escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(sign) if _acts(sign) else sign for sign in text)


def escaped_json(line: str) -> str:
    """The same for a JSON text, which `json.dumps` has already freed of what JSON forbids: what is
    left of it stands inside strings, where `\\uXXXX` means the same sign."""
    return "".join(_json_escape(sign) if _acts(sign) else sign for sign in line)


def _acts(sign: str) -> bool:
    return unicodedata.category(sign) in _UNSEEN


def _escape(sign: str) -> str:
    if sign in _SHORT:
        return _SHORT[sign]
    number = ord(sign)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _json_escape(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, SHANGHAI)


def set_up(
    level: str,
    form: Literal["text", "json"] = "text",
    *,
    redact: bool = False,
    secret_file: Path | None = None,
    stream: TextIO | None = None,
) -> None:
    """Sends all events to standard error, in place of an earlier call's handler. `secret_file`: whose
    prints stay the same over restarts; without one they hold for this process."""
    masks = Masks(keyed_print(_key(secret_file))) if redact else None
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(masks) if form == "json" else LineFormatter(masks))
    global _handler
    root = logging.getLogger()
    if _handler is not None:
        root.removeHandler(_handler)
    _handler = handler
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Its notes about every migration step are no news to an operator.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # A warning of a library is an event like any other.
    logging.captureWarnings(True)


def _key(secret_file: Path | None) -> bytes:
    try:
        if secret_file is not None:
            return b"log:" + secret_file.read_bytes()
    except OSError:
        pass  # before the first start there is none
    return secrets.token_bytes(16)
