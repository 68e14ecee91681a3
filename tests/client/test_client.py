"""The SDK, blocking and asynchronous alike."""

from __future__ import annotations

import asyncio
import inspect
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fake_service import API_KEY, Disconnect, FakeService, Reply, problem

from hbmlc import _async_resources, _resources, errors
from hbmlc._async_trainings import AsyncTrainings
from hbmlc._core.exchange import RetryPolicy
from hbmlc._trainings import Trainings
from hbmlc.async_client import AsyncClient
from hbmlc.client import Client
from hbmlc.schemas import CalibrationOptions, CatalogState, ColumnMapping, Phase

URL = "http://service.test"


def test_upload_arrives_whole_and_digested(
    client: Client, service: FakeService, upload: Path
) -> None:
    seen: list[tuple[int, int | None]] = []

    catalog = client.catalogs.create(upload, on_progress=lambda *done: seen.append(done))

    assert catalog.state is CatalogState.INGESTING
    assert catalog.size_bytes == upload.stat().st_size
    assert catalog.name == "galaxies.csv"
    assert seen[-1] == (catalog.size_bytes, catalog.size_bytes)


def test_mapping_travels_with_the_announcement(
    client: Client, service: FakeService, upload: Path
) -> None:
    client.catalogs.create(upload, mapping=ColumnMapping(id="number", mag={"g": "gmag"}))

    mapping = json.loads(service.calls[0].body)["mapping"]
    assert {name: columns for name, columns in mapping.items() if columns} == {
        "id": "number",
        "mag": {"g": "gmag"},
    }


def test_repeated_creation_creates_once(
    client: Client, service: FakeService, upload: Path, naps: list[float]
) -> None:
    service.interruptions = [Disconnect, problem(503, "busy")]

    client.catalogs.create(upload)

    keys = {call.headers["idempotency-key"] for call in service.calls if call.method == "POST"}
    assert len(keys) == 1
    assert len(service.catalogs) == 1
    assert len(naps) == 2


def test_delays_grow_and_end(client: Client, service: FakeService, naps: list[float]) -> None:
    service.interruptions = [problem(502, "bad-gateway")] * 9

    with pytest.raises(errors.ServerError):
        client.models.list()

    assert len(naps) == 4
    assert all(0.25 * 2**k <= nap <= 0.5 * 2**k for k, nap in enumerate(naps))


def test_the_service_says_when_to_come_back(
    client: Client, service: FakeService, naps: list[float]
) -> None:
    busy = problem(429, "rate-limited")
    busy.headers["Retry-After"] = "17"
    service.interruptions = [busy]

    client.models.list()

    assert naps == [17.0]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequestError),
        (401, errors.AuthenticationError),
        (402, errors.PaymentRequiredError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (413, errors.TooLargeError),
        (422, errors.InvalidRequestError),
        (500, errors.ServerError),
    ],
)
def test_each_status_has_its_error_and_is_not_repeated(
    client: Client, service: FakeService, status: int, kind: type[errors.StatusError]
) -> None:
    findings = [{"pointer": "/seed", "message": "too large"}]
    service.interruptions = [problem(status, "some-code", "mend it", errors=findings)]

    with pytest.raises(kind, match="mend it") as caught:
        client.models.list()

    assert (caught.value.code, caught.value.request_id) == ("some-code", "req-1")
    assert caught.value.errors[0].pointer == "/seed"
    assert not caught.value.is_retryable
    assert len(service.calls) == 1


def test_no_connection_is_a_transport_error(client: Client, service: FakeService) -> None:
    service.interruptions = [Disconnect] * 9

    with pytest.raises(errors.ConnectionFailedError) as caught:
        client.models.list()

    assert caught.value.is_retryable


@pytest.mark.parametrize("status", [200, 404])
def test_a_proxys_page_is_explained(client: Client, service: FakeService, status: int) -> None:
    service.interruptions = [Reply(status, body=b"<html>sign in</html>")]

    with pytest.raises((errors.UnexpectedAnswerError, errors.NotFoundError)) as caught:
        client.models.list()

    assert caught.value.code in {"unexpected-answer", "http-404"}


