"""Faults A1 to A25 as far as a mail goes: in through the reading child, out as letters and tables.

What is shown for single parts stands beside them (`tests/unit`, by the same ids); here whole mails
go through intake, and the results are looked at from outside. Secrets (A20) have their own file.
"""

from __future__ import annotations

import base64
import csv
import email
import io
import json
import logging
import socket
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP, default
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from mailbot.adapters.logs import JsonFormatter, LineFormatter
from mailbot.adapters.sandbox import SandboxedReader
from mailbot.adapters.sheets import guarded, unguarded, write_csv
from mailbot.core.mail.compose import HEADERS
from mailbot.core.mail.model import DefectCode
from mailbot.core.mail.ooxmltext import ooxml_text
from tests.integration.cli_help import Cli, installed
from tests.integration.intake_help import (
    ARTICLE,
    LIAISON,
    LINE,
    NOON,
    World,
    item,
    letter,
    otog,
    reply_to,
    text_file,
    with_limits,
)
from tests.unit.hostile import CASES

STRANGER = "stranger@example.net"
MX = frozenset({"mx.example.org"})
PASS = "Authentication-Results: mx.example.org; dmarc=pass header.from=example.com"
FAIL = "Authentication-Results: mx.example.org; dmarc=fail header.from=example.com"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="module")
def child() -> Iterator[SandboxedReader]:
    """As the daemon reads, with little time and memory."""
    reader = SandboxedReader(seconds=5, memory_mb=512)
    yield reader
    reader.close()


@pytest.fixture
def guardedworld(tmp_path: Path, child: SandboxedReader) -> World:
    found = World(tmp_path)
    found.reader = child
    return found


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(
        capsys, monkeypatch, installed(tmp_path, Path(__file__).resolve().parents[2] / "config")
    )


def word(text: str) -> bytes:
    return b"=?utf-8?B?" + base64.b64encode(text.encode("utf-8", "surrogatepass")) + b"?="


def everywhere(text: str, complete: bool = True) -> bytes:
    """A submission with the text in every field a stranger can write."""
    flat = text.encode("utf-8", "replace").replace(b"\r", b"").replace(b"\n", b"")
    line = f"农牧局+{text}春耕备耕工作进展顺利+张三" + ("+7622029" if complete else "")
    return (
        b"From: " + word(text) + b" <z@example.com>\r\nTo: xinxi@example.org\r\nSubject: " + word(line)
        + b"\r\nMessage-ID: <" + flat[:60] + b"@x.com>\r\nReferences: <" + flat[:60] + b"@y.com>\r\n"
        b"X-Mailer: " + flat + b"\r\n"
        b'Content-Type: multipart/mixed; boundary="=_b"\r\n\r\n--=_b\r\n'
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + (text + ARTICLE).encode("utf-8", "replace")
        + b'\r\n--=_b\r\nContent-Type: text/plain; name="' + word(text) + b'.txt"\r\n'
        b'Content-Disposition: attachment; filename="' + word(text) + b'.txt"\r\n\r\n'
        + ARTICLE.encode() + b"\r\n--=_b--\r\n"
    )  # fmt: skip


def own_headers_only(raw: bytes) -> Any:
    mail = email.message_from_bytes(raw, policy=default)
    assert [k for k in HEADERS if k in mail] == mail.keys()
    assert not mail.defects
    return mail


def shown(raw: bytes) -> str:
    mail = email.message_from_bytes(raw, policy=default)
    return str(mail["Subject"]) + "".join(str(p.get_content()) for p in mail.iter_parts())


# --- A1, A2: control characters ---------------------------------------------------------------

NASTY = ["\r\nBcc: x@example.net", "\n\nbody", "\r", "a\x00b", "\x85", "\u2028\u2029", "\u202eabc\u202c",
         "\u200b\u2060", "\x1b[31mred", "\ud800", "\ufffe", "\U000e0041", "\x7f\x9b"]  # fmt: skip


