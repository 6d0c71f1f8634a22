"""One logged-in IMAP connection: what the protocol and its servers make necessary, and no policy.

Promises
* ID (RFC 2971) goes out after login and before the first folder is opened, where the capability
  list asked for after login offers it: NetEase answers "Unsafe Login" to every SELECT otherwise.
* Every failure is a `WorldFault`, or `Refused` when the server said NO or BAD and the connection
  goes on. After a `WorldFault` the connection is closed: an IMAP stream that was left in the
  middle of an answer would give the next command the wrong one.
* Answers are matched by UID, response by response. Whatever the server sends unasked (EXISTS,
  FETCH of other mails, sequence numbers shifted by EXPUNGE) is never taken for the answer.

imapclient does the talking. Its `fetch` and `search` are not used: they key answers without a UID
by sequence number, merge renumbered ones, and give up a whole batch for one bad line.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import mailbot
from mailbot.adapters.imap import faults as imap_faults
from mailbot.adapters.imap.account import ImapAccount, Secret
from mailbot.adapters.imap.connect import connect, login
from mailbot.adapters.imap.faults import GARBLED, Oversize, Refused
from mailbot.adapters.imap.wire import attributes_of, mailbox_name, number, responses, uid_set
from mailbot.app.errors import Retryable, WorldFault

log = logging.getLogger(__name__)
T = TypeVar("T")

# One SEARCH line with 100,000 of NetEase's ten-digit UIDs is 1.1 MB; imaplib stops at 1 MB.
imaplib._MAXLINE = max(getattr(imaplib, "_MAXLINE", 0), 32 << 20)  # type: ignore[attr-defined]

PLENTY = 1 << 20
"""Bytes a literal may have in answers that carry no mail."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder as EXAMINE or SELECT found it."""

    folder: str
    writable: bool
    uidvalidity: int
    """0 when the server gave none."""
    exists: int
    uidnext: int
    """0 when the server gave none (NetEase)."""
    keywords: frozenset[str]
    """PERMANENTFLAGS in lower case; `\\*` among them lets any keyword be set."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back of a FETCH: attributes by UID, only of UIDs that were asked."""

    mails: dict[int, dict[bytes, Any]]
    damaged: bool
    """Part of it could not be understood, or the server said NO: who is missing may still exist."""


