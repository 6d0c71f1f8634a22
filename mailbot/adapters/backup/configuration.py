"""Which of the operator's files a backup takes along, and where they belong when they come back.

The settings file, the offices' data with all that lies in their folders, the holidays beside them, and
templates of the operator's own. Never a credential: neither a file that the settings name as one nor
what looks like one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mailbot.adapters.settings.model import Settings
from mailbot.adapters.system import shipped

SETTINGS, OFFICES, HOLIDAYS, TEMPLATES = "mailbot.toml", "offices", "holidays.toml", "templates"
FOLDER = "config"
_SECRETIVE = {".code", ".key", ".pem", ".p12", ".pfx", ".token", ".secret", ".password"}


def own_offices(settings: Settings) -> bool:
    """False where the data that came with mailbot are used from where they came to lie."""
    beside = settings.file.parent if settings.file else None
    return settings.config_dir in (beside,) or settings.config_dir != shipped("config")


def own_templates(settings: Settings) -> bool:
    return settings.templates_dir != shipped("templates")


def to_keep(settings: Settings) -> Iterator[tuple[Path, str]]:
    """(file, its path in the snapshot)"""
    secrets = _credentials(settings)
    if settings.file is not None:
        yield settings.file, f"{FOLDER}/{SETTINGS}"
    holidays = settings.config_dir / HOLIDAYS
    if holidays.is_file():
        yield holidays, f"{FOLDER}/{HOLIDAYS}"
    trees = [(settings.config_dir / OFFICES, OFFICES)]
    if own_templates(settings):
        trees.append((settings.templates_dir, TEMPLATES))
    for root, name in trees:
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root)
            hidden = any(part.startswith((".", "~")) for part in inside.parts)
            if hidden or not path.is_file() or path.suffix.lower() in _SECRETIVE:
                continue
            if path.resolve() not in secrets:
                yield path, f"{FOLDER}/{name}/{inside.as_posix()}"


def _credentials(settings: Settings) -> set[Path]:
    named = [box.credential_file for box in settings.mailboxes]
    named += [settings.alerts.credential_file, settings.secret_path]
    return {path.resolve() for path in named if path is not None}


def place_of(name: str, settings: Settings) -> Path | None:
    """Where a file of a snapshot belongs, by the settings as restored; None for what is not of the
    configuration."""
    folder, _, rest = name.partition("/")
    if folder != FOLDER or rest == SETTINGS:
        return None
    if rest.startswith(f"{TEMPLATES}/"):
        return settings.templates_dir / rest.removeprefix(f"{TEMPLATES}/")
    return settings.config_dir / rest
