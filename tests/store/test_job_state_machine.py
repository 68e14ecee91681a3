"""No order of events brings a job into an illegal state; PostgreSQL is real."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select, update

from hbmlc.schemas import Phase, Stage
from hbmlc_store.accounts import ensure_account
from hbmlc_store.database import Database
from hbmlc_store.errors import LostClaimError, StaleTransitionError
from hbmlc_store.jobs.calibrations import abort_calibration
from hbmlc_store.jobs.phases import MAY_PRECEDE
from hbmlc_store.jobs.reaper import reap
from hbmlc_store.jobs.units import Claim, claim_units, complete_unit, fail_unit, renew_lease
from hbmlc_store.schema import JobRow, StageRow, UnitRow, UsageRow

MAX_ATTEMPTS = 2
STAGES = [Stage.SURVEY, Stage.SELECTION, Stage.ADAPTATION, Stage.ASSEMBLY]


class JobMachine(RuleBasedStateMachine):
    """Workers, reaper and owner act on one job in any order."""

    database: Database
    make_job: Callable[[UUID], UUID]

    claims = Bundle("claims")

    @initialize()
    def start(self) -> None:
        with self.database.transaction() as tx:
            self.account = ensure_account(tx, "machine")
        self.job = self.make_job(self.account)
        self.phase = Phase.QUEUED
        self.completed: list[tuple[Stage, int]] = []

    @rule(target=claims, stage=st.sampled_from(STAGES), limit=st.integers(1, 3))
    def claim(self, stage: Stage, limit: int) -> object:
        with self.database.transaction() as tx:
            found = claim_units(tx, self.job, stage, limit=limit, worker="w", lease=60)
        return multiple(*found)

    @rule(claim=claims, n_units=st.integers(1, 4))
    def complete(self, claim: Claim, n_units: int) -> None:
        try:
            with self.database.transaction() as tx:
                complete_unit(tx, claim, plan=[{"tiles": [k]} for k in range(n_units)])
        except LostClaimError:
            return
        self.completed.append((claim.stage, claim.unit))

    @rule(claim=claims, is_fatal=st.booleans())
    def fail(self, claim: Claim, is_fatal: bool) -> None:  # noqa: FBT001
        try:
            with self.database.transaction() as tx:
                fail_unit(
                    tx, claim, problem={"code": "x"}, is_fatal=is_fatal, max_attempts=MAX_ATTEMPTS
                )
        except LostClaimError:
            return

    @rule(claim=claims)
    def heartbeat(self, claim: Claim) -> None:
        with self.database.transaction() as tx:
            is_held = renew_lease(tx, claim, lease=60, fraction=0.5)

        if is_held:
            assert (claim.stage, claim.unit) not in self.completed

    @rule()
    def lose_all_workers(self) -> None:
        with self.database.transaction() as tx:
            tx.execute(
                update(UnitRow)
                .where(UnitRow.state == "RUNNING")
                .values(lease_until=func.now() - func.make_interval(0, 0, 0, 0, 0, 0, 1))
            )
        reap(self.database, max_attempts=MAX_ATTEMPTS, stale_after=900)

    @rule()
    def abort(self) -> None:
        try:
            with self.database.transaction() as tx:
                abort_calibration(tx, self.account, self.job)
        except StaleTransitionError:
            assert self.read_phase().is_final

    @invariant()
    def phases_follow_the_table(self) -> None:
        if not hasattr(self, "job"):
            return
        found = self.read_phase()
        path = found == self.phase or self.phase in MAY_PRECEDE[found]
        assert path, f"{self.phase} became {found}"
        self.phase = found

    @invariant()
    def each_unit_completes_once(self) -> None:
        if not hasattr(self, "job"):
            return
        assert len(self.completed) == len(set(self.completed))
        with self.database.transaction() as tx:
            done = tx.scalars(
                select(func.count()).where(UnitRow.job_id == self.job, UnitRow.state == "DONE")
            ).one()
            counted = tx.scalars(
                select(func.sum(StageRow.done)).where(StageRow.job_id == self.job)
            ).one()
        assert done == counted == len(self.completed)

    @invariant()
    def an_ended_job_has_no_open_unit_and_one_usage_record(self) -> None:
        if not hasattr(self, "job"):
            return
        with self.database.transaction() as tx:
            n_open = tx.scalars(
                select(func.count()).where(
                    UnitRow.job_id == self.job, UnitRow.state.in_(["READY", "RUNNING"])
                )
            ).one()
            n_usage = tx.scalars(
                select(func.count()).select_from(UsageRow).where(UsageRow.job_id == self.job)
            ).one()
        is_ended = self.read_phase().is_final
        assert (n_open == 0) == is_ended
        assert n_usage == int(is_ended)

    def read_phase(self) -> Phase:
        with self.database.transaction() as tx:
            return Phase(tx.scalars(select(JobRow.phase).where(JobRow.id == self.job)).one())


@pytest.mark.timeout(120)
def test_no_order_of_events_reaches_an_illegal_state(
    database: Database, make_job: Callable[[UUID], UUID]
) -> None:
    machine = type(
        "Machine", (JobMachine,), {"database": database, "make_job": staticmethod(make_job)}
    )

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