class Session:
    """One connection. Opens and logs in on construction. Not for two threads."""

    def __init__(
        self, account: ImapAccount, secret: Secret, monotonic: Callable[[], float]
    ) -> None:
        self._account, self._monotonic = account, monotonic
        self.where = f"{account.host}:{account.port}"
        self._literal_limit = PLENTY
        self.opened: Opened | None = None
        self.server_id: dict[str, str] = {}
        self.closed = False
        self._client = connect(account)
        try:
            self._guard_literals()
            login(self._client, account, secret)
            self.capabilities = self._capabilities()
            self._introduce()
        except BaseException:
            self.drop()
            raise
        self.born = self.used = monotonic()

    # --- starting ---------------------------------------------------------------------------

    def _guard_literals(self) -> None:
        """imaplib asks for all bytes of a literal at once: one line `{99999999999}` would be a
        MemoryError, and a trickle would never time out."""
        read = self._client._imap.read

        def guarded(size: int) -> bytes:
            if size > self._literal_limit:
                raise Oversize(f"a literal of {size} bytes, at most {self._literal_limit} fit here")
            # 10 kB/s is slower than any line that is worth keeping.
            deadline = self._monotonic() + self._account.timeout + size / 10_000
            pieces: list[bytes] = []
            while size > 0:
                piece = read(min(size, 1 << 16))
                if not piece:
                    break
                pieces.append(piece)
                size -= len(piece)
                if size and self._monotonic() > deadline:
                    raise TimeoutError
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)

        self._client._imap.read = guarded

    def _capabilities(self) -> frozenset[str]:
        """Asked anew after login, whatever the greeting said: Tencent announces most of them only
        then, and an attacker could have forged those before TLS."""
        self._client._cached_capabilities = None
        self._client._imap.untagged_responses.pop("CAPABILITY", None)
        try:
            names = self.call("CAPABILITY", self._client.capabilities)
        except Refused:
            names = ()
        return frozenset(imap_faults.clean(name).upper() for name in names)

    def _introduce(self) -> None:
        if not (self._account.send_id and "ID" in self.capabilities):
            return
        about = {"name": "mailbot", "version": mailbot.__version__, "vendor": "mailbot"}
        try:
            answer = self.call("ID", self._client.id_, about)
        except Refused as refusal:
            log.warning("%s: ID refused: %s", self.where, refusal.said)
            return
        pairs = answer[0] if answer and isinstance(answer[0], tuple) else ()
        self.server_id = {
            imap_faults.clean(key): imap_faults.clean(value)
            for key, value in zip(pairs[::2], pairs[1::2], strict=False)
            if value is not None
        }

    # --- talking ------------------------------------------------------------------------------

    def call(self, what: str, function: Callable[..., T], *args: object) -> T:
        """Runs one library call; its exceptions become `Refused` or a `WorldFault`."""
        if self.closed:
            raise Retryable(f"{what}: not connected", code="closed", systemic=True)
        try:
            answer = function(*args)
        except (imaplib.IMAP4.readonly, imaplib.IMAP4.error) as error:
            refused = not isinstance(error, imaplib.IMAP4.abort) and re.search(
                r"failed: |command error: ", str(error)
            )
            if refused or isinstance(error, imaplib.IMAP4.readonly):
                raise Refused(imap_faults.said(error)) from error
            raise self._lost(error, what) from error
        except (OSError, Oversize, MemoryError, *GARBLED) as error:
            raise self._lost(error, what) from error
        self.used = self._monotonic()
        return answer

    def _lost(self, error: BaseException, what: str) -> WorldFault:
        self.drop()
        return imap_faults.broken(error, f"{what} at {self.where}")

    def _command(self, what: str, function: Callable[..., Any], *args: object) -> list[Any]:
        """The same for imaplib's calls, which hand NO back as a value."""
        kind, data = self.call(what, function, *args)
        if kind != "OK":
            raise Refused(imap_faults.clean(data[-1] if data else kind))
        return [part for part in data if part is not None]

    # --- commands -----------------------------------------------------------------------------

    def open(self, folder: str, *, writable: bool = False) -> Opened:
        """EXAMINE, or SELECT when writable. Raises `Refused` when there is no such folder."""
        self.opened = None
        imap = self._client._imap
        self._command(f"open {folder}", imap.select, mailbox_name(folder), not writable)
        flags = imap.untagged_responses.get("PERMANENTFLAGS") or [b""]
        self.opened = Opened(
            folder,
            writable,
            number(imap.untagged_responses.get("UIDVALIDITY")),
            number(imap.untagged_responses.get("EXISTS")),
            number(imap.untagged_responses.get("UIDNEXT")),
            frozenset(imap_faults.clean(flags[-1]).lower().strip("()").split()),
        )
        return self.opened

    def search(self, *criteria: str) -> list[int]:
        """UIDs, ascending, each once. Several SEARCH lines are one answer."""
        imap = self._client._imap
        imap.untagged_responses.pop("SEARCH", None)
        found: set[int] = set()
        for line in self._command("SEARCH", imap.uid, "SEARCH", *criteria):
            found.update(int(word) for word in bytes(line).split(b"(")[0].split() if word.isdigit())
        return sorted(found - {0})

    def fetch(self, uids: Sequence[int], items: str, *, literal_limit: int = PLENTY) -> Reply:
        """FETCH of `items` (without parentheses; UID is added)."""
        imap = self._client._imap
        imap.untagged_responses.pop("FETCH", None)
        self._literal_limit = literal_limit
        refused = False
        try:
            data = self._command("FETCH", imap.uid, "FETCH", uid_set(uids), f"(UID {items})")
        except Refused as refusal:
            # RFC 5530 EXPUNGEISSUED and others: what could be fetched was sent before the NO.
            log.info("%s: FETCH refused in part: %s", self.where, refusal.said)
            refused, data = True, imap.untagged_responses.pop("FETCH", [])
        finally:
            self._literal_limit = PLENTY
        mails: dict[int, dict[bytes, Any]] = {}
        contradicted: set[int] = set()
        damaged = refused
        for response in responses(data):
            attributes = attributes_of(response)
            if attributes is None:
                damaged = True
                continue
            uid = attributes.get(b"UID")
            if isinstance(uid, int):
                mail = mails.setdefault(uid, {})
                if any(mail.get(n, v) != v for n, v in attributes.items() if n.startswith(b"BODY")):
                    contradicted.add(uid)  # of two bodies under one UID one is another mail's
                mail.update(attributes)
        asked = set(uids) - contradicted
        damaged = damaged or bool(contradicted)
        return Reply({uid: mail for uid, mail in mails.items() if uid in asked}, damaged)

    def store(self, uid: int, flag: str) -> None:
        """Adds a flag; a mail that is gone is no error."""
        self._command(
            "STORE", self._client._imap.uid, "STORE", str(uid), "+FLAGS.SILENT", f"({flag})"
        )

    def move(self, uid: int, folder: str) -> None:
        """UID MOVE (RFC 6851)."""
        self._command("MOVE", self._client._imap.uid, "MOVE", str(uid), mailbox_name(folder))

    def copy(self, uid: int, folder: str) -> None:
        self._command("COPY", self._client._imap.uid, "COPY", str(uid), mailbox_name(folder))

    def expunge(self, uid: int) -> None:
        """UID EXPUNGE (RFC 4315): this one mail and no other."""
        self._command("EXPUNGE", self._client._imap.uid, "EXPUNGE", str(uid))

    def create(self, folder: str) -> None:
        self._command("CREATE", self._client._imap.create, mailbox_name(folder))

    def folders(self) -> list[str]:
        """Names of all folders that can be opened."""
        return [name for name, _, _ in self.listed()]

    def listed(self) -> list[tuple[str, frozenset[str], str]]:
        """All folders that can be opened: name, flags in lower case, hierarchy separator."""
        self._client.folder_encode = True
        try:
            rows = self.call("LIST", self._client.list_folders)
        except Refused as refusal:
            raise Retryable(f"LIST refused: {refusal.said}", code="folder", systemic=True) from None
        found = [
            (str(name), frozenset(imap_faults.clean(f).lower() for f in flags), separator)
            for flags, separator, name in rows
        ]
        return [
            (name, flags, imap_faults.clean(separator or ""))
            for name, flags, separator in found
            if "\\noselect" not in flags
        ]

    def marked(self, use: str) -> list[str]:
        """Folders with this mark (`\\Sent`, RFC 6154 §2), where the server tells it on demand only."""
        if "SPECIAL-USE" not in self.capabilities:
            return []
        client = self._client
        client.folder_encode = True
        client._imap.untagged_responses.pop("LIST", None)
        try:
            rows = self._command(
                "LIST", client._imap._simple_command, "LIST", "(SPECIAL-USE)", '""', '"*"'
            )
        except Refused:
            return []
        rows = client._imap.untagged_responses.pop("LIST", [])
        listed = self.call("LIST", client._proc_folder_list, rows)
        return [
            str(name) for flags, _, name in listed if use in {f.decode().lower() for f in flags}
        ]

    def noop(self) -> None:
        self._command("NOOP", self._client._imap.noop)

    # --- IDLE (RFC 2177) ----------------------------------------------------------------------

    def idle(self, seconds: float, stop: threading.Event) -> bool:
        """Stands in IDLE in the open folder; True as soon as mail may have arrived. Ends early
        when `stop` is set. Raises `Refused` when the server will not."""
        client = self._client
        try:
            self.call("IDLE", client.idle)
        except WorldFault as fault:
            if re.search(r"Unexpected IDLE response: b['\"]\* BYE", str(fault)):
                raise self._lost(imaplib.IMAP4.abort("BYE"), "IDLE") from fault
            if "Unexpected IDLE response: b'*" in str(fault):
                return True  # something arrived even before the "+"; the connection was dropped
            if "Unexpected IDLE response" in str(fault):
                raise Refused(str(fault)) from fault
            raise
        arrived = self._same_packet()
        early, end = 0, self._monotonic() + seconds
        while not (arrived or stop.is_set()) and (left := end - self._monotonic()) > 0:
            slice_ = min(left, 1.0)
            began = self._monotonic()
            heard = self.call("IDLE", client.idle_check, slice_)
            arrived = self._heard(heard)
            # After EOF idle_check returns [] at once for ever; TLS housekeeping does so once or
            # twice.
            early = early + 1 if not heard and self._monotonic() - began < slice_ / 2 else 0
            if early > 5:
                raise self._lost(imaplib.IMAP4.abort("EOF"), "IDLE")
        _, late = self.call("IDLE", client.idle_done)
        return self._heard(late) or arrived

    def _heard(self, responses: Iterable[Any]) -> bool:
        arrived = False
        for response in responses:
            words = [word.upper() for word in response if isinstance(word, bytes)]
            if b"BYE" in words[:1]:
                raise self._lost(imaplib.IMAP4.abort(imap_faults.clean(response)), "IDLE")
            arrived = arrived or b"EXISTS" in words or b"RECENT" in words
        return arrived

    def _same_packet(self) -> bool:
        """What came in one packet with "+ idling" lies in imaplib's buffer, where no poll sees
        it."""
        sock = self._client.socket()
        line = b""
        sock.settimeout(0)
        try:
            line = self._client._imap.readline()
        except OSError:
            pass  # nothing there
        finally:
            sock.settimeout(self._account.timeout)
        if line and not line.endswith(b"\r\n"):
            raise self._lost(imaplib.IMAP4.abort("half a line"), "IDLE")
        return bool(line)

    # --- ending -------------------------------------------------------------------------------

    def close(self) -> None:
        """Logs out. Folders are left by LOGOUT, never by CLOSE, which would expunge."""
        if not self.closed:
            with contextlib.suppress(Exception):
                self._client.socket().settimeout(5)
                self._client.logout()
        self.drop()

    def abort(self) -> None:
        """Shuts the socket only; whoever reads from it finds its end and drops the session."""
        with contextlib.suppress(Exception):
            self._client.socket().shutdown(socket.SHUT_RDWR)

    def drop(self) -> None:
        """Closes the socket without a word. Repeatable."""
        self.closed, self.opened = True, None
        with contextlib.suppress(Exception):
            self._client.shutdown()
