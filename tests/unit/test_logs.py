"""One event is one line, whatever is in it; masked where the operator wants it so."""

from __future__ import annotations

import io
import json
import logging
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailbot.adapters import logs
from mailbot.adapters.logs import JsonFormatter, LineFormatter, Masks
from mailbot.app.masking import keyed_print, masked

INJECTED = [
    "title\r\n2026-08-12 09:30:00 ERROR mailbot forged",
    "\x1b[2J\x1b[31mred\x1b]0;window\x07",
    "one\u2028two\u2029three\x85four\x0bfive\x0csix",
    "\u202egnp.exe\u202c \u2066hidden\u2069 zero\u200bwidth\ufeff",
    "half \ud800 of a pair, NUL \x00, DEL \x7f, C1 \x9b31m, \U000e0041 tag",
    '"}\n{"level":"critical","message":"forged',
]
ANY = st.text(st.characters(), max_size=60) | st.sampled_from(INJECTED)


def record(message: str, *args: Any, **extra: Any) -> logging.LogRecord:
    return logging.getLogger("mailbot.test").makeRecord(
        "mailbot.test", logging.WARNING, __file__, 1, message, args, None, extra=extra
    )


def raised(text: str) -> logging.LogRecord:
    try:
        raise ValueError(text)
    except ValueError as error:
        return logging.LogRecord(
            "mailbot.test", logging.ERROR, __file__, 1, "failed", (),
            (type(error), error, error.__traceback__),
        )  # fmt: skip


def is_one_harmless_line(line: str) -> bool:
    acting = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return len(line.splitlines()) == 1 and not any(
        unicodedata.category(sign) in acting for sign in line
    )


@given(text=ANY, more=ANY)
@example(text="\n", more="\x1b[0m")
def test_a21_one_event_is_one_line_of_json_with_its_escapes(text: str, more: str) -> None:
    """In the message, its arguments, the fields, a logger's name and an exception; and JSON gives
    back exactly what was written."""
    line = JsonFormatter().format(record("said %s", text, mail=12, receipt=more))
    assert is_one_harmless_line(line)
    event = json.loads(line)
    assert event["message"] == f"said {text}" and event["receipt"] == more
    assert (event["mail"], event["level"]) == (12, "warning")
    failed = JsonFormatter().format(raised(text))
    assert is_one_harmless_line(failed)
    assert f"ValueError: {text}".removesuffix(": ") in json.loads(failed)["exception"]


@given(text=ANY)
def test_a21_one_event_is_one_line_of_text_with_its_escapes(text: str) -> None:
    assert is_one_harmless_line(LineFormatter().format(record("said %s", text)))
    assert is_one_harmless_line(LineFormatter().format(record(text)))
    assert is_one_harmless_line(LineFormatter().format(raised(text)))
    assert is_one_harmless_line(LineFormatter(MASKS).format(raised(text)))


def test_a21_escapes_are_shown_not_dropped() -> None:
    line = LineFormatter().format(record("a\r\n\x1b[31m\u202e\U000e0041 b\\n"))
    assert line.endswith("a\\r\\n\\x1b[31m\\u202e\\U000e0041 b\\n")
    assert "农牧局 𠮷" in LineFormatter().format(record("%s", "农牧局 𠮷"))


def test_a_traceback_stands_in_its_event(capsys: pytest.CaptureFixture[str]) -> None:
    event = json.loads(JsonFormatter().format(raised("x")))
    assert event["message"] == "failed"
    assert event["exception"].startswith("Traceback") and "in raised\n" in event["exception"]
    assert "\\n" in LineFormatter().format(raised("x"))


def test_arguments_that_do_not_fit_lose_no_event() -> None:
    for formatter in (LineFormatter(), JsonFormatter(), LineFormatter(MASKS)):
        line = formatter.format(record("%d mails from %s", "many"))
        assert "%d mails from %s" in line and "many" not in line


def test_what_is_too_long_is_cut_and_still_json() -> None:
    event = json.loads(JsonFormatter().format(record("%s", "长" * 100_000)))
    assert len(event["message"]) == logs.MAX_MESSAGE
    trace = json.loads(JsonFormatter().format(raised("y" * 100_000 + "end")))["exception"]
    assert trace.endswith("end") and len(trace) == logs.MAX_MESSAGE


