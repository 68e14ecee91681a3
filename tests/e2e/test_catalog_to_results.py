"""The way of a catalogue through the whole service."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def download(service: Any, job: str) -> dict[str, bytes]:
    listing = service.client.get(f"/v1/calibrations/{job}/results").json()["items"]
    files = {item["name"]: service.client.get(item["href"]).content for item in listing}
    for item in listing:
        assert hashlib.sha256(files[item["name"]]).hexdigest() == item["digest"]
    return files


def test_an_upload_becomes_calibrated_redshifts(shared_service: Any, survey: bytes) -> None:
    catalog = shared_service.upload(survey, mapping='{"tile": "tile"}')
    assert (catalog["state"], catalog["n_rows"]) == ("READY", 240), catalog

    job = shared_service.calibrate(catalog["id"])
    ended = shared_service.finish(job)

    assert ended["phase"] == "COMPLETED", ended["problem"]
    assert ended["progress"]["fraction"] == 1.0
    assert (ended["diagnostics"]["z_max"], ended["diagnostics"]["warnings"]) == (3.0, [])
    files = download(shared_service, job)
    table = pq.read_table(io.BytesIO(files["photoz.parquet"]))
    assert table["id"].to_pylist() == list(range(1000, 1240))
    z_phot = table["z_phot"].to_numpy()
    assert np.isfinite(z_phot).all()
    assert set(files) == {
        "metrics.json",
        "nz.hdf5",
        "pdfs.hdf5",
        "photoz.fits",
        "photoz.parquet",
        "provenance.json",
        "report.html",
        "targets.parquet",
        "tiles.parquet",
    }
    assert json.loads(files["metrics.json"])["n_galaxies"] == 240
    assert b"<svg" in files["report.html"]
    assert b'id="balance"' in files["report.html"]
    tiles = pq.read_table(io.BytesIO(files["tiles.parquet"]))
    assert {"n_effective", "smd_before_max", "smd_after_max", "nz_mean", "nz_mean_std"} <= set(
        tiles.column_names
    )
    targets = pq.read_table(io.BytesIO(files["targets.parquet"]))
    labelled = set(table["id"].filter(table["selected"]).to_pylist())
    assert 0 < targets.num_rows <= 160
    assert not labelled & set(targets["id"].to_pylist())
    with h5py.File(io.BytesIO(files["nz.hdf5"])) as n_of_z:
        assert n_of_z["ancil/n_galaxies"][0] == 160
        assert n_of_z["tiles/density"].shape[0] == 2
    usage = shared_service.client.get("/v1/usage").json()["items"]
    assert [found["n_galaxies"] for found in usage if found["calibration_id"] == job] == [240]


def test_a_catalogue_without_any_spec_z_is_calibrated(shared_service: Any, survey: bytes) -> None:
    rows = [line.rsplit(b",", 1)[0] for line in survey.splitlines()]
    catalog = shared_service.upload(b"\n".join(rows) + b"\n", mapping='{"tile": "tile"}')

    ended = shared_service.finish(shared_service.calibrate(catalog["id"]))

    assert ended["phase"] == "COMPLETED", ended["problem"]
    table = pq.read_table(io.BytesIO(download(shared_service, ended["id"])["photoz.parquet"]))
    z_phot = table["z_phot"].to_numpy()
    assert np.isfinite(z_phot).all()
    assert np.ptp(z_phot) > 0.1
    # 1: no labelled galaxy is near; 2: no anchors.
    assert (table["flags"].to_numpy() & 3 == 3).all()


def test_labels_beyond_the_end_that_is_asked_for_are_counted(
    shared_service: Any, survey: bytes
) -> None:
    catalog = shared_service.upload(survey, mapping='{"tile": "tile"}')
    z_max = catalog["labels"]["z_p50"]

    job = shared_service.calibrate(catalog["id"], z_max=z_max)
    ended = shared_service.finish(job)

    assert ended["phase"] == "COMPLETED", ended["problem"]
    n_beyond = ended["diagnostics"]["n_labels_beyond_grid"]
    assert n_beyond == catalog["n_labelled"] // 2
    assert f"{n_beyond} labels above z = " in ended["diagnostics"]["warnings"][0]
    metrics = json.loads(download(shared_service, job)["metrics.json"])
    assert metrics["n_labels_beyond_grid"] == n_beyond
    assert metrics["n_labelled"] == catalog["n_labelled"] - n_beyond


def test_the_same_request_gives_the_same_bytes(shared_service: Any, survey: bytes) -> None:
    catalog = shared_service.upload(survey, mapping='{"tile": "tile"}')["id"]
    jobs = [shared_service.calibrate(catalog) for _ in range(2)]

    phases = [shared_service.finish(job)["phase"] for job in jobs]
    first, second = (download(shared_service, job) for job in jobs)

    assert phases == ["COMPLETED", "COMPLETED"]
    assert first == second


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x1f\x8b\x08\x00" + b"\x00" * 64, "truncated-file"),
        (b"PAR1" + b"\x00" * 64, "truncated-file"),
        (bytes(range(256)) * 8, "unknown-format"),
        (b"id,a,b\n1,2,3\n4,5,6\n", "no-band-recognised"),
        (b"id,mag_g,mag_err_g\n1,20,0.1\n1,21,0.1\n2,22,0.1\n", "duplicate-ids"),
        (b"id,mag_g,mag_err_g\n1,20,0.1\n", "too-few-galaxies"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_upload_is_rejected_with_its_own_code(
    shared_service: Any, content: bytes, code: str
) -> None:
    catalog = shared_service.upload(content)
    answer = shared_service.client.post("/v1/calibrations", json={"catalog_id": catalog["id"]})

    assert catalog["state"] == "REJECTED"
    assert catalog["problem"]["code"] == code
    assert answer.status_code == 422
    assert answer.json()["code"] == code


def test_an_empty_upload_is_refused_at_once(shared_service: Any) -> None:
    answer = shared_service.client.post("/v1/catalogs", files={"file": ("a.csv", b"")})

    assert answer.status_code == 422
    assert answer.json()["code"] == "empty-file"
