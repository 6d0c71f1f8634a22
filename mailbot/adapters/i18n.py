"""Which language the command line speaks, and the catalog behind `_()`.

Promises: `_()` works from the moment this module is imported (typer builds its help texts while
`mailbot.cli` is being imported), and a missing or broken catalog never stops a command: the English
message id is shown instead. What senders read is always Chinese and comes from the templates, not
from here.

The rule of `choose`: `--lang zh|en`, else MAILBOT_LANG, else the first of LC_ALL, LC_MESSAGES, LANG
that is set (POSIX XBD 8.2). English only where it says `en…`; everything else, also C, POSIX and
nothing at all, is Chinese: the people of the office run this, often from cron with no locale.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, get_args

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
DOMAIN: Final = "mailbot"
LOCALE_DIR: Final = Path(__file__).resolve().parent.parent / "locale"
_CATALOGS: Final[dict[Language, str]] = {"zh": "zh_CN", "en": "en"}
"""English is the language of the message ids, so `en` has no catalog."""


def choose(argv: Sequence[str], environ: Mapping[str, str]) -> Language:
    """The language for a command line (without the program's name) and an environment."""
    asked, _rest = take_lang(argv)
    if asked is not None:
        return asked
    own = environ.get("MAILBOT_LANG", "")
    if own:
        return _language(own)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return _language(environ[name])
    return "zh"


def take_lang(argv: Sequence[str]) -> tuple[Language | None, list[str]]:
    """`--lang X` or `--lang=X` taken out of a command line, wherever it stands before a `--`: the
    last one counts. A value that is no language stays in the rest, for the command to refuse."""
    found: Language | None = None
    rest: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            return found, [*rest, word, *words]
        value: str | None = None
        if word.startswith("--lang="):
            value = word.removeprefix("--lang=")
        elif word == "--lang" and words:
            value = words[0]
        if value is not None and _is_language(value):
            found = _language(value)
            if word == "--lang":
                words.pop(0)
        else:
            rest.append(word)
    return found, rest


def install(language: Language) -> None:
    """Binds `_()` and the frameworks' own messages (typer asks the `gettext` module for its panel
    titles and errors) to the language's catalog, for the whole process."""
    global _language_now, _catalog
    _language_now = language
    _catalog = gettext.translation(DOMAIN, LOCALE_DIR, [_CATALOGS[language]], fallback=True)
    os.environ["LANGUAGE"] = _CATALOGS[language]
    gettext.bindtextdomain(DOMAIN, LOCALE_DIR)
    gettext.textdomain(DOMAIN)


def current() -> Language:
    """The language installed last."""
    return _language_now


def _(message: str) -> str:
    """The message in the current language. `message` is English and a literal, so that the
    catalog's extraction finds it; values go in afterwards with `.format()`."""
    return _catalog.gettext(message) if message else ""


def N_(message: str) -> str:
    """Marks a literal for the catalog without translating it yet (tables filled at import)."""
    return message


def _is_language(value: str) -> bool:
    return value.lower().replace("-", "_").split("_")[0].split(".")[0] in LANGUAGES


def _language(value: str) -> Language:
    return "en" if value.lower().startswith("en") else "zh"


_language_now: Language = choose((), os.environ)
_catalog: gettext.NullTranslations = gettext.translation(
    DOMAIN, LOCALE_DIR, [_CATALOGS[_language_now]], fallback=True
)
