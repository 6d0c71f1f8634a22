"""What the guides for the office and for its administrator name is there: commands, their options, the
letters' subjects, when the letters of the office it speaks of go out; what alarms say, the metrics."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mailbot import reloading
from mailbot.adapters.offices.rulefiles import load_office
from mailbot.app import health
from mailbot.app.duties import clockguard
from mailbot.cli import main as _  # noqa: F401 - installs the language first
from mailbot.cli.lettersview import letter_lines
from mailbot.cli.main import _COMMANDS, _GROUPS, _loaded
from mailbot.daemon import calendar, notes, reading, sending
from mailbot.web import figures
from tests.integration.cli_help import speaking

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "办公室使用指南.md").read_text(encoding="utf-8")
ADMIN = (ROOT / "docs" / "系统管理员指南.md").read_text(encoding="utf-8")
GUIDES = TEXT + ADMIN

_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.M | re.S)
_OF_COMMANDS = ("", "sh")
_INLINE = re.compile(r"`([^`\n]+)`")
_GLOBAL = {"--lang", "--config", "--verbose", "--version", "--help"}


def _commands() -> Iterator[str]:
    """Every command line the guides show, without what it prints."""
    for language, block in _BLOCK.findall(GUIDES):
        if language not in _OF_COMMANDS:
            continue
        lines = [line.strip() for line in block.splitlines()]
        typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        for line in typed or lines:
            shown = line.removeprefix("/opt/mailbot/bin/")
            if shown.startswith("mailbot "):
                yield re.split(r"\s#", shown)[0].strip()
    for code in _INLINE.findall(_BLOCK.sub("", GUIDES)):
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
def test_a_command_of_a_guide_is_there_with_its_options(line: str) -> None:
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
    alone = [c.split()[0] for c in _INLINE.findall(_BLOCK.sub("", GUIDES)) if c.startswith("--")]
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


def test_the_alarms_it_explains_are_those_that_are_raised() -> None:
    """In the words somebody will search for, each with the key its metric has."""
    table = re.search(r"\| 现象 \| 原因 \| 怎么办 \|\n.*?\n\n", ADMIN, re.S)
    assert table is not None
    seen = [row.split("|")[1] for row in table[0].splitlines()[2:] if row]
    said = _said(health, notes, reading, sending, calendar, clockguard, reloading)
    quoted = [words for cell in seen for words in re.findall(r"“(.+?)”", cell)]
    assert len(quoted) > 20
    assert [words for words in quoted if words not in said] == []
    keys = {key.rstrip(":") for cell in seen for key in _INLINE.findall(cell)}
    assert keys == _keys(_source(health, notes, reading, sending, calendar, reloading))


def _source(*modules: ModuleType) -> str:
    return "".join(inspect.getsource(module) for module in modules)


def _said(*modules: ModuleType) -> str:
    """Their sentences as they are read: literals that follow each other are one."""
    return re.sub(r'"\s*\n?\s*f?"', "", _source(*modules))


def _keys(source: str) -> set[str]:
    made = re.findall(r'(?:_reason\(|Notes\(board, )f?"(\w+)', source)
    made += re.findall(r'^    "(\w+)": "', _source(notes), re.M)  # `notes._SHARED`
    return {*made, reloading.KEY}


def test_each_metric_is_explained() -> None:
    told = set(re.findall(r"`(mailbot_[a-z_]+)`", ADMIN))
    assert told == set(re.findall(r'"(mailbot_[a-z_]+)"', inspect.getsource(figures)))
