"""One upload: bytes under a key of its own until a catalogue takes them over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from hbmlc_service.context import ServiceContext
from hbmlc_store.errors import StoreError
from hbmlc_store.ids import new_id
from hbmlc_store.keys import content_key
from hbmlc_store.objects import Stored

__all__ = ["Upload"]

T = TypeVar("T")


class Upload:
    """Bytes on their way to a catalogue; no other upload, past or present, is touched by them."""

    def __init__(self, context: ServiceContext, catalog_id: UUID) -> None:
        self._context = context
        self.catalog_id = catalog_id
        self.key = content_key(catalog_id, new_id())

    async def store(
        self, pieces: AsyncIterator[bytes], *, expected_digest: str | None = None
    ) -> Stored:
        """Write the bytes; what breaks off or has another digest leaves nothing."""
        return await self._context.objects.put_stream(
            self.key,
            pieces,
            max_bytes=self._context.settings.max_upload_bytes,
            expected_digest=expected_digest,
        )

    async def hand_over(self, use_case: Callable[[Session], T]) -> T:
        """Run the transaction in which the catalogue takes the bytes over.

        A refusal drops them. After any other error nobody knows whether it was committed; the
        sweeper looks later.
        """
        try:
            return await self._context.arun(use_case)
        except StoreError:
            await self.drop()
            raise

    async def drop(self) -> None:
        """Delete the bytes."""
        await run_in_threadpool(self._context.objects.delete, self.key)
