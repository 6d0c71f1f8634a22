"""HTML mail into text a person (and the subject reader) can read.

A tokenizer of its own, because the standard library's `html.parser` is quadratic on unclosed
constructs in the Python versions we run on, and a mail's HTML is written by anyone. It goes once
from left to right, keeps no tree, so nesting costs nothing, and loads nothing.

What it keeps: text, line breaks, table cells (a TAB between cells), list items, preformatted text.
What it drops: scripts, styles, comments, the head. Links and images are handed out beside the text.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Final

# A lone angle bracket ("1<2") is text.
_MARKUP: Final = re.compile(r"<(?=[A-Za-z!?]|/[A-Za-z])")
_NAME: Final = re.compile(r"/?[A-Za-z][A-Za-z0-9:_-]{0,40}")
_ATTRIBUTE: Final = re.compile(
    r"""([^\s=>/"'][^\s=>/]{0,60})(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']*)))?"""
)
_BETWEEN: Final = re.compile(r"[\s/\"'=]*")
_LONG_NUMBER: Final = re.compile("&#[xX]?0*([0-9a-fA-F]{8,});?")
_SPACES: Final = re.compile("[ \t\n\r\f\u00a0]+")
_WIDE: Final = "\u2e80-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
_BROKEN_LINE: Final = re.compile(f"(?<=[{_WIDE}])[ \t]*[\r\n]\\s*(?=[{_WIDE}])")
_MANY_LINES: Final = re.compile("\n{3,}")
_RAW: Final = ("script", "style", "textarea", "xmp")
_DROPPED: Final = frozenset({"script", "style", "title", "template", "noframes", "svg", "math"})
_BLOCKS: Final = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_PARAGRAPHS: Final = frozenset(
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote", "pre"]
)
_ATTRIBUTE_CHARS: Final = 65_536
_LINKS_MAX: Final = 500


@dataclass(slots=True)
class Link:
    """A link of the page: where it leads (never followed), its text, and where in the text."""

    href: str
    text: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """What an HTML text says."""

    text: str
    links: tuple[Link, ...] = ()
    images: frozenset[str] = frozenset()
    """Content-IDs of the images shown (`cid:` sources), lower case."""


@dataclass(slots=True)
class _Writer:
    """Text as it comes out, with HTML's white space rules."""

    out: list[str] = field(default_factory=list)
    length: int = 0
    space: bool = False
    """A collapsed space is due before the next text of this line."""
    breaks: int = 2
    """Line breaks just written (or the text's beginning)."""
    fresh: bool = False
    """A new cell was just begun."""

    def text(self, text: str, pre: bool) -> None:
        if pre:
            self._put(text)
            self.breaks = len(text) - len(text.rstrip("\n"))
            return
        if not text:
            return
        words = _SPACES.sub(" ", text)
        if words == " ":
            self.space = True
            return
        if (self.space or words[0] == " ") and not self.breaks and not self.fresh:
            self._put(" ")
        self._put(words.strip(" "))
        self.space = words[-1] == " "
        self.breaks, self.fresh = 0, False

    def line(self, wanted: int = 1) -> None:
        """At least so many line breaks from here to the next text."""
        if self.breaks < wanted:
            self._put("\n" * (wanted - self.breaks))
            self.breaks = wanted
        self.space = False

    def hard(self) -> None:
        self._put("\n")
        self.breaks = min(self.breaks + 1, 2)
        self.space = False

    def cell(self) -> None:
        if not self.breaks:
            self._put("\t")
            self.fresh = True
        self.space = False

    def _put(self, text: str) -> None:
        self.out.append(text)
        self.length += len(text)


def read_html(source: str) -> Page:
    """The page as text. Total and linear in the length of `source`."""
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._writer = _Writer()
        self._links: list[Link] = []
        self._open_link: Link | None = None
        self._images: set[str] = set()
        self._pre = 0
        self._missing: set[str] = set()
        """Closers known not to come any more: each is looked for in vain only once."""

    def read(self) -> Page:
        source, position = self._source, 0
        while position < len(source):
            match = _MARKUP.search(source, position)
            if match is None:
                self._text(source[position:])
                break
            self._text(source[position : match.start()])
            position = self._markup(match.start())
        text = "\n".join(line.rstrip(" \t") for line in "".join(self._writer.out).split("\n"))
        return Page(
            _MANY_LINES.sub("\n\n", text).strip("\n "),
            tuple(self._links),
            frozenset(self._images),
        )

    def _text(self, raw: str) -> None:
        if not raw:
            return
        if not self._pre:
            raw = _BROKEN_LINE.sub("", raw)
        text = unescape(raw)
        self._writer.text(text, self._pre > 0)
        if self._open_link is not None and len(self._open_link.text) < 500:
            self._open_link.text += text

    def _markup(self, opening: int) -> int:
        """Handles what begins at `<` and returns where reading goes on."""
        source = self._source
        if source.startswith("<!--", opening):
            end = self._find("-->", opening + 4)
            return end + 3 if end >= 0 else opening + 4
        name = _NAME.match(source, opening + 1)
        if name is None:  # a declaration or processing instruction
            end = self._find(">", opening)
            return end + 1 if end >= 0 else len(source)
        attributes, after = self._attributes(name.end())
        tag = name[0].lower().rpartition(":")[2] if ":" in name[0] else name[0].lower()
        if tag.startswith("/") or name[0].startswith("/"):
            self._close(tag.lstrip("/"))
            return after
        self._start(tag, attributes)
        if tag in _DROPPED or tag in _RAW:
            return self._skip(tag, after)
        return after

    def _attributes(self, position: int) -> tuple[dict[str, str], int]:
        """A tag's attributes, and the place behind its `>`."""
        source = self._source
        found: dict[str, str] = {}
        stop = position + _ATTRIBUTE_CHARS
        while True:
            between = _BETWEEN.match(source, position)
            position = between.end() if between else position
            if position >= len(source) or source[position] == ">":
                return found, position + 1
            match = _ATTRIBUTE.match(source, position, stop)
            if match is None:
                end = self._find(">", position)
                return found, end + 1 if end >= 0 else len(source)
            value = match[2] or match[3] or match[4] or ""
            found.setdefault(match[1].lower(), value)
            position = match.end()

    def _skip(self, tag: str, position: int) -> int:
        """Behind the end of an element whose content is no text; unclosed, it is taken as empty
        rather than as the rest of the mail."""
        closing = f"</{tag}"
        if closing in self._missing:
            return position
        match = re.compile(re.escape(closing), re.IGNORECASE).search(self._source, position)
        if match is None:
            self._missing.add(closing)
            return position
        if tag in ("textarea", "xmp"):
            self._text(self._source[position : match.start()])
        return match.start()

    def _find(self, what: str, position: int) -> int:
        if what in self._missing:
            return -1
        found = self._source.find(what, position)
        if found < 0:
            self._missing.add(what)
        return found

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        writer = self._writer
        if tag == "br":
            writer.hard()
        elif tag in ("td", "th"):
            writer.cell()
        elif tag in _BLOCKS:
            writer.line(2 if tag in _PARAGRAPHS else 1)
            self._pre += tag == "pre"
        elif tag == "a" and "href" in attributes and len(self._links) < _LINKS_MAX:
            self._open_link = Link(unescape(attributes["href"])[:2_000], "", writer.length)
            self._links.append(self._open_link)
        source = attributes.get("src") or attributes.get("background") or ""
        if source[:4].lower() == "cid:":
            self._images.add(unescape(source[4:]).strip("<> ").lower())

    def _close(self, tag: str) -> None:
        if tag == "a":
            self._open_link = None
        elif tag == "pre":
            self._pre = max(0, self._pre - 1)
            self._writer.line(2)
        elif tag in _BLOCKS:
            self._writer.line(2 if tag in _PARAGRAPHS else 1)


def unescape(text: str) -> str:
    """Character references resolved; absurdly long numbers become U+FFFD instead of an error."""
    if "&" not in text:
        return text
    return html.unescape(_LONG_NUMBER.sub("\ufffd", text))
