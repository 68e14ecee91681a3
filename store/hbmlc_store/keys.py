"""Object keys: pure functions of what an object is, so a repeated task overwrites its bytes."""

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
    "survey_key",
    "unit_key",
]


def catalog_prefix(catalog_id: UUID) -> str:
    """Prefix of everything of one catalogue."""
    return f"catalogs/{catalog_id}"


def content_key(catalog_id: UUID) -> str:
    """Key of the bytes as uploaded."""
    return f"{catalog_prefix(catalog_id)}/content"


def canonical_key(catalog_id: UUID) -> str:
    """Key of the canonical Parquet file."""
    return f"{catalog_prefix(catalog_id)}/canonical.parquet"


def job_prefix(job_id: UUID) -> str:
    """Prefix of everything of one job."""
    return f"jobs/{job_id}"


def model_key(digest: str) -> str:
    """Key of the weights of a model version, named by their digest ``sha256:…``."""
    return f"models/{digest.removeprefix('sha256:')}.safetensors"


def survey_key(job_id: UUID) -> str:
    """Key of the fit of the whole survey."""
    return f"{job_prefix(job_id)}/survey.safetensors"


def unit_key(job_id: UUID, stage: Stage, unit: int) -> str:
    """Key of what one unit of a stage wrote."""
    return f"{job_prefix(job_id)}/{stage.value.lower()}/{unit}.safetensors"


def result_key(job_id: UUID, name: str) -> str:
    """Key of one result file."""
    return f"{job_prefix(job_id)}/results/{name}"
