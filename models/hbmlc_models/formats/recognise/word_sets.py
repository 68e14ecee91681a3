"""Sets of words, written one after the other."""

from __future__ import annotations

__all__ = ["word_set"]


def word_set(text: str) -> frozenset[str]:
    """Words that stand one after the other."""
    return frozenset(text.split())
