"""Runs one message: claim, compute, complete. The only place that catches what a stage raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TypeVar
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from hbmlc.schemas import Stage
from hbmlc_store.errors import LostClaimError, StoreUnavailableError
from hbmlc_store.jobs.stages import batch_size
from hbmlc_store.jobs.units import Claim, claim_units, fail_unit, give_back, is_completed
from hbmlc_store.schema import CatalogRow, JobRow
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.draining import DRAINING
from hbmlc_worker.outages import patiently
from hbmlc_worker.problems import is_fatal, is_outage, problem_of
from hbmlc_worker.pulse import DrainError, Pulse
from hbmlc_worker.work import Done, JobPin, StageFunction, Work

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
STORE_PAUSE = 3.0
"""Seconds for which a unit is held after the object store failed, before it is tried again."""

T = TypeVar("T")
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

    Raises
    ------
    OperationalError
        The database did not answer for long; the message has to come again.
    """
    claimed = _transact(context, lambda tx: _claim(tx, context, job_id, stage))
    if claimed is None:
        return 0
    job, claims = claimed
    with structlog.contextvars.bound_contextvars(
        job_id=str(job.id),
        account_id=str(job.account_id),
        request_id=job.request_id,
        stage=stage.value,
        units=[claim.unit for claim in claims],
        worker=context.name,
    ):
        return _Task(context, job, claims, stages or {}).run()


def _claim(
    tx: Session, context: WorkerContext, job_id: UUID, stage: Stage
) -> tuple[JobPin, list[Claim]] | None:
    claims = claim_units(
        tx,
        job_id,
        stage,
        limit=batch_size(stage),
        worker=context.name,
        lease=context.settings.lease_seconds,
    )
    return (_pin(tx, job_id), claims) if claims else None


def _pin(tx: Session, job_id: UUID) -> JobPin:
    job = tx.get_one(JobRow, job_id)
    catalog = tx.get_one(CatalogRow, job.catalog_id)
    return JobPin(
        id=job.id,
        account_id=job.account_id,
        request_id=job.request_id,
        catalog_id=job.catalog_id,
        catalog_digest=job.catalog_digest,
        content_key=catalog.content_key,
        canonical_key=catalog.canonical_key,
        model_name=job.model_name,
        model_version=job.model_version,
        model_digest=job.model_digest,
        options=job.options,
        seed=job.seed,
        mapping=catalog.mapping,
    )


def _transact(context: WorkerContext, use_case: Callable[[Session], T]) -> T:
    def once() -> T:
        with context.database.transaction() as tx:
            return use_case(tx)

    return patiently(once, seconds=context.settings.outage_seconds)


class _Task:
    """Claimed units on their way to being completed, failed or given back."""

    def __init__(
        self,
        context: WorkerContext,
        job: JobPin,
        claims: Sequence[Claim],
        stages: Mapping[Stage, StageFunction],
    ) -> None:
        self._context = context
        self._job = job
        self._claims = tuple(claims)
        self._open = list(claims)
        self._stages = stages

    def run(self) -> int:
        """Work on the units; returns how many were completed."""
        logger.info("Units claimed")
        try:
            self._compute()
        except LostClaimError:
            logger.info("Claim lost; work dropped")
        except DrainError:
            logger.info("Worker stops; units given back", n_units=len(self._open))
            self._give_back()
        except Exception as error:  # noqa: BLE001 - whatever a stage raises is told to the owner
            self._end_badly(error)
        else:
            logger.info("Units completed")
        return len(self._claims) - len(self._open)

    def _compute(self) -> None:
        stage = self._claims[0].stage
        with Pulse(self._context, self._claims) as pulse:
            work = Work(context=self._context, job=self._job, claims=self._claims, pulse=pulse)
            run = self._stages.get(stage) or import_module(_STAGES[stage]).run
            for done in run(work):
                pulse.release(done.claim)
                self._complete(done)
                self._open.remove(done.claim)

    def _complete(self, done: Done) -> None:
        try:
            _transact(self._context, done.commit)
        except LostClaimError:
            # A connection that broke at the commit leaves open whether it took place.
            if _transact(self._context, lambda tx: is_completed(tx, done.claim)):
                return
            for key in done.keys:
                self._context.objects.delete(key)
            raise

    def _end_badly(self, error: Exception) -> None:
        if is_outage(error):
            logger.warning("Outage; units given back", error=type(error).__name__)
            if isinstance(error, StoreUnavailableError):
                DRAINING.wait(STORE_PAUSE)
            self._give_back()
            return
        logger.warning("Units failed", exc_info=error)
        problem, fatal = problem_of(error), is_fatal(error)
        for claim in self._open:
            self._fail(claim, problem, is_fatal=fatal)

    def _fail(self, claim: Claim, problem: dict[str, object], *, is_fatal: bool) -> None:
        max_attempts = self._context.settings.max_attempts
        try:
            has_ended = _transact(
                self._context,
                lambda tx: fail_unit(
                    tx, claim, problem=problem, is_fatal=is_fatal, max_attempts=max_attempts
                ),
            )
        except LostClaimError:
            logger.info("Claim lost; failure dropped", unit=claim.unit)
            return
        if has_ended:
            logger.error("Job failed", unit=claim.unit, attempt=claim.attempt, code=problem["code"])

    def _give_back(self) -> None:
        for claim in self._open:
            _transact(self._context, lambda tx, claim=claim: give_back(tx, claim))
