"""Redshift distributions of the galaxies without a spectrum, with what is known of their errors."""

from __future__ import annotations

from hbmlc_models.n_of_z.cells import RedshiftCells
from hbmlc_models.n_of_z.collector import NOfZCollector
from hbmlc_models.n_of_z.evidence import BetaPrior, TileEvidence, gather_evidence
from hbmlc_models.n_of_z.layout import datasets
from hbmlc_models.n_of_z.result import NOfZ, TileNOfZ

__all__ = [
    "BetaPrior",
    "NOfZ",
    "NOfZCollector",
    "RedshiftCells",
    "TileEvidence",
    "TileNOfZ",
    "datasets",
    "gather_evidence",
]
