"""Every command that the list names can be loaded, and is the one of that name."""

from __future__ import annotations

import pytest

from mailbot.cli import main as _  # noqa: F401 - installs the language first
from mailbot.cli.main import _COMMANDS, _GROUPS, _loaded


@pytest.mark.parametrize("name", [*_COMMANDS, *_GROUPS])
def test_a_listed_command_loads(name: str) -> None:
    command = _loaded(name)
    assert command.name == name
    assert command.help
