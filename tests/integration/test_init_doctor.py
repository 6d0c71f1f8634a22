"""`mailbot init` and `mailbot doctor` against real servers: what works, and every way to fail."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sqlite3
import ssl
import stat
from collections import namedtuple
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
import typer
from typer.testing import CliRunner, Result

import mailbot.adapters
from mailbot.adapters import i18n
from mailbot.adapters.db.engine import open_store
from mailbot.adapters.doctor.mail import check_mailbox
from mailbot.adapters.doctor.remedies import TABLE, explain, explain_fault
from mailbot.adapters.settings.model import load_settings
from mailbot.adapters.settings.providers import profile_for
from mailbot.adapters.smtp import replies as smtp_replies
from mailbot.adapters.system import SystemClock
from mailbot.app.doctor import State
from mailbot.app.errors import OperatorFault, Permanent, Retryable
from mailbot.cli import context, setup
from tests.servers.dovecot import Dovecot
from tests.servers.picky_proxy import PickyProxy
from tests.servers.smtp_sink import Authority, SmtpSink

ADDRESS = "office@otog.example"
CODE = "AbCdEfGh12345678"

app = typer.Typer()
app.command("init")(setup.init)
app.command("doctor")(setup.doctor)


class Office:
    """A place of its own to set up in, beside a mailbox on a real server."""

    def __init__(self, folder: Path, server: Dovecot) -> None:
        self.folder, self.server = folder, server
        self.file = folder / "config" / "mailbot.toml"
        server.add_user(ADDRESS, CODE)

    def run(self, *arguments: str, say: str = "") -> Result:
        command, *rest = arguments
        return CliRunner().invoke(app, [command, "--config", str(self.file), *rest], input=say)

    def init(self, *arguments: str, say: str = f"{CODE}\n") -> Result:
        """Everything answered by options, the code on standard input."""
        return self.run("init", *self.servers(), *arguments, say=say)

    def servers(self) -> tuple[str, ...]:
        return (
            *("--yes", "--code-stdin", "--address", ADDRESS, "--office", "otog"),
            *("--imap-host", "127.0.0.1", "--imap-port", str(self.server.imaps_port)),
            *("--ca-file", self.server.ca_file, "--outbox", str(self.folder / "outbox")),
        )

    def write(self, text: str = "", *, imap: str = "", outgoing: str = "") -> None:
        """A working configuration by hand, with these changes."""
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(
            f"""
            {text}
            [[mailboxes]]
            name = "otog"
            offices = ["otog"]
            address = "{ADDRESS}"
            credential_file = "code"
            [mailboxes.imap]
            {imap or self.imap()}
            [mailboxes.outgoing]
            {outgoing or 'outbox = "../outbox"'}
            """
        )
        (self.file.parent / "code").write_text(CODE)
        (self.file.parent / "code").chmod(0o600)

    def imap(self, *lines: str, port: int = 0) -> str:
        own = (f"port = {port or self.server.imaps_port}", f'ca_file = "{self.server.ca_file}"')
        return "\n".join(('host = "127.0.0.1"', *own, *lines))

    def doctor(self) -> dict[str, dict[str, str]]:
        """The checks by name; the exit code agrees with them."""
        result = self.run("doctor", "--json")
        report = json.loads(result.stdout)
        failed = [c for c in report["checks"] if c["state"] == "fail"]
        assert result.exit_code == (1 if failed else 0)
        assert report["ok"] is not bool(failed)
        assert all(c["found"] and c["title"] for c in report["checks"])
        assert all(c["remedy"] for c in failed), failed
        return {c["name"]: c for c in report["checks"]}

    def left(self) -> set[str]:
        """Files there are."""
        return {str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file()}


@pytest.fixture
def office(tmp_path: Path, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Office:
    for name in ("MAILBOT_CONFIG", "MAILBOT_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(context, "_config", None)  # of whichever command ran before
    shutil.rmtree(dovecot.maildir(ADDRESS), ignore_errors=True)
    return Office(tmp_path, dovecot)


@pytest.fixture
def chinese() -> Iterator[None]:
    before = i18n.current()
    i18n.install("zh")
    yield
    i18n.install(before)


# --- init -----------------------------------------------------------------------------------


def test_init_tries_everything_then_writes_what_doctor_finds_healthy(office: Office) -> None:
    with SmtpSink(logins={ADDRESS: CODE}) as sink:
        result = office.run(
            "init",
            *(a for a in office.servers() if a not in ("--outbox", str(office.folder / "outbox"))),
            *("--smtp-host", "127.0.0.1", "--smtp-port", str(sink.port)),
            *("--smtp-security", "plain"),
            say=CODE + "\n",
        )
        assert result.exit_code == 0, result.output
        checks = office.doctor()
        assert sink.attempts == 2 and sink.letters == []
    code_file = office.folder / "var" / "secret" / "otog.code"
    assert code_file.read_text().strip() == CODE
    assert stat.S_IMODE(code_file.stat().st_mode) == 0o600
    assert stat.S_IMODE((office.folder / "var").stat().st_mode) == 0o700
    assert CODE not in result.output + office.file.read_text()
    box = load_settings(office.file, {}).mailboxes[0]
    assert (box.name, box.offices, box.credential_file) == ("otog", ("otog",), code_file)
    assert {n for n, c in checks.items() if c["state"] == "fail"} == set()
    for name in (
        "settings",
        "offices",
        "templates",
        "reader",
        "imap.login:otog",
        "smtp.login:otog",
    ):
        assert checks[name]["state"] == "ok", checks[name]


def test_a_refused_code_writes_nothing(office: Office) -> None:
    result = office.init(say="wrong\n")
    assert result.exit_code == 1
    assert "authorisation code" in result.output
    assert office.left() == set()


def test_missing_answers_are_told_at_once(office: Office) -> None:
    result = office.run("init", "--yes")
    assert isinstance(result.exception, OperatorFault)
    assert {f.where for f in result.exception.faults} >= {"--address", "--code-stdin"}
    assert office.left() == set()


def test_a_file_that_is_there_is_kept(office: Office) -> None:
    assert office.init().exit_code == 0
    office.file.write_text("# mine\n" + office.file.read_text())
    assert isinstance(office.init().exception, OperatorFault)
    assert office.run("init", say="n\n").exit_code != 0
    assert office.file.read_text().startswith("# mine")
    assert office.init("--force").exit_code == 0
    assert not office.file.read_text().startswith("# mine")
    assert (office.file.parent / "mailbot.toml.bak").read_text().startswith("# mine")


def interactive(office: Office) -> tuple[str, ...]:
    return tuple(a for a in office.servers() if a not in ("--yes", "--code-stdin"))


def test_questions_with_a_second_try_at_the_code(office: Office) -> None:
    options = [a for a in interactive(office) if a not in ("--address", ADDRESS, "--imap-host")]
    options.remove("127.0.0.1")
    said = f"no address\n{ADDRESS}\nno-such\ngeneric\n127.0.0.1\nwrong\n1\n{CODE}\n"
    result = office.run("init", *options, say=said)
    assert result.exit_code == 0, result.output
    assert CODE not in result.output and "wrong" not in result.output
    assert (office.folder / "var" / "secret" / "otog.code").read_text().strip() == CODE


def test_writing_it_all_the_same(office: Office) -> None:
    result = office.run("init", *interactive(office), say="wrong\n2\n")
    assert result.exit_code == 0, result.output
    assert office.doctor()["imap.login:otog"]["state"] == "fail"


def test_stopping_in_the_middle_leaves_nothing(office: Office) -> None:
    for said in ("", "wrong\n", "wrong\n3\n"):
        assert office.run("init", *interactive(office), say=said).exit_code == 1
        assert office.left() == set()


def test_faults_name_the_file_to_be_and_not_the_draft(office: Office) -> None:
    result = office.init("--ca-file", "nowhere.pem")
    assert isinstance(result.exception, OperatorFault)
    assert {f.where.split(": ")[0] for f in result.exception.faults} == {str(office.file)}
    assert office.left() == set()


def test_offline_writes_without_a_connection(office: Office) -> None:
    office.server.add_user(ADDRESS, "changed since")
    assert office.init("--offline").exit_code == 0
    assert load_settings(office.file, {}).mailboxes


def test_a_value_with_quotes_and_chinese_survives_the_file(office: Office) -> None:
    result = office.init("--offline", "--username", 'DOM\\"信息室"', "--name", "报送-1")
    assert result.exit_code == 0, result.output
    box = load_settings(office.file, {}).mailboxes[0]
    assert box.imap is not None and box.imap.username == 'DOM\\"信息室"' and box.name == "报送-1"


def test_a_code_in_the_environment_is_not_written_down(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTOG_CODE", CODE)
    arguments = [a for a in office.servers() if a != "--code-stdin"]
    result = office.run("init", *arguments, "--credential-env", "OTOG_CODE")
    assert result.exit_code == 0, result.output
    assert office.left() == {"config/mailbot.toml"}


# --- doctor: this machine -------------------------------------------------------------------


def test_a_sound_installation(office: Office) -> None:
    office.write()
    office.server.append(ADDRESS, b"Subject: a\r\n\r\nb\r\n")
    checks = office.doctor()
    # Late in the year the holidays of the next are not announced yet, and it says so.
    noted = {n for n, c in checks.items() if c["state"] != "ok"} - {"holidays"}
    assert noted == {"outbox:otog"}
    assert checks["holidays"]["state"] in ("ok", "warn")
    assert checks["imap.folders:otog"]["found"].startswith("INBOX: 1")
    assert office.left() == {"config/mailbot.toml", "config/code"}  # looks, and makes nothing


def test_without_a_file_it_says_what_to_run(office: Office) -> None:
    office.folder.joinpath("config").mkdir()
    report = CliRunner().invoke(app, ["doctor", "--json"])
    first = next(c for c in json.loads(report.stdout)["checks"] if c["state"] == "fail")
    assert first["name"] == "settings" and "mailbot init" in first["remedy"]
    assert report.exit_code == 1


def test_every_fault_of_the_file_is_a_line_and_the_rest_is_skipped(office: Office) -> None:
    office.write("poll_seconds = 0\nnonsense = 1")
    result = office.run("doctor", "--json")
    checks = json.loads(result.stdout)["checks"]
    faults = [c for c in checks if c["name"] == "settings"]
    assert len(faults) == 2 and all(c["state"] == "fail" and c["remedy"] for c in faults)
    assert {c["state"] for c in checks if c["name"] not in ("settings", "python")} == {"skip"}


def test_broken_office_data_and_templates_are_named(office: Office, tmp_path: Path) -> None:
    own = office.folder / "config" / "offices" / "otog"
    shutil.copytree(Path(mailbot.adapters.__file__).parents[2] / "config/offices/otog", own)
    office.write()
    assert office.doctor()["offices"]["state"] == "ok"
    (own / "quota.toml").write_text("x = = 1")
    broken = office.doctor()["offices"]
    assert broken["state"] == "fail" and "quota.toml" in broken["found"]


def test_the_data_folder(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.write()
    data = office.folder / "var"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    found = office.doctor()["data_dir"]
    assert found["state"] == "warn" and found["remedy"] == f"chmod 700 {data}"
    data.chmod(0o700)
    assert office.doctor()["data_dir"]["state"] == "ok"
    data.rmdir()
    data.touch()
    assert office.doctor()["data_dir"]["state"] == "fail"


def test_a_full_disk(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.write()
    usage = namedtuple("usage", "total used free")
    for free, state in ((10_000_000, "fail"), (500_000_000, "warn"), (5_000_000_000, "ok")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _p, free=free: usage(0, 0, free))
        assert office.doctor()["disk"]["state"] == state


def test_the_database_s_version_and_health(office: Office) -> None:
    office.write()
    file = office.folder / "var" / "mailbot.db"
    assert office.doctor()["database"]["state"] == "ok" and not file.exists()
    open_store(f"sqlite:///{file}").close()
    assert office.doctor()["database"]["state"] == "ok"

    with sqlite3.connect(file) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    newer = office.doctor()["database"]
    assert newer["state"] == "fail" and "9999" in newer["found"] and "newer" in newer["found"]

    for leftover in file.parent.glob("mailbot.db*"):
        leftover.unlink()
    file.write_bytes(b"this is no database" * 1000)
    damaged = office.doctor()["database"]
    assert damaged["state"] == "fail" and "backup" in damaged["remedy"]
    assert file.read_bytes() == b"this is no database" * 1000

    file.unlink()
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE cashbook (amount)")
    assert "cashbook" in office.doctor()["database"]["found"]


def test_a_clock_behind_its_own_files(office: Office) -> None:
    office.write()
    (office.folder / "var").mkdir(mode=0o700)
    written = office.folder / "var" / "mailbot.log"
    written.touch()
    assert office.doctor()["time"]["state"] == "ok"
    ahead = written.stat().st_mtime + 86_400
    os.utime(written, (ahead, ahead))
    assert office.doctor()["time"]["state"] == "fail"


# --- doctor: the mailbox --------------------------------------------------------------------


def test_a_code_others_can_read(office: Office) -> None:
    office.write()
    (office.file.parent / "code").chmod(0o644)
    checks = office.doctor()
    assert "chmod 600" in checks["credential:otog"]["remedy"]
    assert checks["imap.login:otog"]["state"] == "skip"


def test_a_wrong_code_says_how_to_get_a_right_one(office: Office, chinese: None) -> None:
    office.write()
    (office.file.parent / "code").write_text("wrong")
    login = office.doctor()["imap.login:otog"]
    assert login["state"] == "fail" and "拒绝登录" in login["found"]
    assert "授权码" in login["remedy"] and "wrong" not in str(login)


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"host": "no-such-host.invalid"}, "name cannot be found"),
        ({"port": "closed"}, "nothing answers on this port"),
        ({"port": "plain"}, "does not speak TLS"),
        ({"ca_file": None}, "authority this machine does not know"),
    ],
    ids=["dns", "refused", "wrong-port", "unknown-authority"],
)
def test_the_way_to_the_server(office: Office, change: dict[str, str | None], words: str) -> None:
    ports = {"closed": closed_port(), "plain": office.server.imap_port}
    lines = [
        f'host = "{change.get("host", "127.0.0.1")}"',
        f"port = {ports.get(change.get('port') or '', office.server.imaps_port)}",
        "" if "ca_file" in change else f'ca_file = "{office.server.ca_file}"',
    ]
    office.write(imap="\n".join(lines))
    checks = office.doctor()
    assert words in checks["imap.connect:otog"]["found"], checks["imap.connect:otog"]
    assert checks["imap.login:otog"]["state"] == "skip"


class Certified(Authority):
    """A server certificate for another name, or for another time."""

    def __init__(self, folder: Path, host: str, until: datetime) -> None:
        self.ca_file = folder / "own-ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(host, not_after=until).configure_cert(self.context)


@pytest.mark.parametrize(
    ("host", "days", "state", "words"),
    [
        ("127.0.0.1", 365, "ok", "TLS"),
        ("127.0.0.1", 3, "warn", "ends in"),
        ("127.0.0.1", -3, "fail", "expired"),
        ("mail.example.cn", 365, "fail", "another name"),
    ],
)
def test_certificates(
    office: Office, tmp_path: Path, host: str, days: int, state: str, words: str
) -> None:
    authority = Certified(tmp_path, host, datetime.now(UTC) + timedelta(days=days))
    with SmtpSink("tls", authority, logins={ADDRESS: CODE}) as sink:
        office.write(
            outgoing=f'smtp = {{host = "127.0.0.1", port = {sink.port}, '
            f'ca_file = "{authority.ca_file}"}}'
        )
        checks = office.doctor()
        assert checks["smtp.connect:otog"]["state"] == state
        assert words in checks["smtp.connect:otog"]["found"]
        assert checks["smtp.login:otog"]["state"] == ("skip" if state == "fail" else "ok")


def test_a_refused_smtp_login_beside_a_good_imap_one(office: Office) -> None:
    with SmtpSink(logins={ADDRESS: "another"}) as sink:
        office.write(
            outgoing=f'smtp = {{host = "127.0.0.1", port = {sink.port}, security = "plain"}}'
        )
        checks = office.doctor()
        assert sink.attempts == 1
    assert checks["imap.login:otog"]["state"] == "ok"
    assert checks["smtp.login:otog"]["state"] == "fail"
    assert "refused the login" in checks["smtp.login:otog"]["found"]


def test_missing_folders_are_named_with_those_there_are(office: Office) -> None:
    office.server.append(ADDRESS, b"Subject: a\r\n\r\nb\r\n", "垃圾邮件")
    office.write(imap=office.imap('folders = ["INBOX", "报送"]', 'moves = {accepted = "已收"}'))
    folders = office.doctor()["imap.folders:otog"]
    assert folders["state"] == "fail"
    for name in ("报送", "已收", "垃圾邮件"):
        assert name in folders["found"]


def test_spam_folders_may_be_absent_and_are_counted_where_present(office: Office) -> None:
    office.server.append(ADDRESS, b"Subject: a\r\n\r\nb\r\n", "垃圾邮件")
    office.write(imap=office.imap())
    assert "垃圾邮件: 1" in office.doctor()["imap.folders:otog"]["found"]


def test_unsafe_login_is_explained(office: Office) -> None:
    with PickyProxy(("127.0.0.1", office.server.imap_port)) as proxy:
        plain = ('host = "127.0.0.1"', f"port = {proxy.port}", 'security = "plain"')
        office.write(imap="\n".join(plain))
        assert office.doctor()["imap.login:otog"]["state"] == "ok"
        office.write(imap="\n".join((*plain, "send_id = false")))
        login = office.doctor()["imap.login:otog"]
    assert login["state"] == "fail"
    assert "Unsafe Login" in login["found"] and "send_id" in login["remedy"]


def test_a_clock_behind_the_server_s(office: Office) -> None:
    office.write()
    assert office.doctor()["imap.clock:otog"]["state"] == "skip"  # nothing to compare with
    office.server.append(ADDRESS, b"Subject: a\r\n\r\nb\r\n")
    box = load_settings(office.file, {}).mailboxes[0]
    for back, state in ((timedelta(0), State.OK), (timedelta(days=1), State.FAIL)):
        checks = {c.name: c for c in check_mailbox(box, SlowClock(back))}
        assert checks["imap.clock:otog"].state is state
    assert "timedatectl" in checks["imap.clock:otog"].remedy


class SlowClock(SystemClock):
    """The machine's clock, put back."""

    def __init__(self, back: timedelta) -> None:
        self._back = back

    def now(self) -> datetime:
        return super().now() - self._back


