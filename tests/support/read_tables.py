"""Tables as the readers hand them out."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hbmlc_models.formats.findings import Finding, FindingCode
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.readers import SourceColumn, TableChoice, open_table
from hbmlc_models.formats.sniff import sniff


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One table, read in full."""

    columns: Mapping[str, SourceColumn]
    doubles: Collection[str]
    findings: Sequence[Finding]
    cells: Mapping[str, list[Any]]

    @property
    def codes(self) -> set[FindingCode]:
        """Codes of the findings."""
        return {finding.code for finding in self.findings}

    @property
    def units(self) -> dict[str, str]:
        """Units by column, where there are any."""
        return {name: column.unit for name, column in self.columns.items() if column.unit}

    def numbers(self, name: str) -> list[float | None]:
        """Values of a column as numbers."""
        return [None if value is None else float(value) for value in self.cells[name]]


def rank(names: Collection[str]) -> tuple[int, ...]:
    """How many names speak of magnitudes and fluxes."""
    words = ("mag", "flux", "f_", "e_")
    return (sum(any(word in name.lower() for word in words) for name in names),)


def read_table(
    path: Path,
    *wanted: str,
    table: str | int | None = None,
    limits: IngestLimits | None = None,
    size: int = 1_000,
) -> Read:
    """Read the columns ``wanted``, or all that have one value a row."""
    limits = limits or IngestLimits()
    choice = TableChoice(rank=rank, table=table)
    with (
        tempfile.TemporaryDirectory() as scratch,
        open_table(path, sniff(path), limits, choice, Path(scratch)) as opened,
    ):
        names = list(wanted) or [n for n, c in opened.columns.items() if c.n_elements is None]
        values: dict[str, list[Any]] = {name: [] for name in names}
        for batch in opened.batches(names, size=size):
            assert batch.num_rows <= size
            for name in names:
                values[name] += batch[name].to_pylist()
        return Read(
            columns=opened.columns,
            doubles=opened.doubles,
            findings=list(opened.findings),
            cells=values,
        )
