"""An installation as an operator sets it up: the shipped offices with the contacts their units gave,
one mailbox each (a Maildir filled by the mail server), one relay for what goes out.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mailbot.adapters.settings.model import Settings, load_settings
from mailbot.adapters.system import shipped

HOLIDAYS = """\
complete_until = 2027-12-31
[[day]]
date = 2027-01-01
kind = "holiday"
name = "元旦"
"""
"""What the office enters late in 2026 about the next year; the year's last letters need no more."""


@dataclass(frozen=True)
class Person:
    """A contact of a unit. `address` empty: the office has none of him."""

    unit: str
    role: str
    name: str
    address: str = ""
    phone: str = ""

    def as_toml(self) -> str:
        lines = [f'role = "{self.role}"', f'name = "{self.name}"']
        if self.address:
            lines.append(f'address = "{self.address}"')
        if self.phone:
            lines.append(f'phone = "{self.phone}"')
        return "\n[[unit.contact]]\n" + "\n".join(lines) + "\n"


def mailbox_of(office: str) -> str:
    return f"{office}@gov.example.org"


def staff_of(office: str) -> str:
    return f"staff.{office}@gov.example.org"


def approver_of(office: str) -> str:
    return f"boss.{office}@gov.example.org"


def install(
    root: Path,
    offices: Iterable[str],
    people: Mapping[str, Iterable[Person]],
    smtp_port: int,
    units: Mapping[str, str] | None = None,
    changes: Mapping[str, Iterable[tuple[str, str, str]]] | None = None,
    files: Mapping[str, Mapping[str, str]] | None = None,
) -> Settings:
    """Writes settings and data below `root`. `units`: further units, as text of units.toml;
    `changes`: in which file the office has written what in place of what; `files`: what it has
    added."""
    config = root / "config"
    for office in offices:
        folder = config / "offices" / office
        shutil.copytree(shipped("config") / "offices" / office, folder)
        for name, text in (files or {}).get(office, {}).items():
            (folder / name).write_text(text, "utf-8")
        roster = folder / "units.toml"
        text = roster.read_text("utf-8") + (units or {}).get(office, "")
        for person in people.get(office, ()):
            text = _with_contact(text, person)
        roster.write_text(text, "utf-8")
        letters = folder / "letters.toml"
        text = letters.read_text("utf-8")
        text = text.replace("staff = []", f'staff = ["{staff_of(office)}"]', 1)
        text = text.replace("approvers = []", f'approvers = ["{approver_of(office)}"]', 1)
        letters.write_text(text, "utf-8")
        for name, old, new in (changes or {}).get(office, ()):
            text = (folder / name).read_text("utf-8")
            assert old in text, old
            (folder / name).write_text(text.replace(old, new, 1), "utf-8")
        for name in ("new", "cur", "tmp"):
            (root / "mail" / office / name).mkdir(parents=True)
    (config / "holidays.toml").write_text(HOLIDAYS, "utf-8")
    boxes = "".join(_mailbox(office, smtp_port) for office in offices)
    file = root / "mailbot.toml"
    file.write_text(f'data_dir = "data"\nconfig_dir = "config"\n{boxes}', "utf-8")
    return load_settings(file, {})


def _with_contact(text: str, person: Person) -> str:
    """At the end of the unit's table, after the contacts it has."""
    start = text.index(f'\nid = "{person.unit}"\n')
    end = text.find("\n[[unit]]\n", start)
    end = len(text) if end < 0 else end
    return text[:end] + person.as_toml() + text[end:]


def _mailbox(office: str, port: int) -> str:
    return f"""
[[mailboxes]]
name = "{office}"
kind = "maildir"
offices = ["{office}"]
address = "{mailbox_of(office)}"
maildir = "mail/{office}"
[mailboxes.outgoing]
smtp = {{ host = "127.0.0.1", port = {port}, security = "plain", login = false, pace_seconds = 0 }}
"""
