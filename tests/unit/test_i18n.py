"""Which language is spoken, and that the Chinese catalog is whole."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from string import Formatter

import pytest

from mailbot.adapters import i18n
from mailbot.locale import update


@pytest.fixture(autouse=True)
def back_to_the_tests_language(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "")
    before = i18n.current()
    yield
    i18n.install(before)


@pytest.mark.parametrize(
    ("argv", "environ", "language"),
    [
        ([], {}, "zh"),
        ([], {"LANG": ""}, "zh"),
        ([], {"LANG": "C"}, "zh"),
        ([], {"LANG": "C.UTF-8"}, "zh"),
        ([], {"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, "zh"),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh"),
        ([], {"LANG": "zh_CN.GBK"}, "zh"),
        ([], {"LANG": "mn_CN"}, "zh"),
        ([], {"LANG": "en_US.UTF-8"}, "en"),
        ([], {"LANG": "en"}, "en"),
        ([], {"LC_MESSAGES": "en_GB", "LANG": "zh_CN"}, "en"),
        ([], {"LC_ALL": "zh_CN", "LC_MESSAGES": "en_GB"}, "zh"),
        ([], {"MAILBOT_LANG": "en", "LC_ALL": "zh_CN"}, "en"),
        (["--lang", "en"], {"MAILBOT_LANG": "zh"}, "en"),
        (["doctor", "--lang=zh"], {"LANG": "en_US"}, "zh"),
        (["doctor", "--lang", "EN"], {}, "en"),
        (["--lang", "en", "doctor", "--lang", "zh"], {"LANG": "en_US"}, "zh"),
        (["subject", "--", "--lang", "en"], {}, "zh"),
        (["--lang", "fr"], {"LANG": "en_US"}, "en"),
        (["--lang"], {}, "zh"),
    ],
)
def test_choice(argv: list[str], environ: dict[str, str], language: str) -> None:
    assert i18n.choose(argv, environ) == language


def test_the_option_is_taken_out_wherever_it_stands() -> None:
    argv = ["--lang", "en", "items", "--unit", "教体局", "--lang=zh", "--", "--lang", "en"]
    assert i18n.take_lang(argv) == ("zh", ["items", "--unit", "教体局", "--", "--lang", "en"])
    assert i18n.take_lang(["--lang", "fr", "run"]) == (None, ["--lang", "fr", "run"])
    assert i18n.take_lang([]) == (None, [])


def test_messages_follow_the_language() -> None:
    i18n.install("zh")
    assert i18n._("database") == "数据库"
    assert i18n._("no message like this") == "no message like this"
    assert i18n._("") == ""
    i18n.install("en")
    assert i18n._("database") == "database"


def test_every_message_has_its_chinese() -> None:
    assert update.untranslated(update.merged()) == []


def test_the_files_are_up_to_date() -> None:
    """Mended by `python -m mailbot.locale.update`."""
    assert update.TEMPLATE.read_bytes() == update.as_po(update.extract())
    assert update.PO.read_bytes() == update.as_po(update.merged())
    assert update.MO.read_bytes() == update.as_mo(update.merged())


def test_translations_keep_the_fields_and_stray_blanks() -> None:
    def fields(text: str) -> list[tuple[str | None, str | None]]:
        return sorted((f, spec) for _t, f, spec, _c in Formatter().parse(text) if f is not None)

    for message in update.merged():
        source, target = str(message.id), str(message.string)
        if not source or source == "{{ corrected_subject }}":
            continue
        assert fields(source) == fields(target), source
        assert source.startswith("\n") == target.startswith("\n"), source
        assert not re.search(r"[A-Za-z]{4,} [a-z]{4,} [a-z]{3,} [a-z]{3,}", target), target


COMMAND = "import sys; sys.argv[0] = 'mailbot'; from mailbot.cli import main; sys.exit(main())"


def run(*arguments: str, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8", **environ},
        timeout=60,
        check=False,
    )
    return (done.stdout + done.stderr).decode("utf-8")


@pytest.mark.parametrize(
    ("arguments", "environ", "chinese"),
    [
        (("--help",), {}, True),
        (("doctor", "--help"), {"LANG": "zh_CN.UTF-8"}, True),
        (("doctor", "--help"), {"LANG": "en_US.UTF-8"}, False),
        (("--lang", "en", "init", "--help"), {"LANG": "zh_CN.UTF-8"}, False),
        (("doctor", "--help", "--lang", "zh"), {"LANG": "en_US.UTF-8"}, True),
    ],
)
def test_help_speaks_the_language(
    arguments: tuple[str, ...], environ: dict[str, str], chinese: bool
) -> None:
    told = run(*arguments, **environ)
    assert ("选项" in told) is chinese
    assert ("Options" in told) is not chinese
    assert bool(re.search(r"[\u4e00-\u9fff]", told.replace("授权码", ""))) is chinese
