"""winmail.dat: what Outlook wraps attachments and body into ([MS-OXTNEF]).

tnefparse reads the format; this module keeps it within limits (it copies the rest of the file for
every object) and turns its names and texts into clean strings. Promises: total; what could not be
read is said in `damage`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

import tnefparse.tnef
from tnefparse import TNEF
from tnefparse.properties import MAPI_ATTACH_LONG_FILENAME

from mailbot.core.mail.charsets import decode_text
from mailbot.core.mail.clean import one_line
from mailbot.core.mail.limits import NAME_CHARS

tnefparse.tnef.logger.disabled = True  # no word of a mail may reach a log

_SIGNATURE: Final = b"\x78\x9f\x3e\x22"
_OBJECTS_MAX: Final = 2_000
_COPIED_MAX: Final = 2_000_000_000
"""Bytes tnefparse may copy while it reads (objects times size)."""
_FILES_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class TnefFile:
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Tnef:
    """What a winmail.dat holds. `damage` is "" when all of it was read."""

    files: tuple[TnefFile, ...] = ()
    text: str = ""
    html: str = ""
    damage: str = ""


def is_tnef(data: bytes) -> bool:
    return data.startswith(_SIGNATURE)


def read_tnef(data: bytes) -> Tnef:
    """Reads a winmail.dat's bytes."""
    objects = _objects(data)
    if objects > _OBJECTS_MAX or objects * len(data) > _COPIED_MAX:
        return Tnef(damage=f"{objects} objects")
    try:
        parsed = TNEF(data, do_checksum=False)
    except Exception as error:  # the library raises whatever damaged bytes lead it to
        return Tnef(damage=type(error).__name__)
    files: list[TnefFile] = []
    damage = ""
    for attachment in parsed.attachments[:_FILES_MAX]:
        try:
            content = attachment.data
            files.append(
                TnefFile(_name(attachment), content if isinstance(content, bytes) else b"")
            )
        except Exception as error:
            damage = type(error).__name__
    if len(parsed.attachments) > _FILES_MAX:
        damage = f"{len(parsed.attachments)} files"
    if not parsed.attachments and not parsed.has_body():
        damage = "nothing in it"
    text, page = _text(parsed.body), _text(parsed.htmlbody)
    if not text and not page and parsed.has_body():
        damage = damage or "body in rich text"
    return Tnef(tuple(files), text, page, damage)


def _objects(data: bytes) -> int:
    """How many objects the file claims to have, counted by their lengths alone."""
    count, position = 0, 6
    while position + 11 <= len(data) and count <= _OBJECTS_MAX:
        position += 11 + int(struct.unpack_from("<I", data, position + 5)[0])
        count += 1
    return count


def _name(attachment: Any) -> str:
    long_names = [a.data for a in attachment.mapi_attrs if a.name == MAPI_ATTACH_LONG_FILENAME]
    return one_line(_text((long_names or [attachment._name])[0])[:NAME_CHARS])[0]


def _text(value: Any) -> str:
    """A MAPI string: bytes in the sender's code page, text, or a list of either."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, bytes):
        value = decode_text(value.rstrip(b"\0")).text
    return value.rstrip("\0") if isinstance(value, str) else ""
