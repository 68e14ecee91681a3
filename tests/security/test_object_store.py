"""What a bucket gives to strangers, and what becomes of us when it fails."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from s3_server import S3Server

from hbmlc_store.errors import InvalidError, StoreUnavailableError
from hbmlc_store.objects import DRAFTS, Objects
from hbmlc_store.settings import Settings

PROBE_SECONDS = 5.0
LARGE = b"x" * (6 << 20)


async def stream_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def use(objects: Objects) -> dict[str, Callable[[], object]]:
    """Every way to use a store."""

    def lend() -> None:
        with objects.as_file("a/b"):
            pass

    return {
        "put": lambda: objects.put("a/b", b"x"),
        "put_file": lambda: objects.put_file("a/b", Path(__file__)),
        "put_stream": lambda: asyncio.run(
            objects.put_stream("a/c", stream_of(b"x"), max_bytes=100)
        ),
        "put_stream in parts": lambda: asyncio.run(
            objects.put_stream("a/c", stream_of(LARGE), max_bytes=len(LARGE))
        ),
        "get": lambda: objects.get("a/b"),
        "stream": lambda: list(objects.stream("a/b", start=0, end=1)),
        "as_file": lend,
        "size": lambda: objects.size("a/b"),
        "keys": lambda: objects.keys("a"),
        "list_objects": lambda: list(objects.list_objects()),
        "delete": lambda: objects.delete("a/b"),
        "delete_below": lambda: objects.delete_below("a"),
        "check_writable": objects.check_writable,
    }


USES = list(use(Objects("memory:///")))


@pytest.mark.parametrize("name", USES)
def test_a_missing_bucket_is_an_error_and_not_an_empty_one(s3: S3Server, name: str) -> None:
    objects = Objects("s3://no-such-bucket/survey", endpoint=s3.endpoint)

    with pytest.raises(StoreUnavailableError) as caught:
        use(objects)[name]()

    assert caught.value.code == "object-store-unavailable"


@pytest.mark.parametrize("status", ["503 Slow Down", "403 Forbidden"])
@pytest.mark.parametrize("name", USES)
def test_a_store_that_refuses_is_unavailable(
    s3: S3Server, s3_objects: Objects, name: str, status: str
) -> None:
    s3.fault = lambda environ: (status, b"")

    with pytest.raises(StoreUnavailableError):
        use(s3_objects)[name]()


@pytest.mark.parametrize("name", USES)
def test_a_store_that_is_down_is_unavailable_at_once(s3: S3Server, name: str) -> None:
    nobody_listens = "http://127.0.0.1:1"
    objects = Objects("s3://bucket/survey", endpoint=nobody_listens)
    begun = time.monotonic()

    with pytest.raises(StoreUnavailableError):
        use(objects)[name]()

    assert time.monotonic() - begun < PROBE_SECONDS


@pytest.fixture
def silence(s3: S3Server, s3_objects: Objects) -> Iterator[None]:
    """The store takes every request and answers none."""
    over = threading.Event()

    def wait(environ: dict[str, object]) -> tuple[str, bytes]:
        over.wait(60)
        return "503 Service Unavailable", b""

    s3.fault = wait
    yield
    over.set()


@pytest.mark.parametrize("name", ["size", "keys", "delete", "check_writable"])
def test_a_store_that_stays_silent_is_given_up(
    silence: None, s3_objects: Objects, name: str
) -> None:
    begun = time.monotonic()

    with pytest.raises(StoreUnavailableError):
        use(s3_objects)[name]()

    assert time.monotonic() - begun < PROBE_SECONDS


def test_a_body_that_stalls_for_longer_than_a_probe_may_is_still_read(
    s3: S3Server, s3_objects: Objects
) -> None:
    s3_objects.put("a/b", b"content")
    pause = threading.Event()

    def late(environ: dict[str, object]) -> None:
        pause.wait(PROBE_SECONDS)

    s3.fault = late

    assert s3_objects.get("a/b") == b"content"


def test_an_upload_in_parts_is_never_copied(s3: S3Server, s3_objects: Objects) -> None:
    content = stream_of(LARGE, LARGE)

    asyncio.run(s3_objects.put_stream("a/b", content, max_bytes=20 << 30))

    assert not s3.asked_to_copy()


def test_an_upload_may_have_the_length_that_the_settings_allow(
    s3: S3Server, s3_objects: Objects
) -> None:
    # S3 takes 10,000 parts; beyond 5 MiB each they have to grow with what may come.
    part = (100 << 30) // 9_000
    content = stream_of(*[b"x" * (1 << 20)] * 13)

    asyncio.run(s3_objects.put_stream("a/b", content, max_bytes=100 << 30))

    sizes = [
        int(environ["CONTENT_LENGTH"])
        for environ in s3.requests
        if "partNumber=" in environ["QUERY_STRING"]
    ]
    assert max(sizes) >= part


def test_an_upload_that_breaks_off_is_given_up_in_the_store(
    s3: S3Server, s3_objects: Objects, bucket: str
) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield LARGE
        yield LARGE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        asyncio.run(s3_objects.put_stream("a/b", breaks(), max_bytes=1 << 30))

    assert s3.client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_a_small_upload_is_written_on_condition_that_nothing_is_there(
    s3: S3Server, s3_objects: Objects
) -> None:
    s3.requests.clear()

    asyncio.run(s3_objects.put_stream("a/b", stream_of(b"x"), max_bytes=100))

    (put,) = [environ for environ in s3.requests if environ["REQUEST_METHOD"] == "PUT"]
    assert put["HTTP_IF_NONE_MATCH"] == "*"


def test_a_result_introduces_itself(
    s3: S3Server, s3_objects: Objects, bucket: str, tmp_path: Path
) -> None:
    file = tmp_path / "photoz.parquet"
    file.write_bytes(b"table")

    s3_objects.put_file(
        "jobs/1/results/photoz.parquet",
        file,
        media_type="application/vnd.apache.parquet",
        download_name="photoz.parquet",
    )

    head = s3.client.head_object(Bucket=bucket, Key="survey/jobs/1/results/photoz.parquet")
    assert head["ContentType"] == "application/vnd.apache.parquet"
    assert head["ContentDisposition"] == 'attachment; filename="photoz.parquet"'


def test_a_name_to_save_under_cannot_add_headers(s3_objects: Objects) -> None:
    with pytest.raises(InvalidError):
        s3_objects.put("a/b", b"x", download_name='x"\r\nSet-Cookie: y')


def test_a_signed_address_downloads_whole_and_in_ranges(s3_objects: Objects) -> None:
    s3_objects.put("a/b", b"content", media_type="text/plain", download_name="b.txt")

    url = s3_objects.presigned_url("a/b", seconds=60)

    assert url is not None
    whole = httpx.get(url)
    assert (whole.status_code, whole.content) == (200, b"content")
    assert whole.headers["content-type"] == "text/plain"
    assert whole.headers["content-disposition"] == 'attachment; filename="b.txt"'
    part = httpx.get(url, headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"ont")
    assert part.headers["content-range"] == "bytes 1-3/7"


def test_a_signed_address_takes_an_upload(s3_objects: Objects) -> None:
    url = s3_objects.presigned_upload_url("a/b", seconds=60)

    assert url is not None
    assert httpx.put(url, content=b"content").status_code == 200

    digest = hashlib.sha256(b"content").hexdigest()
    assert s3_objects.get("a/b", digest=digest) == b"content"


def test_signed_addresses_name_the_endpoint_that_clients_see(s3: S3Server, bucket: str) -> None:
    settings = Settings(
        object_store=f"s3://{bucket}",
        object_store_endpoint=s3.endpoint,
        object_store_public_endpoint="https://objects.example.org",
    )
    objects = Objects.of(settings)

    objects.put("a/b", b"content")

    assert objects.get("a/b") == b"content"
    for url in (
        objects.presigned_url("a/b", seconds=60),
        objects.presigned_upload_url("a/b", seconds=60),
    ):
        assert url is not None
        assert url.startswith(f"https://objects.example.org/{bucket}/a/b?")
        assert "X-Amz-Expires=60" in url


def test_files_have_no_signed_address(objects: Objects) -> None:
    objects.put("a/b", b"content")

    assert objects.presigned_url("a/b", seconds=60) is None
    assert objects.presigned_upload_url("a/b", seconds=60) is None


def test_an_endpoint_for_a_store_without_one_is_refused() -> None:
    with pytest.raises(InvalidError, match="endpoint"):
        Objects("gs://bucket", public_endpoint="https://objects.example.org")


def test_a_folder_that_is_gone_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    folder = tmp_path / "objects"
    objects = Objects(folder.as_uri())
    folder.rmdir()

    for read in ("get", "size", "keys", "list_objects", "as_file"):
        with pytest.raises(StoreUnavailableError):
            use(objects)[read]()


def test_drafts_are_listed_with_their_age_and_are_no_objects(objects: Objects) -> None:
    seen: list[str] = []

    async def looks() -> AsyncIterator[bytes]:
        yield LARGE
        seen.extend(entry.key for entry in objects.list_objects())
        assert objects.keys("catalogs") == []

    asyncio.run(objects.put_stream("catalogs/1", looks(), max_bytes=len(LARGE)))

    (draft,) = seen
    assert draft.startswith(f"{DRAFTS}/")
    assert [entry.key for entry in objects.list_objects()] == ["catalogs/1"]


def test_a_deletion_leaves_no_empty_folder(objects: Objects, tmp_path: Path) -> None:
    objects.put("catalogs/1/content", b"x")

    objects.delete_below("catalogs/1")

    assert not (tmp_path / "objects" / "catalogs").exists()
