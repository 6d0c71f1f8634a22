"""Fault A20 to its end: marks are found before anything is written, nothing is kept, the officer is
told, and nobody but the officer gets the mail again."""

from __future__ import annotations

import email
import io
import os
import pwd
import stat
import tempfile
import zipfile
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path
from typing import Any

import pytest
from docx import Document

from mailbot.adapters.db.secretmail import SqlSecretRecords
from mailbot.adapters.sandbox import SandboxedReader
from mailbot.app.secretmail import ALERTS_A_DAY, OfficerAlerts, Refused, SecretMails
from mailbot.cli import secrets as secrets_cli
from mailbot.core.intake.secrets import find_secrets
from tests.integration.cli_help import Cli, installed
from tests.integration.intake_help import LINE, NOON, Box, World, item, letter, otog, text_file

MARKER = "ZQXJVTUVMARKER"
OFFICER = "baomi@example.org"


def docx(text: str, *, header: bool = False) -> bytes:
    made, out = Document(), io.BytesIO()
    if header:
        made.sections[0].header.paragraphs[0].text = text
        made.add_paragraph(MARKER)
    else:
        made.add_paragraph(f"{text}\n{MARKER}")
    made.save(out)
    return out.getvalue()


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def file(name: str, data: bytes) -> tuple[str, bytes, str]:
    return name, data, "application/octet-stream"


def forwarded(inner: bytes, depth: int = 1) -> bytes:
    for _ in range(depth):
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = "liaison@example.com", "xinxi@example.org"
        mail["Subject"] = f"转发 {MARKER}"
        mail.set_content("请看")
        mail.add_attachment(email.message_from_bytes(inner, policy=SMTP))
        inner = mail.as_bytes()
    return inner


PLACES: dict[str, Callable[[], bytes]] = {
    "subject": lambda: letter(f"{LINE} 机密★1年 {MARKER}", MARKER),
    "subject, raw GBK": lambda: (
        b"From: liaison@example.com\r\nSubject: " + f"机密★ {MARKER}".encode("gbk") + b"\r\n\r\nx"
    ),
    "subject, folded in the mark": lambda: (
        b"From: liaison@example.com\r\nSubject: =?utf-8?B?5py6?=\r\n =?utf-8?B?5a+G4piF?=\r\n\r\n"
        + MARKER.encode()
    ),
    "body": lambda: letter(LINE, f"秘密★10年\n{MARKER}"),
    "body, spaced": lambda: letter(LINE, f"机 密 ★ 1 年\n{MARKER}"),
    "body, label": lambda: letter(LINE, f"密级：机密\n{MARKER}"),
    "body, HTML only": lambda: (
        letter(LINE, MARKER)
        .replace(b"text/plain", b"text/html")
        .replace(b"\r\n\r\n", b"\r\n\r\n", 1)
    ),
    "file name": lambda: letter(LINE, MARKER, [file(f"绝密★{MARKER}.bin", b"x" * 40)]),
    "text file": lambda: letter(LINE, "见附件", [text_file("a.txt", f"秘密★\n{MARKER}")]),
    "docx": lambda: letter(LINE, "见附件", [file("a.docx", docx("机密★5年"))]),
    "docx header": lambda: letter(LINE, "见附件", [file("a.docx", docx("机密★", header=True))]),
    "docx named otherwise": lambda: letter(LINE, "见", [file("a.wps", docx("绝密★"))]),
    "zip member's name": lambda: letter(
        LINE, "见", [file("a.zip", zipped((f"秘密★{MARKER}.txt", b"x")))]
    ),
    "zip member's text": lambda: letter(
        LINE, "见", [file("a.zip", zipped(("a.txt", f"机密★{MARKER}".encode("gb18030"))))]
    ),
    "docx in a zip in a zip": lambda: letter(
        LINE, "见", [file("a.zip", zipped(("b.zip", zipped(("c.docx", docx("机密★"))))))]
    ),
    "forward": lambda: forwarded(letter("内层", f"机密★\n{MARKER}")),
    "forward of a forward": lambda: forwarded(letter(f"机密★{MARKER}", "x"), 3),
    "file in a forward": lambda: forwarded(letter("内层", "x", [file("a.docx", docx("机密★"))])),
    "display name": lambda: letter(LINE, MARKER, sender='"机密★" <liaison@example.com>'),
}
PLACES["body, HTML only"] = lambda: (
    b"From: liaison@example.com\r\nSubject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    + f"<p>机<b>密</b>&#9733;1年</p><p>{MARKER}</p>".encode()
)

