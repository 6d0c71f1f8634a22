"""The Word templates an office has: which letter each is for, and all that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mailbot.app.errors import Fault
from mailbot.core.rules.rulebook import OfficeBook


def letters_with_documents(book: OfficeBook) -> dict[str, str]:
    """Name of the template's file, without `.docx`, to the title of what it prints. A letter of its
    own is not printed on the notice's template: it has one under both their names."""
    found = {}
    for letter in book.letters.letters:
        if letter.document is not None:
            found[letter.id] = letter.name
        for own in letter.own:
            found[f"{letter.id}-{own.list}"] = own.document.title
    return found


def template_faults(offices: Path, book: OfficeBook) -> list[Fault]:
    """All faults of the office's own Word templates; most offices have none."""
    folder = offices / book.info.id / "templates" / "word"
    return [f for path in sorted(folder.glob("*.docx")) for f in _faults(path, book)]


def _faults(path: Path, book: OfficeBook) -> Iterator[Fault]:
    if path.name.startswith(("~$", ".~")):
        return  # Word's and WPS's own, beside a file that is open; `check` says so of that one
    known = letters_with_documents(book)
    if path.stem not in known:
        names = "、".join(f"{name}.docx（{title}）" for name, title in known.items())
        yield Fault(
            str(path),
            "没有哪份文件用这个名字的模板",
            f"改成其中一个：{names}" if names else "letters.toml 里没有要出文件的信，删去它",
        )
        return
    # Only an office with templates of its own pays for the library that reads them.
    from mailbot.adapters.word.own import check

    yield from check(path)
