"""What our own mail server found out about a mail's sender (RFC 8601).

Anybody can write an Authentication-Results field into a mail, so only the topmost one that bears
one of our servers' names (authserv-id) counts; servers put theirs above what they received and
must remove forgeries of their own name (§5). Without a configured name nothing is believed.

| what our server says                              | result | why                             |
|---------------------------------------------------|--------|---------------------------------|
| dmarc=pass                                        | PASS   |                                 |
| dmarc=fail                                        | FAIL   | the From domain disowns it      |
| dkim=pass aligned with the From domain            | PASS   | RFC 7489 §3.1.1                 |
| spf=pass aligned with the From domain             | PASS   | RFC 7489 §3.1.2                 |
| spf=fail, nothing of the above                    | FAIL   | RFC 7208 §8.4: not authorised   |
| spf=softfail, neutral; dkim=fail; errors; nothing | NONE   | RFC 7208 §8.5, RFC 6376 §6.1:   |
|                                                   |        | no reason to refuse by itself   |

Not its business: what an office does with a mail that failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailbot.core.mail.model import IncomingMail


class AuthResult(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    NONE = "none"
    """Nothing trustworthy says either."""


@dataclass(frozen=True, slots=True)
class _Method:
    """One `method=result ptype.property=value ...` of the field (RFC 8601 §2.2)."""

    name: str
    result: str
    properties: tuple[tuple[str, str], ...]

    def domain(self, *names: str) -> str:
        """The domain in the first of these properties, "" when there is none."""
        for name in names:
            for key, value in self.properties:
                if key == name:
                    return value.rpartition("@")[2].strip("<>").rstrip(".").lower()
        return ""


def authentication(
    mail: IncomingMail, our_authserv_ids: frozenset[str], from_domain: str
) -> AuthResult:
    """The verdict of our own server about the author's domain (the table of the module)."""
    ours = {name.lower() for name in our_authserv_ids if name}
    domain = from_domain.rstrip(".").lower()
    if not ours or not domain:
        return AuthResult.NONE
    for value in mail.header_all("Authentication-Results"):
        server, methods = _parse(value)
        if server in ours:
            return _verdict(methods, domain)
    return AuthResult.NONE


def _verdict(methods: tuple[_Method, ...], domain: str) -> AuthResult:
    dmarc = {m.result for m in methods if m.name == "dmarc"}
    if "fail" in dmarc:
        return AuthResult.FAIL
    if "pass" in dmarc:
        return AuthResult.PASS
    for method in methods:
        if method.result != "pass":
            continue
        if method.name == "dkim":
            signer = method.domain("header.d", "header.i")
        elif method.name == "spf":
            # smtp.mail is what Coremail and older RFCs write for smtp.mailfrom. A passed HELO
            # name says nothing about the author.
            signer = method.domain("smtp.mailfrom", "smtp.mail")
        else:
            continue
        if aligned(signer, domain):
            return AuthResult.PASS
    if any(m.name == "spf" and m.result in ("fail", "hardfail") for m in methods):
        return AuthResult.FAIL
    return AuthResult.NONE


# Registries of China sell or grant names below these, so a common ending here is no common owner.
_SECOND_LEVEL = frozenset({"com", "net", "org", "gov", "edu", "ac", "mil", "co"})
_PROVINCES = frozenset(
    {
        "bj",
        "sh",
        "tj",
        "cq",
        "he",
        "sx",
        "nm",
        "ln",
        "jl",
        "hl",
        "js",
        "zj",
        "ah",
        "fj",
        "jx",
        "sd",
        "ha",
        "hb",
        "hn",
        "gd",
        "gx",
        "hi",
        "sc",
        "gz",
        "yn",
        "xz",
        "sn",
        "gs",
        "qh",
        "nx",
        "xj",
        "tw",
        "hk",
        "mo",
    }
)


def aligned(signer: str, author: str) -> bool:
    """Relaxed alignment (RFC 7489 §3.1): equal, or one is a subdomain of the other, where the
    shorter one is a name somebody can own. Without the Public Suffix List two sister subdomains
    are not recognised; that errs on the side of "unverified"."""
    if not signer or not author:
        return False
    short, long = sorted((signer.lower(), author.lower()), key=len)
    if short == long:
        return True
    return long.endswith("." + short) and not _public_suffix(short)


def _public_suffix(name: str) -> bool:
    labels = name.split(".")
    if len(labels) == 1:
        return True
    return (
        len(labels) == 2
        and len(labels[1]) == 2
        and (labels[0] in _SECOND_LEVEL or labels[0] in _PROVINCES)
    )


# --- the field's grammar ---------------------------------------------------------------------

# One pass, one character class per branch: linear. A token ends at white space or ; ( " =.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s;()"=]+|[=;]', re.DOTALL)


def _parse(value: str) -> tuple[str, tuple[_Method, ...]]:
    """authserv-id in lower case and the methods. Never raises; what does not fit is skipped."""
    clauses = list(_clauses(_without_comments(value)))
    if not clauses or not clauses[0]:
        return "", ()
    server = _plain(clauses[0][0]).lower()
    return server, tuple(m for m in map(_method, clauses[1:]) if m is not None)


def _without_comments(value: str) -> str:
    """Comments nest and may hold anything (RFC 5322 §3.2.2): `(dmarc=pass)` must not count. An
    unclosed one swallows the rest."""
    kept: list[str] = []
    depth = 0
    quoted = escaped = False
    for char in value:
        if escaped:
            escaped = False
        elif char == "\\" and (quoted or depth):
            escaped = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif not quoted and char == "(":
            depth += 1
            kept.append(" ")
            continue
        elif not quoted and char == ")" and depth:
            depth -= 1
            continue
        if not depth:
            kept.append(char)
    return "".join(kept)


def _clauses(value: str) -> Iterator[list[str]]:
    clause: list[str] = []
    for token in _TOKEN.findall(value):
        if token == ";":
            yield clause
            clause = []
        else:
            clause.append(token)
    yield clause


def _method(tokens: list[str]) -> _Method | None:
    pairs = [
        (tokens[i - 1].lower(), _plain(tokens[i + 1]).lower())
        for i, token in enumerate(tokens)
        if token == "=" and 0 < i < len(tokens) - 1
    ]
    if not pairs:
        return None
    (name, result), *properties = pairs
    return _Method(name.partition("/")[0], result, tuple(properties))


def _plain(token: str) -> str:
    if len(token) >= 2 and token[0] == token[-1] == '"':
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    return token
