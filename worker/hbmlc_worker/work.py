"""What a stage gets to do its work, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from hbmlc_store.jobs.units import Claim
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.problems import WorkerError
from hbmlc_worker.pulse import Pulse

__all__ = ["CatalogPin", "Done", "JobPin", "StageFunction", "Work", "pin_catalog"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogPin:
    """A catalogue as it was when a job was asked for."""

    id: UUID
    digest: str | None
    """sha256 of its canonical file."""
    key: str
    """Object with the canonical file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPin:
    """The facts that a job is bound to."""

    id: UUID
    account_id: UUID
    request_id: str | None
    """Request that asked for it."""
    catalog_id: UUID
    catalog_digest: str | None
    """sha256 of the canonical file; of an ingest, of the content."""
    content_key: str | None
    """Object with the catalogue's content as uploaded."""
    canonical_key: str | None
    """Object with the catalogue in its canonical form."""
    model_name: str | None
    model_version: int | None
    model_digest: str | None
    options: dict[str, object]
    seed: int
    mapping: dict[str, object] | None
    """Column mapping of the catalogue."""

    @property
    def catalog(self) -> CatalogPin:
        """The job's catalogue; of a training the first one.

        Raises
        ------
        WorkerError
            The catalogue has no canonical form (``catalog-missing``).
        """
        return pin_catalog(self.catalog_id, digest=self.catalog_digest, key=self.canonical_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Claimed units of one stage of one job."""

    context: WorkerContext
    job: JobPin
    claims: tuple[Claim, ...]
    pulse: Pulse


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One unit whose objects are written; ``commit`` says so in the database."""

    claim: Claim
    commit: Callable[[Session], None]
    keys: tuple[str, ...] = ()
    """Objects that this attempt wrote; where the claim is lost, nobody will ever name them."""


def pin_catalog(catalog_id: UUID, *, digest: str | None, key: str | None) -> CatalogPin:
    """Pin a catalogue whose canonical form is stored.

    Raises
    ------
    WorkerError
        It is not (``catalog-missing``).
    """
    if key is None:
        raise WorkerError(
            "catalog-missing",
            f"Catalogue {catalog_id} is no longer stored; upload it again and ask anew.",
        )
    return CatalogPin(id=catalog_id, digest=digest, key=key)


StageFunction = Callable[[Work], Iterator[Done]]
"""A stage yields each unit as soon as it is done."""
