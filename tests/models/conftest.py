"""One small survey, simulated and fitted once for all tests of the science."""

from __future__ import annotations

import pytest
from surveys import fit_small, simulate_tile

from hbmlc_models.pipeline import SurveyFit
from hbmlc_models.tile import Tile


@pytest.fixture(scope="session")
def tile() -> Tile:
    return simulate_tile()


@pytest.fixture(scope="session")
def survey(tile: Tile) -> SurveyFit:
    return fit_small(tile)
