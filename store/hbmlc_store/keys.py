"""Object keys: each upload and each attempt writes under keys of its own, once.

A row takes the object over in the transaction that completes the upload or the attempt. What loses
that race, comes late or is killed before it leaves an object that no row names: nothing is ever
replaced, and the sweeper finds the rest.
"""

from __future__ import annotations

from uuid import UUID

from hbmlc.schemas import Stage

__all__ = [
    "canonical_key",
    "catalog_prefix",
    "content_key",
    "job_prefix",
    "model_key",
    "result_key",
    "unit_key",
]


def catalog_prefix(catalog_id: UUID) -> str:
    """Prefix of everything of one catalogue."""
    return f"catalogs/{catalog_id}"


def content_key(catalog_id: UUID, upload_id: UUID) -> str:
    """Key of the bytes as uploaded."""
    return f"{catalog_prefix(catalog_id)}/uploads/{upload_id}"


def canonical_key(catalog_id: UUID, ingest_id: UUID, attempt: int) -> str:
    """Key of the canonical Parquet file that an attempt at an ingest writes."""
    return f"{catalog_prefix(catalog_id)}/canonical/{ingest_id}-{attempt}.parquet"


def job_prefix(job_id: UUID) -> str:
    """Prefix of everything of one job."""
    return f"jobs/{job_id}"


def model_key(digest: str) -> str:
    """Key of the weights of a model version, named by their digest ``sha256:…``."""
    return f"models/{digest.removeprefix('sha256:')}.safetensors"


def unit_key(job_id: UUID, stage: Stage, unit: int, attempt: int) -> str:
    """Key of what an attempt at a unit writes."""
    return f"{job_prefix(job_id)}/{stage.value.lower()}/{unit}-{attempt}.safetensors"


def result_key(job_id: UUID, attempt: int, name: str) -> str:
    """Key of one result file that an attempt at the assembly writes."""
    return f"{job_prefix(job_id)}/results/{attempt}/{name}"
