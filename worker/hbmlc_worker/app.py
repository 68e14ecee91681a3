"""The Celery application: carries messages, remembers nothing."""

from __future__ import annotations

import logging
from uuid import UUID

import structlog
from celery import Celery, signals
from celery.exceptions import Reject
from sqlalchemy.exc import InterfaceError, OperationalError

from hbmlc.schemas import Stage
from hbmlc_store.embedded.child import die_with_parent
from hbmlc_store.settings import Settings
from hbmlc_worker.context import WorkerContext, make_context
from hbmlc_worker.draining import listen_for_drain
from hbmlc_worker.runner import run_message
from hbmlc_worker.transport import use_transport

__all__ = ["TASK_NAME", "create_celery"]

TASK_NAME = "hbmlc.work"

_contexts: dict[str, WorkerContext] = {}
"""The one context of this process, made at its first task, that is after any fork."""

logger = structlog.get_logger(__name__)


def create_celery(settings: Settings) -> Celery:
    """Make the application; its single task works on what a message announces."""
    use_transport()
    app = Celery("hbmlc", broker=settings.broker_url.get_secret_value(), set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=True,
        # A redelivered message finds the unit still claimed and does nothing: the lease bounds it.
        task_reject_on_worker_lost=True,
        task_create_missing_queues=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_max_tasks_per_child=200,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        # An outage of any length is waited out: whoever restarts us cannot mend the broker.
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": int(2 * settings.task_seconds),
            "socket_timeout": 30.0,
            "socket_connect_timeout": 5.0,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        task_time_limit=settings.task_seconds,
        task_soft_time_limit=0.95 * settings.task_seconds,
        timezone="UTC",
    )

    def work(job_id: str, stage: str) -> None:
        try:
            run_message(_context(settings), job_id=UUID(job_id), stage=Stage(stage))
        except (OperationalError, InterfaceError) as exc:
            # Acknowledged, the message would be gone and its unit wait for another one.
            raise Reject("the database does not answer", requeue=True) from exc

    app.task(name=TASK_NAME)(work)
    return app


def _context(settings: Settings) -> WorkerContext:
    if "context" not in _contexts:
        _contexts["context"] = make_context(settings)
    return _contexts["context"]


@signals.setup_logging.connect
def _keep_our_logs(**_: object) -> None:
    """Having a receiver keeps Celery from setting up logs of its own.

    What ends a task besides its own errors, which never get so far, is no failure of a job: the
    janitor tells of it, with the ids.
    """
    logging.getLogger("celery.worker.request").addFilter(_soften)


def _soften(record: logging.LogRecord) -> bool:
    record.levelno, record.levelname = logging.INFO, "INFO"
    record.exc_info = None
    return True


@signals.worker_process_init.connect
def _tie_to_parent(**_: object) -> None:
    """End a pool process with its worker: nobody would hear its result."""
    import signal

    die_with_parent(signal.SIGKILL)
    listen_for_drain()
