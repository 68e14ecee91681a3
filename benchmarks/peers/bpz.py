"""BPZ through RAIL, with the filters of the examination."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from speclite.filters import load_filter

from benchmarks.peers.rail import NOT_OBSERVED, RailPeer
from hbmlc_models.simulate import FilterSet

__all__ = ["bpz"]

_SPECTRA = "CWWSB4.list"


def bpz(bands: Sequence[str], filters: FilterSet) -> RailPeer:
    """Templates and a prior over redshift and type (Benítez 2000), RAIL's defaults.

    RAIL clips the limit of a non-detection at 20 mag; the table holds none, and marks what was not
    observed by the value that BPZ reads as that.
    """
    from rail.estimation.algos.bpz_lite import BPZliteEstimator, BPZliteInformer

    curve = dict(zip(filters.bands, filters.curves, strict=True))
    settings: dict[str, Any] = {
        "bpz_ref_data_path": str(_data_folder()),
        "filter_list": [_write_curve(curve[band]) for band in bands],
        "zp_errors": [0.1] * len(bands),
        "unobserved_val": NOT_OBSERVED,
        # No magnitude has this value: faint galaxies carry their limit and its error.
        "nondetect_val": 999.0,
    }
    return RailPeer(informer=BPZliteInformer, estimator=BPZliteEstimator, settings=settings)


@cache
def _data_folder() -> Path:
    """Folder of spectra and filters; one for the process, for BPZ reads its name once."""
    from rail.utils.path_utils import RAILDIR

    folder = Path(mkdtemp(prefix="hbmlc-bpz-"))
    source = Path(RAILDIR) / "rail/examples_data/estimation_data/data/SED"
    for name in ("SED", "FILTER", "AB"):
        (folder / name).mkdir()
    for name in [_SPECTRA, *(source / _SPECTRA).read_text().split()]:
        shutil.copy(source / name, folder / "SED" / name)
    return folder


def _write_curve(name: str) -> str:
    """Write a filter as BPZ reads it and return its name there."""
    response: Any = load_filter(name)
    table = np.column_stack([response.wavelength, response.response])
    np.savetxt(_data_folder() / "FILTER" / f"{name}.res", table)
    return name
