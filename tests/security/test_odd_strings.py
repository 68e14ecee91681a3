"""Whatever text, number or header is sent, the answer is a problem of 4xx and never a failure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from hbmlc.schemas import CatalogState
from hbmlc_service.openapi import render
from hbmlc_store.database import Database
from hbmlc_store.schema import CatalogRow

ODD = {
    "nul": "a\x00b",
    "bell": "a\x07b",
    "right to left": "a\u202eb",
    "high surrogate": "a\ud800b",
    "low surrogate": "\udc00",
    "endless": "x" * 100_000,
}
DOCUMENT: dict[str, Any] = json.loads(render())
SOME = "01890000-0000-7000-8000-000000000000"


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema behind its reference; of a choice the one that is not null."""
    if "$ref" in schema:
        return resolved(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    choices = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    return resolved(choices[0]) if choices else schema


def least(schema: dict[str, Any]) -> Any:
    """A small valid value."""
    schema = resolved(schema)
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: least(properties[name]) for name in schema.get("required", [])}
        case "array":
            return [least(schema["items"])] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return SOME if schema.get("format") == "uuid" else schema.get("enum", ["x"])[0]


def with_texts(schema: dict[str, Any], odd: str) -> Iterator[tuple[str, Any]]:
    """Every value that holds the odd text in one place, and otherwise what is valid."""
    schema = resolved(schema)
    match schema.get("type"):
        case "object":
            base = least(schema)
            for name, inner in schema.get("properties", {}).items():
                for place, value in with_texts(inner, odd):
                    yield f"{name}/{place}", {**base, name: value}
            if isinstance(inner := schema.get("additionalProperties"), dict):
                yield "key", {odd: least(inner)}
                for place, value in with_texts(inner, odd):
                    yield f"value/{place}", {"x": value}
            else:
                yield "unknown", {**base, odd: 1}
        case "array":
            for place, value in with_texts(schema["items"], odd):
                yield f"item/{place}", [value]
        case "string":
            yield "text", odd


