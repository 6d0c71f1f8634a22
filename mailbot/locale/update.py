"""Brings the catalogs up to date with the code: `python -m mailbot.locale.update [--check]`.

Extracts the message ids from `mailbot/cli` and `mailbot/adapters`, adds the frameworks' own
messages, merges them into the Chinese catalog (translations are kept, vanished ids dropped) and
compiles it. Prints the ids that still want a translation and exits 1 when there are any. `--check`
changes nothing and also exits 1 when a file would change. Needs Babel (a development dependency).
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).resolve().parent.parent
TEMPLATE = PACKAGE / "locale" / "mailbot.pot"
PO = PACKAGE / "locale" / "zh_CN" / "LC_MESSAGES" / "mailbot.po"
MO = PO.with_suffix(".mo")
SOURCES = ("adapters", "cli")
KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None}

_NOISE = (
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Generated-By',
    '"Report-Msgid-Bugs-To',
    '"Last-Translator',
    '"Language-Team',
)
"""Header fields that would change with the day, or say nothing."""
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
"""Babel cannot leave the dates out of a compiled catalog."""

FRAMEWORK = (
    # typer 0.29 asks the `gettext` module for these (core.py, rich_utils.py).
    "Options",
    "Arguments",
    "Commands",
    "Error",
    "Aborted!",
    "Aborted.",
    "(deprecated) ",
    "(dynamic)",
    "required",
    "[required]",
    "[default: {}]",
    "[env var: {}]",
    "default: {default}",
    "env var: {var}",
    "Missing command.",
    "No such command {name!r}.",
    "Try [blue]'{command_path} {help_option}'[/] for help.",
)


def extract() -> Catalog:
    """All message ids of the code, as a template. No dates and no line numbers: the files change
    only when a message does."""
    template = Catalog(project="mailbot", charset="utf-8", fuzzy=False)
    for source in SOURCES:
        for file, _line, message, comments, context in extract_from_dir(
            PACKAGE / source, method_map=[("**.py", "python")], keywords=KEYWORDS
        ):
            where = f"mailbot/{source}/{file}".replace("\\", "/")
            template.add(message, locations=[(where, 0)], auto_comments=comments, context=context)
    for message in FRAMEWORK:
        template.add(message, locations=[("typer", 0)])
    return template


def merged() -> Catalog:
    """The Chinese catalog with exactly the code's message ids."""
    with PO.open("rb") as handle:
        catalog = read_po(handle, locale="zh_CN", domain="mailbot")
    catalog.update(extract(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def untranslated(catalog: Catalog) -> list[str]:
    return [str(m.id) for m in catalog if m.id and (not m.string or m.fuzzy)]


def as_po(catalog: Catalog) -> bytes:
    out = io.BytesIO()
    write_po(out, catalog, width=100, sort_output=True, omit_header=False, include_lineno=False)
    lines = out.getvalue().decode("utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_NOISE)).encode("utf-8")


def as_mo(catalog: Catalog) -> bytes:
    """Compiled from the text form, so that it depends on the .po file alone."""
    out = io.BytesIO()
    plain = read_po(io.BytesIO(as_po(catalog)), locale="zh_CN", domain="mailbot")
    plain.creation_date = plain.revision_date = _NO_DATE
    write_mo(out, plain)
    return out.getvalue()


def main(arguments: list[str]) -> int:
    catalog = merged()
    wanted = {TEMPLATE: as_po(extract()), PO: as_po(catalog), MO: as_mo(catalog)}
    stale = [p for p, data in wanted.items() if not p.is_file() or p.read_bytes() != data]
    for path in stale:
        print(f"{'stale' if '--check' in arguments else 'written'}: {path.relative_to(PACKAGE)}")
        if "--check" not in arguments:
            path.write_bytes(wanted[path])
    missing = untranslated(catalog)
    for message in missing:
        print(f"untranslated: {message!r}")
    return 1 if missing or ("--check" in arguments and stale) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
