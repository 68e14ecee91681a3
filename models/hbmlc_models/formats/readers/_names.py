"""Columns by name, without those that cannot be told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

__all__ = ["distinct"]

_Held = TypeVar("_Held")


def distinct(entries: Iterable[tuple[str, _Held]]) -> tuple[dict[str, _Held], list[str]]:
    """Entries whose name is there once, in order, and the names that are there more often.

    Examples
    --------
    >>> distinct([("a", 1), ("b", 2), ("a", 3)])
    ({'b': 2}, ['a'])
    """
    held = list(entries)
    counts = Counter(name for name, _ in held)
    once = {name: entry for name, entry in held if counts[name] == 1}
    return once, [name for name, count in counts.items() if count > 1]
