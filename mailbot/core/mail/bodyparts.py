"""The body of a letter of ours, as MIME lines: text and HTML, images shown in it, attached files.

    multipart/mixed                    only with files
      multipart/related                only with images
        multipart/alternative
          text/plain
          text/html
        image/png …
      file …

Everything is base64, in which `=_` never occurs: no line of a part can look like a boundary
(RFC 2045 §6.7).

A file's Chinese name stands twice, because clients read one or the other: in Content-Disposition as
RFC 2231 orders it, and in Content-Type as encoded-words, without which QQ shows `tcmime.bin`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from mailbot.core.letters.answers import Rendered
from mailbot.core.mail.clean import one_line
from mailbot.core.mail.enclosures import Enclosure, InlineImage
from mailbot.core.mail.encodedwords import encoded_words

MAX_FILE_NAME = 200
"""Characters; the ending is kept. Windows refuses 256."""

_LINE = 78
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 !#$%&()+,.:;=?@\[\]^_{}~'-]{1,60}")
"""Can stand in quotes as it is; quotation marks, slashes and backslashes cannot be trusted to be
read back alike by all."""
_CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,100}")
_CONTENT_ID = re.compile(r"[A-Za-z0-9._-]{1,100}(?:@[A-Za-z0-9.-]{1,100})?")


def body_lines(
    rendered: Rendered, files: Sequence[Enclosure], images: Sequence[InlineImage], seed: str
) -> list[str]:
    """From its Content-Type on; `seed` (the Message-ID) makes the boundaries this letter's own.

    Raises `ValueError` for a content type or Content-ID that no mail can carry, and for two images
    of one id."""
    unique = hashlib.sha256(seed.encode("ascii")).hexdigest()[:32]
    entity = _multipart(
        "alternative",
        f"=_mb_{unique}",
        [_text("text/plain", rendered.text), _text("text/html", rendered.html)],
    )
    if images:
        if len({i.cid for i in images}) < len(images):
            raise ValueError("two images have the same Content-ID")
        shown = [_image(image, n) for n, image in enumerate(images, 1)]
        # RFC 2387 §3.1 wants the type of the part that is shown.
        entity = _multipart(
            'related;\r\n type="multipart/alternative"', f"=_mr_{unique}", [entity, *shown]
        )
    if files:
        entity = _multipart("mixed", f"=_mm_{unique}", [entity, *map(_file, files)])
    return [*entity, ""]


def _multipart(kind: str, boundary: str, parts: Sequence[Sequence[str]]) -> list[str]:
    lines = [f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"', ""]
    for part in parts:
        lines += [f"--{boundary}", *part]
    return [*lines, f"--{boundary}--"]


def _text(content_type: str, body: str) -> list[str]:
    text = re.sub(r"\r\n?|\n", "\r\n", body).replace("\x00", "")
    return [
        f"Content-Type: {content_type}; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        *_base64(text.encode("utf-8", "replace")),
    ]


def _image(image: InlineImage, number: int) -> list[str]:
    if not _CONTENT_ID.fullmatch(image.cid):
        raise ValueError(f"unusable Content-ID {image.cid!r}")
    # A name keeps webmail from listing "untitled.png"; clients hide what the HTML shows.
    name = f"chart{number}.png"
    return [
        f'Content-Type: image/png;\r\n name="{name}"',
        "Content-Transfer-Encoding: base64",
        f"Content-ID: <{image.cid}>",
        f'Content-Disposition: inline;\r\n filename="{name}"',
        "",
        *_base64(image.content),
    ]


def _file(file: Enclosure) -> list[str]:
    if not _CONTENT_TYPE.fullmatch(file.content_type):
        raise ValueError(f"unusable content type {file.content_type!r}")
    name = file_name(file.name)
    if _PLAIN_NAME.fullmatch(name):
        words, parameters = name, [f'filename="{name}"']
    else:
        words, parameters = "\r\n ".join(encoded_words(name)), list(_rfc2231(name))
    return [
        f'Content-Type: {file.content_type};\r\n name="{words}"',
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: " + ";\r\n ".join(["attachment", *parameters]),
        "",
        *_base64(file.content),
    ]


def file_name(name: str) -> str:
    """What an attachment is called on the wire: one clean line, never empty, the ending kept.
    What many readers would take for an encoded-word inside it, and decode once more, is none."""
    clean = one_line(name)[0].strip().replace("=?", "＝?") or "file"
    if len(clean) <= MAX_FILE_NAME:
        return clean
    stem, dot, ending = clean.rpartition(".")
    ending = dot + ending if stem and 0 < len(ending) <= 10 else ""
    return clean[: MAX_FILE_NAME - 1 - len(ending)] + "…" + ending


def _rfc2231(name: str) -> Iterator[str]:
    """`filename*=…`, or continuations (§3, §4.1) where it would not fit one line. Cut between
    characters, for readers that decode each piece by itself."""
    encoded = [quote(char, safe="") for char in name]
    whole = "filename*=UTF-8''" + "".join(encoded)
    if len(whole) < _LINE - 2:
        yield whole
        return
    number, line = 0, "filename*0*=UTF-8''"
    for char in encoded:
        if len(line) + len(char) > _LINE - 2:
            yield line
            number += 1
            line = f"filename*{number}*="
        line += char
    yield line


def _base64(content: bytes) -> Iterator[str]:
    encoded = base64.b64encode(content).decode("ascii")
    return (encoded[i : i + 76] for i in range(0, len(encoded), 76))
