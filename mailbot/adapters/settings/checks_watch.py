"""Checks of what watches over mailbot: the second channels, the health page; and of what only a
database server can do. Works on the plain tree, like `checks`."""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from mailbot.adapters.i18n import _
from mailbot.adapters.settings.checks import (
    At,
    check_credential,
    check_server,
    is_loopback,
    logs_in,
)
from mailbot.adapters.settings.sources import Places, Tree, mailbox_tables
from mailbot.app.errors import Fault

_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")


def check_watching(raw: Tree, where: Places) -> list[Fault]:
    faults = [*_check_archive(raw, where), *_check_health(raw, where)]
    alerts = raw.get("alerts")
    if isinstance(alerts, dict):
        at = partial(where, "alerts")
        faults += [*_check_webhook(alerts, at), *_check_mail(alerts, _watched(raw), at)]
    return faults


def _check_archive(raw: Tree, where: Places) -> list[Fault]:
    url = raw.get("database_url")
    if raw.get("archive") != "database" or (isinstance(url, str) and url.startswith("postgres")):
        return []
    return [
        Fault(
            where("archive"),
            _("only a PostgreSQL database can hold the archive"),
            _('archive = "files", or set database_url'),
        )
    ]


def _check_health(raw: Tree, where: Places) -> list[Fault]:
    address = raw.get("health")
    if not isinstance(address, str) or not address:
        return []
    host, _colon, port = address.rpartition(":")
    if port.isdecimal() and not 1 <= int(port) <= 65535:
        return [
            Fault(
                where("health"),
                _("found {value}").format(value=f"“{address[:60]}”"),
                _("a host and a port, such as 127.0.0.1:8025"),
            )
        ]
    remote = str(raw.get("health_remote")).lower() in ("true", "1")  # text from a variable
    if is_loopback(host.strip("[]")) or remote:
        return []
    return [
        Fault(
            where("health"),
            _("other machines could ask there"),
            _("127.0.0.1 for this machine alone; if it must be: health_remote = true"),
        )
    ]


def _check_webhook(alerts: Tree, at: At) -> list[Fault]:
    url = alerts.get("webhook")
    if not isinstance(url, str) or not re.match(r"https?://\S", url):
        return []  # the model tells
    try:
        parts = urlsplit(url)
        host, scheme = parts.hostname or "", parts.scheme
        _port = parts.port
    except ValueError:
        host, scheme = "", "https"
    if not host:
        return [Fault(at("webhook"), _("is no address"), _("an address that begins with https://"))]
    if scheme == "http" and not is_loopback(host):
        return [
            Fault(
                at("webhook"),
                _("without encryption anybody on the way can read the message and the robot's key"),
                _("an address that begins with https://"),
            )
        ]
    return []


def _check_mail(alerts: Tree, watched: set[str], at: At) -> list[Fault]:
    faults: list[Fault] = []
    to, smtp, sender = alerts.get("mail_to"), alerts.get("smtp"), alerts.get("mail_from")
    to = [t for t in to if isinstance(t, str)] if isinstance(to, list | tuple) else []
    faults += [_no_address(at("mail_to"), address) for address in to if not _is_address(address)]
    faults += [_is_watched(at("mail_to"), a) for a in to if a.strip().lower() in watched]
    if isinstance(sender, str) and sender and not _is_address(sender):
        faults.append(_no_address(at("mail_from"), sender))
    if isinstance(smtp, dict):
        faults += check_server(smtp, at, ("smtp",))
    if to and not sender:
        faults.append(
            Fault(
                at("mail_from"),
                _("is missing"),
                _("the address alerts are sent from, of another account than the mailbox"),
            )
        )
    elif to and not smtp:
        faults.append(
            Fault(
                at("smtp"),
                _("nothing says how alerts leave"),
                _("add [alerts.smtp] with the host of another account than the mailbox"),
            )
        )
    elif smtp and not to:
        faults.append(
            Fault(
                at("mail_to"), _("nobody is named"), _('mail_to = ["…"], or delete [alerts.smtp]')
            )
        )
    needed = bool(to) and logs_in(smtp)
    return faults + check_credential(alerts, at, needed=needed)


def _is_address(address: str) -> bool:
    return _ADDRESS.fullmatch(address) is not None


def _no_address(place: str, address: str) -> Fault:
    shown = f"“{address[:60]}”"
    return Fault(place, _("found {value}").format(value=shown), _("one mail address each"))


def _is_watched(place: str, address: str) -> Fault:
    return Fault(
        place,
        _("{address} is the mailbox that is being watched").format(address=address),
        _("name an address that works when this mailbox does not"),
    )


def _watched(raw: Tree) -> set[str]:
    found: list[Any] = []
    for _index, box in mailbox_tables(raw):
        aliases = box.get("aliases")
        found += [box.get("address"), *(aliases if isinstance(aliases, list) else [])]
    return {a.lower() for a in found if isinstance(a, str)}
