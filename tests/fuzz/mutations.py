"""Damage to a file: bytes, numbers in headers, lengths, cuts, pieces of other files, links."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Sequence

__all__ = ["mutated"]

_NUMBER = re.compile(rb"\d+")
_NUMBERS = [b"0", b"-1", b"1", b"255", b"65536", b"2147483648", b"99999999999", b"1e308", b"nan"]
_LENGTHS = [0, 1, 2**7, 2**15 - 1, 2**16, 2**31 - 1, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1]
_PIECES = [
    *(bytes([k]) for k in (0, 1, 9, 10, 13, 0x22, 0x27, 0x2C, 0x7F, 0x80, 0xC3, 0xFE, 0xFF)),
    b"\xff" * 4,
    b"\x00" * 8,
    b"\n#",
    b'""',
    b"\xed\xa0\x80",
    b"<!DOCTYPE x>",
    b'<STREAM href="http://127.0.0.1:9/x"/>',
    b"&#0;",
    b"END" + b" " * 77,
]
_KEYWORDS = [
    b"NAXIS1", b"NAXIS2", b"TFIELDS", b"TFORM", b"PCOUNT", b"TTYPE", b"nrows", b"arraysize",
    b"datatype", b"encoding", b"FIELD", b"TD", b"delimiter", b"unit", b"mask", b"mag_g", b"id",
]  # fmt: skip
Mutate = Callable[[bytearray, random.Random, Sequence[bytes]], None]


def mutated(content: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """The content after one to six changes."""
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        if changed:
            rng.choices(_MUTATIONS, _WEIGHTS)[0](changed, rng, others)
    return bytes(changed)


def _place(changed: bytearray, rng: random.Random) -> int:
    """A place, more often near the ends, where headers and footers are."""
    kind = rng.random()
    if kind < 0.3:
        return rng.randrange(min(len(changed), 600))
    if kind < 0.5:
        return max(0, len(changed) - 1 - rng.randrange(600))
    return rng.randrange(len(changed))


def _flip(changed: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    for _n in range(rng.choice([1, 2, 8])):
        changed[_place(changed, rng)] ^= 1 << rng.randrange(8)


def _overwrite(changed: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    place, piece = _place(changed, rng), rng.choice(_PIECES)
    changed[place : place + len(piece)] = piece


def _insert(changed: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    place = _place(changed, rng)
    changed[place:place] = rng.choice(_PIECES) * rng.choice([1, 1, 50])


def _length(changed: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    """Another integer where one may stand."""
    width, code = rng.choice([(2, "H"), (4, "I"), (8, "Q")])
    place = _place(changed, rng) // width * width
    order = rng.choice("<<>")
    value = struct.pack(order + code, rng.choice(_LENGTHS) & (256**width - 1))
    changed[place : place + width] = value


def _number(changed: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    """Another number where one is written out."""
    start = _place(changed, rng)
    found = _NUMBER.search(changed, start)
    if found is not None:
        piece = rng.choice(_NUMBERS)
        is_padded = rng.choice([True, False])
        piece = piece[: len(found[0])].rjust(len(found[0])) if is_padded else piece
        changed[found.start() : found.end()] = piece


def _keyword(changed: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    """One word of a header for another."""
    word = rng.choice(_KEYWORDS)
    place = changed.find(word, rng.randrange(len(changed)))
    place = changed.find(word) if place < 0 else place
    if place >= 0:
        changed[place : place + len(word)] = rng.choice(_KEYWORDS)


def _cut(changed: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    del changed[_place(changed, rng) :]


def _remove(changed: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    place = _place(changed, rng)
    del changed[place : place + rng.choice([1, 7, 80, 2880])]


def _repeat(changed: bytearray, rng: random.Random, _: Sequence[bytes]) -> None:
    place, length = _place(changed, rng), rng.choice([1, 16, 80, 2880])
    changed[place:place] = changed[place : place + length] * rng.choice([1, 1, 20])


def _splice(changed: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    """A piece of another file."""
    other = rng.choice(others)
    start, place = rng.randrange(len(other)), _place(changed, rng)
    length = rng.choice([8, 80, 400, 2880])
    changed[place : place + length] = other[start : start + length]


_MUTATIONS: list[Mutate] = [
    _flip, _overwrite, _insert, _length, _number, _keyword, _cut, _remove, _repeat, _splice,
]  # fmt: skip
_WEIGHTS = [6, 6, 3, 6, 6, 3, 1, 2, 2, 2]
