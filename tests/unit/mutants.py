"""Small mistakes in an office's files, one at a time: a number changed, a day moved, a table gone.

Works on the text, so that what is tried is what a slip of the finger in an editor would leave.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

FILES = ("scoring.toml", "quota.toml", "notices.toml", "tasks.toml", "office.toml")
"""Where an office's rules and limits stand. What the other files say has tests of its own: who
reports (`units.toml`), how a subject is read (`subject.toml`), by which words a category is
recognised (`categories.toml`: 300 labelled titles)."""


@dataclass(frozen=True, slots=True)
class Mutant:
    file: str
    line: int
    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.what}"


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_NUMBER = re.compile(r"(?<![\w.\-])-?\d+(?:\.\d+)?(?![\w.\-])")
_TRUTH = re.compile(r"\b(true|false)\b")
_HEADER = re.compile(r"^\s*\[\[([\w.]+)\]\]")
_TOLD = ("reading", "year")
"""Keys that say something about a number rather than being one."""


def mutants(file: str, text: str) -> Iterator[Mutant]:
    """Every number one more, every day one later and a year later, every flag turned, every table
    left out."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        code = _without_comment(line)
        if code.split("=")[0].strip() in _TOLD:
            continue
        bare = _blanked(code)
        bare = re.sub(r"reading\s*=\s*(true|false)", lambda m: " " * len(m[0]), bare)
        for pattern, change in (
            (_DAY, _later),
            (_DAY, _next_year),
            (_NUMBER, _more),
            (_TRUTH, _turned),
        ):
            for found in pattern.finditer(_DAY.sub(_spaces, bare) if pattern is _NUMBER else bare):
                new = change(found[0])
                mutated = line[: found.start()] + new + line[found.end() :]
                changed = "\n".join([*lines[:index], mutated, *lines[index + 1 :]])
                yield Mutant(file, index + 1, f"{found[0]} -> {new}: {line.strip()}", changed)
    yield from _without_tables(file, lines)


def _without_tables(file: str, lines: list[str]) -> Iterator[Mutant]:
    heads = [(i, m[1]) for i, line in enumerate(lines) if (m := _HEADER.match(line))]
    for index, name in heads:
        if name == "left":
            continue  # tells people what is left to them; nothing is reckoned from it
        end = next(
            (i for i, other in heads if i > index and not other.startswith(name + ".")), len(lines)
        )
        kept = "\n".join([*lines[:index], *lines[end:]])
        said = " ".join(lines[index + 1 : index + 3]).strip()
        yield Mutant(file, index + 1, f"[[{name}]] left out: {said}", kept)


def _without_comment(line: str) -> str:
    blanked = _blanked(line)
    return line[: blanked.index("#")] if "#" in blanked else line


def _blanked(line: str) -> str:
    return _STRING.sub(_spaces, line)


def _spaces(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _later(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _next_year(day: str) -> str:
    """Late enough for whatever period judges the rule."""
    return f"{int(day[:4]) + 1}{day[4:]}"


def _more(number: str) -> str:
    whole, dot, part = number.partition(".")
    return f"{int(whole) + 1}{dot}{part}"


def _turned(flag: str) -> str:
    return "false" if flag == "true" else "true"
