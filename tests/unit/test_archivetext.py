"""The words inside .zip files, good and hostile."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.making import files
from mailbot.core.mail.archivetext import MAX_INFLATED, MAX_MEMBERS, archive_text
from mailbot.core.mail.limits import TEXT_CHARS
from mailbot.core.mail.reading import read_mail

WORD = files.docx("机密★1年", "关于有关情况的报告")


def packed(name: str, data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("names", ["utf-8", "gbk"])
def test_names_and_words_as_chinese_systems_pack_them(names: str) -> None:
    members = [("材料/报告.docx", WORD), ("材料/说明.txt", "密级：秘密".encode("gbk"))]
    text, whole = archive_text(files.archive(members, names=names))
    assert text.split("\n") == [
        "材料/报告.docx",
        "材料/说明.txt",
        "机密★1年",
        "关于有关情况的报告",
        "密级：秘密",
    ]
    assert whole


@pytest.mark.parametrize("name", ["报告.doc", "报告.wps", "报告.txt"])
def test_the_bytes_say_what_a_member_is(name: str) -> None:
    assert "机密★1年" in archive_text(packed(name, WORD))[0]


def test_an_archive_in_an_archive_is_read_and_a_third_one_told() -> None:
    inner = packed("报告.docx", WORD)
    text, whole = archive_text(packed("内.zip", inner))
    assert "机密★1年" in text and whole
    text, whole = archive_text(packed("外.zip", packed("内.zip", inner)))
    assert text.split("\n") == ["外.zip", "内.zip"] and not whole


def test_pictures_are_named_and_not_unpacked() -> None:
    assert archive_text(packed("照片.jpg", b"\0" * (MAX_INFLATED + 1))) == ("照片.jpg", True)


@pytest.mark.parametrize(
    "data",
    [
        packed("大.docx", b"PK\3\4" * (MAX_INFLATED // 4 + 1)),
        packed("长.txt", b"x" * (TEXT_CHARS + 1)),
        packed("怪.txt", b"x" * 500, zipfile.ZIP_LZMA),
        files.archive([(f"{n}.txt", b"x") for n in range(MAX_MEMBERS + 1)]),
        WORD[:200],
        b"PK\3\4",
        b"",
    ],
    ids=["bomb", "long", "method", "members", "cut", "head", "empty"],
)
def test_a7_a24_what_hides_something_says_so(data: bytes) -> None:
    assert archive_text(data)[1] is False


@settings(max_examples=100)
@given(noise=st.binary(max_size=60), at=st.integers(0, 400))
def test_any_bytes_are_survived(noise: bytes, at: int) -> None:
    whole = files.archive([("a.docx", WORD), ("b.txt", b"text")])
    archive_text(whole[:at] + noise + whole[at + len(noise) :])


@pytest.mark.parametrize(
    ("members", "rules"),
    [
        ([("报告.docx", WORD)], {"level-star"}),
        ([("（秘密★）报告.pdf", b"%PDF-1.4")], {"level-star"}),
        ([("商业秘密保护情况.docx", files.docx("商业秘密保护工作 ★★★★"))], set()),
    ],
)
def test_marks_in_an_archive_are_found(members: list[tuple[str, bytes]], rules: set[str]) -> None:
    data = files.archive(members, names="gbk")
    mail = b"Subject: x\r\nContent-Type: application/zip\r\nContent-Disposition: attachment\r\n\r\n"
    assert {m.rule for m in read_mail(mail + data).secrets} == rules
