"""What each failure of the world means to the office, and what to do: one table.

The doctor, `init` and the messages of a running mailbot all take their words from here, keyed by
`WorldFault.code`. A certificate or a connection fails in several ways under one code; `refine`
tells them apart by what the machine said. A code without a row is shown with the server's words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mailbot.adapters.i18n import N_, _
from mailbot.adapters.settings.providers import Provider
from mailbot.app.errors import Retryable, WorldFault


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened and what to do, both whole sentences in the current language."""

    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.found} → {self.remedy}" if self.remedy else self.found


_LOGIN_REMEDY: Final = N_(
    "A program logs in with the authorisation code (授权码), not with the web password. Check that "
    "IMAP/SMTP is switched on in the webmail's settings, issue a new code, put it alone into the "
    "credential file, and try again. After several failures wait a quarter of an hour."
)
_REFUSED_REMEDY: Final = N_("Read the server's words; ask the provider with them.")
_NOTHING_TO_DO: Final = N_("mailbot tries again by itself; nothing to do unless it lasts.")

TABLE: Final[dict[str, tuple[str, str]]] = {
    # reaching the server
    "dns": (
        N_("The server's name cannot be found"),
        N_("Check the spelling of host and this machine's DNS (cat /etc/resolv.conf)."),
    ),
    "connect": (
        N_("No connection to the server"),
        N_("Check network, host and port; ask the network office whether the port is open."),
    ),
    "refused_port": (
        N_("The machine is there, but nothing answers on this port"),
        N_("Check port and security: IMAP 993 with tls or 143 with starttls, SMTP 465 or 587."),
    ),
    "unreachable": (
        N_("The network does not lead to the server"),
        N_("Check this machine's network, gateway and proxy; a government intranet often has no "
           "way to the internet: ask the network office to open host and port."),
    ),
    "timeout": (
        N_("The server does not answer in time"),
        N_("Mostly a firewall between here and the server: ask the network office to open host and "
           "port. If it worked before, wait: mailbot tries again by itself."),
    ),
    "closed": (
        N_("The server closed the connection"),
        N_("mailbot connects again by itself. If it lasts: too many programs logged in at once, or "
           "the provider limits this address; close other mail programs and wait."),
    ),
    # encryption
    "tls": (
        N_("No encrypted connection could be agreed"),
        N_("Check that port and security fit together: 993 and 465 with tls, 143 and 587 with "
           "starttls."),
    ),
    "wrong_port": (
        N_("The server does not speak TLS on this port"),
        N_("Port and security do not fit: 993 and 465 with tls, 143 and 587 with starttls."),
    ),
    "starttls": (
        N_("The server offers no STARTTLS; nothing was sent in plain text"),
        N_("Use security = \"tls\" with port 993 (IMAP) or 465 (SMTP). If it used to work, somebody "
           "between here and the server may be stripping it: tell the network office."),
    ),
    "certificate": (
        N_("The server's certificate is not accepted"),
        N_("Check host. If your own mail system signs its certificates itself, get its authority's "
           "PEM file from the administrator and name it with ca_file."),
    ),
    "certificate_unknown": (
        N_("The server's certificate is signed by an authority this machine does not know"),
        N_("Your own mail system: get its authority's PEM file from the administrator and name it "
           "with ca_file. A public provider: install ca-certificates; if it stays, a device in "
           "between opens the encryption: tell the network office and do not log in."),
    ),
    "certificate_name": (
        N_("The server's certificate is made out for another name"),
        N_("Use the host name the provider publishes, not an IP address or another domain."),
    ),
    "certificate_expired": (
        N_("The server's certificate has expired"),
        N_("Check this machine's date first (date); if it is right, the mail system's administrator "
           "must renew the certificate."),
    ),
    "certificate_early": (
        N_("The server's certificate is not valid yet: this machine's clock is probably slow"),
        N_("Set the clock: sudo timedatectl set-ntp true, then look at: timedatectl."),
    ),
    "protocol": (
        N_("What answers there does not speak the mail protocol as expected"),
        N_("Check host, port and security; a proxy or virus scanner in between may be answering."),
    ),
    # logging in
    "login": (N_("The server refused the login"), _LOGIN_REMEDY),
    "login_later": (
        N_("The server does not accept logins just now"),
        N_("Too many attempts, or a limit of the provider: wait a quarter of an hour. mailbot tries "
           "again by itself."),
    ),
    "unsafe_login": (
        N_("NetEase answered “Unsafe Login”: it takes this program for an unsafe one"),
        N_("Set send_id = true under imap (mailbot then introduces itself before opening a folder). "
           "If it stays: log in to the webmail once, confirm the security notice there, and check "
           "that IMAP is switched on."),
    ),
    "folder": (
        N_("A folder cannot be opened"),
        N_("Compare the names under folders with the mailbox (mailbot doctor lists them); in the "
           "webmail's settings the folder must be allowed for IMAP."),
    ),
    # sending
    "sender": (
        N_("The server only lets the login's own address send"),
        N_("address and outgoing.smtp.username must be the same address."),
    ),
    "blocked": (
        N_("The server bars this machine's network address"),
        N_("Ask the provider to lift the bar; a shared office address may have been abused."),
    ),
    "rate": (N_("Too many letters in a short time"), N_("mailbot slows down and goes on by itself; "
             "raise pace_seconds if it happens often.")),
    "daily_quota": (
        N_("The provider's quota for today is used up"),
        N_("The letters wait until tomorrow. Ask the provider for a larger quota."),
    ),
    "spam": (
        N_("The provider took the letter for spam"),
        N_("It is not sent again unchanged. Look at it with: mailbot show; change the template's "
           "wording or ask the provider."),
    ),
    "spam_retry": (N_("The provider checks the letter for spam"), _NOTHING_TO_DO),
    # alarms
    "alert_program": (
        N_("The alarm's program cannot be started"),
        N_("Check the path under alerts.command and that mailbot's user may run it."),
    ),
    "alert_robot": (
        N_("What answers at the alarm's address is no group robot"),
        N_("Check alerts.webhook and webhook_format; try it with: mailbot doctor --alerts"),
    ),
    "session": (N_("The server wants a new connection"), _NOTHING_TO_DO),
    "closing": (N_("The server is closing down for the moment"), _NOTHING_TO_DO),
    "deferred": (N_("The server put the letter off"), _NOTHING_TO_DO),
    "one_recipient": (N_("The server takes one recipient per letter"), _REFUSED_REMEDY),
    "size": (
        N_("The letter is too large for the server"),
        N_("Answers are small; look at the office's own templates."),
    ),
    "recipient": (
        N_("The recipient's address does not exist or takes no mail"),
        N_("Check the address with the unit by telephone."),
    ),
    "refused": (N_("The server refused the letter"), _REFUSED_REMEDY),
    "no_answer": (
        N_("The letter was sent, but the server's answer was lost: it may have arrived"),
        N_("mailbot looks for it among the sent mail; where that shows nothing a task asks you."),
    ),
    "garbled": (
        N_("The letter was sent, but the server's answer could not be read: it may have arrived"),
        N_("mailbot looks for it among the sent mail; where that shows nothing a task asks you."),
    ),
    "quota": (
        N_("The mailbox is full: a mail could not be moved"),
        N_("Delete or archive old mail in the webmail; mailbot's own records are not affected."),
    ),
    "oversize": (
        N_("The server sent more than was asked for; the connection was dropped"),
        _NOTHING_TO_DO,
    ),
    # this machine
    "disk": (
        N_("The disk cannot be written"),
        N_("Free some space (df -h) and check the folder's owner; mailbot goes on by itself."),
    ),
    "archive_damaged": (
        N_("A stored mail is damaged on the disk"),
        N_("Restore the archive's file from the backup; the original is still in the mailbox."),
    ),
    "sandbox": (
        N_("The child process that reads mail cannot be started"),
        N_("Look at this machine's memory and limits (free -m, ulimit -a), then: mailbot doctor."),
    ),
    "unfetched": (
        N_("A mail could not be fetched whole"),
        N_("mailbot fetches it again; after three times it asks a person. The mailbox keeps it."),
    ),
    "database": (
        N_("The database cannot be used"),
        N_("Run: mailbot doctor. The mailbox is left untouched until the database is back."),
    ),
    "database_corrupt": (
        N_("The database file is damaged"),
        N_("Stop mailbot, keep the damaged file for a look, and restore the last backup."),
    ),
    "database_readonly": (
        N_("The database file cannot be written"),
        N_("Give the user that runs mailbot the file and its folder (chown), then start again."),
    ),
    "database_open": (
        N_("The database cannot be opened"),
        N_("Check that the folder exists and the user that runs mailbot may enter it."),
    ),
    "database_locked": (
        N_("Another program holds the database"),
        N_("End that program; mailbot must not run twice on one database."),
    ),
    "database_down": (
        N_("The database server does not answer"),
        N_("Start the database server; check its address and password."),
    ),
    "database_busy": (
        N_("The database server takes no more connections"),
        N_("Raise max_connections of the server, or let fewer programs use it."),
    ),
    "database_rights": (
        N_("The database's role may not do what mailbot must"),
        N_("Make mailbot's role the owner of its database: ALTER DATABASE … OWNER TO …"),
    ),
}  # fmt: skip

