"""Bodies, attachments and nested mails."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import zipfile

import pytest

from mailbot.core.mail import limits
from mailbot.core.mail.decode import decode, part_bytes
from mailbot.core.mail.model import (
    Attachment,
    AttachmentKind,
    CloudAttachment,
    DefectCode,
    IncomingMail,
)
from tests.unit.hostile import HEAD, MIXED, attached, html, plain, word


def codes(mail: IncomingMail) -> set[DefectCode]:
    return {defect.code for defect in mail.defects}


def part(content: bytes, kind: bytes = b"text/plain; charset=utf-8", extra: bytes = b"") -> bytes:
    return b"--b\r\nContent-Type: " + kind + b"\r\n" + extra + b"\r\n" + content + b"\r\n"


def multi(*parts: bytes, kind: bytes = b"mixed", extra: bytes = b"") -> bytes:
    head = HEAD + b'Subject: s\r\nContent-Type: multipart/%b; boundary="b"%b\r\n\r\n' % (
        kind,
        extra,
    )
    return head + b"".join(parts) + b"--b--\r\n"


def body(content: bytes, kind: bytes, encoding: bytes = b"8bit") -> IncomingMail:
    return decode(
        plain(b"s", content, b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n")
    )  # fmt: skip


def only(mail: IncomingMail) -> Attachment:
    (attachment,) = mail.attachments
    return attachment


# --- texts ------------------------------------------------------------------------------------

TEXT = "报送单位：农牧局\n联系人：李堃"


@pytest.mark.parametrize(
    "charset", ["utf-8", "gbk", "gb18030", "big5hkscs", "utf-16", "hz", "iso-2022-jp"]
)
@pytest.mark.parametrize(
    "encoding", [b"base64", b"quoted-printable", b"8bit", b"BASE64 ", b"binary"]
)
def test_text_bodies(charset: str, encoding: bytes) -> None:
    text = (
        "農業と畜産"
        if charset == "iso-2022-jp"
        else "農牧局的報告"
        if charset == "big5hkscs"
        else "农牧局的信息"
    )
    data = text.encode(charset)
    if encoding.strip().lower() == b"base64":
        data = base64.encodebytes(data)
    elif encoding == b"quoted-printable":
        data = b"".join(b"=%02X" % byte for byte in data)
    label = {"big5hkscs": "big5", "hz": "hz-gb-2312"}.get(charset, charset).encode()
    assert body(data, b"text/plain; charset=" + label, encoding).text == text


def test_a_body_without_any_header_of_its_own() -> None:
    for codec in ("utf-8", "gbk"):
        assert decode(HEAD + b"\r\n" + TEXT.encode(codec)).text == TEXT


@pytest.mark.parametrize("ends", [b"\r\n", b"\n", b"\r"])
def test_line_ends(ends: bytes) -> None:
    raw = multi(part("一\r\n二".encode()), part(b"x", b"text/plain; name=a.txt")).replace(
        b"\r\n", ends
    )
    mail = decode(raw)
    assert mail.text == "一\n二"
    assert [a.name for a in mail.attachments] == ["a.txt"]


def test_controls_in_a_body() -> None:
    mail = body("一\x00二\x0b三\u2028四\t五\x1b[0m\u202e六".encode(), b"text/plain; charset=utf-8")
    assert mail.text == "一二\n三\n四\t五[0m六"
    assert DefectCode.CONTROL_REMOVED in codes(mail)


def test_flowed_text_is_joined() -> None:
    mail = body(b"one \r\ntwo\r\nthree\r\n-- \r\nsign", b"text/plain; format=flowed")
    assert mail.text == "one two\nthree\n-- \nsign"


def test_plain_is_preferred_and_html_kept() -> None:
    mail = decode(multi(part(b"plain"), part(b"<p>page</p>", b"text/html"), kind=b"alternative"))
    assert (mail.text, mail.html, mail.attachments) == ("plain", "<p>page</p>", ())


def test_an_empty_plain_version_gives_way_to_html() -> None:
    mail = decode(
        multi(
            part(b" \r\n"),
            part("<p>正文</p>".encode(), b"text/html; charset=utf-8"),
            kind=b"alternative",
        )
    )
    assert mail.text == "正文"


def test_html_charset_from_its_own_meta() -> None:
    page = '<html><head><meta charset="gb2312"></head><p>李堃的信息</p>'.encode("gb18030")
    assert body(page, b"text/html").text == "李堃的信息"


def test_several_texts_are_one_text() -> None:
    mail = decode(
        multi(
            part("前".encode()),
            part(b"%PDF-1.4", b"application/pdf; name=a.pdf"),
            part("后".encode()),
        )
    )
    assert mail.text == "前\n\n后"
    assert [a.kind for a in mail.attachments] == [AttachmentKind.PDF]


def test_a_mail_that_is_one_attachment() -> None:
    raw = plain(
        b"s",
        b"%PDF-1.4 x",
        b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n",
    )
    mail = decode(raw)
    assert (mail.text, only(mail).name, only(mail).path) == ("", "a.pdf", "1")
    assert part_bytes(raw, "1") == b"%PDF-1.4 x"


@pytest.mark.parametrize(
    ("content", "text", "defect"),
    [
        (b"5Yac54mn5bGA", "农牧局", None),
        (b"5Yac54mn5bGA5L+h5oGv5Q", "农牧局信息\ufffd", DefectCode.TRANSFER_DAMAGED),
        (b"5Yac54mn\r\n!!! \xff\r\n5bGA\r\n", "农牧局", DefectCode.TRANSFER_DAMAGED),
        (b"5Yac\r\n54mn5bGA\r\n\r\n____\r\nlist footer here\r\n", "农牧局", DefectCode.TRANSFER_DAMAGED),
        (b"never encoded, just text with words and, well, commas.", "never encoded, just text with words and, well, commas.", DefectCode.TRANSFER_DAMAGED),
    ],
)  # fmt: skip
def test_e3_damaged_base64(content: bytes, text: str, defect: DefectCode | None) -> None:
    mail = body(content, b"text/plain; charset=utf-8", b"base64")
    assert mail.text == text
    assert defect is None or defect in codes(mail)


def test_damaged_quoted_printable() -> None:
    mail = body(b"a=3Db =ZZ c=\r\nd", b"text/plain", b"quoted-printable")
    assert mail.text == "a=b =ZZ cd"
    assert DefectCode.TRANSFER_DAMAGED in codes(mail)


def test_uuencode() -> None:
    content = b"begin 644 x.txt\r\n#0V%T\r\n`\r\nend\r\n"
    assert body(content, b"text/plain", b"x-uuencode").text == "Cat"


# --- structure --------------------------------------------------------------------------------


def test_e3_a_cut_multipart_keeps_what_came() -> None:
    raw = multi(part("正文".encode()), part(b"%PDF-1.4 half", b"application/pdf; name=a.pdf"))
    mail = decode(raw[: raw.rindex(b"--b--") - 5])
    assert (mail.text, only(mail).kind) == ("正文", AttachmentKind.PDF)
    assert DefectCode.STRUCTURE_DAMAGED in codes(mail)


@pytest.mark.parametrize("declared", [b"", b'; boundary=""', b'; boundary="other"'])
def test_a_missing_or_wrong_boundary_is_found_in_the_body(declared: bytes) -> None:
    raw = multi(part("正文".encode()), part(b"x", b"text/plain; name=a.txt"))
    mail = decode(raw.replace(b'; boundary="b"', declared))
    assert (mail.text, only(mail).name) == ("正文", "a.txt")
    assert DefectCode.STRUCTURE_DAMAGED in codes(mail)


def test_a_multipart_without_any_boundary_is_its_text() -> None:
    mail = decode(HEAD + "Content-Type: multipart/mixed\r\n\r\n只有正文".encode())
    assert mail.text == "只有正文"
    assert DefectCode.STRUCTURE_DAMAGED in codes(mail)


@pytest.mark.parametrize(
    "boundary",
    [
        b"----=_NextPart_000_0001",
        b"a'()+_,-./:=?b",
        b"b c",
        b"=====b====",
        b"\xd0\xc5b",
        b"b(comment)",
    ],
)
def test_boundaries_as_clients_write_them(boundary: bytes) -> None:
    raw = multi(part(b"text"), part(b"x", b"text/plain; name=a.txt"))
    raw = raw.replace(b'boundary="b"', b'boundary="' + boundary + b'"').replace(
        b"--b", b"--" + boundary
    )
    mail = decode(raw)
    assert (mail.text, only(mail).name) == ("text", "a.txt")


def test_header_section_only() -> None:
    mail = decode(MIXED, complete=False)
    assert (mail.subject, mail.content_type, mail.text) == ("s", "multipart/mixed", "")
    assert codes(mail) == {DefectCode.TOO_LARGE}


@pytest.mark.parametrize("raw", [b"", b"\r\n", b" \n\n"])
def test_e3_the_empty_mail(raw: bytes) -> None:
    mail = decode(raw)
    assert (mail.text, mail.headers, mail.size) == ("", (), len(raw))
    assert DefectCode.EMPTY in codes(mail)


def test_headers_without_a_body() -> None:
    mail = decode(b"Subject: x")
    assert (mail.subject, mail.text, mail.defects) == ("x", "", ())


def test_report_type() -> None:
    status = part(b"Action: failed\r\nFinal-Recipient: rfc822; a@b.cn", b"message/delivery-status")
    mail = decode(
        multi(part(b"bounced"), status, part(b"Subject: ours\r\nMessage-ID: <7@office>", b"text/rfc822-headers"),
              kind=b"report", extra=b"; report-type=Delivery-Status")
    )  # fmt: skip
    assert (mail.content_type, mail.report_type) == ("multipart/report", "delivery-status")
    assert "Final-Recipient: rfc822; a@b.cn" in mail.attachments[0].text
    assert [(n.subject, n.message_id) for n in mail.nested] == [("ours", "7@office")]


@pytest.mark.parametrize(
    "raw",
    [
        plain(b"s", b"MIIB", b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"),
        multi(part(b"Version: 1", b"application/pgp-encrypted"), part(b"x", b"application/octet-stream"), kind=b"encrypted"),
        plain(b"s", b"-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n"),
    ],
)  # fmt: skip
def test_a24_encrypted_mail(raw: bytes) -> None:
    assert DefectCode.ENCRYPTED in codes(decode(raw))


def test_a_signed_mail_is_read() -> None:
    mail = decode(
        multi(
            part(b"text"),
            part(b"MIIB", b"application/pkcs7-signature; name=smime.p7s"),
            kind=b"signed",
        )
    )
    assert (mail.text, only(mail).kind) == ("text", AttachmentKind.SIGNATURE)
    assert DefectCode.ENCRYPTED not in codes(mail)


def test_calendar() -> None:
    event = (
        "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nDTSTART:16010101T000000\r\nEND:VTIMEZONE\r\n"
        "BEGIN:VEVENT\r\nSUMMARY;LANGUAGE=zh-CN:工作\r\n 例会\\, 八月\r\nDTSTART;TZID=Asia/Shanghai:20260803T090000\r\n"
    ).encode()  # fmt: skip
    mail = decode(
        multi(part(b"text"), part(event, b"text/calendar; charset=utf-8"), kind=b"alternative")
    )
    assert mail.calendar == ("REQUEST · 工作例会, 八月 · 20260803T090000",)
    assert (mail.text, mail.attachments) == ("text", ())


# --- nested mails -----------------------------------------------------------------------------


INNER = b"From: li@b.cn\r\nSubject: " + word("里面的信", "gbk") + b"\r\nMessage-ID: <in@x>\r\n"


def test_a_nested_mail_is_kept_apart() -> None:
    inner = (
        INNER
        + b'Content-Type: multipart/mixed; boundary="i"\r\n\r\n--i\r\n\r\ninner text\r\n--i\r\n'
        + (b"Content-Type: application/pdf; name=in.pdf\r\n\r\n%PDF-1.7\r\n--i--\r\n")
    )
    raw = multi(part(b"outer text"), part(inner, b"message/rfc822"))
    mail = decode(raw)
    (nested,) = mail.nested
    assert (mail.text, mail.subject, mail.message_id) == ("outer text", "s", None)
    assert (nested.path, nested.subject, nested.message_id) == ("2", "里面的信", "in@x")
    assert (nested.text, nested.from_[0].addr) == ("inner text", "li@b.cn")
    assert [(a.path, a.name, a.kind) for a in nested.attachments] == [
        ("2.2", "in.pdf", AttachmentKind.PDF)
    ]
    assert [(a.path, a.kind, a.size) for a in mail.attachments] == [
        ("2", AttachmentKind.MAIL, len(inner))
    ]
    assert part_bytes(raw, "2") == inner
    assert part_bytes(raw, "2.2") == b"%PDF-1.7"


@pytest.mark.parametrize(
    "raw",
    [
        multi(part(base64.encodebytes(INNER + b"\r\ninner"), b"message/rfc822", b"Content-Transfer-Encoding: base64\r\n")),
        attached(INNER + b"\r\ninner", b"a.eml"),
    ],
)  # fmt: skip
def test_a_nested_mail_in_base64(raw: bytes) -> None:
    mail = decode(raw)
    assert [(n.subject, n.text) for n in mail.nested] == [("里面的信", "inner")]


def test_mails_deeper_down_follow_flat() -> None:
    middle = b'Subject: middle\r\nContent-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\n\r\nm\r\n--m\r\n'
    middle += b"Content-Type: message/rfc822\r\n\r\nSubject: deep\r\n\r\nd\r\n--m--\r\n"
    mail = decode(multi(part(b"o"), part(middle, b"message/rfc822")))
    assert [(n.path, n.subject, n.text) for n in mail.nested] == [
        ("2", "middle", "m"),
        ("2.2", "deep", "d"),
    ]


def test_forwards_from_desk_to_desk_are_read_and_an_endless_chain_is_told() -> None:
    def chain(depth: int) -> bytes:
        inner = plain(b"innermost")
        for _ in range(depth):
            inner = b"Content-Type: message/rfc822\r\n\r\n" + inner
        return inner

    mail = decode(chain(limits.NESTED_DEPTH_MAX))
    assert (len(mail.nested), mail.nested[-1].subject) == (limits.NESTED_DEPTH_MAX, "innermost")
    assert DefectCode.DEPTH_CUT not in {d.code for d in mail.defects}
    endless = decode(chain(limits.NESTED_DEPTH_MAX + 1))
    assert DefectCode.DEPTH_CUT in {d.code for d in endless.defects}


# --- attachments ------------------------------------------------------------------------------


NAME = "鄂托克前旗李堃的材料（第3稿）.docx"


def disposition(value: bytes, kind: bytes = b"application/octet-stream") -> str:
    return only(decode(multi(part(b"x\0", kind, b"Content-Disposition: " + value + b"\r\n")))).name


def percent(text: str, codec: str = "utf-8") -> bytes:
    return b"".join(b"%%%02X" % byte for byte in text.encode(codec))


@pytest.mark.parametrize(
    "value",
    [
        b"attachment; filename*=UTF-8''" + percent(NAME),
        b"attachment; filename*=gb2312'zh-cn'" + percent(NAME, "gb18030"),
        b"attachment; filename*=utf-8''" + percent(NAME, "gb18030"),
        b"attachment; filename*=''" + percent(NAME, "gb18030"),
        b'attachment; filename="' + NAME.encode("gb18030") + b'"',
        b'attachment; filename="' + NAME.encode() + b'"',
        b"attachment; filename=" + NAME.encode("gb18030"),
        b'attachment; filename="' + word(NAME, "gb18030") + b'"',
        b'attachment; filename="' + word(NAME, encoding="Q") + b'"',
        b"attachment; filename=" + word(NAME),
        b'attachment;\r\n\tfilename="' + word(NAME[:8]) + b"\r\n " + word(NAME[8:]) + b'"',
        b'attachment; filename="' + percent(NAME) + b'"',
        b'attachment; FileName="' + NAME.encode() + b'"; size=3',
        b"attachment; filename=\"????.docx\"; filename*=utf-8''" + percent(NAME),
    ],
)
def test_file_names(value: bytes) -> None:
    assert disposition(value) == NAME


@pytest.mark.parametrize("size", [5, 20, 40])
def test_file_names_in_continuations(size: int) -> None:
    encoded = percent(NAME, "gb18030")
    pieces = [encoded[n : n + 3 * size] for n in range(0, len(encoded), 3 * size)]
    sections = b"".join(
        b";\r\n filename*%d*=%b%b" % (n, b"gb2312''" if n == 0 else b"", piece)
        for n, piece in enumerate(pieces)
    )
    assert disposition(b"attachment" + sections) == NAME
    cut = b"".join(  # inside a %XX
        b";\r\n filename*%d*=%b%b" % (n, b"gb2312''" if n == 0 else b"", encoded[at : at + 31])
        for n, at in enumerate(range(0, len(encoded), 31))
    )
    assert disposition(b"attachment" + cut) == NAME
    whole = word(NAME)
    spread = b"".join(
        b';\r\n filename*%d="%b"' % (n, whole[at : at + 30])
        for n, at in enumerate(range(0, len(whole), 30))
    )
    assert disposition(b"attachment" + spread) == NAME


def test_the_name_of_the_content_type_stands_in() -> None:
    assert disposition(b"attachment", b'application/msword; name="' + word(NAME) + b'"') == NAME
    assert (
        disposition(
            b'attachment; filename="\xff\xff\xff\xff"', b'a/b; name="' + NAME.encode() + b'"'
        )
        == NAME
    )


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("../../etc/passwd", "../../etc/passwd"), ("a\u202etxt.exe", "atxt.exe"), ("a\x00b\r\nc", "a b c"),
        ("a\u200bb", "ab"), ("x" * 6_000, "x" * 5_000),
    ],
)  # fmt: skip
def test_a6_hostile_names_are_only_data(written: str, name: str) -> None:
    assert disposition(b"attachment; filename*=utf-8''" + percent(written)) == name


def zipped(*names: str, locked: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    data = out.getvalue()
    if locked:
        at = data.index(b"PK\1\2")
        data = data[: at + 8] + b"\1\0" + data[at + 10 :]
    return data


def ole2(*streams: str) -> bytes:
    """The smallest OLE2 file with these streams at its top level."""
    head = bytearray(512)
    head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<H", head, 30, 9)
    struct.pack_into("<I", head, 48, 1)
    struct.pack_into("<109I", head, 76, 0, *[0xFFFFFFFF] * 108)
    table = struct.pack("<128I", *[0xFFFFFFFE] * 128)
    entries = b""
    for number, name in enumerate(["Root Entry", *streams]):
        raw = name.encode("utf-16-le")
        entry = bytearray(128)
        entry[: len(raw)] = raw
        following = number + 1 if 0 < number < len(streams) else 0xFFFFFFFF
        struct.pack_into("<H", entry, 64, len(raw) + 2)
        struct.pack_into("<III", entry, 68, 0xFFFFFFFF, following, 1 if number == 0 else 0xFFFFFFFF)
        entries += bytes(entry)
    return bytes(head) + table + entries.ljust(1_024, b"\0")


K = AttachmentKind


@pytest.mark.parametrize(
    ("data", "name", "kind", "flags"),
    [
        (zipped("[Content_Types].xml", "word/document.xml"), "a.docx", K.WORD, ()),
        (zipped("[Content_Types].xml", "word/document.xml"), "a.pdf", K.WORD, ()),
        (zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "a.docm", K.WORD, ("macro",)),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "a.docx", K.SHEET, ()),
        (zipped("[Content_Types].xml", "ppt/presentation.xml"), "a", K.SLIDES, ()),
        (zipped("OFD.xml", "Doc_0/Document.xml"), "a.ofd", K.OFD, ()),
        (zipped("材料.docx", "word/x"), "a.zip", K.ARCHIVE, ()),
        (zipped("a.txt", locked=True), "a.zip", K.ARCHIVE, ("encrypted",)),
        (zipped("[Content_Types].xml", "word/document.xml")[:60], "a.docx", K.ARCHIVE, ("in_part",)),
        (ole2("WordDocument", "1Table"), "a.doc", K.WORD, ()),
        (ole2("WordDocument", "Macros"), "a.wps", K.WORD, ("macro",)),
        (ole2("Workbook"), "a.doc", K.SHEET, ()),
        (ole2("Book", "_VBA_PROJECT_CUR"), "a.et", K.SHEET, ("macro",)),
        (ole2("PowerPoint Document"), "a.dps", K.SLIDES, ()),
        (ole2("EncryptedPackage", "EncryptionInfo"), "a.docx", K.WORD, ("encrypted",)),
        (ole2("Something"), "a.wps", K.WORD, ()),
        (ole2("Something"), "a.bin", K.OTHER, ()),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 600, "a.doc", K.WORD, ()),
        (b"%PDF-1.7\n...", "a.docx", K.PDF, ()),
        (b"%PDF-1.7\ntrailer << /Encrypt 5 0 R >>", "a.pdf", K.PDF, ("encrypted",)),
        (b"{\\rtf1 x}", "a.doc", K.RTF, ()),
        (b"\xff\xd8\xff\xe0JFIF", "a.jpg", K.IMAGE, ()),
        (b"\x89PNG\r\n\x1a\n....", "a", K.IMAGE, ()),
        (b"Rar!\x1a\x07\x01\x00....", "a.rar", K.ARCHIVE, ()),
        (b"7z\xbc\xaf\x27\x1c...\x06\xf1\x07\x01", "a.7z", K.ARCHIVE, ("encrypted",)),
        (b"<html><body>x</body></html>", "a.doc", K.HTML, ()),
        ("信息内容".encode("gbk"), "a.txt", K.TEXT, ()),
        ("信息内容".encode("utf-16"), "a", K.TEXT, ()),
        (b"BEGIN:VCALENDAR\r\n", "a.ics", K.CALENDAR, ()),
        (b"Received: x\r\n\r\n", "a.eml", K.MAIL, ()),
        (b"\0\1\2\3binary", "a.txt", K.OTHER, ()),
        (b"", "a.docx", K.EMPTY, ()),
    ],
)  # fmt: skip
def test_kinds_by_content(
    data: bytes, name: str, kind: AttachmentKind, flags: tuple[str, ...]
) -> None:
    raw = attached(data, name.encode())
    attachment = only(decode(raw))
    assert (attachment.kind, attachment.flags, attachment.size) == (kind, flags, len(data))
    assert attachment.sha256 == hashlib.sha256(data).hexdigest()
    assert part_bytes(raw, attachment.path) == data


def test_text_of_text_and_html_attachments() -> None:
    mail = decode(attached("内容\r\n第二行".encode("gbk"), b"a.txt"))
    assert only(mail).text == "内容\n第二行"
    mail = decode(attached("<meta charset=gbk><p>内容</p>".encode("gbk"), b"a.htm"))
    assert only(mail).text == "内容"


def test_a_very_long_text_is_cut_and_told() -> None:
    mail = decode(attached("信息\n".encode() * 400_000, b"a.txt"))
    assert DefectCode.TEXT_CUT in codes(mail)
    assert 100_000 < len(only(mail).text) <= 500_000


PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20_000


def test_which_images_belong_to_the_text() -> None:
    def image(extra: bytes, data: bytes = PNG) -> bytes:
        return part(base64.encodebytes(data), b"image/png; name=a.png",
                    b"Content-Transfer-Encoding: base64\r\n" + extra)  # fmt: skip

    mail = decode(
        multi(
            part(b"<img src='cid:Logo@1'>text", b"text/html"),
            image(b"Content-ID: <logo@1>\r\nContent-Disposition: attachment\r\n"),
            image(b"Content-Disposition: inline\r\n"),
            image(b"", PNG[:300]),
            image(b"Content-Disposition: attachment\r\n"),
            image(b"Content-Disposition: attachment\r\n", PNG[:300]),
            kind=b"related",
        )
    )
    assert [a.inline for a in mail.attachments] == [True, True, True, False, False]


# --- winmail.dat ------------------------------------------------------------------------------


def tnef_object(level: int, name: int, kind: int, data: bytes) -> bytes:
    return (
        struct.pack("<BHHI", level, name, kind, len(data))
        + data
        + struct.pack("<H", sum(data) & 0xFFFF)
    )


def winmail(name: bytes, data: bytes, text: bytes) -> bytes:
    return (
        struct.pack("<IH", 0x223E9F78, 1)
        + tnef_object(1, 0x9006, 8, struct.pack("<I", 0x10000))
        + tnef_object(1, 0x9007, 6, struct.pack("<II", 936, 0))
        + tnef_object(1, 0x800C, 1, text + b"\0")
        + tnef_object(2, 0x9002, 6, b"\0" * 14)
        + tnef_object(2, 0x8010, 1, name + b"\0")
        + tnef_object(2, 0x800F, 6, data)
        + tnef_object(1, 0x9004, 6, b"\0" * 4)
    )


def test_winmail_is_unpacked() -> None:
    data = winmail("材料.doc".encode("gbk"), ole2("WordDocument"), "正文".encode("gbk"))
    raw = multi(part(b" "), part(base64.encodebytes(data), b"application/ms-tnef; name=winmail.dat", b"Content-Transfer-Encoding: base64\r\n"))  # fmt: skip
    mail = decode(raw)
    assert [(a.name, a.path, a.kind) for a in mail.attachments] == [("材料.doc", "2/1", K.WORD)]
    assert mail.text == "正文"
    assert part_bytes(raw, "2/1") == ole2("WordDocument")
    assert part_bytes(raw, "2/2") is None
    assert mail.defects == ()


def test_a_broken_winmail_stays_an_attachment() -> None:
    whole = winmail(b"a.doc", b"x" * 100, b"")
    mail = decode(attached(whole[:40] + b"\xff" * 30, b"winmail.dat"))
    assert only(mail).name == "winmail.dat"
    assert DefectCode.TNEF_UNREADABLE in codes(mail)


# --- 超大附件 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<a href='https://wx.mail.qq.com/ftn/download?func=3&amp;k=1'>报告.docx</a> <a href='https://wx.mail.qq.com/ftn/download?func=3&amp;k=1'>下载</a>",
         [CloudAttachment("wx.mail.qq.com", "报告.docx")]),
        ("从QQ邮箱发来的超大附件<br>情况 报告.zip (62.3M)<br><a href='http://mail.qq.com/cgi-bin/ftnExs_download?k=2'>进入下载页面</a>",
         [CloudAttachment("mail.qq.com", "情况 报告.zip")]),
        ("<a href=https://mail.163.com/large-attachment-download/index.html?p=X>7月信息.rar</a>", [CloudAttachment("mail.163.com", "7月信息.rar")]),
        ("<a href=https://dashi.163.com/html/cloud-attachment-download/?key=a>下载</a>", [CloudAttachment("dashi.163.com", "")]),
        ("<a href=https://mail.126.com/large-attachment-download/index.html?p=X>a.pdf</a>", [CloudAttachment("mail.126.com", "a.pdf")]),
        ("<a href=https://www.qq.com/ftn>报告.docx</a> http://www.gov.cn/a.pdf https://mail.qq.com/", []),
    ],
)  # fmt: skip
def test_a23_oversize_attachments_are_links(source: str, found: list[CloudAttachment]) -> None:
    assert list(decode(html(source.encode())).cloud_attachments) == found


def test_oversize_attachments_in_plain_text() -> None:
    text = "超大附件：\r\n工作 报告.docx (80.1M)\r\n下载：https://mail.qq.com/cgi-bin/ftnExs_download?t=exs\r\n"
    mail = decode(plain(b"s", text.encode(), b"Content-Type: text/plain; charset=utf-8\r\n"))
    assert mail.cloud_attachments == (CloudAttachment("mail.qq.com", "工作 报告.docx"),)


# --- identity ---------------------------------------------------------------------------------


def test_the_same_mail_delivered_twice_has_one_key() -> None:
    raw = plain(
        word("信息"), b"body\r\n", b"Message-ID: <1@x>\r\nDate: Mon, 3 Aug 2026 10:00:00 +0800\r\n"
    )
    again = b"Return-Path: <a@b.cn>\r\nReceived: from x by y; z\r\nDelivered-To: o\r\n" + raw
    first, second = decode(raw), decode(again)
    assert first.content_key == second.content_key
    assert first.sha256 != second.sha256 == hashlib.sha256(again).hexdigest()
    assert decode(raw.replace(b"\r\n", b"\n")).content_key == first.content_key
    assert second.size == len(again)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"body", b"bodY"), (b"<1@x>", b"<2@x>"), (b"zhangsan", b"lisi"), (b"10:00", b"11:00"), (b"Subject: ", b"Subject: Re")],
)  # fmt: skip
def test_another_mail_has_another_key(old: bytes, new: bytes) -> None:
    raw = plain(b"x", b"body\r\n", b"Message-ID: <1@x>\r\nDate: Mon, 3 Aug 2026 10:00:00 +0800\r\n")
    assert decode(raw.replace(old, new)).content_key != decode(raw).content_key
