"""What the stages of a calibration read: catalogue, options, model version, earlier stages."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from hbmlc.schemas import Stage
from hbmlc_models.base_models import (
    ModelCardError,
    ModelVersion,
    UnknownModelError,
    load_version,
    read_version,
)
from hbmlc_models.formats import CanonicalCatalog
from hbmlc_models.pipeline import (
    CalibrationOptions,
    OptionError,
    SurveyFit,
    TileDensity,
    TileSelection,
)
from hbmlc_store.jobs.units import Claim, Output, find_output
from hbmlc_store.keys import model_key, unit_key
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
    "write_output",
]


@contextmanager
def open_catalog(work: Work) -> Generator[CanonicalCatalog]:
    """Open the job's catalogue in its canonical form."""
    with (
        lend_catalog(work.context, work.job.catalog) as file,
        CanonicalCatalog.open(file) as catalog,
    ):
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


def load_model(work: Work) -> ModelVersion:
    """Load the pinned model version: one that ships with this release, or an account's own.

    Raises
    ------
    WorkerError
        There is no such version (``model-missing``), or its weights are not those that the job pins
        (``model-digest-mismatch``).
    """
    job = work.job
    if job.model_name is None or job.model_version is None:
        raise WorkerError("model-missing", "The job pins no model version.")
    try:
        model = load_version(job.model_name, job.model_version)
    except UnknownModelError as exc:
        model = _load_trained(work, reason=str(exc))
    if job.model_digest is not None and model.digest != job.model_digest:
        # An account's own model may have the name of one that a later release ships.
        model = _load_trained(
            work,
            reason=f"{job.model_name}:{job.model_version} has digest {model.digest} here, but the "
            f"job pins {job.model_digest}; install the same release on every machine.",
            code="model-digest-mismatch",
        )
    return model


def _load_trained(work: Work, *, reason: str, code: str = "model-missing") -> ModelVersion:
    """Load the weights that a training stored under the pinned digest."""
    digest = work.job.model_digest
    key = None if digest is None else model_key(digest)
    if key is None or work.context.objects.size(key) is None:
        raise WorkerError(code, f"This worker lacks the model: {reason}")
    try:
        model = read_version(work.context.objects.get(key))
    except ModelCardError as exc:
        raise WorkerError(
            "model-digest-mismatch", f"The stored weights are damaged: {exc}"
        ) from exc
    if model.digest != digest:
        raise WorkerError(
            "model-digest-mismatch",
            f"The weights under {key} have digest {model.digest}, but the job pins {digest}.",
        )
    return model


def tiles_of(claim: Claim) -> list[int]:
    """Give the indices of the tiles that a unit covers."""
    return [int(index) for index in claim.payload["tiles"]]


def write_output(work: Work, claim: Claim, data: bytes) -> Output:
    """Write what a unit hands to the stages that follow, under a key of this attempt's own."""
    key = unit_key(work.job.id, claim.stage, claim.unit, claim.attempt)
    return Output(key=key, digest=work.context.objects.put(key, data).digest)


def read_survey(work: Work) -> SurveyFit:
    """Read what SURVEY wrote."""
    return SurveyFit.from_bytes(_read_output(work, Stage.SURVEY, 0))


def read_selection(work: Work, unit: int) -> TileSelection:
    """Read what SELECTION wrote for a unit."""
    return TileSelection.from_bytes(_read_output(work, Stage.SELECTION, unit))


def read_density(work: Work, unit: int) -> TileDensity:
    """Read what ADAPTATION wrote for a unit."""
    return TileDensity.from_bytes(_read_output(work, Stage.ADAPTATION, unit))


def _read_output(work: Work, stage: Stage, unit: int) -> bytes:
    with work.context.database.transaction() as tx:
        output = find_output(tx, work.job.id, stage, unit)
    return work.context.objects.get(output.key, digest=output.digest)