_REFINEMENTS: Final = (
    ("connect timeout closed", r"timed? ?out|超时", "timeout"),
    (
        "connect",
        r"name or service not known|name resolution|getaddrinfo|nodename nor|no address associated",
        "dns",
    ),
    ("connect", r"connection refused", "refused_port"),
    ("connect", r"network is unreachable|no route to host|host is unreachable", "unreachable"),
    ("tls", r"starttls", "starttls"),
    ("tls certificate", r"not yet valid", "certificate_early"),
    ("tls certificate", r"has expired|certificate expired", "certificate_expired"),
    (
        "tls certificate",
        r"self[- ]signed|unable to get (local )?issuer|unable to verify",
        "certificate_unknown",
    ),
    (
        "tls certificate",
        r"hostname mismatch|ip address mismatch|doesn't match|not valid for",
        "certificate_name",
    ),
    (
        "tls",
        r"wrong.version.number|record layer failure|unknown protocol|packet length",
        "wrong_port",
    ),
    ("login folder closed", r"unsafe login", "unsafe_login"),
)


def refine(code: str, message: str) -> str:
    """The row of the table for a fault's code and words: `tls` with "certificate has expired" is
    `certificate_expired`."""
    for codes, pattern, finer in _REFINEMENTS:
        if code in codes.split() and re.search(pattern, message, re.IGNORECASE):
            return finer
    return code


def explain(fault: WorldFault, provider: Provider | None = None) -> Explanation:
    """What the fault means and what to do. With the mailbox's `provider` a refused login says how
    to get the code there. The server's own words are kept, on one line, at most 200 characters."""
    words = " ".join(str(fault).split())[:200]
    code = refine(fault.code, str(fault))
    if code == "login" and isinstance(fault, Retryable):
        code = "login_later"
    found, remedy = TABLE.get(code, ("", ""))
    if not found:
        return Explanation(words or type(fault).__name__, "")
    remedy = _(remedy)
    if provider is not None and code == "login":
        remedy = f"{remedy} {provider.name}：{provider.hint}{provider.login_help}"
    return Explanation(f"{_(found)} ({words})" if words else _(found), remedy)


def explain_fault(fault: WorldFault) -> str:
    """`explain` on one line, for logs and run-time messages."""
    return str(explain(fault))
