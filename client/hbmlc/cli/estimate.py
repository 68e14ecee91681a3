"""How long a calibration will take, and how much memory: an estimate from measured runs."""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ["Estimate", "cores_here", "estimate"]

_MEASURED_CORES = 2
"""Cores of the machine of ``benchmarks/results/announced-times.md``, whose six rows of 10³ to 10⁷
galaxies in six bands the numbers below reproduce within 8 %."""
_SURVEY_SECONDS = 110.0
"""Start, upload and fit of the survey, mostly on one core whatever the size."""
_TILE_SECONDS = 1.3
"""Sampling and adapting a tile, on the measured cores."""
_GALAXY_SECONDS = 1.5e-4
"""Judging a galaxy and writing its results, on the measured cores."""
_LEAST_BYTES = 1.2e9
"""Largest process of a small calibration: the libraries and what they compile."""
_GALAXY_BYTES = 120.0
"""What each galaxy adds to it."""
_MINUTE = 60.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a calibration will take."""

    seconds: float
    """From the upload to the results."""
    memory_bytes: float
    """Of the largest process."""
    n_cores: int
    """Cores that this is for."""

    def __str__(self) -> str:
        cores = "one core" if self.n_cores == 1 else f"{self.n_cores} cores"
        return (
            f"expected: about {_duration(self.seconds)} on {cores}, and "
            f"{self.memory_bytes / 1e9:.1f} GB for the largest process (an estimate from runs "
            "with six bands and the default options)"
        )


def estimate(n_rows: int, *, n_tiles: int, n_cores: int | None = None) -> Estimate:
    """Estimate a calibration of ``n_rows`` galaxies; as measured where the cores are unknown."""
    cores = n_cores or _MEASURED_CORES
    work = _TILE_SECONDS * max(1, n_tiles) + _GALAXY_SECONDS * n_rows
    return Estimate(
        seconds=_SURVEY_SECONDS + work * _MEASURED_CORES / cores,
        memory_bytes=_LEAST_BYTES + _GALAXY_BYTES * n_rows,
        n_cores=cores,
    )


def cores_here() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _duration(seconds: float) -> str:
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} minutes"
    return f"{seconds / _HOUR:.1f} hours"
