"""Opens one of an office's files: bytes to a `TomlSource`, or an `OperatorFault`, nothing else."""

from __future__ import annotations

from mailbot.adapters.offices.tablereader import TomlSource
from mailbot.adapters.toml.file import decode, parse_text


def open_source(data: bytes, where: str) -> TomlSource:
    text = decode(data, where)
    return TomlSource(where, parse_text(text, where), text)
