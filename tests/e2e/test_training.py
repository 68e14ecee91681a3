"""A survey trains its own version through the whole service and calibrates with it."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from plain_world import make_csv

QUICK = {"draws": 50, "tune": 50, "chains": 1, "min_tile_galaxies": 1_000}
"""The calibration only has to find its version; how well it samples is tested elsewhere."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_a_survey_trains_a_version_and_calibrates_with_it(shared_service: Any) -> None:
    catalog = shared_service.upload(make_csv(440), mapping='{"tile": "tile"}')
    request = {
        "name": "plain-sky",
        "catalog_ids": [catalog["id"]],
        "options": {"train_steps": 40, "meta_steps": 2},
        "seed": 3,
    }

    asked = shared_service.client.post("/v1/trainings", json=request)
    assert asked.status_code == 202, asked.text
    training = shared_service.finish(asked.json()["id"], kind="trainings")
    assert training["phase"] == "COMPLETED", training["problem"]
    made = training["result"]
    # No simulator knows this sky: a version that has seen it is better by far.
    assert made["is_promoted"], made["promotion"]
    calibration = shared_service.finish(shared_service.calibrate(catalog["id"], **QUICK))

    version = shared_service.client.get("/v1/models/plain-sky/versions/1").json()
    assert version["card"]["training_data"]["catalog_digests"] == [catalog["digest"]]
    assert (version["digest"], version["aliases"]) == (made["digest"], ["production"])
    weights = shared_service.home / "objects" / "models" / f"{made['digest'][7:]}.safetensors"
    assert f"sha256:{hashlib.sha256(weights.read_bytes()).hexdigest()}" == made["digest"]
    assert calibration["phase"] == "COMPLETED", calibration["problem"]
    assert calibration["model"]["digest"] == made["digest"]
    assert calibration["diagnostics"]["has_taught_model"] is True
    results = f"/v1/calibrations/{calibration['id']}/results"
    table = pq.read_table(
        io.BytesIO(shared_service.client.get(f"{results}/photoz.parquet").content)
    )
    assert np.isfinite(table["z_phot"].to_numpy()).all()
    provenance = json.loads(shared_service.client.get(f"{results}/provenance.json").content)
    assert provenance["model"]["name"] == "plain-sky"
