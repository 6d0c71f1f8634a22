"""Where settings come from beside the file itself: environment, provider profiles; and what must
not come from it: secrets.

Works on the plain tree as read from the file, before the typed models see it. Nothing here may fail
on a tree of the wrong shape: the models report that. No secret value is ever put into a fault.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mailbot.adapters.i18n import _
from mailbot.adapters.settings.providers import Endpoint, Provider, profile_for
from mailbot.app.errors import Fault, OperatorFault

Loc = tuple[str | int, ...]
Tree = dict[str, Any]

RESERVED = frozenset({"MAILBOT_CONFIG", "MAILBOT_LANG"})
_SECRET_KEY = re.compile(
    r"pass(word|wd|wort|phrase)?$|^pwd|secret|token|auth(orization)?_?code|api_?key"
    r"|授权码|授权密码|专用密码|密码|口令|密钥",
    re.IGNORECASE,
)
_LOOKS_LIKE_CODE = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]{16}")
"""NetEase, QQ and Aliyun codes: sixteen letters (and digits), no separator."""


class Places:
    """Says where a value stands, in words the operator can look up."""

    def __init__(self, file: Path | None, raw: Tree) -> None:
        self._file, self._raw = file, raw
        self._variables: dict[Loc, str] = {}

    def came_from(self, loc: Loc, variable: str) -> None:
        self._variables[loc] = variable

    def from_environment(self, loc: Loc) -> bool:
        return loc in self._variables

    def __call__(self, *loc: str | int) -> str:
        """`config/mailbot.toml: mailboxes[otog].imap.port`, or the variable's name."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self._variables:
                return self._variables[loc[:end]]
        key = ""
        for index, part in enumerate(loc):
            if isinstance(part, int):
                key += f"[{self._name(loc[index - 1], part)}]"
            else:
                key += f".{part}" if key else part
        return f"{self._file or 'mailbot.toml'}: {key}"

    def _name(self, table: str | int, index: int) -> str:
        try:
            name = self._raw[str(table)][index]["name"]
        except (KeyError, IndexError, TypeError):
            name = None
        return name if isinstance(name, str) and name else _("no. {n}").format(n=index + 1)


def mailbox_tables(raw: Tree) -> Iterator[tuple[int, Tree]]:
    boxes = raw.get("mailboxes")
    for index, box in enumerate(boxes if isinstance(boxes, list) else []):
        if isinstance(box, dict):
            yield index, box


def _with_credentials(raw: Tree) -> Iterator[tuple[Loc, Tree]]:
    """The tables that name a credential, and where they stand."""
    for index, box in mailbox_tables(raw):
        yield ("mailboxes", index), box
    if isinstance(alerts := raw.get("alerts"), dict):
        yield ("alerts",), alerts


# --- secrets --------------------------------------------------------------------------------


def take_secrets(raw: Tree, where: Places) -> list[Fault]:
    """Removes passwords, codes and tokens from the tree and reports each by its key alone."""
    faults: list[Fault] = []

    def visit(node: Any, loc: Loc) -> None:
        if isinstance(node, list):
            for index, child in enumerate(node):
                visit(child, (*loc, index))
        if not isinstance(node, dict):
            return
        for key in list(node):
            named = key.endswith(("_file", "_env"))  # says where a secret is, holds none
            if _SECRET_KEY.search(key) and not named and not isinstance(node[key], dict | list):
                del node[key]
                faults.append(
                    secret_fault(where(*loc, key), _("a secret must not stand in this file"))
                )
            else:
                visit(node[key], (*loc, key))

    visit(raw, ())
    for loc, table in _with_credentials(raw):
        for key in ("credential_env", "credential_file"):
            value = table.get(key)
            if isinstance(value, str) and _LOOKS_LIKE_CODE.fullmatch(value.strip()):
                del table[key]
                table["credential_env"] = "_"  # told already: no second fault for a missing one
                place = where(*loc, key)
                faults.append(secret_fault(place, _("this looks like the code itself")))
    url = raw.get("database_url")
    if isinstance(url, str) and _url_password(url):
        del raw["database_url"]
        faults.append(
            Fault(
                where("database_url"),
                _("the address holds the database's password"),
                _("leave it out here and set MAILBOT_DATABASE_URL, or use a .pgpass file"),
            )
        )
    return faults


def secret_fault(place: str, found: str) -> Fault:
    return Fault(
        place,
        found,
        _(
            "delete it here; put it alone into a file (chmod 600) and name that file with "
            "credential_file, or name an environment variable with credential_env; "
            "if others have seen it, have a new code issued"
        ),
    )


def _url_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return "@" in url


# --- environment ----------------------------------------------------------------------------


def apply_environment(
    raw: Tree, environ: Mapping[str, str], where: Places, shape: Tree
) -> list[Fault]:
    """Puts MAILBOT_* values into the tree. A variable that nearly names a key is a fault; one that
    names nothing of ours is left alone (it may hold a credential)."""
    faults: list[Fault] = []
    named = (table.get("credential_env") for _loc, table in _with_credentials(raw))
    credentials = {name for name in named if isinstance(name, str)}
    for variable in sorted(environ):
        if not variable.startswith("MAILBOT_") or variable in RESERVED | credentials:
            continue
        path = variable.removeprefix("MAILBOT_").lower().split("__")
        known, fault = _target(raw, path, shape, variable)
        if fault:
            faults.append(fault)
        if known is None:
            continue
        loc, parent, kind = known
        text = environ[variable]
        words = [w.strip() for w in re.split("[,，]", text) if w.strip()]
        parent[str(loc[-1])] = words if kind is tuple else text
        where.came_from(loc, variable)
    return faults