def test_listing_visits_each_item_once(client: Client, service: FakeService, upload: Path) -> None:
    for _ in range(5):
        client.catalogs.create(upload)

    found = [catalog.id for catalog in client.catalogs.list(limit=2)]
    pages = [len(page.items) for page in client.catalogs.pages(limit=2)]

    assert found == [UUID(name) for name in service.catalogs]
    assert pages == [2, 2, 1]


def test_waiting_for_a_catalogue_ends_when_it_is_ready(client: Client, upload: Path) -> None:
    seen: list[CatalogState] = []
    created = client.catalogs.create(upload)

    catalog = client.catalogs.wait(
        created.id, timeout=60, on_progress=lambda found: seen.append(found.state)
    )

    assert catalog.state is CatalogState.READY
    assert seen == [CatalogState.INGESTING, CatalogState.READY]


def test_a_rejected_catalogue_says_why(client: Client, service: FakeService, upload: Path) -> None:
    service.catalog_states = ["REJECTED"]
    created = client.catalogs.create(upload)

    with pytest.raises(errors.CatalogRejectedError) as caught:
        client.catalogs.wait(created.id, timeout=60)

    assert caught.value.code == "no-band-recognised"


def test_waiting_for_a_calibration_ends_with_it(client: Client, upload: Path) -> None:
    catalog = client.catalogs.create(upload)
    job = client.calibrations.create(
        catalog.id, seed=3, options=CalibrationOptions(preset="seed", n_anchors=20)
    )

    done = client.calibrations.wait(job.id, timeout=60)

    assert done.phase is Phase.COMPLETED
    assert done.seed == 3
    assert done.options == {"preset": "seed", "n_anchors": 20}


def test_a_failed_calibration_is_an_error(
    client: Client, service: FakeService, upload: Path
) -> None:
    service.phases = ["EXECUTING", "ERROR"]
    job = client.calibrations.create(client.catalogs.create(upload).id)

    with pytest.raises(errors.CalibrationFailedError, match="ERROR"):
        client.calibrations.wait(job.id, timeout=60)


def test_waiting_has_a_deadline(client: Client, service: FakeService, upload: Path) -> None:
    service.phases = ["EXECUTING"]
    job = client.calibrations.create(client.catalogs.create(upload).id)

    with pytest.raises(errors.WaitTimeoutError):
        client.calibrations.wait(job.id, timeout=0)

    assert client.calibrations.abort(job.id).phase is Phase.ABORTED


@pytest.fixture
def job(client: Client, upload: Path) -> UUID:
    return client.calibrations.create(client.catalogs.create(upload).id).id


def test_download_is_checked_and_moved_into_place(
    client: Client, service: FakeService, job: UUID, tmp_path: Path
) -> None:
    paths = client.calibrations.download_all(job, tmp_path / "out")

    assert {name: path.read_bytes() for name, path in paths.items()} == service.results
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(service.results)


def test_broken_download_goes_on_where_it_stopped(
    client: Client, service: FakeService, job: UUID, tmp_path: Path
) -> None:
    service.cut_downloads = [4000, 3000]

    path = client.calibrations.download(job, "photoz.parquet", tmp_path / "p")

    assert path.read_bytes() == service.results["photoz.parquet"]
    ranges = [call.headers.get("range") for call in service.calls if "results/" in call.path]
    assert ranges == [None, "bytes=4000-", "bytes=7000-"]


def test_corrupt_download_is_refused_and_the_next_one_starts_anew(
    client: Client, service: FakeService, job: UUID, tmp_path: Path
) -> None:
    service.corrupt_downloads = 1

    with pytest.raises(errors.IntegrityError):
        client.calibrations.download(job, "photoz.parquet", tmp_path / "p")

    assert not (tmp_path / "p").exists()
    path = client.calibrations.download(job, "photoz.parquet", tmp_path / "p")
    assert path.read_bytes() == service.results["photoz.parquet"]