def documents() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every route that takes a document, and its schema."""
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                yield method.upper(), path, content["application/json"]["schema"]


PLACES = [
    (method, path, place)
    for method, path, schema in documents()
    for place, _ in with_texts(schema, "x")
]
SCHEMAS = {(method, path): schema for method, path, schema in documents()}


@pytest.fixture
def catalog(make_catalog: Callable[[CatalogState], UUID]) -> str:
    return str(make_catalog(CatalogState.READY))


def test_the_walk_finds_the_texts_of_every_document() -> None:
    assert len(SCHEMAS) >= 9
    assert ("POST", "/v1/catalogs", "mapping/mag/key") in PLACES
    assert ("POST", "/admin/v1/accounts", "name/text") in PLACES


@pytest.mark.parametrize(("method", "path", "place"), PLACES)
def test_an_odd_text_anywhere_in_a_document_is_refused(
    client: TestClient, operator: TestClient, method: str, path: str, place: str
) -> None:
    asker = operator if path.startswith("/admin/") else client
    names = {"name": "m", "alias": "production"}
    url = re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], SOME), path)

    for odd in ODD.values():
        body = dict(with_texts(SCHEMAS[method, path], odd))[place]
        answer = asker.request(
            method, url, content=json.dumps(body), headers={"Content-Type": "application/json"}
        )

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request"), odd[:9]
        assert len(answer.content) < 20_000


@pytest.mark.parametrize("odd", ODD.values(), ids=list(ODD))
@pytest.mark.parametrize("field", ["mapping", "name"])
def test_an_odd_text_in_a_form_is_refused_and_leaves_nothing(
    client: TestClient, field: str, odd: str
) -> None:
    text = odd.encode("utf-8", "surrogatepass")
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nid\n1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="'
        + field.encode()
        + b'"\r\n\r\n'
        + text
        + b"\r\n--x--\r\n"
    )

    answer = client.post(
        "/v1/catalogs", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )

    assert answer.status_code in {400, 422}


@pytest.mark.parametrize("name", ["a%00b", "a%ED%A0%80b", "x" * 10_000, "%2e%2e", "a%0Ab", "ü"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/{}/versions/1",
        "/v1/models/{}/aliases",
        "/v1/catalogs/{}",
        "/v1/calibrations/{}",
        "/v1/calibrations/01890000-0000-7000-8000-000000000000/results/{}",
        "/v1/catalogs?cursor={}",
        "/v1/calibrations?catalog_id={}",
    ],
)
def test_an_odd_text_in_an_address_is_refused(client: TestClient, path: str, name: str) -> None:
    answer = client.get(path.format(name))

    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/calibrations", {"model": "m:99999999999999999999"}),
        ("/v1/calibrations", {"model": "m:" + "9" * 190}),
        ("/v1/calibrations", {"seed": 2**63}),
        ("/v1/calibrations", {"seed": -1}),
        ("/v1/calibrations", {"options": {"min_tile_galaxies": 10**400}}),
        ("/v1/calibrations", {"options": {"z_max": 1e400}}),
        ("/v1/calibrations", {"options": {"z_max": float("nan")}}),
    ],
)
def test_numbers_beyond_what_is_stored_are_refused(
    client: TestClient, catalog: str, path: str, body: dict[str, Any]
) -> None:
    answer = client.post(
        path,
        content=json.dumps({"catalog_id": catalog, **body}),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code in {404, 422}


@pytest.mark.parametrize("version", [str(2**31), str(2**63), "9" * 5_000])
def test_version_numbers_beyond_what_is_stored_are_refused(
    client: TestClient, version: str
) -> None:
    answer = client.get(f"/v1/models/m/versions/{version}")

    assert answer.status_code == 422


@pytest.mark.parametrize(
    "moment",
    [
        "2020-01-01T00:00:00Z",
        "2999-01-01T00:00:00Z",
        "2030-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        1e300,
        -1,
    ],
)
def test_a_key_ends_in_the_future_and_not_too_late(client: TestClient, moment: object) -> None:
    answer = client.post("/v1/api-keys", json={"name": "x", "expires_at": moment})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


def odd_headers() -> Iterator[tuple[str, bytes]]:
    for name in ("Idempotency-Key", "Last-Event-ID", "If-None-Match", "Range", "Content-Digest"):
        yield name, b"a\xff\xfeb"
        yield name, b"\x7f"
        yield name, b"x" * 5_000
    yield "Range", b"bytes=" + b"9" * 5_000 + b"-"
    yield "Range", b"bytes=-" + b"9" * 5_000


@pytest.mark.parametrize(("name", "value"), list(odd_headers()))
def test_an_odd_header_breaks_nothing(
    client: TestClient, catalog: str, name: str, value: bytes
) -> None:
    headers = {name.encode(): value}
    created = client.post("/v1/catalogs", json={"name": "x"}, headers=headers)
    found = client.get(f"/v1/catalogs/{catalog}", headers=headers)

    assert created.status_code in {201, 422}
    assert found.status_code == 200


def test_what_only_the_database_refuses_is_the_callers_fault_and_is_not_logged(
    client: TestClient, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    from hbmlc_service.context import ServiceContext

    # Not written out: a traceback may show this very line.
    private = f"nobody-reads-{client.base_url.host[::-1]}"

    def store_nul(*_: object, **__: object) -> None:
        with database.transaction() as tx:
            tx.add(CatalogRow(account_id=None, name=f"{private}\x00", state="CREATED"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ServiceContext, "run", store_nul)
        patch.setattr(ServiceContext, "recognise", lambda *_: _identity(client))
        answer = client.get("/v1/catalogs")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    captured = capsys.readouterr()
    assert private not in answer.text + captured.out + captured.err


def _identity(client: TestClient) -> object:
    from hbmlc_store.accounts import Identity

    some = UUID("01890000-0000-7000-8000-000000000000")
    return Identity(account_id=some, key_id=some, scopes=frozenset())
