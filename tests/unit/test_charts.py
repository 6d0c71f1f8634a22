"""Charts as bytes: whatever the numbers, small, the same again, and telling the truth."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mailbot.adapters.charts import SCALE, draw, short_number
from mailbot.app.papers import Bar

MONTHS = [
    Bar(str(n), float(v), 8.0, strong=n >= 7) for n, v in enumerate((8, 9, 7, 10, 0, 3, 8), 1)
]
LIGHT, DARK, AMBER = (164, 185, 214), (31, 78, 140), (199, 125, 10)


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return image.convert("RGB")


def height_of(image: Image.Image, colour: tuple[int, int, int]) -> int:
    """Rows in which the colour stands."""
    pixels = image.load()
    assert pixels is not None
    return sum(any(pixels[x, y] == colour for x in range(image.width)) for y in range(image.height))


def test_the_same_bars_are_the_same_bytes_and_few() -> None:
    png = draw(MONTHS, 480, 160)
    assert png == draw(list(MONTHS), 480, 160)
    assert len(png) < 15_000
    assert opened(png).size == (480 * SCALE, 160 * SCALE)


@pytest.mark.parametrize(
    "bars",
    [
        [],
        [Bar("Q1", 0.0), Bar("Q2", 0.0)],
        [Bar("Q1", 0.0, 3.0)],
        [Bar("1", 1e300), Bar("2", 1e-300), Bar("3", 123456.789)],
        [
            Bar("1", float("nan")),
            Bar("2", float("inf")),
            Bar("3", -5.0),
            Bar("4", 1.0, float("nan")),
        ],
        [Bar("一月\x00", 3.25, 2.5, strong=True)],
        [Bar("", 1.0)],
        [Bar(str(n), n * 111.5, 900.0) for n in range(60)],
    ],
)
def test_whatever_the_numbers_there_is_a_small_picture(bars: list[Bar]) -> None:
    png = draw(bars, 480, 160)
    assert len(png) < 15_000 and opened(png).size == (960, 320)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(Bar, st.text(max_size=20), st.floats(), st.none() | st.floats(), st.booleans()),
        max_size=30,
    ),
    st.integers(-5, 700),
    st.integers(-5, 400),
)
def test_it_draws_anything(bars: list[Bar], width: int, height: int) -> None:
    assert len(draw(bars, width, height)) < 15_000


def test_bars_are_as_high_as_their_values() -> None:
    image = opened(draw([Bar("1", 10.0), Bar("2", 5.0, strong=True)], 300, 150))
    assert height_of(image, LIGHT) == pytest.approx(2 * height_of(image, DARK), abs=2)


def test_next_to_a_giant_a_small_value_is_still_seen_and_zero_is_not() -> None:
    image = opened(draw([Bar("1", 1e9), Bar("2", 1.0, strong=True)], 300, 150))
    assert 0 < height_of(image, DARK) <= 2 * SCALE
    assert height_of(opened(draw([Bar("1", 9.0), Bar("2", 0.0, strong=True)], 300, 150)), DARK) == 0


def test_what_was_owed_is_a_line_also_above_the_highest_bar() -> None:
    assert height_of(opened(draw([Bar("1", 3.0, 8.0)], 300, 150)), AMBER) > 0
    assert height_of(opened(draw([Bar("1", 3.0)], 300, 150)), AMBER) == 0
    short, met = (height_of(opened(draw([Bar("1", v, 8.0)], 300, 150)), LIGHT) for v in (4.0, 8.0))
    assert short < met


def test_colours_stay_apart_in_greyscale() -> None:
    greys = sorted(Image.new("RGB", (1, 1), c).convert("L").getpixel((0, 0)) for c in (LIGHT, DARK))  # type: ignore[type-var]
    white = 255
    assert greys[1] - greys[0] > 60 and white - greys[1] > 60  # type: ignore[operator]


def test_another_word_can_stand_above_a_bar() -> None:
    """A place: the better, the higher the bar."""
    plain, worded = draw([Bar("Q1", 29.0)], 300, 150), draw([Bar("Q1", 29.0, shown="3")], 300, 150)
    assert plain != worded
    assert worded == draw([Bar("Q1", 29.0, shown="3")], 300, 150)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (8.0, "8"),
        (33.5, "33.5"),
        (3.25, "3.25"),
        (100.0, "100"),
        (9999.99, "9999.99"),
        (9999.999, "10k"),
        (12_345.0, "12.3k"),
        (999_999.0, "1M"),
        (4_500_000.0, "4.5M"),
        (1e12, "1e+12"),
    ],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert short_number(value) == shown
