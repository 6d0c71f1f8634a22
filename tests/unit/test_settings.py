"""The operator's file and variables: complete settings, or all faults at once."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies

from mailbot.adapters.settings import model as module
from mailbot.adapters.settings.model import Settings, find_file, load_settings
from mailbot.adapters.system import shipped
from mailbot.app.errors import Fault, OperatorFault

MAILBOX = """
    [[mailboxes]]
    name = "otog"
    offices = ["otog"]
    address = "otog_xxk@163.com"
    credential_file = "otog.code"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the data of two offices, for configuration files."""
    for office in ("otog", "laiwu"):
        (tmp_path / "etc" / "offices" / office).mkdir(parents=True)
        (tmp_path / "etc" / "offices" / office / "office.toml").touch()
    return tmp_path / "etc"


def load(folder: Path, text: str, **environment: str) -> Settings:
    file = folder / "mailbot.toml"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return load_settings(file, environment)


def faults(folder: Path, text: str, **environment: str) -> list[Fault]:
    with pytest.raises(OperatorFault) as caught:
        load(folder, text, **environment)
    return list(caught.value.faults)


def places(found: list[Fault]) -> set[str]:
    return {f.where.rpartition(": ")[2] for f in found}


# --- complete settings ----------------------------------------------------------------------


def test_five_lines_are_enough_for_a_known_provider(folder: Path) -> None:
    box = load(folder, MAILBOX).mailboxes[0]
    assert box.imap is not None and box.outgoing.smtp is not None
    assert (box.imap.host, box.imap.port, box.imap.security) == ("imap.163.com", 993, "tls")
    assert box.imap.username == box.outgoing.smtp.username == "otog_xxk@163.com"
    assert box.imap.folders == ("INBOX",)
    assert "垃圾邮件" in box.imap.optional_folders
    assert (box.outgoing.smtp.host, box.outgoing.smtp.port) == ("smtp.163.com", 465)
    assert box.outgoing.smtp.pace_seconds > 0


def test_what_the_operator_says_wins_over_the_profile(folder: Path) -> None:
    box = load(
        folder,
        MAILBOX
        + """
    [mailboxes.imap]
    host = "mail.otog.gov.cn"
    folders = ["INBOX", "报送"]
    send_id = false
    [mailboxes.outgoing.smtp]
    port = 587
    """,
    ).mailboxes[0]
    assert box.imap is not None and box.outgoing.smtp is not None
    assert (box.imap.host, box.imap.folders) == ("mail.otog.gov.cn", ("INBOX", "报送"))
    assert box.imap.optional_folders == ()
    assert not box.imap.send_id
    assert (box.outgoing.smtp.host, box.outgoing.smtp.security) == ("smtp.163.com", "starttls")


@pytest.mark.parametrize(
    ("table", "port", "security"),
    [
        ("port = 143", 143, "starttls"),
        ('security = "starttls"', 143, "starttls"),
        ('port = 993\nsecurity = "tls"', 993, "tls"),
        ('port = 10993\nsecurity = "starttls"', 10993, "starttls"),
        ("port = 10993", 10993, "tls"),
    ],
)
def test_port_and_security_follow_from_each_other(
    folder: Path, table: str, port: int, security: str
) -> None:
    text = textwrap.dedent(MAILBOX) + "[mailboxes.imap]\n" + table
    imap = load(folder, text).mailboxes[0].imap
    assert imap is not None and (imap.port, imap.security) == (port, security)


def test_an_address_without_an_at_sign_hides_no_other_fault(folder: Path) -> None:
    text = textwrap.dedent(MAILBOX).replace("@163.com", "") + "nonsense = 1\n"
    found = faults(folder, text)
    assert any("address" in f.where for f in found)
    assert any("nonsense" in f.where for f in found)
    assert all("mailbot.toml" in f.where for f in found)


def test_the_office_s_own_domain_with_a_named_provider(folder: Path) -> None:
    text = MAILBOX.replace("@163.com", "@otog.gov.cn") + '    provider = "exmail"\n'
    box = load(folder, text).mailboxes[0]
    assert box.imap is not None and box.imap.host == "imap.exmail.qq.com"
    assert box.imap.username == "otog_xxk@otog.gov.cn"


def test_a_maildir_and_an_outbox_need_no_credential(folder: Path) -> None:
    found = load(
        folder,
        """
        [[mailboxes]]
        name = "demo"
        kind = "maildir"
        maildir = "in"
        offices = ["otog", "laiwu"]
        address = "otog@example.cn"
        outgoing.outbox = "out"
        """,
    )
    box = found.mailboxes[0]
    assert (box.maildir, box.outgoing.outbox) == (folder / "in", folder / "out")
    assert box.imap is None and box.outgoing.smtp is None
    assert found.offices == ("otog", "laiwu")


def test_relative_paths_start_at_the_file_not_at_the_current_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = load(folder, 'data_dir = "../data"' + MAILBOX)
    assert found.data_dir == tmp_path / "data"
    assert found.mailboxes[0].credential_file == folder / "otog.code"
    assert found.database == f"sqlite:///{tmp_path / 'data' / 'mailbot.db'}"
    assert load(folder, MAILBOX, MAILBOT_DATA_DIR="here").data_dir == tmp_path / "here"


def test_data_lies_beside_a_config_folder_and_inside_any_other(tmp_path: Path) -> None:
    for name, expected in (("config", tmp_path / "var"), ("mailbot", tmp_path / "mailbot" / "var")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mailbot.toml").write_text("")
        assert load_settings(tmp_path / name / "mailbot.toml", {}).data_dir == expected


def test_offices_come_with_mailbot_unless_they_stand_beside_the_file(
    folder: Path, tmp_path: Path
) -> None:
    assert load(folder, "").config_dir == folder
    assert load(tmp_path, "").config_dir == shipped("config")


def test_which_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_file(None, {}) is None
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "mailbot.toml").touch()
    assert find_file(None, {}) == tmp_path / "config" / "mailbot.toml"
    assert find_file(None, {"MAILBOT_CONFIG": "b.toml"}) == tmp_path / "b.toml"
    assert find_file(Path("a.toml"), {"MAILBOT_CONFIG": "b.toml"}) == tmp_path / "a.toml"


def test_without_a_file_there_are_defaults_but_no_mailbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = load_settings(None, {})
    assert (found.mailboxes, found.file) == ((), None)
    with pytest.raises(OperatorFault, match="mailbot init"):
        found.require_mailboxes()
    with pytest.raises(OperatorFault, match=r"nowhere\.toml"):
        load_settings(Path("nowhere.toml"), {})


def test_settings_cannot_be_changed_and_hide_the_database_s_password(folder: Path) -> None:
    found = load(folder, "", MAILBOT_DATABASE_URL="postgresql://bot:hunter2@db/mailbot")
    assert "hunter2" not in repr(found) and "hunter2" in found.database
    with pytest.raises(ValueError, match="frozen"):
        found.log_level = "debug"  # type: ignore[misc]


# --- environment ----------------------------------------------------------------------------


def test_variables_reach_every_depth(folder: Path) -> None:
    box = load(
        folder,
        MAILBOX.replace('"otog"\n    offices', '"otog-main"\n    offices'),
        MAILBOT_MAILBOXES__OTOG_MAIN__IMAP__HOST="imap.example.cn",
        MAILBOT_MAILBOXES__OTOG_MAIN__IMAP__IDLE="false",
        MAILBOT_MAILBOXES__OTOG_MAIN__IMAP__FOLDERS="INBOX, 报送",
        MAILBOT_MAILBOXES__OTOG_MAIN__IMAP__MOVES__ACCEPTED="已收",
        MAILBOT_MAILBOXES__OTOG_MAIN__OUTGOING__SMTP__PACE_SECONDS="0.5",
    ).mailboxes[0]
    assert box.imap is not None and box.outgoing.smtp is not None
    assert (box.imap.host, box.imap.idle) == ("imap.example.cn", False)
    assert box.imap.folders == ("INBOX", "报送")
    assert {k.value: v for k, v in box.imap.moves.items()} == {"accepted": "已收"}
    assert box.outgoing.smtp.pace_seconds == 0.5


def test_a_fault_in_a_variable_names_the_variable(folder: Path) -> None:
    found = faults(
        folder,
        MAILBOX,
        MAILBOT_POLL_SECONDS="often",
        MAILBOT_MAILBOXES__OTOG__IMAP__PORT="99999",
        MAILBOT_DATADIR="/srv",
        MAILBOT_MAILBOXES__OTGO__NAME="x",
    )
    assert {f.where for f in found} == {
        "MAILBOT_POLL_SECONDS",
        "MAILBOT_MAILBOXES__OTOG__IMAP__PORT",
        "MAILBOT_DATADIR",
        "MAILBOT_MAILBOXES__OTGO__NAME",
    }
    assert any("MAILBOT_DATA_DIR" in f.remedy for f in found)


def test_variables_that_are_none_of_ours_are_left_alone(folder: Path) -> None:
    text = MAILBOX.replace('credential_file = "otog.code"', 'credential_env = "MAILBOT_DATA_DIRS"')
    load(folder, text, MAILBOT_DATA_DIRS="secret", MAILBOT_OTOG_CODE="x", MAILBOT_LANG="en")


# --- faults ---------------------------------------------------------------------------------


def test_all_faults_are_told_at_once_with_file_and_key(folder: Path) -> None:
    found = faults(
        folder,
        """
        data_dri = "x"
        log_level = "loud"
        max_mail_mb = 0
        [[mailboxes]]
        name = "otog"
        offices = "otog"
        address = "otog_xxk@163,com"
        password = "hunter2"
        [mailboxes.imap]
        hots = "x"
        port = "abc"
        security = "plain"
        host = "mail.example.cn"
        [[mailboxes]]
        name = "Otog"
        offices = ["otgo"]
        provider = "136"
        address = "b@unknown.gov.cn"
        """,
    )
    assert all(f.where.startswith(str(folder / "mailbot.toml")) for f in found)
    assert places(found) >= {
        "data_dri",
        "log_level",
        "max_mail_mb",
        "mailboxes[otog].offices",
        "mailboxes[otog].address",
        "mailboxes[otog].password",
        "mailboxes[otog].credential_file",
        "mailboxes[otog].imap.hots",
        "mailboxes[otog].imap.port",
        "mailboxes[otog].imap.security",
        "mailboxes[Otog].name",
        "mailboxes[Otog].offices",
        "mailboxes[Otog].provider",
        "mailboxes[Otog].imap.host",
        "mailboxes[Otog].credential_file",
    }
    remedies = {f.where.rpartition(": ")[2]: f.remedy for f in found}
    assert "data_dir" in remedies["data_dri"]
    assert "host" in remedies["mailboxes[otog].imap.hots"]
    assert "163" in remedies["mailboxes[Otog].provider"]
    assert "otog" in remedies["mailboxes[Otog].offices"]


TOP = [
    ('poll_seconds = "often"', "poll_seconds", "number"),
    ("poll_seconds = 0", "poll_seconds", "≥ 1"),
    ("reader_memory_mb = 1", "reader_memory_mb", "128"),
    ('config_dir = "nowhere"', "config_dir", "path"),
    ('templates_dir = "nowhere"', "templates_dir", "path"),
    ('database_url = "mysql://x/y"', "database_url", "sqlite"),
    ('host = "imap.163.com"', "host", "mailboxes.imap"),
    ("data_dir = 3", "data_dir", "path"),
    ('mailbox = "x"', "mailbox", "mailboxes"),
    ('archive = "database"', "archive", "database_url"),
    ('health = "8025"', "health", "127.0.0.1:8025"),
    ('health = "127.0.0.1:0"', "health", "127.0.0.1:8025"),
    ('health = "127.0.0.1:65536"', "health", "127.0.0.1:8025"),
    ('health = "0.0.0.0:8025"', "health", "health_remote"),
    ('health = "[::]:8025"', "health", "health_remote"),
    ('log_format = "xml"', "log_format", "json"),
    ("lease_seconds = 1", "lease_seconds", "≥ 2"),
]
WEBHOOK = 'webhook = "https://robot.example.org/send?key=k"'
ALERTS = [
    ('webhook = "robot.example.org"', "webhook", "https://"),
    ('webhook = "https://"', "webhook", "https://"),
    ('webhook = "http://robot.example.org/send"', "webhook", "https://"),
    ('webhook = "https://[bad/"', "webhook", "https://"),
    (WEBHOOK + '\nwebhook_format = "slack"', "webhook_format", "dingtalk"),
    ('command = "/usr/bin/sms"', "command", "brackets"),
    ('mail_to = ["a@example.org"]', "mail_from", "another account"),
    ('mail_to = ["a@example.org"]\nmail_from = "b@example.org"', "smtp", "[alerts.smtp]"),
    ('smtp.host = "smtp.example.org"', "mail_to", "mail_to"),
    ('password = "hunter2"', "password", "credential_file"),
    ('credential_env = "ABCDEFGHIJKLMNOP"', "credential_env", "credential_file"),
]
MAILED = """
[alerts]
mail_to = ["a@example.org"]
mail_from = "b@example.org"
credential_env = "MAILBOT_ALERTS_CODE"
[alerts.smtp]
host = "smtp.example.org"
"""
ALERTS_MAILED = [
    ('"a@example.org"]', '"otog_XXK@163.com"]', "mail_to", "when this mailbox does not"),
    ('"a@example.org"]', '"a"]', "mail_to", "address"),
    ('"b@example.org"', '"b"', "mail_from", "address"),
    ('credential_env = "MAILBOT_ALERTS_CODE"', "", "credential_file", "credential_file"),
    ("credential_env", 'credential_file = "c"\ncredential_env', "credential_env", "one"),
    ('"smtp.example.org"', '"smtp.example.org"\nsecurity = "plain"', "smtp.security", "tls"),
]
BOX = [
    ('imap.username = ""', "imap.username", "address"),
    ("imap.port = 0", "imap.port", "≥ 1"),
    ('imap.security = "ssl"', "imap.security", "starttls"),
    ('imap.host = "imaps://imap.163.com"', "imap.host", "imap.163.com"),
    ('imap.host = "imap.163.com:993"', "imap.host", "port"),
    ('imap.ca_file = "nowhere.pem"', "imap.ca_file", "path"),
    ("imap.idle = 3", "imap.idle", "true or false"),
    ('imap.moves.accept = "x"', "imap.moves.accept", "accepted"),
    ("imap.since_days = 0", "imap.since_days", "≥ 1"),
    ('imap = "imap.163.com"', "imap", "table"),
    ('user = "x"', "user", "imap"),
    ('outgoing.smtp.security = "plain"', "outgoing.smtp.security", "tls"),
    ("outgoing.smtp.pace_seconds = -1", "outgoing.smtp.pace_seconds", "≥ 0"),
    ('outgoing = {outbox = "o", smtp = {port = 25}}', "outgoing", "one"),
    ('maildir = "m"', "maildir", "kind"),
    ('credential_env = "CODE"', "credential_env", "one"),
    ('credential_kind = "xoauth2"', "credential_kind", "oauth2"),
]


@pytest.mark.parametrize(("line", "key", "remedy"), TOP)
def test_a_fault_at_the_top(folder: Path, line: str, key: str, remedy: str) -> None:
    found = faults(folder, line + "\n" + textwrap.dedent(MAILBOX))
    assert places(found) == {key}
    assert remedy in found[0].remedy


@pytest.mark.parametrize(("line", "key", "remedy"), ALERTS)
def test_a_fault_in_the_alerts(folder: Path, line: str, key: str, remedy: str) -> None:
    found = faults(folder, f"{textwrap.dedent(MAILBOX)}\n[alerts]\n{line}\n")
    assert places(found) == {f"alerts.{key}"}
    assert remedy in found[0].remedy
    assert "hunter2" not in str(found) and "ABCDEFGHIJKLMNOP" not in str(found)


@pytest.mark.parametrize(("old", "new", "key", "remedy"), ALERTS_MAILED)
def test_a_fault_in_mailed_alerts(folder: Path, old: str, new: str, key: str, remedy: str) -> None:
    found = faults(folder, textwrap.dedent(MAILBOX) + MAILED.replace(old, new))
    assert places(found) == {f"alerts.{key}"}
    assert remedy in found[0].remedy


def test_alerts_that_are_whole(folder: Path) -> None:
    text = textwrap.dedent(MAILBOX) + MAILED
    found = load(folder, text, MAILBOT_ALERTS_CODE="x").alerts
    assert found.smtp is not None
    assert (found.smtp.port, found.smtp.username) == (465, "b@example.org")
    known = load(
        folder, text.replace("b@example.org", "b@qq.com").replace('host = "smtp.example.org"', "")
    )
    assert known.alerts.smtp is not None and known.alerts.smtp.host == "smtp.qq.com"
    assert load(folder, '[alerts]\nwebhook = "http://127.0.0.1:9/x"').alerts.webhook
    fromenv = load(folder, MAILBOX, MAILBOT_ALERTS__WEBHOOK="https://robot.example.org/send?key=k7")
    assert fromenv.alerts.webhook.endswith("k7") and "k7" not in repr(fromenv)


def test_the_health_page_is_for_this_machine_unless_told(folder: Path) -> None:
    for address in ("127.0.0.1:8025", "localhost:8025", "[::1]:8025"):
        assert load(folder, f'health = "{address}"').health == address
    assert load(folder, 'health = "0.0.0.0:8025"\nhealth_remote = true').health
    assert load(folder, 'health = "0.0.0.0:8025"', MAILBOT_HEALTH_REMOTE="true").health


def test_a_place_of_a_secret_is_no_secret(folder: Path) -> None:
    assert load(folder, 'secret_file = "s.key"').secret_path == folder / "s.key"
    assert load(folder, "").secret_path == load(folder, "").data_dir / "secret.key"


@pytest.mark.parametrize(("line", "key", "remedy"), BOX)
def test_a_fault_in_a_mailbox(folder: Path, line: str, key: str, remedy: str) -> None:
    found = faults(folder, textwrap.dedent(MAILBOX) + line + "\n")
    assert f"mailboxes[otog].{key}" in places(found) and len(found) == 1
    assert remedy in found[0].remedy


def test_a_table_where_a_list_of_tables_belongs(folder: Path) -> None:
    found = faults(folder, MAILBOX.replace("[[mailboxes]]", "[mailboxes]"))
    assert places(found) == {"mailboxes"} and "[[mailboxes]]" in found[0].remedy


def test_mailboxes_without_a_name_are_counted(folder: Path) -> None:
    found = faults(folder, MAILBOX + '\n    [[mailboxes]]\n    address = "x@163.com"\n')
    assert "mailboxes[no. 2].name" in places(found)


def test_two_mailboxes_on_one_account_would_answer_twice(folder: Path) -> None:
    found = faults(folder, MAILBOX + MAILBOX.replace('name = "otog"', 'name = "second"'))
    assert places(found) == {"mailboxes[second]"}


def test_an_unknown_domain_wants_its_servers_named(folder: Path) -> None:
    found = faults(folder, MAILBOX.replace("@163.com", "@otog.gov.cn"))
    assert places(found) == {"mailboxes[otog].imap.host", "mailboxes[otog].outgoing"}
    assert any("coremail" in f.remedy for f in found)


@pytest.mark.parametrize(
    ("host", "good"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.8.9.1", True),
     ("10.0.0.5", False), ("localhost.example.cn", False), ("mail.otog.gov.cn", False)],
)  # fmt: skip
def test_plain_text_stays_on_this_machine(folder: Path, host: str, good: bool) -> None:
    text = textwrap.dedent(MAILBOX) + f'imap = {{host = "{host}", security = "plain"'
    if good:
        assert load(folder, text + "}").mailboxes
    else:
        assert places(faults(folder, text + "}")) == {"mailboxes[otog].imap.security"}
    assert load(folder, text + ", allow_plain = true}").mailboxes


def test_reading_one_s_own_answers_is_refused(folder: Path) -> None:
    found = faults(
        folder,
        """
        [[mailboxes]]
        name = "demo"
        kind = "maildir"
        maildir = "in"
        offices = ["otog"]
        address = "otog@example.cn"
        outgoing.outbox = "../etc/in"
        """,
    )
    assert places(found) == {"mailboxes[demo].outgoing.outbox"}


# --- secrets --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    ["password", "Password", "passwd", "smtp_password", "imap.password", "outgoing.smtp.token",
     '"授权码"', '"邮箱密码"', "secret", "client_secret", "auth_code", "access_token", "pwd",
     "authorization_code", "api_key", '"口令"'],
)  # fmt: skip
def test_a_secret_in_the_file_is_a_fault_that_does_not_repeat_it(folder: Path, key: str) -> None:
    found = faults(folder, textwrap.dedent(MAILBOX) + f'{key} = "hunter2hunter2"\n')
    assert len(found) == 1 and "hunter2" not in str(found[0])
    assert "credential_file" in found[0].remedy and "chmod 600" in found[0].remedy


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("credential_env", "ABCDEFGHIJKLMNOP"),
        ("credential_env", "abcdefghijklmnop"),
        ("credential_file", "Ab1cd2Ef3gh4Ij5k"),
        ("credential_env", "a code with blanks"),
    ],
)
def test_a_code_where_its_place_was_asked_is_not_repeated(
    folder: Path, key: str, code: str
) -> None:
    found = faults(folder, MAILBOX.replace('credential_file = "otog.code"', f'{key} = "{code}"'))
    assert len(found) == 1 and code not in str(found[0])


def test_the_database_s_password_belongs_into_the_environment(folder: Path) -> None:
    found = faults(folder, 'database_url = "postgresql://bot:hunter2@db/mailbot"')
    assert places(found) == {"database_url"} and "hunter2" not in str(found[0])
    assert load(folder, 'database_url = "postgresql://bot@db/mailbot"').mailboxes == ()


# --- files as people save them, and worse ----------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_notepad_s_encodings_are_read(folder: Path, encoding: str) -> None:
    file = folder / "mailbot.toml"
    text = textwrap.dedent(MAILBOX) + 'outgoing.from_name = "鄂托克前旗信息室"\n'
    file.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert load_settings(file, {}).mailboxes[0].outgoing.from_name == "鄂托克前旗信息室"


def test_full_width_signs_are_named(folder: Path) -> None:
    found = faults(folder, MAILBOX.replace("=", "＝").replace('"', "“"))
    assert found and all(str(folder / "mailbot.toml") in f.where for f in found)


NAMES = ["mailboxes", "name", "imap", "outgoing", "smtp", "host", "port", "offices", "address",
         "credential_file", "credential_env", "data_dir", "config_dir", "provider", "moves", "kind",
         "folders", "outbox", "database_url", "password", "security", "x"]  # fmt: skip
VALUES = strategies.one_of(
    strategies.sampled_from(["", "otog", "imap", "maildir", "x@163.com", "x@y.cn", "plain", "163"]),
    strategies.integers(-1, 100_000),
    strategies.booleans(),
    strategies.text(max_size=8),
)
TREES = strategies.dictionaries(
    strategies.sampled_from(NAMES),
    strategies.recursive(
        VALUES,
        lambda inner: (
            strategies.lists(inner, max_size=3)
            | strategies.dictionaries(strategies.sampled_from(NAMES), inner, max_size=5)
        ),
        max_leaves=20,
    ),
    max_size=6,
)


@example(tree={"mailboxes": [{"name": [], "credential_env": []}]})
@given(tree=TREES)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_tree_gives_settings_or_faults_with_a_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tree: dict[str, Any]
) -> None:
    monkeypatch.setattr(module, "_read", lambda _file: tree)
    try:
        load_settings(folder / "mailbot.toml", {"MAILBOT_MAILBOXES__OTOG__IMAP__PORT": "1"})
    except OperatorFault as fault:
        assert fault.faults and all(f.where and f.found for f in fault.faults)


# --- the example ----------------------------------------------------------------------------


def example() -> str:
    return (shipped("config") / "mailbot.example.toml").read_text(encoding="utf-8")


def uncommented() -> str:
    """Every option of the example switched on."""
    return re.sub(r"(?m)^# (?=[a-z_]+ = |\[[a-z.]+\])", "", example())


def test_the_example_loads_as_it_stands(folder: Path) -> None:
    found = load(folder, example())
    assert found.mailboxes[0].address == "otog_xxk@163.com"


def test_the_example_names_every_option_and_no_other(folder: Path) -> None:
    """Switched on all at once, only the alternatives quarrel; no key is unknown or missing."""
    found = faults(folder, uncommented())
    assert places(found) <= {
        "templates_dir", "mailboxes[otog].credential_env", "mailboxes[otog].maildir", "mailboxes[otog].outgoing",
        "mailboxes[otog].imap.ca_file", "mailboxes[otog].outgoing.smtp.ca_file",
        "alerts.credential_env",
    }  # fmt: skip
    shape = module._shape(Settings)

    def keys(level: dict[str, Any]) -> set[str]:
        below = [kind[0] if isinstance(kind, list) else kind for kind in level.values()]
        return set(level).union(*(keys(k) for k in below if isinstance(k, dict)))

    written = set(re.findall(r"(?m)^#? ?\[*(?:\w+\.)*(\w+)\]*(?: = |$|\s+#)", example()))
    assert keys(shape) <= written