@pytest.mark.parametrize("complete", [True, False], ids=["accepted", "returned"])
@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_a1_a2_control_characters_reach_no_header_no_row_and_no_screen(
    world: World, text: str, complete: bool
) -> None:
    settled = world.receive(everywhere(text, complete))
    assert settled.decision.kind.value in ("accept", "return")
    for sent in world.sent():
        mail = own_headers_only(sent.raw)
        assert [a.addr_spec for a in mail["To"].addresses] == ["z@example.com"]
        assert mail["Bcc"] is None
    texts = [
        value
        for table, columns in (
            ("item_version", "title, submitter"),
            ("inbound", "subject, from_addr, message_id"),
        )
        for row in world.rows(f"select {columns} from {table}")
        for value in row
    ]
    for value in texts:
        assert not any(ord(c) < 32 or c in "\x7f\x85\x9b\u2028\u2029\u202e\u200b" for c in value), (
            ascii(value)
        )
        value.encode("utf-8")


# --- A3: templates ----------------------------------------------------------------------------

TEMPLATE = ["{{7*7}}", "{% for x in range(9) %}x{% endfor %}", "${7*7}", "%s %(x)s %d", "{0.__class__}",
            "{letter.office}", "#{7*7}", "<%= 7*7 %>", "{{ cycler.__init__.__globals__ }}", "{#x#}"]  # fmt: skip


@pytest.mark.parametrize("complete", [True, False], ids=["accepted", "returned"])
@pytest.mark.parametrize("text", TEMPLATE)
def test_a3_template_code_appears_literally(world: World, text: str, complete: bool) -> None:
    world.receive(everywhere(text, complete))
    assert len(world.letters()) == 1
    said = shown(world.sent()[0].raw)
    assert (
        "49" not in said.replace("2049", "") and "class '" not in said and "xxxxxxxxx" not in said
    )
    ((title,),) = world.rows("select title from item_version")
    assert title.replace(" ", "").startswith(text.replace(" ", "")[:6])


# --- A4: tables -------------------------------------------------------------------------------

FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠x",
            "\ufeff=1", " =1", "\u3000＝1", "=HYPERLINK(\"http://x\")", "；=1", "﹦1+1", "﹢1", "﹣1", "﹫x"]  # fmt: skip


def test_a4_no_cell_of_an_export_is_a_formula(cli: Cli) -> None:
    """From the mail to the file that staff open: CSV and XLSX."""
    for n, text in enumerate(FORMULAS):
        cli.drop(everywhere(text), NOON, str(n))
    cli.good("once")
    cli.good("items", "--csv", str(cli.folder / "a.csv"))
    cli.good("items", "--xlsx", str(cli.folder / "a.xlsx"))
    with (cli.folder / "a.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    for cell in (c for row in rows[1:] for c in row):
        assert not cell.startswith(
            ("=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "\t", "\r")
        ), cell
    book = openpyxl.load_workbook(cli.folder / "a.xlsx")
    assert isinstance(book.active, Worksheet)
    for line in book.active.iter_rows():
        assert all(c.data_type != "f" for c in line)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(st.sampled_from("=+-@＝＋－＠﹦'\t\r\n \"，,;a1农\u200b\ufeff|!"), max_size=9),
        min_size=1,
    )
)
def test_a4_round_trip(cells: list[str]) -> None:
    out = io.StringIO()
    write_csv(out, ["x"], [[c] for c in cells])
    back = [r[0] if r else "" for r in csv.reader(io.StringIO(out.getvalue(), newline=""))][1:]
    assert [unguarded(c) for c in back] == cells
    assert all(
        not guarded(c).lstrip("\u200b\ufeff ").startswith(("=", "+", "-", "@", "＝")) for c in cells
    )


# --- A5: nothing is rendered ------------------------------------------------------------------

ACTIVE = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
          "<meta http-equiv=refresh content=0>", "<base href=//x>", "<iframe srcdoc='<script>'>",
          "\"><img src=http://x.example/p.png>", "<style>@import url(//x)</style>", "<a href=javascript:x>"]  # fmt: skip


@pytest.mark.parametrize("complete", [True, False], ids=["accepted", "returned"])
@pytest.mark.parametrize("text", ACTIVE)
def test_a5_active_content_is_never_markup_in_our_letters(
    world: World, text: str, complete: bool
) -> None:
    """Today a stranger's words are shown as HTML in our own letters only; there they are text. The
    desk in the browser brings its own tests."""
    world.receive(everywhere(text, complete))
    (sent,) = world.sent()
    mail = email.message_from_bytes(sent.raw, policy=default)
    html = mail.get_body(("html",))
    assert html is not None
    page = str(html.get_content()).lower()
    for tag in (
        "<script",
        "<img src=x",
        "<svg",
        "<iframe",
        "<base",
        "<meta http-equiv=refresh",
        "x.example",
        "<style>@",
    ):
        assert tag not in page
    assert "<a href=javascript" not in page


