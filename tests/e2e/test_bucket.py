"""The whole service with its objects in a bucket, behind the S3 protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from s3_server import S3Server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_a_survey_is_calibrated_in_a_bucket_and_downloaded_from_it(
    serve: Callable[..., Any], survey: bytes, s3: S3Server, bucket: str
) -> None:
    service = serve(
        HBMLC_OBJECT_STORE=f"s3://{bucket}/survey", HBMLC_OBJECT_STORE_ENDPOINT=s3.endpoint
    )

    catalog = service.upload(survey, mapping='{"tile": "tile"}')
    job = service.calibrate(catalog["id"])
    ended = service.finish(job)

    assert ended["phase"] == "COMPLETED", ended["problem"]
    listing = service.client.get(f"/v1/calibrations/{job}/results").json()["items"]
    assert listing
    for item in listing:
        redirect = service.client.get(item["href"])
        assert redirect.status_code == 307
        found = httpx.get(redirect.headers["location"])
        assert hashlib.sha256(found.content).hexdigest() == item["digest"]
        assert found.headers["content-type"] == item["media_type"]
        assert found.headers["content-disposition"] == f'attachment; filename="{item["name"]}"'
    assert not s3.asked_to_copy()
    assert not (service.home / "objects").exists()
