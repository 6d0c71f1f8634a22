"""What the operator sets: `config/mailbot.toml` and MAILBOT_* variables, checked as a whole.

Promises: `load_settings` either gives frozen, complete settings (every server, port and folder
filled in from the provider's profile, every path absolute) or raises one `OperatorFault` with all
faults, each with its file or variable, its key and what to do. No secret is ever in them: a
password in the file is itself a fault. Whether a server answers, a folder can be written or a
credential works is the doctor's business; what the offices' rules say is `rulefiles`'.

Which file: `--config`, else MAILBOT_CONFIG, else `config/mailbot.toml` under the current folder.
Relative paths in the file start at the folder that holds the file, those in variables at the
current folder. A variable `MAILBOT_DATA_DIR` overrides `data_dir`; deeper keys are reached with
double underscores and the mailbox's name: `MAILBOT_MAILBOXES__OTOG__IMAP__PORT`. Lists are
separated by commas there.
"""

from __future__ import annotations

import os
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mailbot.adapters.i18n import _
from mailbot.adapters.settings.checks import cross_check
from mailbot.adapters.settings.checks_watch import check_watching
from mailbot.adapters.settings.sources import (
    Places,
    apply_environment,
    fill_from_profiles,
    take_secrets,
)
from mailbot.adapters.settings.words import describe
from mailbot.adapters.system import shipped
from mailbot.adapters.toml.file import read_toml
from mailbot.app.errors import Fault, OperatorFault
from mailbot.app.records import Disposition

