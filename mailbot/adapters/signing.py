"""How our own letters are known again: keyed Message-IDs and marks.

A Message-ID is made from the letter's key alone, so a letter has the same one however often it is
built, and it carries a signature, so that a mail which quotes it (In-Reply-To, References, a copy
of the header `X-Mailbot-Id`) proves itself to stem from a letter of this installation; nobody
without the secret can make one up to silence us (faults A18, L10) or to attach a mail to a thread.

Who asks, and what follows from a hit, is the business of the loop guards. Codes that a person reads
off a letter and sends back (`code`) come from the same secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import stat
from pathlib import Path

from mailbot.adapters.i18n import _
from mailbot.app.errors import Fault, OperatorFault

_KEY_CHARS = 20
"""100 bits of the letter's key: letters never share an id."""
_SIGNATURE_CHARS = 16
"""80 bits of HMAC-SHA256 (RFC 2104 §5 asks for at least 80)."""
_OURS = re.compile(
    rf"(?:mb\.)?([a-z2-7]{{{_KEY_CHARS}}})\.([a-z2-7]{{{_SIGNATURE_CHARS}}})(?:@.*)?", re.DOTALL
)
_SECRET_BYTES = 32
_CODE_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""32 signs, 5 bits each; without 0, O, 1 and I, which people read as one another."""
_CODE_CHARS = 8
"""40 bits: nobody guesses one by mail, and it can still be read out on the telephone."""


class Signer:
    """Makes and recognises ids and marks. Tokens are lower-case base32 and compare without case,
    because some relays fold the case of an id."""

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError for a secret of less than 16 bytes."""
        if len(secret) < 16:
            raise ValueError("a signing secret needs at least 16 bytes")
        self._secret = secret

    def message_id(self, key: str, domain: str) -> str:
        """`mb.<key token>.<signature>@<domain>`, without angle brackets; the same for the same key
        and domain for ever. `domain` is taken to ASCII (IDNA) where it is not."""
        token = self._digest("key", key)[:_KEY_CHARS]
        host = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        return f"mb.{token}.{self._signature('id', token)}@{host.lower()}"

    def mark(self, message_id: str) -> str:
        """The `X-Mailbot-Id` of the letter with this Message-ID.

        Raises ValueError when the id is not one of ours."""
        token = self._token(message_id, "id")
        if token is None:
            raise ValueError(f"not a Message-ID of ours: {message_id!r}")
        return f"{token}.{self._signature('mark', token)}"

    def is_ours(self, mark_or_message_id: str) -> bool:
        """Was this Message-ID or mark made with our secret? Any text may be asked about."""
        return any(self._token(mark_or_message_id, use) is not None for use in ("id", "mark"))

    def code(self, key: str) -> str:
        """What a person writes back to prove that the letter with this key reached them: 8 signs,
        the same for the same key for ever. Whether it still counts is for the store to say."""
        mac = self._mac("code", key)
        number = int.from_bytes(mac[: _CODE_CHARS * 5 // 8], "big")
        return "".join(
            _CODE_SIGNS[number >> 5 * place & 31] for place in reversed(range(_CODE_CHARS))
        )

    def _token(self, text: str, use: str) -> str | None:
        bare = text.strip().removeprefix("<").removesuffix(">").strip().lower()
        found = _OURS.fullmatch(bare)
        if (
            found is None
            or bare.startswith("mb.") != (use == "id")
            or ("@" in bare) != (use == "id")
        ):
            return None
        token, signature = found.groups()
        return token if hmac.compare_digest(signature, self._signature(use, token)) else None

    def _signature(self, use: str, token: str) -> str:
        return self._digest(use, token)[:_SIGNATURE_CHARS]

    def _digest(self, use: str, text: str) -> str:
        return base64.b32encode(self._mac(use, text)).decode("ascii").lower()

    def _mac(self, use: str, text: str) -> bytes:
        octets = f"mailbot:{use}:{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, octets, hashlib.sha256).digest()


def load_or_create_secret(path: Path) -> bytes:
    """The installation's signing secret: 32 random bytes, kept as one line of hex.

    A missing file is created with mode 0600 and is on the disk when this returns; two processes
    starting together end with the same one. Raises `OperatorFault` when the file can be read by
    others, holds no secret, or cannot be read or written.
    """
    try:
        if not path.exists():
            _create(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise OperatorFault(
                Fault(
                    str(path),
                    _("other users can read the signing secret (mode {mode})").format(
                        mode=f"{mode:04o}"
                    ),
                    f"chmod 600 {path}",
                )
            )
        written = path.read_bytes()
    except OSError as error:
        raise OperatorFault(
            Fault(
                str(path),
                _("the signing secret cannot be read or written: {error}").format(
                    error=error.strerror or error
                ),
                _("check the folder's rights and the free space"),
            )
        ) from error
    try:
        secret = bytes.fromhex(written.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) < 16:
        raise OperatorFault(
            Fault(
                str(path),
                _("this is no signing secret: one line of hexadecimal digits was expected"),
                _(
                    "restore it from the backup; without one, delete it and a new one is made "
                    "(letters sent before are then no longer known as ours)"
                ),
            )
        )
    return secret


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_bytes(_SECRET_BYTES).hex().encode("ascii") + b"\n")
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(temporary, path)  # unlike rename, never replaces another process's secret
        except FileExistsError:
            return
    finally:
        temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
