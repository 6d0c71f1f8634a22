"""Every command that the list names can be loaded, and is the one of that name."""

from __future__ import annotations

import sys

import pytest

from mailbot.cli import main as _  # noqa: F401 - installs the language first
from mailbot.cli.main import _COMMANDS, _GROUPS, _loaded, main


@pytest.mark.parametrize("name", [*_COMMANDS, *_GROUPS])
def test_a_listed_command_loads(name: str) -> None:
    command = _loaded(name)
    assert command.name == name
    assert command.help


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("notices reject 1", "--why"),
        ("category", "receipt"),
        ("tasks --don 3", "--don"),
        ("tasks --done x", "--done"),
        ("tasks --done", "--done"),
        ("tasks --all=1", "--all"),
        ("tasks x", "numbers"),
        ("replay --limit 0", "--limit"),
        ("appeals shw 1", "show"),
        ("nonsense", "nonsense"),
        ("--nonsense", "--nonsense"),
    ],
)
def test_a_wrong_command_line_is_told_as_any_other_fault(
    line: str, named: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the office's language, with what to do: never in the framework's own English."""
    monkeypatch.setattr(sys, "argv", ["mailbot", *line.split()])
    assert main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    told, remedy = said.err.splitlines()
    assert named in told + remedy and remedy.startswith("  → ") and "--help" in remedy
    for english in ("Error:", "Usage:", "Missing", "Invalid value", "No such", "Try ", "Input "):
        assert english not in said.err
