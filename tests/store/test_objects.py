"""The object store keeps what was sent, and nothing of what was not."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hbmlc_store.errors import DigestMismatchError, InvalidError, NotFoundError
from hbmlc_store.objects import Objects, Stored


def put_stream(
    objects: Objects, pieces: list[bytes], *, max_bytes: int = 100, digest: str | None = None
) -> Stored:
    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return asyncio.run(
        objects.put_stream("a/b", stream(), max_bytes=max_bytes, expected_digest=digest)
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(pieces=st.lists(st.binary(max_size=40), min_size=1).filter(any))
def test_a_stream_reads_back_as_sent(objects: Objects, pieces: list[bytes]) -> None:
    sent = b"".join(pieces)

    stored = put_stream(objects, pieces, max_bytes=len(sent), digest=None)

    assert objects.get("a/b") == sent
    assert stored == Stored(size_bytes=len(sent), digest=hashlib.sha256(sent).hexdigest())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(start=st.integers(0, 50), length=st.integers(0, 50))
def test_a_range_reads_as_a_slice(objects: Objects, start: int, length: int) -> None:
    data = bytes(range(100))
    objects.put("range", data)

    found = b"".join(objects.stream("range", start=start, end=start + length))

    assert found == data[start : start + length]


@pytest.mark.parametrize(
    ("pieces", "max_bytes", "digest", "code"),
    [
        ([], 100, None, "empty-file"),
        ([b"x" * 60, b"x" * 60], 100, None, "too-large"),
        ([b"content"], 100, "00" * 32, "digest-mismatch"),
    ],
)
def test_a_refused_stream_leaves_nothing(
    objects: Objects, pieces: list[bytes], max_bytes: int, digest: str | None, code: str
) -> None:
    with pytest.raises((InvalidError, DigestMismatchError)) as caught:
        put_stream(objects, pieces, max_bytes=max_bytes, digest=digest)

    assert caught.value.code == code
    assert objects.keys("a") == []


def test_a_broken_stream_keeps_the_former_object(objects: Objects) -> None:
    put_stream(objects, [b"first"])

    async def breaks() -> AsyncIterator[bytes]:
        yield b"second"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        asyncio.run(objects.put_stream("a/b", breaks(), max_bytes=100))

    assert objects.get("a/b") == b"first"


@pytest.mark.parametrize(
    "key", ["../secret", "a/../../secret", "/etc/passwd", "a//b", "", "a/.hidden", "a\\b", "ä"]
)
def test_a_key_cannot_leave_the_store(objects: Objects, key: str) -> None:
    with pytest.raises(InvalidError):
        objects.put(key, b"x")


def test_a_missing_object_is_not_found(objects: Objects) -> None:
    with pytest.raises(NotFoundError):
        objects.get("nothing/here")
    with pytest.raises(NotFoundError), objects.as_file("nothing/here"):
        pass


def test_deleting_below_a_prefix_leaves_its_neighbours(objects: Objects) -> None:
    for key in ("jobs/1/a", "jobs/1/b/c", "jobs/12/a"):
        objects.put(key, b"x")

    assert objects.delete_below("jobs/1") == 2

    assert objects.keys("jobs") == ["jobs/12/a"]


def test_a_remote_object_is_lent_as_a_copy_that_goes_away(tmp_path: Path) -> None:
    objects = Objects("memory:///")
    objects.put("a/b.parquet", b"content")

    with objects.as_file("a/b.parquet", scratch=tmp_path) as file:
        assert file.read_bytes() == b"content"
        assert file.name == "b.parquet"

    assert list(tmp_path.iterdir()) == []