FORMS = [
    "机密★1年", "绝密★", "秘密★长期", "秘 密 ★ 10 年", "机\u3000密★", "機密★1年", "絕密★", "祕密★三年",
    "机密☆", "机密⭐", "机密✩2年", "机密*3年", "【机密】★", "机.密.★", "机\u200b密\u200b★", "秘密级★",
    "密级：机密", "密級：機密", "密 级 : 绝密", "密级:秘密★", "（密级：机密）", "密级＝机密", "保密等级：机密",
    "机密\n★1年", "⭐️机密★", "密级：√机密 □秘密",
]  # fmt: skip
TOPICS = [
    "商业秘密保护", "加强商业秘密保护★★★★", "★★★★", "李书记批示★★★★", "保守国家秘密", "国家秘密 ★★★★",
    "密级：无", "保密宣传月活动", "机密计算技术应用", "秘密花园景区开园", "★重点工作★", "涉密人员培训",
    "密级管理培训", "五星级★★★★★酒店", "密码法宣传",
]  # fmt: skip


def clean(root: Path, *needles: str) -> None:
    """No file below `root` holds any of the words, in any encoding a file of ours could have."""
    for path in root.rglob("*"):
        if path.is_file():
            found = path.read_bytes()
            for needle in (MARKER, *needles):
                for codec in ("utf-8", "gb18030", "utf-16-le"):
                    assert needle.encode(codec) not in found, (path, needle)


@pytest.fixture(scope="module")
def reader() -> Any:
    child = SandboxedReader(seconds=20, memory_mb=512)
    yield child
    child.close()


