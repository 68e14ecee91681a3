"""What ``/v1/catalogs`` shows of an upload: photometry, labels, findings, and the mapping."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from hbmlc.schemas import CatalogState

BAND = {
    "band": "g",
    "column": "flux_g",
    "error_column": "flux_err_g",
    "unit": "nJy",
    "unit_from": "assumed",
    "n_observed": 990,
    "n_detected": 980,
    "mag_min": 18.1,
    "mag_p05": 20.2,
    "mag_p50": 23.5,
    "mag_p95": 25.0,
    "mag_max": 26.4,
    "snr_p50": 14.2,
}
LABELS = {
    "column": "zspec",
    "n": 100,
    "n_left_out": {"repeated at the far end": 25},
    "z_min": 0.1,
    "z_p50": 0.6,
    "z_max": 1.4,
    "quality_column": "zflag",
}
FINDING = {
    "severity": "warning",
    "code": "unit-assumed",
    "column": "flux_g",
    "message": "No unit; as nJy the median is 23.5.",
    "mapping": {"flux_unit": "nJy"},
}
MakeCatalog = Callable[..., UUID]


def test_what_was_understood_is_shown(client: TestClient, make_catalog: MakeCatalog) -> None:
    report = {"photometry": [BAND], "labels": LABELS, "findings": [FINDING], "warnings": ["w"]}
    catalog = make_catalog(CatalogState.READY, report=report)

    document = client.get(f"/v1/catalogs/{catalog}").json()

    assert document["photometry"] == [BAND]
    assert document["labels"] == LABELS
    assert document["findings"] == [FINDING]
    assert document["warnings"] == ["w"]


def test_a_catalogue_of_an_older_release_is_shown_without_a_report(
    client: TestClient, make_catalog: MakeCatalog
) -> None:
    document = client.get(f"/v1/catalogs/{make_catalog(CatalogState.READY)}").json()

    assert document["photometry"] == document["findings"] == []
    assert document["labels"] is None


def test_what_refused_a_catalogue_is_its_finding(
    client: TestClient, make_catalog: MakeCatalog
) -> None:
    problem = {
        "code": "bad-errors",
        "detail": "There are no errors; unc_g looks like one.",
        "errors": [{"pointer": "unc_g", "message": "There are no errors."}],
        "mapping": {"mag_err": {"g": "unc_g"}},
    }
    catalog = make_catalog(CatalogState.REJECTED, problem=problem)

    document = client.get(f"/v1/catalogs/{catalog}").json()

    assert document["findings"] == [
        {
            "severity": "error",
            "code": "bad-errors",
            "column": "unc_g",
            "message": "There are no errors; unc_g looks like one.",
            "mapping": {"mag_err": {"g": "unc_g"}},
        }
    ]
    assert document["problem"]["code"] == "bad-errors"


def test_null_and_a_field_left_out_stay_different(client: TestClient) -> None:
    asked = {"id": None, "tile": None, "mag": {"g": "G"}, "zero_point": {"g": 25.0}, "ra": "RA"}

    made = client.post("/v1/catalogs", json={"name": "survey", "mapping": asked}).json()
    shown = client.get(f"/v1/catalogs/{made['id']}").json()

    assert made["mapping"] == shown["mapping"] == asked


def test_a_remapped_catalogue_keeps_what_was_switched_off(
    client: TestClient, make_catalog: MakeCatalog
) -> None:
    asked = {
        "id": ["field", "number"],
        "selected": None,
        "z_quality": {"column": "ZWARN", "in": [0, 4]},
        "flux": {"g": "FLUX[0]"},
        "flux_ivar": {"g": "IVAR[0]"},
        "flux_unit": {"g": "erg / (s cm2 Hz)"},
        "mag_offset": {"Ks": 1.85},
        "position_unit": "rad",
        "z_spec_err": "dz",
        "table": 2,
    }
    catalog = make_catalog(CatalogState.READY)

    answer = client.patch(f"/v1/catalogs/{catalog}/mapping", json=asked)

    assert answer.status_code == 200
    assert client.get(f"/v1/catalogs/{catalog}").json()["mapping"] == asked


@pytest.mark.parametrize(
    ("mapping", "pointer"),
    [
        ({"zero_point": "25"}, "/zero_point"),
        ({"zero_point": {"g": "25"}}, "/zero_point/g"),
        ({"table": True}, "/table"),
        ({"id": []}, "/id"),
        ({"mag": {"g": None}}, "/mag/g"),
        ({"flux_unit": 3}, "/flux_unit"),
        ({"z_quality": {"column": "q"}}, "/z_quality"),
        ({"z_quality": {"equal": 0}}, "/z_quality/column"),
        ({"z_qualty": {"column": "q"}}, "/z_qualty"),
    ],
)
def test_a_mapping_of_the_wrong_form_is_refused_where_it_is_wrong(
    client: TestClient, make_catalog: MakeCatalog, mapping: dict[str, object], pointer: str
) -> None:
    catalog = make_catalog(CatalogState.READY)

    answer = client.patch(f"/v1/catalogs/{catalog}/mapping", json=mapping)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
