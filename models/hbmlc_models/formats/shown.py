"""Names from an upload, fit to stand in a message: short and printable."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["clipped", "is_printable_name", "listed", "shown"]

MAX_NAME = 200
"""Longest column name [characters] that counts as one; FITS has 68, databases have 63 to 128."""
_SHOWN_NAME = 48


def shown(name: str) -> str:
    r"""Quoted name: control characters and lone surrogates as escapes, cut after 48 characters.

    Examples
    --------
    >>> print(shown("mag_g"), shown("a\x00b"))
    'mag_g' 'a\x00b'
    """
    return repr(name if len(name) <= _SHOWN_NAME else name[:_SHOWN_NAME] + "…")


def listed(names: Iterable[str], n: int) -> str:
    """First ``n`` names, as a list in a sentence."""
    first = [name for _, name in zip(range(n), names, strict=False)]
    return ", ".join(shown(name)[1:-1] for name in first)


def is_printable_name(name: str) -> bool:
    """Whether a column name can be stored and printed: not long, no control character."""
    return 0 < len(name) <= MAX_NAME and name.isprintable()


def clipped(text: str, length: int) -> str:
    """Text of at most ``length`` printable characters."""
    kept = text if len(text) <= length else text[: length - 1] + "…"
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in kept)
