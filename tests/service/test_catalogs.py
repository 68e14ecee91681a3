"""``/v1/catalogs``."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from hbmlc.schemas import CatalogState
from hbmlc_store.database import Database
from hbmlc_store.keys import content_key
from hbmlc_store.objects import Objects
from hbmlc_store.purges import purge_waiting
from hbmlc_store.registry import NewVersion, register

CONTENT = b"id,mag_g\n1,20.5\n"
READY = CatalogState.READY


def announce(client: TestClient, name: str = "survey") -> str:
    return str(client.post("/v1/catalogs", json={"name": name}).json()["id"])


def digest_header(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def stored_content(objects: Objects, catalog: str) -> list[bytes]:
    return [objects.get(key) for key in objects.keys(f"catalogs/{catalog}")]


def test_a_file_in_a_form_is_stored_and_queued(client: TestClient, objects: Objects) -> None:
    answer = client.post(
        "/v1/catalogs",
        files={"file": ("survey.csv", CONTENT)},
        data={"mapping": '{"mag": {"g": "mag_g"}}'},
    )

    document = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/catalogs/{document['id']}"
    assert document["name"] == "survey.csv"
    assert document["state"] == "INGESTING"
    assert document["content_digest"] == hashlib.sha256(CONTENT).hexdigest()
    assert document["mapping"]["mag"] == {"g": "mag_g"}
    assert stored_content(objects, document["id"]) == [CONTENT]


def test_an_announced_catalogue_takes_a_stream(client: TestClient, objects: Objects) -> None:
    catalog = announce(client)

    answer = client.put(
        f"/v1/catalogs/{catalog}/content",
        content=iter([CONTENT[:5], CONTENT[5:]]),
        headers={"Content-Digest": digest_header(CONTENT)},
    )

    assert answer.status_code == 202
    assert answer.json()["state"] == "INGESTING"
    assert stored_content(objects, catalog) == [CONTENT]


def test_content_with_another_digest_is_refused_and_may_be_sent_again(
    client: TestClient, objects: Objects
) -> None:
    catalog = announce(client)
    url = f"/v1/catalogs/{catalog}/content"

    refused = client.put(url, content=CONTENT, headers={"Content-Digest": digest_header(b"x")})
    left = objects.keys("catalogs")
    accepted = client.put(url, content=CONTENT)

    assert refused.status_code == 422
    assert refused.json()["code"] == "digest-mismatch"
    assert left == []
    assert accepted.status_code == 202


def test_content_cannot_be_replaced(client: TestClient) -> None:
    catalog = announce(client)
    client.put(f"/v1/catalogs/{catalog}/content", content=CONTENT)

    again = client.put(f"/v1/catalogs/{catalog}/content", content=b"other")

    assert again.status_code == 409
    assert again.json()["code"] == "content-exists"


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"files": {"file": ("a.csv", b"")}}, 422, "empty-file"),
        ({"files": {"other": ("a.csv", b"x")}}, 422, "file-missing"),
        ({"json": {}}, 422, "invalid-request"),
        ({"json": {"name": "x", "surprise": 1}}, 422, "invalid-request"),
        (
            {"content": b"{", "headers": {"content-type": "application/json"}},
            422,
            "invalid-request",
        ),
        ({"content": b"x", "headers": {"content-type": "text/csv"}}, 415, "unsupported-media-type"),
        (
            {"files": {"file": ("a.csv", b"x")}, "data": {"mapping": '{"mags": {}}'}},
            422,
            "invalid-request",
        ),
        ({"json": {"name": "x" * 2_000_000}}, 413, "too-large"),
    ],
)
def test_a_bad_creation_has_its_own_code(
    client: TestClient, request_: dict[str, object], status: int, code: str
) -> None:
    answer = client.post("/v1/catalogs", **request_)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert client.get("/v1/catalogs").json()["items"] == []


def test_an_empty_stream_is_refused(client: TestClient) -> None:
    answer = client.put(f"/v1/catalogs/{announce(client)}/content", content=b"")

    assert answer.status_code == 422
    assert answer.json()["code"] == "empty-file"


def test_the_same_idempotency_key_makes_one_catalogue(client: TestClient, objects: Objects) -> None:
    request = {
        "files": {"file": ("survey.csv", CONTENT)},
        "headers": {"Idempotency-Key": "once"},
    }

    first = client.post("/v1/catalogs", **request)
    second = client.post("/v1/catalogs", **request)

    assert second.status_code == 201
    assert second.json()["id"] == first.json()["id"]
    assert len(client.get("/v1/catalogs").json()["items"]) == 1
    assert len(objects.keys("catalogs")) == 1
    assert stored_content(objects, first.json()["id"]) == [CONTENT]


def test_the_same_idempotency_key_with_another_body_is_refused(client: TestClient) -> None:
    headers = {"Idempotency-Key": "once"}
    client.post("/v1/catalogs", json={"name": "one"}, headers=headers)

    answer = client.post("/v1/catalogs", json={"name": "two"}, headers=headers)

    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency-key-reused"


def test_pages_visit_each_catalogue_once_while_others_are_added(client: TestClient) -> None:
    made = [announce(client, f"survey {k}") for k in range(5)]
    url: str | None = "/v1/catalogs?limit=2"
    seen: list[str] = []

    while url:
        page = client.get(url)
        seen += [item["id"] for item in page.json()["items"]]
        announce(client, "late")
        url = page.links["next"]["url"] if "next" in page.links else None

    assert seen == made[::-1]


def test_a_broken_cursor_is_refused(client: TestClient) -> None:
    answer = client.get("/v1/catalogs?cursor=nonsense")

    assert answer.status_code == 422
    assert answer.json()["code"] == "bad-cursor"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("PUT", "/content"),
        ("PATCH", "/mapping"),
    ],
)
def test_another_accounts_catalogue_does_not_exist(
    stranger: TestClient, make_catalog: Callable[[CatalogState], UUID], method: str, path: str
) -> None:
    catalog = make_catalog(READY)
    body = {"json": {}} if method == "PATCH" else {}

    answer = stranger.request(method, f"/v1/catalogs/{catalog}{path}", **body)

    assert answer.status_code == 404
    assert answer.json()["code"] == "no-such-catalog"
    assert stranger.get("/v1/catalogs").json()["items"] == []


def test_a_ready_catalogue_shows_what_was_found(
    client: TestClient, make_catalog: Callable[[CatalogState], UUID]
) -> None:
    document = client.get(f"/v1/catalogs/{make_catalog(READY)}?wait=30").json()

    assert document["state"] == "READY"
    assert document["bands"] == ["g", "r", "i"]
    assert document["n_rows"] == 1000
    assert document["coverage"]["n_tiles"] == 3


def test_waiting_for_an_ingest_ends_with_the_time(
    client: TestClient, make_catalog: Callable[[CatalogState], UUID]
) -> None:
    catalog = make_catalog(CatalogState.INGESTING)

    document = client.get(f"/v1/catalogs/{catalog}?wait=0.3").json()

    assert document["state"] == "INGESTING"
    assert document["progress"] == 0.0


def test_a_new_mapping_reads_the_content_again(
    client: TestClient, make_catalog: Callable[[CatalogState], UUID]
) -> None:
    catalog = make_catalog(READY)

    answer = client.patch(f"/v1/catalogs/{catalog}/mapping", json={"id": "objid"})

    assert answer.status_code == 200
    assert answer.json()["state"] == "INGESTING"
    assert answer.json()["mapping"]["id"] == "objid"


def test_the_mapping_of_a_catalogue_in_use_stays(
    client: TestClient, database: Database, make_job: Callable[[UUID], UUID], account: UUID
) -> None:
    job = make_job(account)
    catalog = client.get(f"/v1/calibrations/{job}").json()["catalog_id"]

    patched = client.patch(f"/v1/catalogs/{catalog}/mapping", json={"id": "objid"})
    deleted = client.delete(f"/v1/catalogs/{catalog}")

    assert patched.json()["code"] == deleted.json()["code"] == "catalog-in-use"
    assert patched.status_code == deleted.status_code == 409


@pytest.mark.parametrize(
    "state", [CatalogState.CREATED, CatalogState.INGESTING, CatalogState.READY]
)
def test_a_deleted_catalogue_is_gone(
    client: TestClient,
    database: Database,
    objects: Objects,
    make_catalog: Callable[[CatalogState], UUID],
    state: CatalogState,
) -> None:
    catalog = make_catalog(state)
    objects.put(content_key(catalog, catalog), CONTENT)

    answer = client.delete(f"/v1/catalogs/{catalog}")
    purge_waiting(database, objects)

    assert answer.status_code == 204
    assert client.get(f"/v1/catalogs/{catalog}").status_code == 404
    assert objects.keys("catalogs") == []


def test_a_part_of_the_content_is_not_taken_for_the_whole(client: TestClient) -> None:
    answer = client.put(
        f"/v1/catalogs/{announce(client)}/content",
        content=CONTENT,
        headers={"Content-Range": "bytes 0-15/100"},
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "content-range-refused")


def test_coded_content_is_not_taken_for_the_catalogue(client: TestClient) -> None:
    answer = client.put(
        f"/v1/catalogs/{announce(client)}/content",
        content=CONTENT,
        headers={"Content-Encoding": "gzip"},
    )

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_a_mapping_of_megabytes_in_a_form_is_too_large(client: TestClient) -> None:
    mapping = '{"mag": {' + ",".join(f'"b{k}": "column_{k}"' for k in range(20_000)) + "}}"

    answer = client.post(
        "/v1/catalogs", files={"file": ("survey.csv", CONTENT)}, data={"mapping": mapping}
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize(("digested", "status"), [(None, 201), (b"other", 422)])
def test_a_form_is_held_to_its_digest(
    client: TestClient, objects: Objects, digested: bytes | None, status: int
) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body += CONTENT + b"\r\n--x--\r\n"

    answer = client.post(
        "/v1/catalogs",
        content=body,
        headers={
            "Content-Type": "multipart/form-data; boundary=x",
            "Content-Digest": digest_header(body if digested is None else digested),
        },
    )

    assert answer.status_code == status
    assert len(objects.keys("catalogs")) == (1 if status == 201 else 0)


def test_a_ready_catalogue_names_the_model_that_auto_takes(
    client: TestClient, database: Database, make_catalog: Callable[[CatalogState], UUID]
) -> None:
    with database.transaction() as tx:
        register(tx, NewVersion(name="m", version=1, digest="a", bands=("g", "r", "i"), card={}))

    found = [
        client.get(f"/v1/catalogs/{make_catalog(state)}").json()
        for state in CatalogState
        if state in {CatalogState.READY, CatalogState.CREATED}
    ]

    assert {item["state"]: item["recommended_model"] for item in found} == {
        "READY": "m:1",
        "CREATED": None,
    }
