"""Figures for those who watch the service, in the text format of Prometheus.

Requests are counted by this process alone; ages and readiness are those of the whole service.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hbmlc.schemas import Readiness
from hbmlc_store.jobs.stages import Queue

__all__ = ["Metrics"]

NO_ROUTE = "none"
"""Label of a request to no route of ours: labels are never what a caller sent."""


class Metrics:
    """Counters and gauges of one API process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "hbmlc_http_requests",
            "Requests answered by this process.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "hbmlc_http_request_seconds",
            "Time until the answer had been sent.",
            ["route"],
            registry=self._registry,
        )
        self._ready = self._gauge("hbmlc_ready", "1 where the service can take work.")
        self._outbox_age = self._gauge(
            "hbmlc_outbox_oldest_seconds", "Age of the oldest message not handed to the broker."
        )
        self._unit_age = Gauge(
            "hbmlc_oldest_ready_unit_seconds",
            "Age of the unit that has waited longest for a worker.",
            ["queue"],
            registry=self._registry,
        )

    def count(self, *, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count an answered request."""
        label = route or NO_ROUTE
        self._requests.labels(method=method, route=label, status=str(status)).inc()
        self._seconds.labels(route=label).observe(seconds)

    def render(self, readiness: Readiness) -> bytes:
        """Give the present figures."""
        self._ready.set(readiness.status == "ready")
        self._outbox_age.set(readiness.oldest_message_seconds or 0.0)
        for queue in Queue:
            age = readiness.oldest_ready_unit_seconds.get(queue.value, 0.0)
            self._unit_age.labels(queue=queue.value).set(age)
        return generate_latest(self._registry)

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(name, about, registry=self._registry)