DEFAULT_FILE = Path("config/mailbot.toml")
Security = Literal["tls", "starttls", "plain"]
Port = Annotated[int, Field(ge=1, le=65535)]
Text = Annotated[str, Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ImapSettings(_Model):
    """How one mailbox is read over IMAP. Unset values come from the provider's profile."""

    host: Text
    port: Port = 993
    security: Security = "tls"
    allow_plain: bool = False
    """Lets `security = "plain"` leave this machine: the code then crosses the network readable."""
    username: Text
    folders: tuple[Text, ...] = ("INBOX",)
    """Must exist."""
    optional_folders: tuple[Text, ...] = ()
    """Spam folders: watched where the mailbox has them."""
    sent_folder: str = ""
    """Where what we send appears; found by its name or mark (RFC 6154) when empty."""
    ca_file: Path | None = None
    """PEM file with the authority that signed the server's certificate; default the system's."""
    idle: bool = True
    """Use IDLE where offered; False where a provider's IDLE is known to be useless."""
    send_id: bool = True
    """Send ID (RFC 2971) after login where offered."""
    moves: dict[Disposition, Text] = {}
    """Folder a settled mail is moved to, by outcome; nothing is moved without an entry."""
    flag: str = ""
    """Flag set on a settled mail (`\\\\Flagged`, `$Mailbot`); none when empty."""
    since_days: Annotated[int, Field(ge=1)] | None = None
    """Look only at mail younger than this; None looks at all."""


class SmtpSettings(_Model):
    """How answers leave. Unset values come from the provider's profile."""

    host: Text
    port: Port = 465
    security: Security = "tls"
    allow_plain: bool = False
    username: str = ""
    """Login; the mailbox's address when unset, with the mailbox's credential."""
    login: bool = True
    """False for a relay that takes mail from this machine without a login."""
    ca_file: Path | None = None
    pace_seconds: Annotated[float, Field(ge=0, le=3600)] = 1.0
    """Least time between two letters."""


class OutgoingSettings(_Model):
    """Where a mailbox's answers go: to SMTP or into a Maildir, exactly one of them."""

    smtp: SmtpSettings | None = None
    outbox: Path | None = None
    """A Maildir instead of SMTP: nothing leaves the machine."""
    copy_to_self: bool = False
    """Each letter also goes to the mailbox itself, which shows later that it went out."""
    from_name: str = ""
    """Display name of the answers' sender; the office's name when empty."""


class MailboxSettings(_Model):
    """One watched mailbox."""

    name: Annotated[str, Field(pattern=r"^[\w.-]{1,40}$")]
    """Its name for good: part of every mail's origin, so renaming makes old mail new."""
    kind: Literal["imap", "maildir"] = "imap"
    offices: Annotated[tuple[Text, ...], Field(min_length=1)]
    provider: str = ""
    """Profile's name; found from the address when empty."""
    address: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$|^[^@\s]+@localhost$")]
    aliases: tuple[Text, ...] = ()
    """Other addresses that are ours: mail from them is never answered."""
    authserv_ids: tuple[Text, ...] = ()
    """Names by which our own mail server signs Authentication-Results (RFC 8601 section 2.5);
    any other such header is ignored."""
    imap: ImapSettings | None = None
    maildir: Path | None = None
    credential_env: str | None = None
    credential_file: Path | None = None
    credential_kind: Literal["password", "oauth2"] = "password"
    outgoing: OutgoingSettings


class AlertSettings(_Model):
    """Second channels for troubles the mailbox itself may be part of. All that are set are used."""

    command: tuple[Text, ...] = ()
    """Program and arguments; the text comes on its standard input."""
    webhook: Annotated[str, Field(pattern=r"^(https?://\S+)?$", repr=False)] = ""
    """An address that takes a POST, such as a WeCom (企业微信) group robot's."""
    webhook_format: Literal["wecom", "dingtalk", "plain"] = "wecom"
    mail_to: tuple[Text, ...] = ()
    """Addresses; the mail goes through `smtp`, which should be another account."""
    mail_from: str = ""
    smtp: SmtpSettings | None = None
    credential_env: str | None = None
    credential_file: Path | None = None


class SecuritySettings(_Model):
    """Who may look at what must not be here."""

    officers: tuple[Text, ...] = ()
    """Login names on this machine of the security officers (保密员)."""
    mail_to: tuple[Text, ...] = ()
    """Addresses told of a mail with a secrets mark: its number and time, never its content."""


class Settings(_Model):
    """Everything the operator set."""

    file: Path | None = None
    """The file they were read from; None without one. Not a key of the file."""
    data_dir: Path
    """Database, archive, lock: everything mailbot writes."""
    database_url: Annotated[str | None, Field(repr=False)] = None
    config_dir: Path
    """Holds `offices/<office>/`."""
    templates_dir: Path
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    answer_max_age_hours: Annotated[int, Field(ge=1)] = 72
    """Answers to older mail are withheld until the operator says so."""
    max_mail_mb: Annotated[int, Field(ge=1, le=1024)] = 50
    """Above this only a mail's header is read."""
    reader_seconds: Annotated[float, Field(gt=0, le=600)] = 20
    """CPU and wall time for reading one mail in the child process."""
    reader_memory_mb: Annotated[int, Field(ge=128)] = 1024
    """Address space of the child process."""
    reader_processes: Annotated[int, Field(ge=1, le=64)] = 2
    """Child processes that read mails at the same time, per mailbox."""
    poll_seconds: Annotated[float, Field(ge=1, le=600)] = 60
    """At most ten minutes: IDLE may be deaf without anybody noticing, the search is not."""
    lease_seconds: Annotated[float, Field(ge=2, le=600)] = 30
    """On PostgreSQL: after so long without a sign of life another machine takes over."""
    archive: Literal["files", "database"] = "files"
    """Where raw mail is kept: in `data_dir`, or in the database that several machines share."""
    secret_file: Path | None = None
    """The signing secret; `secret.key` in `data_dir` when unset. The same on all machines."""
    log_format: Literal["text", "json"] = "text"
    log_redact: bool = False
    """Addresses and numbers in the log only as far as two of them can be told apart."""
    health: Annotated[str, Field(pattern=r"^([\w.:\[\]-]+:\d{1,5})?$")] = ""
    """`127.0.0.1:8025`: where /healthz and /metrics answer; nowhere when empty."""
    health_remote: bool = False
    """Lets `health` listen beyond this machine (a container, a monitoring host)."""
    alerts: AlertSettings = AlertSettings()
    security: SecuritySettings = SecuritySettings()
    mailboxes: tuple[MailboxSettings, ...] = ()

    @property
    def database(self) -> str:
        """The database's URL: as set, else SQLite in `data_dir`."""
        return self.database_url or f"sqlite:///{self.data_dir / 'mailbot.db'}"

    @property
    def secret_path(self) -> Path:
        """The signing secret: as set, else in `data_dir`."""
        return self.secret_file or self.data_dir / "secret.key"

    @property
    def offices_dir(self) -> Path:
        """Where each office's folder stands."""
        return self.config_dir / "offices"

    @property
    def offices(self) -> tuple[str, ...]:
        """All offices of all mailboxes, each once, in the order of the file."""
        return tuple(dict.fromkeys(o for box in self.mailboxes for o in box.offices))

    def require_mailboxes(self) -> tuple[MailboxSettings, ...]:
        """The mailboxes. Raises `OperatorFault` when there is none."""
        if self.mailboxes:
            return self.mailboxes
        raise OperatorFault(
            Fault(
                str(self.file or DEFAULT_FILE),
                _("no mailbox is set up") if self.file else _("there is no configuration file yet"),
                _("run: mailbot init"),
            )
        )


def find_file(path: Path | None, environ: Mapping[str, str] | None = None) -> Path | None:
    """The configuration file that counts, absolute; None when none is named and none is there."""
    environ = os.environ if environ is None else environ
    named = path or (Path(environ["MAILBOT_CONFIG"]) if environ.get("MAILBOT_CONFIG") else None)
    if named is not None:
        return named.expanduser().absolute()
    return DEFAULT_FILE.absolute() if DEFAULT_FILE.is_file() else None


def load_settings(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings from file and environment. Without any file: defaults and no mailbox, good for
    reading saved mail. Raises `OperatorFault` with all faults."""
    environ = os.environ if environ is None else environ
    file = find_file(path, environ)
    raw = _read(file) if file else {}
    where = Places(file, raw)
    faults = take_secrets(raw, where)
    faults += apply_environment(raw, environ, where, _shape(Settings))
    faults += fill_from_profiles(raw, where)
    _resolve_paths(raw, (file.parent if file else Path.cwd()), Path.cwd(), where)
    _default_folders(raw, file)
    faults += _validate(raw, where)
    faults += cross_check(raw, where)
    faults += check_watching(raw, where)
    if faults:
        raise OperatorFault(*dict.fromkeys(faults))
    return Settings.model_validate({**raw, "file": file})


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise OperatorFault(
            Fault(
                str(file),
                _("the configuration file does not exist"),
                _("run: mailbot init, or name the file with --config or MAILBOT_CONFIG"),
            )
        )
    return read_toml(file)


def _default_folders(raw: dict[str, Any], file: Path | None) -> None:
    """A checkout keeps its data beside `config/`, not in it; offices and templates beside the
    operator's file win over the shipped ones."""
    folder = file.parent if file else Path.cwd()
    beside = folder.parent if folder.name == "config" else folder
    own_offices = file is not None and (folder / "offices").is_dir()
    raw.setdefault("data_dir", beside / "var")
    raw.setdefault("config_dir", folder if own_offices else shipped("config"))
    raw.setdefault("templates_dir", shipped("templates"))


def _resolve_paths(raw: dict[str, Any], file_base: Path, env_base: Path, where: Places) -> None:
    """Makes every path in the tree absolute, in place."""

    def visit(node: Any, shape: Any, loc: tuple[str | int, ...]) -> None:
        if isinstance(node, list) and isinstance(shape, list):
            for index, child in enumerate(node):
                visit(child, shape[0], (*loc, index))
        if not (isinstance(node, dict) and isinstance(shape, dict)):
            return
        for key, value in node.items():
            if shape.get(key) is Path and isinstance(value, str) and value.strip():
                base = env_base if where.from_environment((*loc, key)) else file_base
                node[key] = Path(os.path.normpath(base / Path(value.strip()).expanduser()))
            else:
                visit(value, shape.get(key), (*loc, key))

    visit(raw, _shape(Settings), ())


def _validate(raw: dict[str, Any], where: Places) -> list[Fault]:
    """The faults pydantic finds, in the operator's words."""
    try:
        Settings.model_validate(raw)
    except ValidationError as error:
        shape = _shape(Settings)
        return [
            describe(e["type"], e["loc"], e.get("input"), e.get("ctx", {}), where, shape)
            for e in error.errors(include_url=False)
        ]
    return []


def _shape(model: type[BaseModel]) -> dict[str, Any]:
    """A model as a tree of plain values: keys to `Path`, `tuple` (a list of words), `[shape]` (a
    list of tables), a nested shape, or None. `file` is ours, not the operator's."""
    hints = typing.get_type_hints(model)
    return {name: _kind(hints[name]) for name in model.model_fields if name != "file"}


def _kind(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(a for a in get_args(annotation) if a is not type(None))
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is tuple:
        inner = _kind(get_args(annotation)[0])
        return [inner] if isinstance(inner, dict) else tuple
    if annotation is Path:
        return Path
    if get_origin(annotation) is dict:
        return {word.value: None for word in Disposition}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _shape(annotation)
    return None
