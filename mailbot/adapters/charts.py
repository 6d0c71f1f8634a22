"""Small bar charts for letters, as PNG.

The only user of Pillow. Text is ASCII in the font that Pillow itself carries, so a chart looks the
same on every computer; what it shows is said in Chinese by the letter around it. Drawn at twice the
size a letter shows it in, for sharp screens, with a palette of a few colours that stay apart in
greyscale: a chart has a few kilobytes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from mailbot.app.papers import Bar

SCALE = 2
"""Pixels per pixel of the letter."""

_WHITE, _AXIS, _PLAIN, _STRONG, _TARGET, *_TEXT = range(9)
_PALETTE = (
    *(255, 255, 255),
    *(217, 222, 231),  # the axis
    *(164, 185, 214),  # a bar
    *(31, 78, 140),  # the bar the letter is about
    *(199, 125, 10),  # what was owed; dashes on white, so their form tells them apart too
    *(205, 208, 212),  # text, from the edges of its letters to their middle
    *(155, 160, 168),
    *(105, 113, 125),
    *(55, 65, 81),
)

_EDGE, _GAP = 6 * SCALE, 4 * SCALE
_TEXT_SIZES = (14 * SCALE, 12 * SCALE, 10 * SCALE, 8 * SCALE)
_WIDEST_BAR = 44 * SCALE


def draw(bars: Sequence[Bar], width: int, height: int) -> bytes:
    """The same bytes for the same bars. `width` and `height` are those in the letter; the picture
    has `SCALE` times as many pixels. Values below zero, infinite or no number count as zero."""
    image = Image.new("P", (max(width, 60) * SCALE, max(height, 60) * SCALE), _WHITE)
    image.putpalette(_PALETTE)
    text = Image.new("L", image.size, 0)
    _draw_bars(ImageDraw.Draw(image), ImageDraw.Draw(text), bars, image.size)
    for n, colour in enumerate(_TEXT):
        lightest = 32 + n * 56  # of 256 shades; what is lighter than the first is left white
        image.paste(colour, mask=text.point([255 * (v >= lightest) for v in range(256)]))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, bits=4)
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the bars stand, and how high one unit is."""

    top: int
    bottom: int
    highest: float

    def y(self, value: float) -> int:
        share = value / self.highest if self.highest else 0.0
        return self.bottom - round(share * (self.bottom - self.top))


def _draw_bars(
    canvas: ImageDraw.ImageDraw,
    text: ImageDraw.ImageDraw,
    bars: Sequence[Bar],
    size: tuple[int, int],
) -> None:
    """Bars and lines onto `canvas`; words onto `text`, white on black."""
    width, height = size
    bottom = height - _EDGE - _TEXT_SIZES[0] - _GAP
    frame = _Frame(
        _EDGE + _TEXT_SIZES[0] + _GAP,
        bottom,
        max((max(_known(b.value), _known(b.line)) for b in bars), default=0.0),
    )
    slot = (width - 2 * _EDGE) / max(len(bars), 1)
    values = [_ascii(b.shown) or short_number(_known(b.value)) for b in bars]
    labels = [_ascii(b.label) for b in bars]
    value_font, label_font = _fitting(text, values, slot), _fitting(text, labels, slot)
    for n, bar in enumerate(bars):
        centre = _EDGE + slot * (n + 0.5)
        half = min(slot * 0.32, _WIDEST_BAR / 2)
        left, right = round(centre - half), round(centre + half)
        # A value that is not nothing never looks like nothing.
        top = min(frame.y(_known(bar.value)), bottom - SCALE) if _known(bar.value) else bottom
        if top < bottom:
            canvas.rectangle((left, top, right, bottom - 1), fill=_STRONG if bar.strong else _PLAIN)
        if _known(bar.line):
            _dashes(canvas, left - _GAP, right + _GAP, frame.y(_known(bar.line)))
        if value_font is not None:
            at = (round(centre), top - _GAP)
            x0, y0, x1, y1 = text.textbbox(at, values[n], value_font, "md")
            # A dash beside a number would make it read as less than nothing.
            canvas.rectangle((x0 - 2 * _GAP, y0, x1 + 2 * _GAP, y1), fill=_WHITE)
            text.text(at, values[n], 255, value_font, "md")
        if label_font is not None:
            text.text((round(centre), bottom + _GAP), labels[n], 255, label_font, "ma")
    canvas.rectangle((_EDGE, bottom, width - _EDGE, bottom + 1), fill=_AXIS)


def _dashes(canvas: ImageDraw.ImageDraw, left: int, right: int, y: int) -> None:
    canvas.rectangle((left, y - SCALE, right, y + SCALE), fill=_WHITE)
    dash = 3 * SCALE
    for x in range(left, right, dash * 2):
        canvas.rectangle((x, y - SCALE // 2, min(x + dash, right), y + SCALE // 2), fill=_TARGET)


def _fitting(
    canvas: ImageDraw.ImageDraw, texts: Sequence[str], room: float
) -> ImageFont.FreeTypeFont | None:
    """The largest letters in which every text finds room; None where none does: letters over one
    another tell nothing."""
    for size in _TEXT_SIZES:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont), "Pillow is built with FreeType"
        if all(canvas.textlength(text, font=font) <= room - SCALE for text in texts):
            return font
    return None


def _known(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) and value > 0 else 0.0


def short_number(value: float) -> str:
    """8, 33.5, 12.3k, 4.5M, 1e+12: short, whatever the value."""
    if round(value, 2) < 10_000:
        return _plain(value, 2)
    if round(value / 1_000, 1) < 1_000:
        return _plain(value / 1_000, 1) + "k"
    if round(value / 1_000_000, 1) < 1_000:
        return _plain(value / 1_000_000, 1) + "M"
    return f"{value:.0e}"


def _plain(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


def _ascii(label: str) -> str:
    """In the letters that the font surely has, on one line."""
    return "".join(c if " " <= c <= "~" else "?" for c in label[:12])