# --- A6: names of attachments ------------------------------------------------------------------

NAMES = ["../../etc/passwd.txt", "/etc/passwd", "C:\\Windows\\x.txt", "CON", "x" * 5_000 + ".txt",
         "\u202ecod.exe", "a\x00b.txt", "..", "\\\\host\\share\\x.txt", "a\r\nX: y.txt", "con.txt:ads"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda n: ascii(n)[:24])
def test_a6_an_attachments_name_is_only_data(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "outside" / "inside"
    inside.mkdir(parents=True)
    world = World(inside)
    raw = (
        b"From: liaison@example.com\r\nSubject: " + word(LINE) + b"\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
        b'Content-Disposition: attachment; filename="' + word(name) + b'"\r\n\r\n' + ARTICLE.encode()
        + b"\r\n--b--\r\n"
    )  # fmt: skip
    world.receive(raw)
    files = {p.relative_to(tmp_path).parts[:2] for p in tmp_path.rglob("*") if p.is_file()}
    assert files == {("outside", "inside")}
    assert {p.suffix for p in inside.rglob("*") if p.is_file()} <= {
        ".db",
        ".db-wal",
        ".db-shm",
        ".eml",
        ".db-lock",
    }
    own_headers_only(world.sent()[0].raw)


# --- A7, A8, A24: files that bite --------------------------------------------------------------


def packed(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def symlink() -> bytes:
    out = io.BytesIO()
    info = zipfile.ZipInfo("link.txt")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def nested(depth: int) -> bytes:
    data = packed(("a.txt", b"x"))
    for _ in range(depth):
        data = packed(("b.zip", data))
    return data


def overlapping(members: int = 400) -> bytes:
    """Like 42.zip's better sister: many members that are the same bytes."""
    return packed(*((f"{n}.txt", b"\0" * 500_000) for n in range(members)))


def encrypted() -> bytes:
    data = bytearray(packed(("secret.docx", b"x" * 100), method=zipfile.ZIP_STORED))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        where = data.find(mark) + at
        data[where] |= 1
    return bytes(data)


def document(xml: str, **more: str) -> bytes:
    return packed(
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", xml.encode()),
        *((n.replace("__", "/"), t.encode()) for n, t in more.items()),
    )


LAUGHS = (
    "<!DOCTYPE l [<!ENTITY a 'lol'>"
    + "".join(
        f"<!ENTITY a{n} '{'&a' + (str(n - 1) if n else '') + ';'}{'&a;' * 9}'>" for n in range(1, 9)
    )
    + "<!ENTITY f SYSTEM 'file:///etc/passwd'><!ENTITY % p SYSTEM 'http://127.0.0.1:9/x'>%p;]>"
    "<w:document><w:p><w:r><w:t>公开&a8;&f;</w:t></w:r></w:p></w:document>"
)
FILES: dict[str, tuple[Callable[[], bytes], bool]] = {
    # name: how it is made, whether it must be flagged as not read whole
    "200 MB in a docx": (lambda: document("<w:t>x</w:t>" + " " * 200_000_000), True),
    "200 MB in a text": (lambda: packed(("a.txt", b"\0" * 200_000_000)), True),
    "overlapping": (overlapping, True),
    "6,000 entries": (lambda: packed(*((f"{n}.txt", b"") for n in range(6_000))), True),
    "nested 40 times": (lambda: nested(40), True),
    "zip slip": (lambda: packed(("../../../tmp/evil.txt", b"x"), ("/etc/evil.txt", b"x")), False),
    "symlink": (symlink, False),
    "encrypted": (encrypted, True),
    "XXE and laughs": (lambda: document(LAUGHS), False),
    "external template": (
        lambda: document(
            "<w:t>公开</w:t>",
            word___rels__document_xml_rels='<Relationships><Relationship Target="http://127.0.0.1:9/t" TargetMode="External"/></Relationships>',
        ),
        False,
    ),
    "damaged": (lambda: document("<w:t>x</w:t>")[:-30], True),
}


@pytest.mark.parametrize("name", FILES)
def test_a7_a8_a24_a_hostile_file_is_read_within_limits_and_flagged(
    guardedworld: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the child, with five seconds and 512 MB for everything; nothing outside is opened."""
    make, flagged = FILES[name]
    ending = (
        "docx"
        if "docx" in name or name in ("XXE and laughs", "external template", "damaged")
        else "zip"
    )
    data = make()
    raw = letter(LINE, "请查收。", [(f"材料.{ending}", data, "application/octet-stream")])
    settled = guardedworld.receive(raw)
    codes = {d.code for d in settled.mail.defects}
    assert DefectCode.UNREADABLE not in codes, "the limits held, the child lived"
    (attachment,) = settled.mail.attachments
    assert "root:" not in attachment.text and "lollol" not in attachment.text
    if flagged:
        assert attachment.flags, "a person is told before it is opened"
        assert settled.decision.task
        if settled.items:
            assert {"in_part", "encrypted"} & set(",".join(settled.items[0].flags).split(","))
    assert not Path("/tmp/evil.txt").exists()


def test_a8_a_text_beside_hostile_markup_is_still_read() -> None:
    text, _ = ooxml_text(document(LAUGHS))
    assert text.startswith("公开") and "lol" not in text


SEALED = {
    "S/MIME": (b"application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", b"0\x82\x01" * 40),
    "PGP": (b'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b',
            b"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n--b--\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SEALED)
def test_a24_a_sealed_mail_goes_to_a_person(guardedworld: World, kind: str) -> None:
    content_type, body = SEALED[kind]
    raw = (
        b"From: liaison@example.com\r\nSubject: "
        + word(LINE)
        + b"\r\nContent-Type: "
        + content_type
    )
    settled = guardedworld.receive(raw + b"\r\n\r\n" + body)
    codes = {d.code for d in settled.mail.defects}
    assert DefectCode.ENCRYPTED in codes or any(
        "encrypted" in a.flags for a in settled.mail.attachments
    )
    assert settled.decision.kind.value != "accept" or settled.decision.task


def test_a24_a_macro_is_told_and_not_run(guardedworld: World) -> None:
    data = packed(
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", "<w:t>公开</w:t>".encode()),
        ("word/vbaProject.bin", b"Attribute VB_Name"),
    )
    raw = letter(LINE, "见附件", [("材料.docm", data, "application/octet-stream")])
    settled = guardedworld.receive(raw)
    assert "macro" in settled.mail.attachments[0].flags
    assert any("macro" in f for f in settled.items[0].flags) and settled.decision.task


# --- A9, A10, A12: too much of something --------------------------------------------------------

QUICK = ["10,000 parts", "depth 30", "depth 300", "depth 1,000", "depth 3,000", "mails in mails 3,000",
         "subject of 1 MB", "20,000 encoded words", "20,000 quotes in From", "50,000 addresses",
         "100,000 References", "20,000 Content-Type parameters", "100,000 header fields"]  # fmt: skip


def outcome(world: World, name: str) -> None:
    settled = world.receive(CASES[name]())
    codes = {d.code for d in settled.mail.defects}
    assert DefectCode.UNREADABLE not in codes, "read within the child's limits"
    assert settled.decision.kind.value in ("hold", "return", "ignore", "quarantine")
    assert settled.decision.kind.value == "return" or settled.decision.task or world.tasks()
    for sent in world.sent():
        own_headers_only(sent.raw)
        assert len(sent.raw) < 60_000


@pytest.mark.parametrize("name", QUICK)
def test_a9_a10_too_much_of_something_ends_with_a_person_or_a_return(
    guardedworld: World, name: str
) -> None:
    outcome(guardedworld, name)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(set(CASES) - set(QUICK)))
def test_a9_a10_every_other_excess(guardedworld: World, name: str) -> None:
    settled = guardedworld.receive(CASES[name]())
    assert DefectCode.UNREADABLE not in {d.code for d in settled.mail.defects}


@pytest.mark.parametrize("name", ["10,000 parts", "depth 3,000"])
def test_a9_over_the_cap_is_too_complex(guardedworld: World, name: str) -> None:
    settled = guardedworld.receive(CASES[name]())
    assert [r.code for r in settled.decision.reasons] == ["too_complex"]
    assert guardedworld.letters() == [] and guardedworld.tasks() == ["too_complex"]


@pytest.mark.parametrize(
    "subject",
    ["单位-" * 5_000, "（" * 20_000, "(" * 20_000 + ")" * 20_000, " " * 50_000 + "x", "农牧局+" * 5_000,
     "1" * 30_000, "「」" * 9_000, "a@" * 9_000, "回复：" * 9_000, "+86 " * 9_000, "·" * 20_000],
    ids=lambda s: s[:6],
)  # fmt: skip
def test_a11_a_subject_made_to_hang_is_read(guardedworld: World, subject: str) -> None:
    """Read and decided within the child's seconds; the decision itself runs in this process."""
    settled = guardedworld.receive(letter(subject, "x", sender=STRANGER))
    assert settled.decision.kind.value in ("hold", "return")
    assert len(guardedworld.letters()) <= 1


CODECS = ["punycode", "idna", "rot13", "zlib", "bz2", "hex", "unicode_escape", "raw_unicode_escape", "undefined",
          "utf-7", "mbcs", "oem", "base64", "uu", "quopri", "x\x00y", "../../x", "a" * 5_000, "", "unicode-1-1-utf-7"]  # fmt: skip


@pytest.mark.parametrize("name", CODECS, ids=lambda n: ascii(n)[:20])
def test_a12_a_charsets_name_looks_up_nothing(guardedworld: World, name: str) -> None:
    """As the label of a subject and of a text: the text is found by its bytes."""
    data = LINE.encode()
    label = name.encode()
    raw = (
        b"From: liaison@example.com\r\nSubject: =?" + label.replace(b" ", b"") + b"?B?"
        + base64.b64encode(data) + b"?=\r\nContent-Type: text/plain; charset=\"" + label
        + b'"\r\n\r\n' + ARTICLE.encode()
    )  # fmt: skip
    settled = guardedworld.receive(raw)
    assert settled.mail.text.startswith(ARTICLE[:20])
    if name.isalnum() and len(name) < 40:
        assert settled.mail.subject == LINE


# --- A13 to A15: who wrote it -------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        FAIL,
        "Authentication-Results: mx.example.org; spf=fail smtp.mailfrom=example.com",
        f"{FAIL}\r\nAuthentication-Results: mx.example.org; dmarc=pass header.from=example.com",
        f"{FAIL}\r\n{PASS}\r\nReceived: from mx.example.org by mx.example.org; x",
        f"AUTHENTICATION-RESULTS: MX.Example.ORG; (dmarc=pass) dmarc=fail\r\n{PASS}",
    ],
)
def test_a13_a14_a_sender_that_failed_changes_nothing_and_gets_nothing(
    tmp_path: Path, head: str
) -> None:
    """Only the topmost field of our own server counts; what stands below it came with the mail."""
    world = World(tmp_path, authserv_ids=MX)
    world.bind(LIAISON, "agriculture")
    first = world.receive(PASS.encode() + b"\r\n" + item())
    before = (world.items(), world.rows("select * from item"), world.letters())
    for raw in (
        item(text="换成别的内容。" * 30),
        letter("农牧局+别的+张三", ""),
        letter("查询", ""),
        letter("申诉：不对", "请更正"),
        letter(f"Re: {first.items[0].receipt}", "撤回", **reply_to(world.sent()[0])),
        letter("发信方已撤回邮件：春耕备耕工作进展顺利", ""),
    ):
        settled = world.receive(head.encode() + b"\r\n" + raw)
        assert settled.decision.kind.value in ("hold", "ignore")
        assert (world.items(), world.rows("select * from item"), world.letters()) == before
    assert world.rows("select count(*) from binding where state = 'bound'") == [(1,)]


@pytest.mark.parametrize(
    "head",
    [
        "Authentication-Results: mx.evil.example; dmarc=pass header.from=example.com",
        "Authentication-Results: mx.example.org.evil.example; dmarc=pass header.from=example.com",
        "Authentication-Results: evil.mx.example.org; dmarc=pass header.from=example.com",
        "Authentication-Results: (mx.example.org) x; dmarc=pass",
        "Authentication-Results: mx.example.org",
        "ARC-Authentication-Results: i=1; mx.example.org; dmarc=pass header.from=example.com",
        "X-Authentication-Results: mx.example.org; dmarc=pass header.from=example.com",
        "Received: from mx.example.org (mx.example.org [127.0.0.1]) by mx.example.org; x",
        "Received-SPF: pass (mx.example.org: domain of example.com)",
        "DKIM-Signature: v=1; d=example.com",
    ],
)
def test_a14_what_an_attacker_writes_himself_vouches_for_nothing(tmp_path: Path, head: str) -> None:
    """Unverified: a new item is taken and marked so, an accepted one stays as it is."""
    world = World(tmp_path, authserv_ids=MX)
    first = world.receive(PASS.encode() + b"\r\n" + item())
    settled = world.receive(head.encode() + b"\r\n" + item(text="换成别的内容。" + ARTICLE))
    assert settled.decision.kind.value == "hold"
    assert world.only_version(first.items[0].receipt) == 1
    new = world.receive(head.encode() + b"\r\n" + item("草原防火宣传深入牧户", text="火" * 300))
    assert "unverified" in new.items[0].flags


LOOK_ALIKES = [
    b"From: =?utf-8?B?bGlhaXNvbkBleGFtcGxlLmNvbQ==?= <evil@example.net>",
    b'From: "liaison@example.com" <evil@example.net>',
    b"From: evil@example.net (liaison@example.com)",
    b"From: <liaison@ex\xd0\xb0mple.com>",
    b"From: =?utf-8?Q?liaison=40example.com?= <evil@example.net>",
    b"From: liaison@example.com.evil.example",
    b"From: liaison@xn--exmple-cua.com",
    b"From: liaison@example.com@evil.example",
    b"From: <evil@example.net> <liaison@example.com>",
    b"From: liaison@example.com\r\nFrom: evil@example.net",
    b"From: evil@example.net, liaison@example.com",
    b"From: group: liaison@example.com;",
    b"From: liaison @example.com <evil@example.net>",
    b"From: ||liaison@example.com <evil@example.net>",
    b"Sender: liaison@example.com\r\nFrom: evil@example.net",
    "From: liaison＠example.com <evil@example.net>".encode(),
    "From: ｌiaison@example.com".encode(),
]


@pytest.mark.parametrize("head", LOOK_ALIKES, ids=ascii)
def test_a15_only_the_exact_address_is_the_bound_one(world: World, head: bytes) -> None:
    """Nothing that looks like a bound address may ask for the unit's account, or change its item."""
    world.bind(LIAISON, "agriculture")
    first = world.receive(item())
    letters = len(world.letters())
    for raw in (letter("查询", ""), item(text="换成别的内容。" + ARTICLE)):
        lines = [x for x in raw.split(b"\r\n") if not x.startswith(b"From:")]
        settled = world.receive(head + b"\r\n" + b"\r\n".join(lines))
        assert settled.facts.bound_unit is None
        assert settled.decision.kind.value != "command"
    assert world.only_version(first.items[0].receipt) == 1
    for _, to, _ in world.letters()[letters:]:
        assert to != LIAISON, "what somebody else wrote is not answered to him"


def test_a15_two_from_fields_are_nobody(world: World) -> None:
    raw = b"From: other@example.com\r\n" + item()
    settled = world.receive(raw)
    assert settled.decision.reasons[0].code == "no_author"
    assert world.letters() == [] and world.items() == []


# --- A16, A17: letters to those who did not write -----------------------------------------------


def test_a16_one_letter_in_24_hours_to_an_address_nobody_vouches_for(world: World) -> None:
    """Malformed mails in its name, every twenty minutes over two days, across midnight."""
    for n in range(60):
        world.receive(
            letter(
                f"农牧局 春耕第{n}批",
                f"第{n}批。" + ARTICLE,
                sender=STRANGER,
                message_id=f"{n}@x.com",
            )
        )
        world.clock.time += timedelta(minutes=41)
    rows = world.rows("select queued from outbox order by id")
    assert 1 <= len(rows) <= 3
    times = [datetime.fromisoformat(str(r.queued)) for r in rows]
    assert all(b - a >= timedelta(hours=24) for a, b in pairwise(times))
    for sent in world.sent():
        mail = email.message_from_bytes(sent.raw, policy=default)
        body = mail.get_body(("plain",))
        assert body is not None and len(str(body.get_content()).encode()) < 2_000
        assert "种子" not in shown(sent.raw), "nothing of the body"


@pytest.mark.parametrize(
    "head",
    ["Auto-Submitted: auto-replied", "Precedence: bulk", "Return-Path: <>", "List-Id: <x.y>", FAIL],
)
def test_a16_no_send_back_to_machines_and_forged_senders(tmp_path: Path, head: str) -> None:
    world = World(tmp_path, authserv_ids=MX)
    world.receive(head.encode() + b"\r\n" + letter("农牧局 春耕", "正文。" + ARTICLE))
    assert world.letters() == []


def test_a16_many_forged_addresses_trip_the_breaker_and_the_office_is_told_once(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, with_limits(otog(), per_hour=7))
    for n in range(25):
        world.box.put(
            letter(f"农牧局 春耕第{n}批", f"{n}" + ARTICLE, sender=f"v{n}@example.net"), NOON
        )
    world.run()
    assert len(world.letters()) == 7
    assert world.tasks().count("breaker") == 1
    assert len(world.rows("select * from mail")) == 25, "all are kept"


@pytest.mark.parametrize("complete", [True, False])
def test_a17_a_title_goes_back_short_and_without_links(world: World, complete: bool) -> None:
    advert = "低价贷款请访问http://cheap.example.net/a?b=1或加微信，" * 12
    world.receive(
        letter(
            f"农牧局+{advert}+张三" + ("+7622029" if complete else ""),
            advert + ARTICLE,
            [text_file("贷款www.cheap.example.net.txt")],
            sender=STRANGER,
        )
    )
    (sent,) = world.sent()
    said = shown(sent.raw)
    assert "cheap" not in said and "http://cheap" not in said
    assert said.count("低价贷款") <= 6
    assert "加微信，低价贷款请访问" * 3 not in said


# --- A18, A19: orders and other people's items --------------------------------------------------

ORDERS = [
    "删除",
    "批准",
    "delete all",
    "mailbot release 1",
    "变更联系人 13900000000",
    "绑定邮箱",
    "撤销EQ202608-0001",
]


@pytest.mark.parametrize("order", ORDERS)
def test_a18_no_order_without_a_code(world: World, order: str) -> None:
    """Even from the bound address itself, and in any header of our own making."""
    world.bind(LIAISON, "agriculture")
    world.receive(item())
    before = (world.items(), world.rows("select address, unit_id, state from binding"))
    world.receive(
        letter(order, order, message_id="o@x.com"),
        letter(f"Re: {order}", order, message_id="p@x.com", **reply_to(world.sent()[0])),
        letter(
            "指令",
            order,
            message_id="q@x.com",
            X_Mailbot_Command=order,
            X_Mailbot_State="accepted",
            X_Mailbot_Unit="water",
            X_Mailbot_Decision="accept",
        ),
    )
    assert world.items()[:1] == before[0]
    assert [s for _, s, _ in world.items()].count("accepted") == 1
    assert world.rows("select address, unit_id, state from binding") == before[1]


def test_a18_headers_of_ours_from_outside_decide_nothing(world: World) -> None:
    """The same mail with and without them is the same decision, but for the loop mark."""
    plain = world.receive(item())
    marked = world.receive(
        item(
            "草原防火宣传深入牧户",
            text="火" * 300,
            X_Mailbot_Receipt=plain.items[0].receipt,
            X_Mailbot_Office="other",
            X_Mailbot_Category="problem",
        )
    )
    assert marked.decision.kind == plain.decision.kind
    assert marked.items[0].id != plain.items[0].id
    assert marked.items[0].version.category == plain.items[0].version.category


@pytest.mark.parametrize("threaded", [True, False], ids=["in our thread", "by its number"])
def test_a19_another_units_item_is_left_alone(world: World, threaded: bool) -> None:
    world.bind(LIAISON, "agriculture")
    other = "water@example.com"
    world.bind(other, "water") if any(u.id == "water" for u in otog().roster.units) else None
    first = world.receive(item())
    receipt = first.items[0].receipt
    more = reply_to(world.sent()[0]) if threaded else {}
    for subject in (
        f"Re: {receipt} 春耕备耕工作进展顺利",
        f"水利局+更正{receipt}春耕备耕+李四+7622030",
    ):
        world.receive(
            letter(
                subject,
                "换成别的内容。" + ARTICLE,
                [text_file("x.txt", "换" * 300)],
                sender=other,
                **more,
            )
        )
    assert world.only_version(receipt) == 1
    ((unit, state),) = world.rows(f"select unit_id, state from item where receipt = '{receipt}'")
    assert (unit, state) == (first.items[0].unit_id, "accepted")


# --- A21, A22: the log and the database ---------------------------------------------------------

LOGGED = st.text(
    st.characters(codec="utf-8") | st.sampled_from('\r\n\x00\x1b\x85\u2028\u202e\x9b\t"\\'),
    max_size=60,
)


@settings(max_examples=80, deadline=None)
@given(LOGGED, LOGGED)
def test_a21_one_event_is_one_line(message: str, name: str) -> None:
    """Whatever a field held: as text and as JSON, also with a traceback."""
    try:
        raise ValueError(message)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("mailbot", 20, "x.py", 1, "%s from %s", (message, name), info)
    for line in (JsonFormatter().format(record), LineFormatter().format(record)):
        assert len(line.splitlines()) == 1
        assert not any(c in line for c in "\r\n\x00\x1b\x85\u2028\u2029\u202e\x9b")
    parsed = json.loads(JsonFormatter().format(record))
    assert isinstance(parsed, dict)


META = [
    "' OR 1=1 --",
    "%",
    "_",
    "\\",
    "'; DROP TABLE item; --",
    '"',
    "%%",
    "[a-z]",
    "\\%",
    "0x00",
    "*/",
    "?",
    ":x",
]


def test_a22_a_search_is_literal(cli: Cli) -> None:
    for n, title in enumerate(("春耕备耕进展顺利", "100%完成秋收任务", "草原_防火部署到位")):
        cli.drop(letter(f"农牧局+{title}+张三+7622029", title + ARTICLE), NOON, str(n))
    cli.good("once")
    every = [r["title"] for r in json.loads(cli.good("items", "--json"))]
    assert len(every) == 3
    for text in META:
        found = [r["title"] for r in json.loads(cli.good("items", "--json", "--text", text))]
        assert found == [t for t in every if text in t], text
    assert len(json.loads(cli.good("items", "--json"))) == 3, "nothing was dropped"


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(codec="utf-8") | st.sampled_from("'\"%_\\;-\x00"), max_size=30))
def test_a22_any_text_in_every_field_is_stored_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    world = World(tmp_path_factory.mktemp("w"))
    world.receive(everywhere(text))
    assert world.rows("select count(*) from inbound") == [(1,)]
    assert world.rows("select count(*) from decision") == [(1,)]


