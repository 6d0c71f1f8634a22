"""What is known of the mail providers offices use: servers, spam folders, habits, how to get in.

The facts are data (`config/providers.toml`); this module finds the right profile for an address.
Promises: every address gets a profile: an unknown domain gets the generic one with `imap.<domain>`.
Whether the server is really there is the probe's business.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from mailbot.adapters.i18n import _
from mailbot.adapters.system import shipped
from mailbot.app.errors import Fault, OperatorFault


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server. `security`: `tls` (from the first byte), `starttls` or `plain`."""

    host: str
    port: int
    security: str


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider's profile, its hosts filled in for one domain."""

    id: str
    name: str
    domains: tuple[str, ...]
    imap: Endpoint
    smtp: Endpoint
    spam_folders: tuple[str, ...]
    """Watched beside INBOX where the mailbox has them: good mail lands there too."""
    send_id: bool
    idle: bool
    files_sent_itself: bool
    pace_seconds: float
    """Least time between two letters."""
    code_name: str
    """What the provider calls the secret a program logs in with: 授权码, 客户端专用密码 ..."""
    hint: str
    """How the office gets it, in Chinese."""
    login_help: str
    """What usually is the matter when the login is refused, in Chinese."""


def profile_for(address_or_name: str, address: str = "") -> Provider:
    """The profile for a mailbox address (`x@163.com`), a domain (`163.com`) or a profile's name
    (`coremail`; `address` then gives the domain for its hosts).

    An unknown domain gets the generic profile. Raises `OperatorFault` for a name that is none of
    these, naming the nearest one.
    """
    wanted = address_or_name.strip().lower()
    profiles = _profiles()
    if "@" not in wanted and wanted in profiles:
        return _filled(profiles[wanted], _domain(address))
    if "@" not in wanted and "." not in wanted:
        raise _unknown(address_or_name)
    domain = _domain(wanted)
    for provider in profiles.values():
        if domain in provider.domains:
            return _filled(provider, domain)
    return _filled(profiles["generic"], domain)


def provider_ids() -> tuple[str, ...]:
    """All profiles' names, the generic one last."""
    return tuple(_profiles())


def _domain(address: str) -> str:
    return address.strip().lower().rpartition("@")[2].rstrip(".")


def _filled(provider: Provider, domain: str) -> Provider:
    if provider.domains and domain not in provider.domains:
        domain = provider.domains[0]  # a public provider's servers carry its own domain only

    def at(endpoint: Endpoint) -> Endpoint:
        return replace(endpoint, host=endpoint.host.replace("{domain}", domain))

    return replace(provider, imap=at(provider.imap), smtp=at(provider.smtp))


def _unknown(name: str) -> OperatorFault:
    near = difflib.get_close_matches(name.lower(), provider_ids(), n=1)
    did_you_mean = _("did you mean “{name}”? ").format(name=near[0]) if near else ""
    return OperatorFault(
        Fault(
            "provider",
            _("no provider profile is called “{name}”").format(name=name),
            did_you_mean + _("known profiles: {names}").format(names=", ".join(provider_ids())),
        )
    )


@cache
def _profiles() -> dict[str, Provider]:
    """All profiles by name. The file ships with mailbot: a fault in it is a bug and raises."""
    text = (shipped("config") / "providers.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, Any]] = tomllib.loads(text)
    return {name: _provider(name, tables) for name in tables}


def _provider(name: str, tables: dict[str, dict[str, Any]]) -> Provider:
    table = dict(tables[name])
    if base := table.pop("like", None):
        table = {**tables[base], **table}
    return Provider(
        id=name,
        imap=Endpoint(**table.pop("imap")),
        smtp=Endpoint(**table.pop("smtp")),
        domains=tuple(table.pop("domains")),
        spam_folders=tuple(table.pop("spam_folders")),
        **table,
    )