def test_a_maildir_as_mailbox(office: Office) -> None:
    office.file.parent.mkdir()
    office.file.write_text(
        """
        [[mailboxes]]
        name = "local"
        kind = "maildir"
        maildir = "../in"
        offices = ["otog"]
        address = "otog@example.cn"
        outgoing.outbox = "../out"
        """
    )
    assert office.doctor()["maildir:local"]["state"] == "fail"
    (office.folder / "in").mkdir()
    assert "cur" in office.doctor()["maildir:local"]["found"]
    for part in ("cur", "new", "tmp"):
        (office.folder / "in" / part).mkdir()
    checks = office.doctor()
    assert checks["maildir:local"]["state"] == "ok"
    assert "credential:local" not in checks


def test_the_doctor_speaks_chinese(office: Office, chinese: None) -> None:
    office.write()
    told = office.run("doctor").stdout
    assert "[正常]" in told and "[注意]" in told and "怎么办" in told
    for line in told.splitlines():
        assert re.search(r"[\u4e00-\u9fff]|Python", line) or not line, line


# --- the table of remedies ------------------------------------------------------------------


def test_every_code_an_adapter_raises_has_its_words() -> None:
    codes = {row.code for _pattern, row in smtp_replies._ROWS}
    for file in Path(mailbot.adapters.__file__).parent.rglob("*.py"):
        codes |= set(re.findall(r'\bcode="([a-z_]+)"', file.read_text("utf-8")))
    assert codes - set(TABLE) == set()


@pytest.mark.parametrize("code", sorted(TABLE))
def test_every_failure_says_what_to_do_in_chinese(code: str, chinese: None) -> None:
    told = explain_fault(Permanent("server said so", code=code))
    found, _arrow, remedy = told.partition(" → ")
    assert all(re.search(r"[\u4e00-\u9fff]{3}", part) for part in (found, remedy)), told
    assert "said so" in found


def test_words_of_the_server_stay_on_one_short_line() -> None:
    told = explain_fault(Retryable("a\r\nb\x00" + "x" * 5000, code="deferred"))
    assert "\n" not in told and len(told) < 500
    assert explain_fault(Permanent("something new", code="never_heard_of")) == "something new"


def test_a_busy_server_is_not_a_wrong_code() -> None:
    provider = profile_for("x@163.com")
    busy = explain(Retryable("too many connections", code="login"), provider)
    wrong = explain(Permanent("password wrong", code="login"), provider)
    assert provider.hint in wrong.remedy and provider.hint not in busy.remedy
