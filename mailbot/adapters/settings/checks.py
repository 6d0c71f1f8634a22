"""Checks that lie between settings, or between a setting and the files here.

Works on the plain tree, so that a wrong port in one mailbox does not hide a missing office in
another; a value of the wrong type is passed over, the models report it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from mailbot.adapters.i18n import _
from mailbot.adapters.settings.sources import Places, Tree, mailbox_tables, secret_fault
from mailbot.adapters.settings.words import no_outgoing
from mailbot.app.errors import Fault


def cross_check(raw: Tree, where: Places) -> list[Fault]:
    """Faults that lie between keys or between a key and the files here."""
    faults = [*_check_database(raw, where), *_check_unique(raw, where)]
    offices = _folder(raw.get("config_dir"), "offices")
    for index, box in mailbox_tables(raw):

        def at(*keys: str, index: int = index) -> str:
            return where("mailboxes", index, *keys)

        faults += _check_offices(box, offices, at)
        faults += _check_kind(box, at)
        faults += _check_credential(box, at)
        faults += _check_outgoing(box, at)
        smtp = box["outgoing"].get("smtp") if isinstance(box.get("outgoing"), dict) else None
        for keys, table in ((("imap",), box.get("imap")), (("outgoing", "smtp"), smtp)):
            if isinstance(table, dict):
                faults += check_server(table, at, keys)
    if isinstance(raw.get("templates_dir"), Path) and not raw["templates_dir"].is_dir():
        faults.append(_no_folder(where("templates_dir"), raw["templates_dir"]))
    if isinstance(raw.get("config_dir"), Path) and offices is None:
        faults.append(_no_folder(where("config_dir"), raw["config_dir"] / "offices"))
    return faults


At = Callable[..., str]


def _folder(base: Any, name: str) -> Path | None:
    return base / name if isinstance(base, Path) and (base / name).is_dir() else None


def _no_folder(place: str, folder: Path) -> Fault:
    return Fault(
        place,
        _("the folder {path} does not exist").format(path=folder),
        _("correct the path, or delete the line to use what ships with mailbot"),
    )


def _check_database(raw: Tree, where: Places) -> list[Fault]:
    url = raw.get("database_url")
    if not isinstance(url, str):
        return []
    scheme = url.partition(":")[0].partition("+")[0]
    if scheme in ("sqlite", "postgresql") and "://" in url:
        return []
    return [
        Fault(
            where("database_url"),
            _("is not the address of a database mailbot knows"),
            _("sqlite:////path/mailbot.db or postgresql+psycopg://user@host/name"),
        )
    ]


def _check_unique(raw: Tree, where: Places) -> list[Fault]:
    faults: list[Fault] = []
    names: set[str] = set()
    watched: set[tuple[str, ...]] = set()
    for index, box in mailbox_tables(raw):
        name = box.get("name")
        if isinstance(name, str):
            if name.lower() in names:
                faults.append(
                    Fault(
                        where("mailboxes", index, "name"),
                        _("two mailboxes are called “{name}”").format(name=name),
                        _("give each mailbox a name of its own"),
                    )
                )
            names.add(name.lower())
        imap = box.get("imap")
        imap = imap if isinstance(imap, dict) else {}
        folders = imap.get("folders", ["INBOX"])
        keys = {
            (str(imap.get("host")).lower(), str(imap.get("username")).lower(), str(folder))
            for folder in (folders if isinstance(folders, list) else [])
            if imap.get("host")
        }
        if box.get("kind") == "maildir" and box.get("maildir"):
            keys = {("maildir", str(box["maildir"]), "")}
        if keys & watched:
            faults.append(
                Fault(
                    where("mailboxes", index),
                    _("another mailbox already watches the same account and folder"),
                    _("list all its offices in one mailbox: offices = [...]"),
                )
            )
        watched |= keys
    return faults


def _check_offices(box: Tree, offices: Path | None, at: At) -> list[Fault]:
    asked = box.get("offices")
    if offices is None or not isinstance(asked, list):
        return []
    known = sorted(d.name for d in offices.iterdir() if (d / "office.toml").is_file())
    faults = []
    for office in asked:
        if isinstance(office, str) and office and office not in known:
            near = difflib.get_close_matches(office, known, n=1)
            hint = _("did you mean “{name}”? ").format(name=near[0]) if near else ""
            faults.append(
                Fault(
                    at("offices"),
                    _("there is no office data for “{office}” in {path}").format(
                        office=office, path=offices
                    ),
                    hint + _("offices there: {names}").format(names=", ".join(known) or "-"),
                )
            )
    return faults


def _check_kind(box: Tree, at: At) -> list[Fault]:
    kind = box.get("kind", "imap")
    if kind == "maildir" and not box.get("maildir"):
        return [Fault(at("maildir"), _("is missing"), _("name the Maildir's folder"))]
    if kind == "maildir" and box.get("imap"):
        return [
            Fault(at("imap"), _("a Maildir has no IMAP server"), _('delete it, or kind = "imap"'))
        ]
    if kind == "imap" and box.get("maildir"):
        return [Fault(at("maildir"), _('kind is "imap"'), _('delete it, or kind = "maildir"'))]
    return []


def _check_credential(box: Tree, at: At) -> list[Fault]:
    outgoing = box.get("outgoing")
    smtp = outgoing.get("smtp") if isinstance(outgoing, dict) else None
    return check_credential(box, at, needed=box.get("kind", "imap") == "imap" or logs_in(smtp))


def logs_in(smtp: object) -> bool:
    """Does sending need a credential."""
    return isinstance(smtp, dict) and smtp.get("login", True) is not False


def check_credential(table: Tree, at: At, *, needed: bool) -> list[Fault]:
    """Exactly one place for a code; none only where none is needed."""
    env, file = table.get("credential_env"), table.get("credential_file")
    if env and file:
        return [
            Fault(
                at("credential_env"),
                _("credential_env and credential_file are both set"),
                _("keep one of them"),
            )
        ]
    if not env and not file and needed:
        return [
            Fault(
                at("credential_file"),
                _("nothing says where the authorisation code is"),
                _("credential_file = a file with mode 0600, or credential_env = a variable's name"),
            )
        ]
    if isinstance(env, str) and env and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", env):
        return [
            secret_fault(at("credential_env"), _("is not the name of an environment variable")),
        ]
    return []


def _check_outgoing(box: Tree, at: At) -> list[Fault]:
    outgoing = box.get("outgoing")
    if not isinstance(outgoing, dict):
        return []
    if outgoing.get("smtp") and outgoing.get("outbox"):
        return [
            Fault(at("outgoing"), _("smtp and outbox are both set"), _("keep one of them")),
        ]
    if not outgoing.get("smtp") and not outgoing.get("outbox"):
        return [no_outgoing(at("outgoing"))]
    if outgoing.get("outbox") and outgoing.get("outbox") == box.get("maildir"):
        return [
            Fault(
                at("outgoing", "outbox"),
                _("is the Maildir that is being read: the bot would read its own answers"),
                _("name another folder"),
            )
        ]
    return []


def check_server(table: Tree, at: At, keys: tuple[str, ...]) -> list[Fault]:
    """A server's name, encryption and certificates, in a mailbox or elsewhere."""
    faults: list[Fault] = []
    host = table.get("host")
    plain = table.get("security") == "plain" and table.get("allow_plain") is not True
    if plain and isinstance(host, str) and not is_loopback(host):
        faults.append(
            Fault(
                at(*keys, "security"),
                _("without encryption the code and all mail cross the network readable"),
                _('security = "tls" or "starttls"; if it must be: allow_plain = true'),
            )
        )
    if isinstance(host, str) and re.search(r"[\s/@:]", host) and not _is_ip(host):
        faults.append(
            Fault(
                at(*keys, "host"),
                _("“{host}” is not a server's name").format(host=host[:60]),
                _("the name alone, such as imap.163.com; the port goes into port"),
            )
        )
    ca_file = table.get("ca_file")
    if isinstance(ca_file, Path) and not ca_file.is_file():
        faults.append(
            Fault(
                at(*keys, "ca_file"),
                _("the file {path} does not exist").format(path=ca_file),
                _("correct the path, or delete the line to use the system's authorities"),
            )
        )
    return faults


def _is_ip(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Does the name mean this machine."""
    return host.lower() == "localhost" or (
        _is_ip(host) and ip_address(host.strip("[]")).is_loopback
    )
