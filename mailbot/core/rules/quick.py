"""Makes frozen values by the hundred thousand.

A frozen dataclass sets every field through `object.__setattr__`, by name: for a large office's year
that was a quarter of the time of its standings. `quick` gives a constructor of the same fields and
defaults that fills an open twin of the class, which then becomes the class itself. What comes out
is equal to, and as frozen as, what the class makes of the same values.
"""

from __future__ import annotations

from dataclasses import MISSING, field, fields, make_dataclass
from typing import Any, TypeVar, cast

T = TypeVar("T")


def quick(frozen: type[T]) -> type[T]:
    """For a dataclass with slots and without a `__post_init__` of its own."""
    given: list[Any] = [
        (f.name, Any)
        if f.default is MISSING and f.default_factory is MISSING
        else (f.name, Any, field(default=f.default, default_factory=f.default_factory))
        for f in fields(frozen)  # type: ignore[arg-type]
    ]

    def close(self: Any) -> None:
        self.__class__ = frozen

    name = f"Open{frozen.__name__}"
    twin = make_dataclass(name, given, slots=True, namespace={"__post_init__": close})
    return cast(type[T], twin)
