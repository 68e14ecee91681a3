"""The object store keeps what was sent, and nothing of what was not: on a disk and in a bucket."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hbmlc_store.errors import (
    ConflictError,
    DigestMismatchError,
    InvalidError,
    NotFoundError,
    ObjectDamagedError,
)
from hbmlc_store.objects import Objects, Stored

NUMBERS = itertools.count()
LARGE = bytes(range(256)) * (6 << 12)
"""6 MiB: more than one part of an upload in parts."""


@pytest.fixture(params=["disk", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    if request.param == "disk":
        return Objects((tmp_path / "objects").as_uri())
    return cast("Objects", request.getfixturevalue("s3_objects"))


def put_stream(
    objects: Objects,
    pieces: list[bytes],
    *,
    key: str = "a/b",
    max_bytes: int = 100,
    digest: str | None = None,
) -> Stored:
    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return asyncio.run(
        objects.put_stream(key, stream(), max_bytes=max_bytes, expected_digest=digest)
    )


def everything(objects: Objects) -> list[str]:
    return [entry.key for entry in objects.list_objects()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(pieces=st.lists(st.binary(max_size=40), min_size=1).filter(any))
def test_a_stream_reads_back_as_sent(objects: Objects, pieces: list[bytes]) -> None:
    sent = b"".join(pieces)
    key = f"streams/{next(NUMBERS)}"

    stored = put_stream(objects, pieces, key=key, max_bytes=len(sent))

    assert objects.get(key) == sent
    assert objects.size(key) == len(sent)
    assert stored == Stored(size_bytes=len(sent), digest=hashlib.sha256(sent).hexdigest())


def test_a_stream_of_many_parts_reads_back_as_sent(objects: Objects) -> None:
    pieces = [LARGE[i : i + 700_000] for i in range(0, len(LARGE), 700_000)] * 2

    stored = put_stream(objects, pieces, max_bytes=20 << 30)

    assert objects.get("a/b", digest=stored.digest) == LARGE * 2
    assert everything(objects) == ["a/b"]


def test_a_file_of_many_parts_reads_back_as_written(objects: Objects, tmp_path: Path) -> None:
    file = tmp_path / "table"
    file.write_bytes(LARGE)

    stored = objects.put_file("a/table", file)

    assert objects.get("a/table") == LARGE
    assert stored == Stored(size_bytes=len(LARGE), digest=hashlib.sha256(LARGE).hexdigest())


def test_what_is_put_again_takes_the_place_of_the_former(objects: Objects) -> None:
    objects.put("a/b", b"first")
    objects.put("a/b", b"second")

    assert objects.get("a/b") == b"second"
    assert everything(objects) == ["a/b"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(start=st.integers(0, 50), length=st.integers(0, 50))
def test_a_range_reads_as_a_slice(objects: Objects, start: int, length: int) -> None:
    data = bytes(range(100))
    objects.put("range", data)

    found = b"".join(objects.stream("range", start=start, end=start + length))

    assert found == data[start : start + length]


def test_a_long_range_comes_in_pieces(objects: Objects) -> None:
    objects.put("range", LARGE)

    pieces = list(objects.stream("range", start=5, end=len(LARGE)))

    assert len(pieces) > 1
    assert b"".join(pieces) == LARGE[5:]


def test_a_stream_of_a_missing_object_fails_before_it_begins(objects: Objects) -> None:
    with pytest.raises(NotFoundError):
        objects.stream("nothing/here", start=0, end=1)


@pytest.mark.parametrize(
    ("pieces", "max_bytes", "digest", "code"),
    [
        ([], 100, None, "empty-file"),
        ([b"x" * 60, b"x" * 60], 100, None, "too-large"),
        ([b"content"], 100, "00" * 32, "digest-mismatch"),
        ([LARGE, LARGE], len(LARGE) * 2, "00" * 32, "digest-mismatch"),
        ([LARGE, LARGE], len(LARGE) + 1, None, "too-large"),
    ],
    ids=["empty", "long", "other", "other-in-parts", "long-in-parts"],
)
def test_a_refused_stream_leaves_nothing(
    objects: Objects, pieces: list[bytes], max_bytes: int, digest: str | None, code: str
) -> None:
    with pytest.raises((InvalidError, DigestMismatchError)) as caught:
        put_stream(objects, pieces, max_bytes=max_bytes, digest=digest)

    assert caught.value.code == code
    assert everything(objects) == []


@pytest.mark.parametrize("content", [b"second", LARGE * 2], ids=["small", "in-parts"])
def test_a_stream_never_replaces_an_object(objects: Objects, content: bytes) -> None:
    put_stream(objects, [b"first"])

    with pytest.raises(ConflictError) as caught:
        put_stream(objects, [content], max_bytes=len(content))

    assert caught.value.code == "object-exists"
    assert objects.get("a/b") == b"first"
    assert everything(objects) == ["a/b"]


@pytest.mark.parametrize("size", [20, len(LARGE)], ids=["small", "in-parts"])
def test_of_two_streams_to_one_key_one_is_whole(objects: Objects, size: int) -> None:
    contents = [letter * size for letter in (b"x", b"y")]

    async def stream(content: bytes, both_begun: asyncio.Barrier) -> AsyncIterator[bytes]:
        yield content
        await both_begun.wait()
        yield content

    async def race() -> list[Stored | BaseException]:
        both_begun = asyncio.Barrier(2)
        return await asyncio.gather(
            *(
                objects.put_stream("a/b", stream(content, both_begun), max_bytes=2 * size)
                for content in contents
            ),
            return_exceptions=True,
        )

    outcomes = asyncio.run(race())

    won = [outcome for outcome in outcomes if isinstance(outcome, Stored)]
    assert won, outcomes
    assert objects.get("a/b") in [content * 2 for content in contents]
    assert everything(objects) == ["a/b"]


@pytest.mark.parametrize("content", [b"begun", LARGE], ids=["small", "in-parts"])
def test_a_broken_stream_leaves_nothing(objects: Objects, content: bytes) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield content
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        asyncio.run(objects.put_stream("a/b", breaks(), max_bytes=1 << 30))

    assert everything(objects) == []


@pytest.mark.parametrize("content", [b"begun", LARGE], ids=["small", "in-parts"])
def test_a_cancelled_stream_leaves_nothing(objects: Objects, content: bytes) -> None:
    async def cancel_midway() -> None:
        waits = asyncio.Event()

        async def stalls() -> AsyncIterator[bytes]:
            yield content
            waits.set()
            await asyncio.Event().wait()

        upload = asyncio.create_task(objects.put_stream("a/b", stalls(), max_bytes=1 << 30))
        await waits.wait()
        upload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upload

    asyncio.run(cancel_midway())

    assert everything(objects) == []


@pytest.mark.parametrize(
    "key", ["../secret", "a/../../secret", "/etc/passwd", "a//b", "", "a/.hidden", "a\\b", "ä"]
)
def test_a_key_cannot_leave_the_store(objects: Objects, key: str) -> None:
    with pytest.raises(InvalidError):
        objects.put(key, b"x")


def test_a_missing_object_is_not_found(objects: Objects) -> None:
    assert objects.size("nothing/here") is None
    with pytest.raises(NotFoundError):
        objects.get("nothing/here")
    with pytest.raises(NotFoundError), objects.as_file("nothing/here"):
        pass


def test_deleting_below_a_prefix_leaves_its_neighbours(objects: Objects) -> None:
    for key in ("jobs/1/a", "jobs/1/b/c", "jobs/12/a"):
        objects.put(key, b"x")

    assert objects.delete_below("jobs/1") == 2

    assert objects.keys("jobs") == ["jobs/12/a"]
    assert objects.delete_below("jobs/1") == 0


def test_deleting_what_is_not_there_is_no_error(objects: Objects) -> None:
    objects.put("a/b", b"x")

    objects.delete("a/b")
    objects.delete("a/b")

    assert everything(objects) == []


def test_a_listing_tells_length_and_age(objects: Objects) -> None:
    objects.put("a/b", b"content")

    (entry,) = objects.list_objects("a")

    assert (entry.key, entry.size_bytes) == ("a/b", 7)
    assert entry.modified_at.tzinfo is not None


@pytest.mark.parametrize("prefix", ["", "sha256:"])
def test_an_object_is_lent_if_its_digest_is_right(objects: Objects, prefix: str) -> None:
    stored = objects.put("a/b.parquet", b"content")

    with objects.as_file("a/b.parquet", digest=prefix + stored.digest) as file:
        assert file.read_bytes() == b"content"
        assert file.name == "b.parquet"


def test_a_damaged_object_is_neither_lent_nor_read(objects: Objects) -> None:
    digest = objects.put("a/b", b"content").digest
    with objects.as_file("a/b", digest=digest):
        pass
    objects.put("a/b", b"Content")

    with pytest.raises(ObjectDamagedError, match="a/b"), objects.as_file("a/b", digest=digest):
        pass
    with pytest.raises(ObjectDamagedError, match="a/b"):
        objects.get("a/b", digest=digest)


def test_a_copy_from_a_bucket_goes_away(s3_objects: Objects, tmp_path: Path) -> None:
    s3_objects.put("a/b.parquet", b"content")

    with s3_objects.as_file("a/b.parquet", scratch=tmp_path) as file:
        assert tmp_path in file.parents

    assert list(tmp_path.iterdir()) == []


def test_probes_side_by_side_leave_nothing(objects: Objects) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        for probe in [pool.submit(objects.check_writable) for _ in range(16)]:
            probe.result()

    assert everything(objects) == []
