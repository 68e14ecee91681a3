"""What a blip, a forgetful broker or a stop must not cost: a message, an attempt, a minute."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest
import redis
import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from hbmlc.schemas import Phase, Stage
from hbmlc_store.database import Database
from hbmlc_store.errors import StoreUnavailableError
from hbmlc_store.jobs.calibrations import abort_calibration
from hbmlc_store.jobs.reaper import announce_idle, expire_leases_of, extend_leases, reap
from hbmlc_store.jobs.stages import Queue
from hbmlc_store.jobs.units import (
    claim_units,
    complete_unit,
    fail_unit,
    give_back,
    give_back_all_of,
)
from hbmlc_store.schema import JobRow, OutboxRow, UnitRow
from hbmlc_store.settings import Settings
from hbmlc_worker import runner
from hbmlc_worker.app import create_celery
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.draining import DRAINING, drain_pool, listen_for_drain
from hbmlc_worker.janitor import Janitor
from hbmlc_worker.keeper import Duty, Keeper, repeat
from hbmlc_worker.outages import patiently
from hbmlc_worker.relay import publish_waiting
from hbmlc_worker.runner import run_message
from hbmlc_worker.work import Done, Work

PATIENCE = 20.0


def outage() -> OperationalError:
    return OperationalError("SELECT 1", {}, ConnectionError("gone"))


def unit(database: Database, job: UUID) -> UnitRow:
    with database.transaction() as tx:
        return tx.get_one(UnitRow, (job, "SURVEY", 0))


def run(context: WorkerContext, job: UUID, function: Callable[[Work], Iterator[Done]]) -> int:
    return run_message(context, job_id=job, stage=Stage.SURVEY, stages={Stage.SURVEY: function})


def complete(work: Work) -> Iterator[Done]:
    (claim,) = work.claims
    yield Done(claim=claim, commit=partial(complete_unit, claim=claim, plan=[{"tiles": [0]}]))


@pytest.fixture(autouse=True)
def not_draining() -> Iterator[None]:
    yield
    DRAINING.clear()


def test_a_database_that_comes_back_is_waited_for() -> None:
    answers: Iterator[Any] = iter([outage(), outage(), 7])

    def ask() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert patiently(ask, seconds=PATIENCE) == 7


def test_waiting_for_a_database_ends_with_the_time() -> None:
    def ask() -> None:
        raise outage()

    with pytest.raises(OperationalError):
        patiently(ask, seconds=0.2)


def test_a_claim_during_a_blip_works_on_the_unit_all_the_same(
    context: WorkerContext, database: Database, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    blips = iter([outage(), outage()])
    original = runner.claim_units

    def claim(*args: Any, **options: Any) -> Any:
        if (error := next(blips, None)) is not None:
            raise error
        return original(*args, **options)

    monkeypatch.setattr(runner, "claim_units", claim)

    assert run(context, job, complete) == 1


def test_a_commit_that_took_place_unheard_is_no_loss(
    context: WorkerContext, database: Database, job: UUID
) -> None:
    def break_after_commit(work: Work) -> Iterator[Done]:
        (claim,) = work.claims
        calls: list[int] = []

        def commit(tx: Any) -> None:
            calls.append(1)
            if len(calls) == 1:
                with database.transaction() as other:
                    complete_unit(other, claim, plan=[{"tiles": [0]}])
                raise outage()
            complete_unit(tx, claim, plan=[{"tiles": [0]}])

        yield Done(claim=claim, commit=commit, keys=("jobs/x/kept",))

    context.objects.put("jobs/x/kept", b"x")

    assert run(context, job, break_after_commit) == 1
    assert unit(database, job).state == "DONE"
    assert context.objects.keys("jobs") == ["jobs/x/kept"]


@pytest.mark.parametrize(
    "error", [outage(), StoreUnavailableError("object-store-unavailable", "away")]
)
def test_an_outage_does_not_count_against_the_unit(
    context: WorkerContext,
    database: Database,
    job: UUID,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def fail(work: Work) -> Iterator[Done]:
        raise error
        yield

    monkeypatch.setattr(runner, "STORE_PAUSE", 0.0)
    for _ in range(context.settings.max_attempts + 1):
        run(context, job, fail)

    row = unit(database, job)
    assert (row.state, row.failures) == ("READY", 0)
    assert row.attempt == context.settings.max_attempts + 1
    assert run(context, job, complete) == 1


def test_objects_of_a_lost_claim_are_deleted(
    context: WorkerContext, database: Database, account: UUID, job: UUID
) -> None:
    def lose(work: Work) -> Iterator[Done]:
        (claim,) = work.claims
        work.pulse.release(claim)
        context.objects.put("jobs/x/1", b"x")
        with database.transaction() as tx:
            abort_calibration(tx, account, job)
        yield Done(claim=claim, commit=partial(complete_unit, claim=claim), keys=("jobs/x/1",))

    assert run(context, job, lose) == 0
    assert context.objects.keys("jobs") == []


def test_a_worker_that_is_stopped_gives_its_unit_back_uncounted(
    context: WorkerContext, database: Database, job: UUID
) -> None:
    def compute(work: Work) -> Iterator[Done]:
        DRAINING.set()
        threading.Event().wait(PATIENCE)
        yield from complete(work)

    for _ in range(context.settings.max_attempts + 1):
        DRAINING.clear()
        assert run(context, job, compute) == 0

    row = unit(database, job)
    assert (row.state, row.failures) == ("READY", 0)
    with database.transaction() as tx:
        assert tx.get_one(JobRow, job).phase == Phase.EXECUTING


def test_a_unit_is_held_until_a_stopped_worker_can_let_go_of_it(
    context: WorkerContext, database: Database, job: UUID
) -> None:
    brief = replace(context, settings=context.settings.model_copy(update={"lease_seconds": 1.0}))

    def compute(work: Work) -> Iterator[Done]:
        first = unit(database, job).lease_until
        DRAINING.set()
        deadline = time.monotonic() + PATIENCE
        while unit(database, job).lease_until == first and time.monotonic() < deadline:
            DRAINING.wait(0.01)
        renewed.append(unit(database, job).lease_until != first)
        yield from complete(work)

    renewed: list[bool] = []
    # Outside of the main thread no signal ends it: so are long calls of libraries, and imports.
    thread = threading.Thread(target=run, args=(brief, job, compute))
    thread.start()
    thread.join()

    assert renewed == [True]
    assert unit(database, job).state == "DONE"


def test_only_processes_that_listen_are_told_to_drain() -> None:
    deaf = os.fork()
    if deaf == 0:
        signal.pause()
        os._exit(0)
    reader, writer = os.pipe()
    listening = os.fork()
    if listening == 0:
        listen_for_drain()
        os.write(writer, b"x")
        os._exit(7 if DRAINING.wait(PATIENCE) else 1)
    os.read(reader, 1)

    drain_pool()

    _, status = os.waitpid(listening, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert os.waitpid(deaf, os.WNOHANG) == (0, 0)
    os.kill(deaf, signal.SIGKILL)
    os.waitpid(deaf, 0)


def test_units_of_a_worker_that_is_killed_are_given_back(database: Database, job: UUID) -> None:
    with database.transaction() as tx:
        claim_units(tx, job, Stage.SURVEY, limit=1, worker="host/12", lease=60)

    others = give_back_all_of(database, ["host/1", "host/123"])
    own = give_back_all_of(database, ["host/12"])

    assert (others, own) == (0, 1)
    assert unit(database, job).state == "READY"


def test_the_death_of_a_pool_process_is_noticed_at_once(
    settings: Settings, database: Database, job: UUID
) -> None:
    janitor = Janitor(settings.model_copy(update={"worker_name": "host"}), Queue.CPU)
    child = os.fork()
    if child == 0:
        signal.pause()
    with database.transaction() as tx:
        claim_units(tx, job, Stage.SURVEY, limit=1, worker=f"host/{child}", lease=3600)
    janitor.mourn_children()
    before = unit(database, job).state

    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    janitor.mourn_children()

    after = unit(database, job)
    assert (before, after.state, after.failures) == ("RUNNING", "READY", 1)


def test_a_worker_that_takes_nothing_from_a_full_queue_ends_itself(
    settings: Settings,
    database: Database,
    queues: redis.Redis,
    job: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended: list[int] = []
    monkeypatch.setattr("hbmlc_worker.janitor.os._exit", ended.append)
    janitor = Janitor(settings.model_copy(update={"stuck_seconds": 0.0}), Queue.CPU)

    janitor.end_if_stuck()
    idle = list(ended)
    queues.lpush("cpu", "message")
    with database.transaction() as tx:
        (claim,) = claim_units(tx, job, Stage.SURVEY, limit=1, worker=janitor._names()[0], lease=60)
    janitor.end_if_stuck()
    busy = list(ended)
    with database.transaction() as tx:
        give_back(tx, claim)
    janitor.end_if_stuck()

    assert (idle, busy) == ([], [])
    assert ended == [70]


def test_a_message_whose_acknowledgement_failed_does_not_keep_the_worker_from_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = create_celery(settings).connection_for_read()
    with connection, connection.channel() as channel:
        channel.basic_qos(prefetch_count=1)
        queue = connection.SimpleQueue("test-ack", channel=channel)
        queue.put("message")
        message = queue.get(timeout=PATIENCE)
        taken = channel.qos.can_consume()

        monkeypatch.setattr(channel.qos, "_remove_from_indices", Mock(side_effect=ConnectionError))
        with pytest.raises(ConnectionError):
            message.ack()

        assert not taken
        assert channel.qos.can_consume()


def test_messages_that_the_broker_forgot_are_written_again_within_seconds(
    settings: Settings, database: Database, queues: redis.Redis, job: UUID
) -> None:
    app = create_celery(settings)
    publish_waiting(app, database)
    queues.flushall()
    keeper = Keeper(
        settings.model_copy(update={"idle_message_seconds": 0.0}), database, objects=None
    )  # type: ignore[arg-type]

    keeper.reap()
    publish_waiting(app, database)

    assert queues.llen("cpu") == 1


def test_a_queue_with_messages_gets_no_second_ones(
    settings: Settings, database: Database, queues: redis.Redis, job: UUID
) -> None:
    app = create_celery(settings)
    publish_waiting(app, database)
    keeper = Keeper(
        settings.model_copy(update={"idle_message_seconds": 0.0}), database, objects=None
    )  # type: ignore[arg-type]

    keeper.reap()

    assert publish_waiting(app, database) == 0


def test_the_outbox_does_not_grow_while_the_broker_is_down(database: Database, job: UUID) -> None:
    with database.transaction() as tx:
        before = tx.query(OutboxRow).count()
        tx.execute(text("UPDATE work_unit SET queued_at = now() - interval '1 hour'"))

    for _ in range(3):
        announce_idle(database, Queue.CPU, after=0)
        reap(database, max_attempts=3, stale_after=0)

    with database.transaction() as tx:
        assert tx.query(OutboxRow).count() == before


def test_after_an_outage_of_the_database_workers_get_time_to_renew(
    database: Database, job: UUID
) -> None:
    with database.transaction() as tx:
        claim_units(tx, job, Stage.SURVEY, limit=1, worker="w", lease=-60)

    extend_leases(database, seconds=60)

    assert reap(database, max_attempts=3, stale_after=900).n_requeued == 0


def test_no_error_ends_a_duty() -> None:
    stop = threading.Event()
    rounds: list[int] = []

    def act() -> None:
        rounds.append(1)
        if len(rounds) == 3:
            stop.set()
        raise ZeroDivisionError

    repeat(Duty("x", 0.0, act), stop=stop)

    assert len(rounds) == 3


def test_a_job_that_fails_leaves_one_error_with_all_that_one_needs(
    context: WorkerContext, database: Database, job: UUID
) -> None:
    with database.transaction() as tx:
        tx.get_one(JobRow, job).request_id = "abc-1"

    def fail(work: Work) -> Iterator[Done]:
        raise ZeroDivisionError
        yield

    with structlog.testing.capture_logs(
        processors=[structlog.contextvars.merge_contextvars]
    ) as lines:
        for _ in range(context.settings.max_attempts):
            run(context, job, fail)

    errors = [line for line in lines if line["log_level"] == "error"]
    assert len(errors) == 1
    assert errors[0]["event"] == "Job failed"
    assert {"job_id", "account_id", "request_id", "stage", "unit", "worker"} <= set(errors[0])
    assert errors[0]["request_id"] == "abc-1"


def test_a_job_that_the_reaper_gives_up_leaves_one_error_too(
    settings: Settings, database: Database, job: UUID
) -> None:
    keeper = Keeper(settings.model_copy(update={"max_attempts": 1}), database, objects=None)  # type: ignore[arg-type]
    with database.transaction() as tx:
        claim_units(tx, job, Stage.SURVEY, limit=1, worker="host/1", lease=60)
        expire_leases_of(tx, "host/1")

    with structlog.testing.capture_logs() as lines:
        keeper.reap()

    (error,) = (line for line in lines if line["log_level"] == "error")
    assert error["job_id"] == str(job)
    assert error["worker"] == "host/1"


def test_a_failure_counts_once_for_each_attempt_that_failed(database: Database, job: UUID) -> None:
    for _ in range(5):
        with database.transaction() as tx:
            (claim,) = claim_units(tx, job, Stage.SURVEY, limit=1, worker="w", lease=60)
            give_back(tx, claim)
    with database.transaction() as tx:
        (claim,) = claim_units(tx, job, Stage.SURVEY, limit=1, worker="w", lease=60)
        has_ended = fail_unit(tx, claim, problem={"code": "x"}, is_fatal=False, max_attempts=2)

    assert not has_ended
    assert unit(database, job).failures == 1
