"""Catalogues whose truth is known, as pairs of files in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hbmlc_models.evaluate import Sky, read_sky

__all__ = ["ExaminationFiles", "find_examinations"]

_CATALOG, _TRUTH = "_catalog.parquet", "_truth.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationFiles:
    """One catalogue and its truth."""

    name: str
    """Name of the examination."""
    catalog: Path
    """What a method may see."""
    truth: Path
    """Columns id and z_true."""

    def sky(self) -> Sky:
        """Both, matched by id."""
        return read_sky(self.catalog, truth=self.truth)


def find_examinations(folder: Path, only: Sequence[str] | None) -> Iterator[ExaminationFiles]:
    """Pairs ``NAME_catalog.parquet`` and ``NAME_truth.parquet``; those named ``only``, if any."""
    for catalog in sorted(folder.glob(f"*{_CATALOG}")):
        name = catalog.name.removesuffix(_CATALOG)
        if not only or name in only:
            yield ExaminationFiles(name=name, catalog=catalog, truth=folder / f"{name}{_TRUTH}")
