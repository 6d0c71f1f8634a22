"""What the commands share: the settings file asked for, and printing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from mailbot.adapters.settings import Settings, load_settings

_config: Path | None = None


def set_config(path: Path | None) -> None:
    """Remembers `--config` for the command that follows."""
    global _config
    _config = path


def config_path() -> Path | None:
    return _config


def settings() -> Settings:
    """The operator's settings. Raises `OperatorFault` with all faults."""
    return load_settings(_config)


def console() -> Console:
    """Where tables go. Wide enough for a table when the output is a file or a pipe."""
    interactive = sys.stdout.isatty()
    return Console(width=None if interactive else 160, highlight=False, markup=False)


def print_json(value: Any) -> None:
    """One JSON document, readable, in Chinese characters."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")
