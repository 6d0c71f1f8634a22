"""Chinese words in compound files, and that noise and other files give nothing."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.intake.secrets import find_secrets
from mailbot.core.mail.oletext import MAGIC, ole_words


def _file(text: bytes) -> bytes:
    return MAGIC + bytes(504) + random.Random(7).randbytes(1024) + text + bytes(512)


def test_utf_16_and_gbk_runs_are_found() -> None:
    for encoding in ("utf-16-le", "gb18030"):
        found = ole_words(_file("机密★1年 春耕备耕工作进展顺利".encode(encoding)))
        assert "机密★1年 春耕备耕工作进展顺利" in found


def test_a_file_of_another_kind_gives_nothing() -> None:
    assert ole_words("机密★1年".encode("utf-16-le")) == ""


@given(st.binary(max_size=2000))
def test_noise_holds_no_secrets_mark(noise: bytes) -> None:
    words = ole_words(_file(noise))
    assert not find_secrets(
        subject="", body="", attachment_names=(), attachment_texts=[words], nested_texts=()
    )
