"""Runs one message: claim, compute, complete. The only place that catches what a stage raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from hbmlc.schemas import Stage
from hbmlc_store.errors import LostClaimError
from hbmlc_store.jobs.stages import batch_size
from hbmlc_store.jobs.units import Claim, claim_units, fail_unit
from hbmlc_store.schema import CatalogRow, JobRow
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.problems import is_fatal, problem_of
from hbmlc_worker.pulse import Pulse
from hbmlc_worker.work import JobPin, StageFunction, Work

__all__ = ["run_message"]

# Named, not imported: an ingest should not wait for torch, nor an adaptation for the sampler.
_STAGES: Mapping[Stage, str] = {
    Stage.INGEST: "hbmlc_worker.tasks.ingest",
    Stage.SURVEY: "hbmlc_worker.tasks.survey",
    Stage.SELECTION: "hbmlc_worker.tasks.selection",
    Stage.ADAPTATION: "hbmlc_worker.tasks.adaptation",
    Stage.ASSEMBLY: "hbmlc_worker.tasks.assembly",
    Stage.TRAINING: "hbmlc_worker.tasks.training",
}

logger = structlog.get_logger(__name__)


def run_message(
    context: WorkerContext,
    *,
    job_id: UUID,
    stage: Stage,
    stages: Mapping[Stage, StageFunction] | None = None,
) -> int:
    """Work on what is ready in a stage of a job; returns how many units were completed.

    ``stages`` puts functions in the place of those that this package has.


    A message that comes twice, or late, finds nothing to claim and does nothing.
    """
    with context.database.transaction() as tx:
        claims = claim_units(
            tx,
            job_id,
            stage,
            limit=batch_size(stage),
            worker=context.name,
            lease=context.settings.lease_seconds,
        )
        if not claims:
            return 0
        job = _pin(tx, job_id)
    structlog.contextvars.bind_contextvars(job_id=str(job_id), stage=stage.value)
    try:
        return _work(context, job, claims, stages or {})
    finally:
        structlog.contextvars.unbind_contextvars("job_id", "stage")


def _pin(tx: Session, job_id: UUID) -> JobPin:
    job = tx.get_one(JobRow, job_id)
    catalog = tx.get_one(CatalogRow, job.catalog_id)
    return JobPin(
        id=job.id,
        catalog_id=job.catalog_id,
        catalog_digest=job.catalog_digest,
        model_name=job.model_name,
        model_version=job.model_version,
        model_digest=job.model_digest,
        options=job.options,
        seed=job.seed,
        mapping=catalog.mapping,
    )


def _work(
    context: WorkerContext,
    job: JobPin,
    claims: Sequence[Claim],
    stages: Mapping[Stage, StageFunction],
) -> int:
    open_claims = list(claims)
    logger.info("Units claimed", units=[claim.unit for claim in claims])
    try:
        with Pulse(context, claims) as pulse:
            work = Work(context=context, job=job, claims=tuple(claims), pulse=pulse)
            stage = claims[0].stage
            run = stages.get(stage) or import_module(_STAGES[stage]).run
            for done in run(work):
                pulse.release(done.claim)
                with context.database.transaction() as tx:
                    done.commit(tx)
                open_claims.remove(done.claim)
    except LostClaimError:
        logger.info("Claim lost; work dropped")
    except Exception as error:
        logger.warning("Units failed", exc_info=True)
        _fail(context, open_claims, error)
    else:
        logger.info("Units completed")
    return len(claims) - len(open_claims)


def _fail(context: WorkerContext, claims: Sequence[Claim], error: Exception) -> None:
    problem = problem_of(error)
    for claim in claims:
        try:
            with context.database.transaction() as tx:
                fail_unit(
                    tx,
                    claim,
                    problem=problem,
                    is_fatal=is_fatal(error),
                    max_attempts=context.settings.max_attempts,
                )
        except LostClaimError:
            logger.info("Claim lost; failure dropped", unit=claim.unit)