# --- A23, A25 -----------------------------------------------------------------------------------

CLOUD = [
    "https://wx.mail.qq.com/ftn/download?func=3&key=abc",
    "https://mail.qq.com/cgi-bin/ftnExs_download?t=exs_ftn_download&k=1",
    "http://mail.163.com/large-attachment-download/index.html?file=1",
    "https://dashi.163.com/html/cloud-attachment-download/?key=1",
]


@pytest.mark.parametrize("url", CLOUD)
def test_a23_a_link_is_a_missing_file_and_never_opened(
    world: World, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = LIAISON, "xinxi@example.org", LINE
    mail.set_content(f"从QQ邮箱发来的超大附件\n春耕备耕.docx (120M) 进入下载页面：{url}\n")
    mail.add_alternative(
        f'<div>从QQ邮箱发来的超大附件</div><a href="{url}">春耕备耕.docx</a><img src="{url}">',
        "html",
    )
    settled = world.receive(mail.as_bytes())
    assert settled.decision.kind.value == "return", settled.decision.reasons
    assert url not in shown(world.sent()[0].raw)


def test_a25_too_large_is_taken_by_its_header_and_a_person_told(tmp_path: Path) -> None:
    """A hundred megabytes by the server's word; only the header section is fetched."""
    world = World(tmp_path, cap=10_000)
    raw = letter(LINE, "x" * 40_000)
    for _ in range(3):
        world.box.put(raw, NOON, size=100_000_000)
        world.run()
    assert set(world.tasks()) == {"too_large"}
    assert len(world.letters()) <= 1, "one notice at most"
    assert world.items() == []
    assert all(r.decision == "hold" for r in world.rows("select decision from inbound"))
