"""Texts of three galaxies, and what the reader makes of a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from read_tables import Read, read_table

from hbmlc_models.formats.errors import CatalogError

__all__ = ["MAGS", "NAMES", "in_columns", "refused", "text"]

NAMES = ("id", "mag_g", "mag_err_g")
MAGS = [21.5, 22.25, 23.0]


def text(path: Path, content: str, codec: str = "utf-8") -> Read:
    """The table of a text."""
    (path / "upload").write_bytes(content.encode(codec))
    return read_table(path / "upload")


def refused(path: Path, content: str | bytes) -> CatalogError:
    """The error of a text that is refused."""
    (path / "upload").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CatalogError) as caught:
        read_table(path / "upload")
    return caught.value


def in_columns(separator: str, *, header: str = "", end: str = "\n", last: str = "") -> str:
    """The three galaxies with ``separator`` between the fields."""
    rows = [header or separator.join(NAMES)]
    rows += [separator.join((str(k), str(mag), "0.1")) + last for k, mag in enumerate(MAGS, 1)]
    return end.join(rows) + end
