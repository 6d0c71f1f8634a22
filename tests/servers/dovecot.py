"""A real Dovecot for the tests: IMAP (with STARTTLS), IMAPS and LMTP on free loopback ports.

It runs from a temporary folder as whoever runs the tests, root (containers) or not, and is gone
with the `with` block. Only the master process started here is ever signalled.

    with Dovecot(users={"office": "secret"}) as server:
        server.append("office", b"Subject: a\\r\\n\\r\\nb\\r\\n")
        connect("127.0.0.1", server.imap_port)
"""

from __future__ import annotations

import contextlib
import grp
import imaplib
import os
import pwd
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import trustme
from imapclient.imap_utf7 import encode

Profile = Literal["full", "no-idle", "no-move", "bare"]

CAPABILITIES: Mapping[Profile, str] = {
    "full": "",
    "no-idle": "IMAP4rev1 LITERAL+ ID ENABLE UIDPLUS MOVE NAMESPACE SPECIAL-USE UNSELECT",
    "no-move": "IMAP4rev1 LITERAL+ ID ENABLE IDLE UIDPLUS NAMESPACE SPECIAL-USE UNSELECT",
    "bare": "IMAP4rev1 ID",
}
"""What each profile announces instead of Dovecot's own list (`imap_capability`)."""

_CONFIG = """\
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0 secs
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = never
mail_location = maildir:~/Maildir
mail_max_userip_connections = 200
postmaster_address = postmaster@localhost
{capability}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {home}/users/%u
}}
userdb {{
  driver = static
  args = uid={mail_uid} gid={mail_gid} home={home}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Gesendet {{
    special_use = \\Sent
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
service lmtp {{
  chroot =
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
service stats {{
  chroot =
}}
"""


def missing() -> str | None:
    """The Debian package whose program is missing, or None when Dovecot can run here."""
    if _program("dovecot") is None:
        return "dovecot-core"
    if not Path("/usr/lib/dovecot/imap").exists():
        return "dovecot-imapd"
    if not Path("/usr/lib/dovecot/lmtp").exists():
        return "dovecot-lmtpd"
    return None


