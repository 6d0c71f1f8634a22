"""What the guide for the office names is there: commands, their options, the letters' subjects, and
when the letters of the office it speaks of go out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailbot.adapters.offices.rulefiles import load_office
from mailbot.cli import main as _  # noqa: F401 - installs the language first
from mailbot.cli.lettersview import letter_lines
from mailbot.cli.main import _COMMANDS, _GROUPS, _loaded
from tests.integration.cli_help import speaking

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "办公室使用指南.md"
TEXT = GUIDE.read_text(encoding="utf-8")

_BLOCK = re.compile(r"^ *```\n(.*?)^ *```$", re.M | re.S)
_INLINE = re.compile(r"`([^`\n]+)`")
_GLOBAL = {"--lang", "--config", "--verbose", "--version", "--help"}


def _commands() -> Iterator[str]:
    """Every command line the guide shows, without what it prints."""
    for block in _BLOCK.findall(TEXT):
        for line in block.splitlines():
            shown = line.strip().removeprefix("$ ")
            if shown.startswith("mailbot "):
                yield re.split(r"\s#", shown)[0].strip()
    for code in _INLINE.findall(_BLOCK.sub("", TEXT)):
        if code.startswith("mailbot "):
            yield code


def _named(line: str) -> tuple[Any, list[str]]:
    """The command a line calls, and what is given to it."""
    words = shlex.split(line)[1:]
    while words and words[0] in _GLOBAL:
        words = words[2:]
    assert words[0] in {*_COMMANDS, *_GROUPS}, line
    command, rest = _loaded(words[0]), words[1:]
    if words[0] in _GROUPS:
        assert rest[:1] and rest[0] in command.commands, line
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


def _options(command: Any) -> set[str]:
    return {name for p in command.params for name in (*p.opts, *p.secondary_opts)}


@pytest.mark.parametrize("line", sorted(set(_commands())))
def test_a_command_of_the_guide_is_there_with_its_options(line: str) -> None:
    command, given = _named(line)
    known = _options(command) | _GLOBAL
    assert [word for word in given if word.startswith("--") and word not in known] == []


def test_an_option_that_stands_alone_belongs_to_some_command() -> None:
    every: set[str] = set(_GLOBAL)
    for name in _COMMANDS:
        every |= _options(_loaded(name))
    for name in _GROUPS:
        for command in _loaded(name).commands.values():
            every |= _options(command)
    alone = [c.split()[0] for c in _INLINE.findall(_BLOCK.sub("", TEXT)) if c.startswith("--")]
    assert len(alone) > 10
    assert [option for option in alone if option not in every] == []


def test_the_subjects_it_names_are_those_of_the_letters() -> None:
    table = re.search(r"\| 主题 \| 什么信 \|.*?\n\n", TEXT, re.S)
    assert table is not None
    tags = {tag for row in table[0].splitlines() for tag in re.findall(r"【(.+?)】", row[:20])}
    subjects = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "templates" / "mail").glob("*.subject.j2"))
    )
    assert len(tags) >= 8
    assert [tag for tag in sorted(tags) if tag not in subjects] == []


def test_it_says_when_the_letters_go_out_as_the_office_has_it() -> None:
    book = load_office(ROOT / "config" / "offices" / "otog")
    with speaking("zh"):
        lines = [line.strip() for line in letter_lines(book)]
    shown = [line for line in lines if line.startswith("·")]
    assert len(shown) == len(book.letters.letters)
    assert [line for line in shown if line not in TEXT] == []