# --- masking --------------------------------------------------------------------------------

PRINT = keyed_print(b"key")
MASKS = Masks(PRINT)
HIDDEN = [
    "zhangsan@example.org",
    "张三@例子.example",
    "13812345678",
    "138 1234 5678",
    "+8613812345678",
    "0477-7622029",
    "7622029",
    "15020319800101123X",
    "《关于上半年春耕物资储备情况的报告》",
    "“关于上半年春耕物资储备情况的报告”",
    "'农牧局+上半年春耕物资储备情况+张三+7622029'",
]
KEPT = [
    "EQ202608-0012",
    "2026-08-12T09:30:00+08:00",
    "20260812",
    "imap.163.com:993",
    "folder '已发送'",
    "10.0.0.1",
    "mail 1234567",
    "/srv/mailbot/ab/cd/abcd1380000000012.eml",
    "“otog”",
    "0.1.0",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_what_names_somebody_is_masked(text: str) -> None:
    shown = masked(f"said: {text}, again", PRINT)
    inner = text.strip("《》“”'")
    assert inner not in shown and shown.startswith("said: ") and shown.endswith(", again")
    assert not any(part in shown for part in ("zhangsan", "12345678", "7622029", "春耕", "1980"))
    assert shown == masked(f"said: {text}, again", PRINT)
    assert shown != masked(f"said: {text}, again", keyed_print(b"other key"))


@pytest.mark.parametrize("text", KEPT)
def test_what_names_nobody_is_kept(text: str) -> None:
    if text != "mail 1234567":
        assert masked(f"said: {text}, again", PRINT) == f"said: {text}, again"
    line = LineFormatter(MASKS).format(record("mail %d", 7622029))
    assert "7622029" in line, "a number given as a number is ours"


def test_the_same_address_has_the_same_print_and_two_differ() -> None:
    a, b = masked("Z@example.org", PRINT), masked("z@EXAMPLE.org", PRINT)
    assert a.partition("#")[2] == b.partition("#")[2] != ""
    assert masked("zhang@example.org", PRINT) != masked("zhao@example.org", PRINT)


def test_masked_logs_hide_it_in_messages_arguments_and_tracebacks() -> None:
    secret = "zhangsan@example.org 13812345678 “关于上半年春耕物资储备情况的报告”"
    for formatter in (LineFormatter(MASKS), JsonFormatter(MASKS)):
        lines = [
            formatter.format(record("said " + secret)),
            formatter.format(record("said %s", secret)),
            formatter.format(record("said %r", [secret])),
            formatter.format(record("said %(x)s", {"x": secret})),
            formatter.format(record("said %s", ValueError(secret))),
            formatter.format(raised(secret)),
        ]
        for line in lines:
            assert "zhangsan" not in line and "12345678" not in line and "春耕" not in line, line
            assert "#" in line


@pytest.fixture
def own_handler() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
    logs._handler = None


@pytest.mark.usefixtures("own_handler")
def test_setting_up_again_replaces_what_was_set_up(tmp_path: Path) -> None:
    key = tmp_path / "secret.key"
    key.write_text("00" * 32)
    first, second = io.StringIO(), io.StringIO()
    logs.set_up("info", stream=first)
    logs.set_up("warning", "json", redact=True, secret_file=key, stream=second)
    logging.getLogger("mailbot").info("too little")
    logging.getLogger("mailbot").warning("from %s", "z@example.org", extra={"letter": 3})
    assert first.getvalue() == ""
    (line,) = second.getvalue().splitlines()
    event = json.loads(line)
    assert event["letter"] == 3 and "z***@example.org#" in event["message"]
    third = io.StringIO()
    logs.set_up("info", "json", redact=True, secret_file=key, stream=third)
    logging.getLogger("mailbot").warning("from %s", "z@example.org")
    assert json.loads(third.getvalue())["message"] == event["message"], "stable over restarts"


@pytest.mark.usefixtures("own_handler")
def test_a_log_that_cannot_take_chinese_stops_nothing() -> None:
    raw = io.BytesIO()
    logs.set_up("info", stream=io.TextIOWrapper(raw, encoding="ascii", errors="replace"))
    logging.getLogger("mailbot").error("邮箱 otog")