def _target(
    raw: Tree, path: list[str], shape: Tree, variable: str
) -> tuple[tuple[Loc, Tree, Any] | None, Fault | None]:
    """The place a variable's path leads to: (loc, parent table, kind of value), or a fault, or
    neither when the variable is none of ours."""
    node, level, loc = raw, shape, ()  # type: tuple[Tree, Tree, Loc]
    for depth, word in enumerate(path):
        last = depth == len(path) - 1
        if word not in level:
            near = difflib.get_close_matches(word, level, n=1, cutoff=0.8)
            if near:
                return None, _misspelt(variable, path, depth, near[0])
            return None, None
        kind = level[word]
        loc = (*loc, word)
        if last:
            if isinstance(kind, dict | list):
                return None, Fault(
                    variable, _("is a table, not a value"), _("set its keys one by one")
                )
            return (loc, node, kind), None
        if isinstance(kind, list):
            index, box = _named_box(raw, path[depth + 1])
            if box is None:
                return None, Fault(
                    variable,
                    _("there is no mailbox called “{name}”").format(name=path[depth + 1]),
                    _("use a mailbox's name: {names}").format(
                        names=", ".join(str(b.get("name")) for _i, b in mailbox_tables(raw))
                    ),
                )
            rest, fault = _target(box, path[depth + 2 :], kind[0], variable)
            return ((*loc, index, *rest[0]), rest[1], rest[2]) if rest else None, fault
        if not isinstance(kind, dict):
            return None, Fault(variable, _("“{key}” has no keys below it").format(key=word), "")
        child = node.setdefault(word, {})
        if not isinstance(child, dict):
            return None, None
        node, level = child, kind
    return None, None


def _named_box(raw: Tree, word: str) -> tuple[int, Tree | None]:
    for index, box in mailbox_tables(raw):
        if re.sub(r"\W", "_", str(box.get("name", ""))).lower() == word:
            return index, box
    return -1, None


def _misspelt(variable: str, path: list[str], depth: int, near: str) -> Fault:
    right = "MAILBOT_" + "__".join([*path[:depth], near, *path[depth + 1 :]]).upper()
    return Fault(
        variable, _("no setting is called that"), _("did you mean {name}?").format(name=right)
    )


# --- provider profiles ----------------------------------------------------------------------

_IMAP_PORTS = {"tls": 993, "starttls": 143, "plain": 143}
_SMTP_PORTS = {"tls": 465, "starttls": 587, "plain": 25}


def fill_from_profiles(raw: Tree, where: Places) -> list[Fault]:
    """Fills in what the mailbox's provider is known for, where the operator said nothing."""
    faults: list[Fault] = []
    for index, box in mailbox_tables(raw):
        address, named = box.get("address"), box.get("provider")
        address = address if isinstance(address, str) else ""
        try:
            profile = profile_for(named, address) if isinstance(named, str) and named else None
        except OperatorFault as error:
            place = where("mailboxes", index, "provider")
            faults += [Fault(place, f.found, f.remedy) for f in error.faults]
            profile = None
        guessed = profile is None
        # An address that is none is a fault of its own, told with the others.
        profile = profile or profile_for(address if "@" in address else "generic")
        _fill_box(box, profile, address, hosts=not (guessed and profile.id == "generic"))
    alerts = raw.get("alerts")
    if isinstance(alerts, dict) and isinstance(alerts.get("mail_from"), str):
        _fill_alerts(alerts, alerts["mail_from"])
    return faults


def _fill_alerts(alerts: Tree, address: str) -> None:
    """The account that alerts are mailed with is known by its address, like a mailbox."""
    profile = profile_for(address if "@" in address else "generic")
    known = profile.id != "generic"
    smtp = alerts.setdefault("smtp", {}) if known else alerts.get("smtp")
    if isinstance(smtp, dict):
        _fill_smtp(smtp, profile.smtp if known else None, address)


def _fill_box(box: Tree, profile: Provider, address: str, *, hosts: bool) -> None:
    """`hosts` False: the domain is unknown, its servers' names would be guesses."""
    if box.get("kind", "imap") == "imap":
        imap = box.setdefault("imap", {})
        if isinstance(imap, dict):
            _fill_endpoint(imap, profile.imap if hosts else None, _IMAP_PORTS, {"143"})
            if address:
                imap.setdefault("username", address)
            if "folders" not in imap:
                imap.setdefault("optional_folders", list(profile.spam_folders))
            imap.setdefault("idle", profile.idle)
            imap.setdefault("send_id", profile.send_id)
        if hosts:
            outgoing = box.setdefault("outgoing", {})
            if isinstance(outgoing, dict) and "outbox" not in outgoing:
                outgoing.setdefault("smtp", {})
    outgoing = box.get("outgoing")
    smtp = outgoing.get("smtp") if isinstance(outgoing, dict) else None
    if isinstance(smtp, dict):
        _fill_smtp(smtp, profile.smtp if hosts else None, address)
        smtp.setdefault("pace_seconds", profile.pace_seconds)


def _fill_smtp(smtp: Tree, known: Endpoint | None, address: str) -> None:
    _fill_endpoint(smtp, known, _SMTP_PORTS, {"25", "587"})
    if smtp.get("login", True) is not False:
        smtp.setdefault("username", address)


def _fill_endpoint(
    table: Tree, known: Endpoint | None, ports: dict[str, int], starttls_ports: set[str]
) -> None:
    own_host = "host" in table
    if known is not None:
        table.setdefault("host", known.host)
    if "security" not in table:
        if str(table.get("port")) in starttls_ports:  # text when it comes from a variable
            table["security"] = "starttls"
        else:
            table["security"] = "tls" if own_host or known is None else known.security
    if "port" not in table:
        same = known is not None and not own_host and known.security == table["security"]
        table["port"] = known.port if known and same else ports.get(str(table["security"]), 0) or 1