def test_a_file_that_is_already_here_is_not_fetched_again(
    client: Client, service: FakeService, job: UUID, tmp_path: Path
) -> None:
    client.calibrations.download(job, "photoz.parquet", tmp_path / "p")
    before = len(service.calls)

    client.calibrations.download(job, "photoz.parquet", tmp_path / "p")

    assert [call.path.rsplit("/", 1)[-1] for call in service.calls[before:]] == ["results"]


def test_unknown_result_lists_those_that_are_there(
    client: Client, job: UUID, tmp_path: Path
) -> None:
    with pytest.raises(errors.NotFoundError, match=r"metrics\.json"):
        client.calibrations.download(job, "nothing", tmp_path / "p")


def test_models_and_aliases(client: Client) -> None:
    assert client.models.list()[0].aliases == ["production"]
    assert client.models.get("lsst-ugrizy", 1).bands == list("ugrizy")
    assert client.models.set_alias("lsst-ugrizy", "next", version=1).alias == "next"
    assert client.models.aliases("lsst-ugrizy")[0].set_by == "release"


def test_catalogues_can_be_remapped_and_deleted(
    client: Client, service: FakeService, upload: Path
) -> None:
    catalog = client.catalogs.create(upload)

    client.catalogs.remap(catalog.id, ColumnMapping(id="number"))
    client.catalogs.delete(catalog.id)

    assert service.calls[-2].method == "PATCH"
    with pytest.raises(errors.NotFoundError):
        client.catalogs.get(catalog.id)


def test_a_mapping_may_be_a_document(client: Client, service: FakeService, upload: Path) -> None:
    catalog = client.catalogs.create(upload, mapping={"z_spec": "Z"})

    client.catalogs.remap(catalog.id, {"id": None, "z_spec": "Z"})

    assert json.loads(service.calls[-1].body) == {"id": None, "z_spec": "Z"}


@pytest.mark.parametrize("wrong", [None, {"nonsense": 1}, "mag_g"])
def test_what_is_no_mapping_is_refused_before_it_is_sent(
    client: Client, service: FakeService, upload: Path, wrong: Any
) -> None:
    catalog = client.catalogs.create(upload)
    n_calls = len(service.calls)

    with pytest.raises(ValueError, match="ColumnMapping"):
        client.catalogs.remap(catalog.id, wrong)

    assert len(service.calls) == n_calls


def test_twins_have_the_same_signatures() -> None:
    pairs: list[tuple[type, type]] = [
        (Client, AsyncClient),
        (_resources.Catalogs, _async_resources.AsyncCatalogs),
        (_resources.Calibrations, _async_resources.AsyncCalibrations),
        (_resources.Models, _async_resources.AsyncModels),
        (Trainings, AsyncTrainings),
    ]
    for blocking, asynchronous in pairs:
        names = {name for name in vars(blocking) if not name.startswith("_")}
        assert names == {name for name in vars(asynchronous) if not name.startswith("_")}
        for name in names:
            ours, theirs = (
                inspect.signature(getattr(kind, name)) for kind in (blocking, asynchronous)
            )
            assert ours.parameters == theirs.parameters, name
            returned = str(theirs.return_annotation).replace("AsyncIterator", "Iterator")
            assert str(ours.return_annotation) == returned, name


def test_whoever_opened_the_transport_closes_it(service: FakeService) -> None:
    given = httpx.Client(transport=service.transport())
    with Client(URL, api_key=API_KEY, transport=given) as client:
        client.health()
    assert not given.is_closed

    with Client(URL, api_key=API_KEY) as own:
        pass
    assert own._transport.is_closed


def test_the_asynchronous_one_closes_its_own_transport() -> None:
    async def run() -> bool:
        async with AsyncClient(URL, api_key=API_KEY) as own:
            pass
        return own._transport.is_closed

    assert asyncio.run(run())


def test_retries_can_be_switched_off(service: FakeService) -> None:
    service.interruptions = [Disconnect]
    transport = httpx.Client(transport=service.transport())
    client = Client(URL, api_key=API_KEY, transport=transport, retry=RetryPolicy(max_retries=0))

    with pytest.raises(errors.ConnectionFailedError):
        client.models.list()
