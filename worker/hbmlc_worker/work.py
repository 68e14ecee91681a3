"""What a stage gets to do its work, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from hbmlc_store.jobs.units import Claim
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.pulse import Pulse

__all__ = ["CatalogPin", "Done", "JobPin", "StageFunction", "Work"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogPin:
    """A catalogue as it was when a job was asked for."""

    id: UUID
    digest: str | None
    """sha256 of its canonical file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPin:
    """The facts that a job is bound to."""

    id: UUID
    catalog_id: UUID
    catalog_digest: str | None
    model_name: str | None
    model_version: int | None
    model_digest: str | None
    options: dict[str, object]
    seed: int
    mapping: dict[str, object] | None
    """Column mapping of the catalogue."""

    @property
    def catalog(self) -> CatalogPin:
        """The job's catalogue; of a training the first one."""
        return CatalogPin(id=self.catalog_id, digest=self.catalog_digest)


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


StageFunction = Callable[[Work], Iterator[Done]]
"""A stage yields each unit as soon as it is done."""
