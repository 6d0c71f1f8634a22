"""Reads the words and addresses of single header fields.

The pieces `core.mail.automatic` asks about: the first word of a structured value, the addresses a
field really holds however they are written, the roles (mailer-daemon, no-reply) of local parts.
Every function is total and linear. What a word or role means is not its business.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

from mailbot.core.mail.model import IncomingMail

_VALUE_CHARS = 20_000
"""As much of one field as is looked through for addresses; a field of people is far shorter."""


def folded_name(text: str) -> str:
    """Without case, white space, hyphens and underscores: X-Auto-Reply, x_autoreply → xautoreply."""
    return re.sub(r"[\s_-]", "", text.lower())


def without_comments(value: str) -> str:
    """RFC 5322 §3.2.2 comments removed, nested ones too; an unclosed one takes the rest."""
    kept: list[str] = []
    depth = 0
    for char in value:
        if char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(char)
    return "".join(kept)


def first_word(value: str) -> str:
    """Of a structured value: no comments, no parameters, no quotes, lower case."""
    bare = without_comments(unicodedata.normalize("NFKC", value[:_VALUE_CHARS]))
    return bare.partition(";")[0].strip(" \t\"'").lower()


# --- addresses -------------------------------------------------------------------------------

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"@]{1,128}\"?\s?@\s?[A-Za-z0-9.-]{1,255}")
_ORIGIN_FIELDS = ("From", "Sender", "Reply-To", "Return-Path", "Resent-From", "X-Loop")


def field_with_address(mail: IncomingMail, addresses: Collection[str]) -> str | None:
    """The first field of origin that holds one of these addresses, or None.

    Looks into the fields' decoded text as well as the parsed addresses, so that an encoded, quoted,
    commented, tagged (+x) or rewritten (BATV, SRS) address is found too."""
    wanted = {_canonical(a) for a in addresses}
    parsed: dict[str, list[str]] = {
        "From": [a.addr for a in mail.from_],
        "Sender": [mail.sender.addr] if mail.sender else [],
        "Reply-To": [a.addr for a in mail.reply_to],
        "Return-Path": [mail.return_path.addr] if mail.return_path else [],
    }
    for name in _ORIGIN_FIELDS:
        candidates = list(parsed.get(name, ()))
        for value in mail.header_all(name):
            candidates += _addresses(value)
            candidates += _addresses(without_comments(value))
        if any(form in wanted for address in candidates for form in _forms(address)):
            return name
    return None


def _addresses(value: str) -> list[str]:
    return _ADDRESS.findall(unicodedata.normalize("NFKC", value[:_VALUE_CHARS]))


def _canonical(address: str) -> str:
    """Lower case, without quotes, spaces and +tag."""
    local, _, domain = re.sub(r"[\s\"]", "", address.lower()).rpartition("@")
    return f"{local.partition('+')[0]}@{domain.rstrip('.')}"


_PRVS = re.compile(r"prvs=[^=]{1,40}=(.+)")
_SRS = re.compile(r"srs[01][=+-].*=([^=]+)=([^=]+)")


def _forms(address: str) -> Iterator[str]:
    """The address, and what it was before BATV (prvs=) or SRS rewrote it."""
    yield _canonical(address)
    local, _, domain = address.lower().rpartition("@")
    if match := _PRVS.fullmatch(local):
        yield _canonical(f"{match[1]}@{domain}")
    if match := _SRS.fullmatch(local):
        yield _canonical(f"{match[2]}@{match[1]}")


# --- roles -----------------------------------------------------------------------------------


def author_role(mail: IncomingMail, roles: re.Pattern[str]) -> str | None:
    """The author's local part if it is one of the roles, as written. Sees a From that could not be
    parsed (`MAILER-DAEMON` alone) too."""
    addresses = [a.addr for a in mail.from_ if a.addr]
    if not addresses:
        value = mail.header("From") or ""
        addresses = _addresses(value) or [re.sub(r"[\s<>\"]", "", value[:200])]
    return _first_role(addresses, (roles,))


def role_behind(mail: IncomingMail, *roles: re.Pattern[str]) -> str | None:
    """The same for Sender, Reply-To and Return-Path."""
    addresses = [a.addr for a in (mail.sender, mail.return_path, *mail.reply_to) if a is not None]
    return _first_role(addresses, roles)


def _first_role(addresses: Iterable[str], roles: Iterable[re.Pattern[str]]) -> str | None:
    for address in addresses:
        local = (address.rpartition("@")[0] or address).lower()[:80]
        if any(role.fullmatch(lead) for role in roles for lead in _leads(local)):
            return local
    return None


def _leads(local: str) -> Iterator[str]:
    """`mailer-daemon+1` → mailer, mailerdaemon, mailerdaemon1: a role may be the first words."""
    for match in re.finditer(r"[._+=-]|$", local):
        yield re.sub(r"[._+=-]", "", local[: match.start()])