@pytest.mark.parametrize("place", PLACES)
def test_a20_nothing_is_kept_wherever_the_mark_stands(
    tmp_path: Path,
    place: str,
    reader: SandboxedReader,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Read in the child as the daemon does; the database with its WAL, the archive, temporary files
    and the log are searched byte by byte."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    caplog.set_level("DEBUG")
    world = World(tmp_path)
    world.reader = reader
    settled = world.receive(PLACES[place]())
    assert settled.decision.kind.value == "quarantine", settled.decision.reasons
    assert settled.decision.reasons[0].code == "secrets"
    assert world.letters() == [] and world.items() == []
    assert world.tasks() == ["secrets"]
    clean(tmp_path, "春耕备耕", "机密★", "秘密★", "绝密★")
    assert list(scratch.iterdir()) == []
    printed = "".join(capfd.readouterr()) + caplog.text
    assert MARKER not in printed and "春耕" not in printed
    (row,) = world.rows("select sha256, size, subject, message_id, from_addr, uid from inbound")
    assert len(row.sha256) == 64 and row.from_addr == "liaison@example.com"
    assert (row.subject, row.message_id) == ("", "")
    assert world.box.settled == [], "it lies where it lay"
    (task,) = world.rows("select text from task")
    assert MARKER not in task.text


@pytest.mark.parametrize("mark", FORMS)
def test_a20_forms_of_the_mark(mark: str) -> None:
    found = find_secrets(
        subject=f"农牧局+春耕 {mark}",
        body="",
        attachment_names=(),
        attachment_texts=(),
        nested_texts=(),
    )
    below = find_secrets(
        subject="",
        body=f"正文。\n{mark}\n正文",
        attachment_names=(),
        attachment_texts=(),
        nested_texts=(),
    )
    assert any(not m.hold_only for m in (*found, *below))


@pytest.mark.parametrize("topic", TOPICS)
def test_a20_topics_are_no_hit(tmp_path: Path, topic: str) -> None:
    world = World(tmp_path)
    settled = world.receive(item(f"{topic}工作情况", text=f"{topic}。" + "工作有序推进。" * 40))
    assert settled.decision.kind.value == "accept", settled.decision.reasons


def test_a20_the_officer_is_told_by_mail_and_by_a_task(tmp_path: Path) -> None:
    world = told_world(tmp_path)
    settled = world.receive(letter(f"机密★1年 {MARKER}", MARKER))
    (alert,) = world.sent()
    assert (alert.kind, alert.recipient) == ("secrets", OFFICER)
    mail = email.message_from_bytes(alert.raw, policy=default)
    assert mail["Auto-Submitted"] == "auto-generated"
    said = "".join(str(p.get_content()) for p in mail.iter_parts()) + str(mail["Subject"])
    assert f"mailbot secrets fetch {settled.inbound_id} --to" in said
    assert MARKER not in said and "机密★" not in said and "liaison@" not in said
    clean(tmp_path)
    world.receive(b"Received: from a by b; x\r\n" + letter(f"机密★1年 {MARKER}", MARKER))
    assert len(world.letters()) == 1, "the same mail again is told of once"


def test_a20_a_storm_of_marks_tells_the_officer_a_bounded_number_of_times(tmp_path: Path) -> None:
    world = told_world(tmp_path)
    for n in range(ALERTS_A_DAY + 5):
        world.box.put(letter(f"机密★ {n}", f"{n}", message_id=f"{n}@x.com"), NOON)
    world.run()
    assert len(world.letters()) == ALERTS_A_DAY
    last = email.message_from_bytes(world.sent()[-1].raw, policy=default).get_body(("plain",))
    assert last is not None and "只列入清单" in str(last.get_content())
    assert world.tasks() == ["secrets"] * (ALERTS_A_DAY + 5), "each has its task"


def told_world(root: Path) -> World:
    return officers_told(World(root))


def officers_told(world: World) -> World:
    world.settler.alerts = OfficerAlerts(world.settler.alerts.posting, (OFFICER, "no address"))
    return world


# --- fetching it again ------------------------------------------------------------------------

RAW = letter(f"机密★1年 {MARKER}", MARKER, message_id="s@example.com")


class Desk:
    """A world with one secret mail in its box, and who may fetch it."""

    def __init__(self, root: Path, raw: bytes = RAW, cap: int = 1_000_000) -> None:
        self.world = World(root, cap=cap)
        self.world.receive(item(), raw)
        self.number = 2
        self.mails = SecretMails(
            store=self.world.store,
            records=SqlSecretRecords(self.world.store),
            officers=("baomi",),
            source_for=lambda name: self.box if name == "test" else None,  # type: ignore[arg-type,return-value]
            cap_bytes=cap,
            clock=self.world.clock,
        )

    @property
    def box(self) -> Box:
        return self.world.box

    def trail(self) -> list[tuple[str, str, str]]:
        return [
            tuple(r)
            for r in self.world.rows(
                "select who, action, subject from audit where action like 'secrets.%' order by id"
            )
        ]

    def refused(self, who: str = "baomi", number: int | None = None) -> str:
        with pytest.raises(Refused) as refusal:
            self.mails.fetch(number or self.number, who, "/somewhere")
        return refusal.value.code


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a20_the_officer_lists_and_fetches_it_from_the_mailbox(desk: Desk) -> None:
    (listed,) = desk.mails.listed("baomi")
    assert (listed.row.id, listed.row.origin.uid) == (desk.number, 2)
    assert not any(MARKER in text for text in listed.log)
    assert desk.mails.fetch(desk.number, "baomi", "/home/baomi/x.eml") == RAW
    assert desk.trail() == [
        ("baomi", "secrets.list", "secrets"),
        ("baomi", "secrets.fetch", "inbound:2"),
    ]
    assert 2 in desk.box.mails and desk.box.settled == [(1, desk.box.settled[0][1])]
    clean(desk.world.root)


@pytest.mark.parametrize("who", ["root", "mailbot", "", "Baomi", "baomi ", "0"])
def test_a20_nobody_else_gets_it_and_the_attempt_is_recorded(desk: Desk, who: str) -> None:
    asked: list[str] = []
    desk.box.hurt = asked.append
    assert desk.refused(who) == "officer"
    with pytest.raises(Refused):
        desk.mails.listed(who)
    assert asked == [], "the mailbox was not even opened"
    assert desk.trail() == [
        (who, "secrets.fetch_refused", "inbound:2"),
        (who, "secrets.list_refused", "secrets"),
    ]


def test_a20_what_no_longer_is_that_mail_is_not_handed_out(desk: Desk) -> None:
    assert desk.refused(number=1) == "unknown", "an ordinary mail"
    assert desk.refused(number=99) == "unknown"
    good = desk.box.mails[2]
    desk.box.mails[2] = type(good)(
        RAW.replace(b"example.com", b"example.net"), good.received, good.size
    )
    assert desk.refused() == "other"
    del desk.box.mails[2]
    assert desk.refused() == "gone"
    desk.box.mails[2] = good
    desk.box.broken.add(2)
    assert desk.refused() == "garbled"
    desk.box.broken.clear()
    desk.box.uidvalidity = 2
    assert desk.refused() == "renumbered"
    desk.box.uidvalidity = 1
    assert desk.mails.fetch(desk.number, "baomi", "/x") == RAW
    assert [a for _, a, _ in desk.trail()] == ["secrets.fetch_refused"] * 6 + ["secrets.fetch"]


def test_a20_a_large_one_is_fetched_whole(tmp_path: Path) -> None:
    """Only its header section was read; the mark stood in the subject."""
    raw = letter("机密★1年", "x" * 60_000)
    desk = Desk(tmp_path, raw, cap=20_000)
    assert desk.mails.fetch(desk.number, "baomi", "/x") == raw


# --- the command ------------------------------------------------------------------------------


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    config = installed(tmp_path, Path(__file__).resolve().parents[2] / "config")
    found = Cli(capsys, monkeypatch, config)
    found.drop(RAW, NOON, "1")
    found.good("once")
    return found


def officers(cli: Cli, *names: str) -> None:
    listed = ", ".join(f'"{n}"' for n in names)
    text = cli.config.read_text("utf-8").replace(
        "[[mailboxes]]", f"[security]\nofficers = [{listed}]\n[[mailboxes]]", 1
    )
    cli.config.write_text(text, "utf-8")


def me() -> str:
    return secrets_cli.login_name()


def test_a20_the_command_writes_a_file_of_the_officers_own(cli: Cli) -> None:
    officers(cli, me())
    out = cli.good("secrets", "list")
    assert MARKER not in out and "liaison@example.com" in out
    target = cli.folder / "mine.eml"
    cli.good("secrets", "fetch", "1", "--to", str(target))
    assert target.read_bytes() == RAW
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    cli.refused("secrets", "fetch", "1", "--to", str(target))
    link = cli.folder / "link.eml"
    link.symlink_to(cli.folder / "elsewhere.eml")
    cli.refused("secrets", "fetch", "1", "--to", str(link))
    cli.refused("secrets", "fetch", "1", "--to", str(cli.folder / "data" / "x.eml"))
    assert not (cli.folder / "elsewhere.eml").exists()
    assert list((cli.folder / "mailbox").rglob("*.test*")), "it was not deleted"


def test_a20_no_environment_makes_an_officer(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    officers(cli, "baomi")
    for name in ("USER", "LOGNAME", "SUDO_USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "baomi")
    target = cli.folder / "mine.eml"
    cli.refused("secrets", "fetch", "1", "--to", str(target))
    cli.refused("secrets", "list")
    assert not target.exists()


def test_a20_who_asks_is_the_login_or_else_the_uid(monkeypatch: pytest.MonkeyPatch) -> None:
    """With sudo the login stays the person's; without one (a container) the uid counts."""
    mine = pwd.getpwuid(os.getuid()).pw_name
    kept = Path.read_text

    def login(text: str) -> Callable[..., str]:
        return lambda path, *a, **k: (
            text if str(path) == "/proc/self/loginuid" else kept(path, *a, **k)
        )

    monkeypatch.setattr(Path, "read_text", login("4294967295"))
    assert secrets_cli.login_name() == mine
    monkeypatch.setattr(Path, "read_text", login("1"))
    assert secrets_cli.login_name() == pwd.getpwuid(1).pw_name != mine
    monkeypatch.setattr(Path, "read_text", login("3999999999"))
    assert secrets_cli.login_name() == "3999999999"


@pytest.mark.parametrize(
    "command",
    [
        ("show", "1"),
        ("show", "1", "--json"),
        ("items", "--json"),
        ("tasks",),
        ("replay",),
        ("tasks", "--json"),
    ],
    ids=" ".join,
)
def test_a20_no_other_command_shows_it(cli: Cli, command: tuple[str, ...]) -> None:
    said = cli(*command)
    assert MARKER not in said.out + said.err
    clean(cli.folder / "data")


def test_a20_an_account_of_a_storm_keeps_the_clock_out(tmp_path: Path) -> None:
    """Alerts are counted over 24 hours, so the next day's are told again."""
    world = told_world(tmp_path)
    for n in range(ALERTS_A_DAY + 1):
        world.box.put(letter(f"机密★ {n}", f"{n}", message_id=f"{n}@x.com"), NOON)
    world.run()
    world.receive(letter("机密★ later", "x", message_id="later@x.com"), at=NOON + timedelta(days=1))
    assert len(world.letters()) == ALERTS_A_DAY + 1
    assert otog().info.id == "otog"
