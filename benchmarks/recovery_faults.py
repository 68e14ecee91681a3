"""Faults that befall a running service, each brought on by hand."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from benchmarks.served_home import ServedHome, wait_until

__all__ = ["FAULTS", "Fault"]

OUTAGE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that befalls a service."""

    name: str
    bring: Callable[[ServedHome], None]
    """Returns once it is over."""


def _flush(service: ServedHome) -> None:
    with service.broker() as broker:
        broker.flushall()


def _freeze(name: str) -> Callable[[ServedHome], None]:
    """Stop all processes of a part for ten seconds, as a machine does that swaps or migrates."""

    def bring(service: ServedHome) -> None:
        lead = service.part(name)
        family = [lead, *lead.children(recursive=True)]
        _signal_all(family, signal.SIGSTOP)
        time.sleep(OUTAGE_SECONDS)
        _signal_all(family, signal.SIGCONT)

    return bring


def _take_away(name: str) -> Callable[[ServedHome], None]:
    """Kill a part and let ten seconds pass in which nobody starts it again."""

    def bring(service: ServedHome) -> None:
        service.supervisor.send_signal(signal.SIGSTOP)
        service.part(name).kill()
        time.sleep(OUTAGE_SECONDS)
        service.supervisor.send_signal(signal.SIGCONT)

    return bring


def _signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        if process.is_running():
            process.send_signal(number)


def _kill(name: str) -> Callable[[ServedHome], None]:
    return lambda service: service.part(name).kill()


def _kill_pool(name: str) -> Callable[[ServedHome], None]:
    """Kill the pool process of a worker, as the kernel does when memory runs out."""

    def bring(service: ServedHome) -> None:
        pool = wait_until(service.part(name).children, seconds=30, what=f"a pool of {name}")
        for process in pool:
            process.kill()

    return bring


FAULTS = (
    Fault(name="FLUSHALL on the broker", bring=_flush),
    Fault(name="PostgreSQL frozen for 10 s", bring=_freeze("postgres")),
    Fault(name="broker frozen for 10 s", bring=_freeze("broker")),
    Fault(name="PostgreSQL gone for 10 s", bring=_take_away("postgres")),
    Fault(name="broker gone for 10 s", bring=_take_away("broker")),
    Fault(name="kill -9 of PostgreSQL", bring=_kill("postgres")),
    Fault(name="kill -9 of the broker", bring=_kill("broker")),
    Fault(name="kill -9 of the API", bring=_kill("api")),
    Fault(name="kill -9 of the relay", bring=_kill("relay")),
    Fault(name="kill -9 of the ingest worker", bring=_kill("ingest")),
    Fault(name="kill -9 of its pool process", bring=_kill_pool("ingest")),
    Fault(name="kill -9 of the cpu worker", bring=_kill("cpu")),
    Fault(name="kill -9 of its pool process (cpu)", bring=_kill_pool("cpu")),
)
