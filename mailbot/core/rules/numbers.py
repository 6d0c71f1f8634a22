"""How points are written, everywhere: 86, 33.5, +20."""

from __future__ import annotations

from decimal import Decimal


def plain(number: Decimal) -> str:
    """Never 8.6E+1 or -0, and no zeros behind the point."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def signed(number: Decimal) -> str:
    """With its sign, both ways; 0 without one."""
    return f"+{plain(number)}" if number > 0 else plain(number)
