"""Downloads of results."""

from __future__ import annotations

import base64
import hashlib
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from hbmlc.schemas import Stage
from hbmlc_store.database import Database
from hbmlc_store.jobs.calibrations import NewResult, complete_calibration
from hbmlc_store.jobs.units import claim_units, complete_unit
from hbmlc_store.keys import result_key
from hbmlc_store.objects import Objects
from hbmlc_store.purges import purge_waiting

CONTENT = bytes(range(256)) * 10
NAME = "photoz.parquet"


@pytest.fixture
def url(database: Database, objects: Objects, job: UUID) -> str:
    """Address of the one result of a completed calibration."""
    key = result_key(job, 1, NAME)
    stored = objects.put(key, CONTENT)
    new = NewResult(
        name=NAME,
        size_bytes=stored.size_bytes,
        digest=stored.digest,
        media_type="application/octet-stream",
        object_key=key,
    )
    with database.transaction() as tx:
        for stage in (Stage.SURVEY, Stage.SELECTION, Stage.ADAPTATION):
            (claim,) = claim_units(tx, job, stage, limit=1, worker="w", lease=60)
            complete_unit(tx, claim)
        (claim,) = claim_units(tx, job, Stage.ASSEMBLY, limit=1, worker="w", lease=60)
        complete_calibration(tx, claim, results=[new], diagnostics={})
    return f"/v1/calibrations/{job}/results/{NAME}"


def test_the_listing_names_size_and_digest(client: TestClient, url: str) -> None:
    (item,) = client.get(url.rsplit("/", 1)[0]).json()["items"]

    assert item["href"] == url
    assert item["size_bytes"] == len(CONTENT)
    assert item["digest"] == hashlib.sha256(CONTENT).hexdigest()


def test_a_download_carries_its_digest(client: TestClient, url: str) -> None:
    answer = client.get(url)

    digest = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    assert answer.content == CONTENT
    assert answer.headers["Content-Digest"] == f"sha-256=:{digest}:"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=100-", 100, len(CONTENT)),
        ("bytes=-16", len(CONTENT) - 16, len(CONTENT)),
        ("bytes=5-999999", 5, len(CONTENT)),
    ],
)
def test_a_range_is_sent_as_asked(
    client: TestClient, url: str, asked: str, start: int, end: int
) -> None:
    answer = client.get(url, headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"


@pytest.mark.parametrize("asked", ["bytes=2560-", "bytes=9-5", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(client: TestClient, url: str, asked: str) -> None:
    answer = client.get(url, headers={"Range": asked})

    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "lines=0-1", "bytes=-"])
def test_other_ranges_are_ignored(client: TestClient, url: str, asked: str) -> None:
    answer = client.get(url, headers={"Range": asked})

    assert answer.status_code == 200
    assert answer.content == CONTENT


def test_a_resumed_download_of_another_file_starts_over(client: TestClient, url: str) -> None:
    answer = client.get(url, headers={"Range": "bytes=5-", "If-Range": '"other"'})

    assert answer.status_code == 200


def test_a_caller_who_has_the_file_gets_no_bytes(client: TestClient, url: str) -> None:
    etag = client.head(url).headers["ETag"]

    answer = client.get(url, headers={"If-None-Match": etag})

    assert answer.status_code == 304
    assert answer.content == b""


def test_there_are_no_results_before_the_end(client: TestClient, job: UUID) -> None:
    listing = client.get(f"/v1/calibrations/{job}/results")
    download = client.get(f"/v1/calibrations/{job}/results/{NAME}")

    assert listing.json()["items"] == []
    assert download.status_code == 404
    assert download.json()["code"] == "no-such-result"


@pytest.mark.parametrize("name", ["..%2F..%2Fsecrets.json", "../../../secrets.json", "%00"])
def test_a_name_cannot_reach_other_files(client: TestClient, url: str, name: str) -> None:
    answer = client.get(f"{url.rsplit('/', 1)[0]}/{name}")

    assert answer.status_code in {404, 422}


def test_deleting_the_calibration_purges_the_files(
    client: TestClient, database: Database, objects: Objects, url: str, job: UUID
) -> None:
    client.delete(f"/v1/calibrations/{job}")
    purge_waiting(database, objects)

    assert client.get(url).status_code == 404
    assert objects.keys("jobs") == []


def test_a_damaged_file_is_not_sent_whole(
    client: TestClient, objects: Objects, url: str, job: UUID
) -> None:
    objects.put(result_key(job, 1, NAME), CONTENT[:-1] + b"?")

    answer = client.get(url)

    # The length was announced before: whoever counts knows that the file is not whole.
    assert int(answer.headers["Content-Length"]) == len(CONTENT) > len(answer.content)


def test_a_head_of_a_file_has_its_length_and_digest(client: TestClient, url: str) -> None:
    answer = client.head(url)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert "Content-Digest" in answer.headers


@pytest.mark.parametrize(
    ("header", "status"),
    [("*", 304), ('"x", {etag}', 304), ("W/{etag}", 304), ('"x"', 200), ('"a{bare}b"', 200)],
)
def test_a_file_that_the_caller_has_is_not_sent_again(
    client: TestClient, url: str, header: str, status: int
) -> None:
    etag = client.head(url).headers["ETag"]
    named = header.format(etag=etag, bare=etag.strip('"'))

    assert client.get(url, headers={"If-None-Match": named}).status_code == status