class Dovecot:
    """One server. `host` is 127.0.0.1; the certificate names it and `localhost`, and is signed by
    the CA in `ca_file`."""

    host = "127.0.0.1"

    def __init__(
        self, users: Mapping[str, str] | None = None, *, profile: Profile = "full"
    ) -> None:
        self.users: dict[str, str] = dict(users or {"office": "secret"})
        self.profile: Profile = profile
        self.imap_port, self.imaps_port, self.lmtp_port = _free_ports(3)
        self._process: subprocess.Popen[bytes] | None = None

    # --- life ---------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        # Not pytest's tmp_path: that is closed to the user the mail processes run as.
        self.home = Path(tempfile.mkdtemp(prefix="mailbot-dovecot-"))
        self.home.chmod(0o755)
        try:
            self._configure()
            self.start()
        except BaseException:
            shutil.rmtree(self.home, ignore_errors=True)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self) -> None:
        """Starts the server on its ports and waits until it greets."""
        program = _program("dovecot")
        if program is None:
            raise RuntimeError("Dovecot is not installed (Debian package dovecot-imapd)")
        self._process = subprocess.Popen(
            [program, "-F", "-c", str(self.home / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + 20
        while not self._greets():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._process.stderr.read() if self._process.poll() is not None else b""  # type: ignore[union-attr]
                self.stop()
                raise RuntimeError(f"Dovecot did not start: {said!r}\n{self.log()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stops the server (its master process ends its own children); the mail stays."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr:
            process.stderr.close()

    def log(self) -> str:
        """What the server logged so far."""
        with contextlib.suppress(FileNotFoundError):
            return (self.home / "dovecot.log").read_text("utf-8", "replace")
        return ""

    # --- users and mail -----------------------------------------------------------------------

    def add_user(self, name: str, password: str = "secret") -> str:
        """Adds a user with an empty mailbox to the running server; its name."""
        self.users[name] = password
        self._write_users()
        return name

    def maildir(self, user: str) -> Path:
        """The user's Maildir on disk; there once the user has logged in or got mail."""
        return self.home / "mail" / user / "Maildir"

    def append(
        self,
        user: str,
        raw: bytes,
        folder: str = "INBOX",
        internaldate: datetime | None = None,
        flags: str = "",
    ) -> None:
        """One mail by IMAP APPEND; the folder is made when missing. Bare LF become CRLF."""
        self.append_all(user, [raw], folder, internaldate, flags)

    def append_all(
        self,
        user: str,
        raws: Iterable[bytes],
        folder: str = "INBOX",
        internaldate: datetime | None = None,
        flags: str = "",
    ) -> None:
        """Many mails over one connection."""
        when = imaplib.Time2Internaldate(internaldate) if internaldate else ""
        with self.client(user) as client:
            if folder.upper() != "INBOX":
                client.create(_quoted(folder))
            for raw in raws:
                lines = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                _ok(client.append(_quoted(folder), flags, when, lines))

    def deliver(self, user: str, raw: bytes, sender: str = "sender@example.org") -> None:
        """One mail by LMTP, as an MTA would: adds Return-Path and Received."""
        with smtplib.LMTP(self.host, self.lmtp_port) as lmtp:
            lmtp.sendmail(sender, [user], raw)

    # --- what a person does in another client -------------------------------------------------

    @contextlib.contextmanager
    def client(self, user: str, folder: str | None = None) -> Iterator[imaplib.IMAP4]:
        """A second IMAP client of the user's, with the folder selected."""
        client = imaplib.IMAP4(self.host, self.imap_port, timeout=30)
        try:
            client.login(user, self.users[user])
            if folder is not None:
                _ok(client.select(_quoted(folder)))
            yield client
        finally:
            client.logout()

    def flags(self, user: str, folder: str = "INBOX") -> dict[int, str]:
        """UID -> flags as the server writes them."""
        found: dict[int, str] = {}
        with self.client(user) as client:
            if client.select(_quoted(folder), readonly=True)[0] != "OK":
                return found
            for line in _ok(client.uid("FETCH", "1:*", "(FLAGS)")):
                if isinstance(line, bytes):
                    text = line.decode()
                    uid = int(text.split("UID ")[1].split(" ")[0].rstrip(")"))
                    found[uid] = text.split("FLAGS (")[1].split(")")[0]
        return found

    def uids(self, user: str, folder: str = "INBOX") -> list[int]:
        """UIDs in the folder, ascending; empty when there is no such folder."""
        return sorted(self.flags(user, folder))

    def expunge(self, user: str, uid: int, folder: str = "INBOX") -> None:
        """Removes one mail for good, as its sender's recall would."""
        with self.client(user, folder) as client:
            _ok(client.uid("STORE", str(uid), "+FLAGS", r"(\Deleted)"))
            _ok(client.uid("EXPUNGE", str(uid)))

    def set_uidvalidity(self, user: str, value: int, folder: str = "INBOX") -> None:
        """Renumbers the folder, as a move to another server would."""
        self.doveadm("mailbox", "update", "-u", user, "--uid-validity", str(value), folder)

    def doveadm(self, *arguments: str) -> str:
        """Runs doveadm against this server; its output. Raises with its complaint."""
        program = _program("doveadm") or "doveadm"
        done = subprocess.run(
            [program, "-c", str(self.home / "dovecot.conf"), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        if done.returncode:
            raise RuntimeError(f"doveadm {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    # --- making it ----------------------------------------------------------------------------

    @property
    def ca_file(self) -> str:
        return str(self.home / "ca.pem")

    def _configure(self) -> None:
        ca = trustme.CA()
        cert = ca.issue_cert(self.host, "localhost")
        ca.cert_pem.write_to_path(self.home / "ca.pem")
        chain = b"".join(blob.bytes() for blob in cert.cert_chain_pems)
        (self.home / "cert.pem").write_bytes(chain)
        cert.private_key_pem.write_to_path(self.home / "key.pem")
        for name in ("run", "state", "mail", "users"):
            (self.home / name).mkdir()
        owner = _Owner.here()
        os.chown(self.home / "mail", owner.mail_uid, owner.mail_gid)
        self._write_users()
        capability = CAPABILITIES[self.profile]
        (self.home / "dovecot.conf").write_text(
            _CONFIG.format(
                home=self.home,
                capability=f"imap_capability = {capability}" if capability else "",
                internal=owner.internal,
                internal_group=owner.internal_group,
                login=owner.login,
                mail_uid=owner.mail_uid,
                mail_gid=owner.mail_gid,
                imap_port=self.imap_port,
                imaps_port=self.imaps_port,
                lmtp_port=self.lmtp_port,
            ),
            encoding="utf-8",
        )

    def _write_users(self) -> None:
        # A file for each: Dovecot reads a changed file again only after a second.
        for name, password in self.users.items():
            file = self.home / "users" / name
            file.write_text(f"{name}:{{PLAIN}}{password}\n", encoding="utf-8")
            file.chmod(0o644)

    def _greets(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((self.host, self.imap_port), 2) as sock,
        ):
            sock.settimeout(2)
            return sock.recv(4) == b"* OK"
        return False


class _Owner:
    """Which accounts the server's processes run as. Dovecot gives no mail to root, so root hands
    the mail to `nobody` and uses the accounts the Debian package made; anyone else uses theirs."""

    def __init__(self, uid: int, gid: int, internal: str, group: str, login: str) -> None:
        self.mail_uid, self.mail_gid = uid, gid
        self.internal, self.internal_group, self.login = internal, group, login

    @classmethod
    def here(cls) -> _Owner:
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            return cls(nobody.pw_uid, nobody.pw_gid, "dovecot", "dovecot", "dovenull")
        try:
            me, group = pwd.getpwuid(os.getuid()), grp.getgrgid(os.getgid())
        except KeyError:
            raise RuntimeError(
                f"Dovecot needs an account with a name; user id {os.getuid()} has none here"
            ) from None
        return cls(me.pw_uid, group.gr_gid, me.pw_name, group.gr_name, me.pw_name)


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in socks]


def _ok(answer: tuple[str, list[object]]) -> list[object]:
    kind, data = answer
    if kind != "OK":
        raise RuntimeError(f"the test server said {kind} {data!r}")
    return data


def _quoted(folder: str) -> str:
    name = encode(folder).decode("ascii").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}"'
