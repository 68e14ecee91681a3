"""Connections to a bucket, each with the deadlines of what it is for.

Credentials come from where the store's own tools look for them: ``AWS_*``, ``GOOGLE_*`` and
``AZURE_*`` in the environment, or the identity of the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import S3Store, from_url

from hbmlc_store.errors import InvalidError

if TYPE_CHECKING:
    from obstore.store import BackoffConfig, ClientConfig, ObjectStore, RetryConfig

__all__ = ["Clients", "open_clients"]

_CONNECT = timedelta(seconds=2)
_BACKOFF: BackoffConfig = {
    "init_backoff": timedelta(milliseconds=100),
    "max_backoff": timedelta(seconds=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """One store, asked in three ways."""

    content: ObjectStore
    """For bytes, which may take hours as long as they flow."""
    control: ObjectStore
    """For questions that have short answers: the whole of one within seconds."""
    signer: ObjectStore
    """For addresses that are given to clients."""


def open_clients(url: str, *, endpoint: str | None, public_endpoint: str | None) -> Clients:
    """Connect to a bucket.

    Parameters
    ----------
    url
        ``s3://bucket/prefix``, ``gs://…``, ``az://…``.
    endpoint
        Where an S3-compatible store listens, if it is not Amazon's.
    public_endpoint
        The same store as clients see it, where that differs.

    Raises
    ------
    InvalidError
        An endpoint is given for a store that has none.
    """
    if (endpoint or public_endpoint) and urlsplit(url).scheme not in {"s3", "s3a"}:
        raise InvalidError("bad-endpoint", f"{url} takes no endpoint; only s3:// does.")
    if urlsplit(url).scheme == "memory":
        # Each opening makes a memory of its own.
        memory = from_url(url)
        return Clients(content=memory, control=memory, signer=memory)
    content: ClientConfig = {
        "connect_timeout": _CONNECT,
        "read_timeout": timedelta(seconds=20),
        "timeout": timedelta(days=1),
    }
    control: ClientConfig = {"connect_timeout": _CONNECT, "timeout": timedelta(seconds=4)}
    return Clients(
        content=_open(url, endpoint, content, retry_seconds=10),
        control=_open(url, endpoint, control, retry_seconds=2),
        signer=_open(url, public_endpoint or endpoint, control, retry_seconds=2),
    )


def _open(
    url: str, endpoint: str | None, client: ClientConfig, *, retry_seconds: float
) -> ObjectStore:
    # No further attempt begins after this time, so that a dead store is an error within seconds.
    retry: RetryConfig = {
        "max_retries": 3,
        "retry_timeout": timedelta(seconds=retry_seconds),
        "backoff": _BACKOFF,
    }
    if endpoint is not None and endpoint.startswith("http://"):
        client = {**client, "allow_http": True}
    try:
        if endpoint is None:
            return from_url(url, client_options=client, retry_config=retry)
        return S3Store.from_url(url, endpoint=endpoint, client_options=client, retry_config=retry)
    except (BaseError, ValueError) as exc:
        # The library's own text goes on for lines.
        raise InvalidError(
            "bad-object-store",
            f"{url} names no object store: file://, s3://, gs:// and az:// do "
            f"({type(exc).__name__}).",
        ) from exc
