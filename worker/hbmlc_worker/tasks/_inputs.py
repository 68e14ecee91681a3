"""What the stages of a calibration read: catalogue, options, model version, earlier stages."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from hbmlc.schemas import Stage
from hbmlc_models.base_models import ModelVersion, UnknownModelError, load_version
from hbmlc_models.formats import CanonicalCatalog
from hbmlc_models.pipeline import (
    CalibrationOptions,
    OptionError,
    SurveyFit,
    TileDensity,
    TileSelection,
)
from hbmlc_store.jobs.units import Claim
from hbmlc_store.keys import survey_key, unit_key
from hbmlc_worker.catalog_files import lend_catalog
from hbmlc_worker.problems import WorkerError
from hbmlc_worker.work import JobPin, Work

__all__ = [
    "load_model",
    "open_catalog",
    "read_density",
    "read_options",
    "read_selection",
    "read_survey",
    "tiles_of",
]


@contextmanager
def open_catalog(work: Work) -> Generator[CanonicalCatalog]:
    """Open the job's catalogue in its canonical form."""
    with lend_catalog(work.context, work.job) as file, CanonicalCatalog.open(file) as catalog:
        yield catalog


def read_options(job: JobPin) -> CalibrationOptions:
    """Options of the job, with the defaults of the pipeline.

    Raises
    ------
    WorkerError
        The pipeline refuses them (``options-invalid``).
    """
    try:
        return CalibrationOptions.from_dict(job.options)
    except OptionError as exc:
        raise WorkerError("options-invalid", f"The options cannot be used: {exc}") from exc


def load_model(job: JobPin) -> ModelVersion:
    """Load the pinned model version.

    Raises
    ------
    WorkerError
        This worker has no such version (``model-missing``), or other weights under its name
        (``model-digest-mismatch``).
    """
    if job.model_name is None or job.model_version is None:
        raise WorkerError("model-missing", "The job pins no model version.")
    try:
        model = load_version(job.model_name, job.model_version)
    except UnknownModelError as exc:
        raise WorkerError("model-missing", f"This worker lacks the model: {exc}") from exc
    if job.model_digest is not None and model.digest != job.model_digest:
        raise WorkerError(
            "model-digest-mismatch",
            f"{job.model_name}:{job.model_version} has digest {model.digest} on this worker, but "
            f"the job pins {job.model_digest}; install the same release on every machine.",
        )
    return model


def tiles_of(claim: Claim) -> list[int]:
    """Give the indices of the tiles that a unit covers."""
    return [int(index) for index in claim.payload["tiles"]]


def read_survey(work: Work) -> SurveyFit:
    """Read what SURVEY wrote."""
    return SurveyFit.from_bytes(work.context.objects.get(survey_key(work.job.id)))


def read_selection(work: Work, unit: int) -> TileSelection:
    """Read what SELECTION wrote for a unit."""
    key = unit_key(work.job.id, Stage.SELECTION, unit)
    return TileSelection.from_bytes(work.context.objects.get(key))


def read_density(work: Work, unit: int) -> TileDensity:
    """Read what ADAPTATION wrote for a unit."""
    key = unit_key(work.job.id, Stage.ADAPTATION, unit)
    return TileDensity.from_bytes(work.context.objects.get(key))
