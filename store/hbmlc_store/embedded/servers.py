"""PostgreSQL and the broker of one home: started, watched, and started again in their place."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from hbmlc_store.embedded.broker import EmbeddedBroker, start_broker
from hbmlc_store.embedded.deaths import Deaths
from hbmlc_store.embedded.errors import StartError
from hbmlc_store.embedded.postgres import EmbeddedPostgres, start_postgres
from hbmlc_store.embedded.secrets import HomeSecrets

__all__ = ["Servers"]

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Post:
    """A server's present process, how it comes back, and its history."""

    name: str
    process: subprocess.Popen[bytes]
    restart: Callable[[], subprocess.Popen[bytes]]
    deaths: Deaths
    restart_at: float | None = None


class Servers:
    """The servers of a home; they keep their ports and data over every restart."""

    def __init__(self, home: Path, secrets: HomeSecrets) -> None:
        self._home = home
        self._secrets = secrets
        self.postgres = self._start_postgres(None)
        try:
            self.broker = self._start_broker(None)
        except BaseException:
            self.postgres.stop()
            raise
        self._posts = [
            _Post("postgres", self.postgres.process, self._restart_postgres, Deaths("postgres")),
            _Post("broker", self.broker.process, self._restart_broker, Deaths("broker")),
        ]

    def tend(self) -> list[str]:
        """Look after the servers once; returns the names of those that were started again.

        Raises
        ------
        ChildProcessError
            A server died again and again.
        """
        return [post.name for post in self._posts if self._tend(post)]

    def pids(self) -> list[int]:
        """Process ids of what the next start has to end; PostgreSQL's folder knows its own."""
        return [self.broker.process.pid]

    def stop(self) -> None:
        """Stop both, the broker first: what it still carries is in PostgreSQL."""
        self.broker.stop()
        self.postgres.stop()

    def _tend(self, post: _Post) -> bool:
        now = time.monotonic()
        if post.restart_at is None:
            if post.process.poll() is None:
                return False
            logger.warning("Server died", server=post.name, status=post.process.returncode)
            post.restart_at = post.deaths.note(now, see=str(self._log(post.name)))
        if now < post.restart_at:
            return False
        try:
            post.process = post.restart()
        except StartError as exc:
            logger.warning("Server does not come back", server=post.name, reason=str(exc))
            post.restart_at = post.deaths.note(now, see=str(self._log(post.name)))
            return False
        post.restart_at = None
        logger.info("Server is back", server=post.name, seconds=round(time.monotonic() - now, 2))
        return True

    def _restart_postgres(self) -> subprocess.Popen[bytes]:
        self.postgres = self._start_postgres(self.postgres.port)
        return self.postgres.process

    def _restart_broker(self) -> subprocess.Popen[bytes]:
        self.broker = self._start_broker(self.broker.port)
        return self.broker.process

    def _start_postgres(self, port: int | None) -> EmbeddedPostgres:
        return start_postgres(
            self._home / "postgres",
            password=self._secrets.database_password,
            superuser_password=self._secrets.superuser_password,
            log=self._log("postgres"),
            port=port,
        )

    def _start_broker(self, port: int | None) -> EmbeddedBroker:
        return start_broker(
            self._home / "broker",
            password=self._secrets.broker_password,
            log=self._log("broker"),
            port=port,
        )

    def _log(self, name: str) -> Path:
        return self._home / "logs" / f"{name}.log"
