"""A real PostgreSQL out of a wheel, as a child process on the loopback interface."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from psycopg.pq import PGconn, Ping

from hbmlc_store.embedded.child import free_port, start_child, stop_child
from hbmlc_store.embedded.data_folder import end_leftovers_on, make_data_folder
from hbmlc_store.embedded.errors import StartError
from hbmlc_store.embedded.programs import find_programs
from hbmlc_store.embedded.roles import SUPERUSER, USER, ensure_roles
from hbmlc_store.embedded.unprivileged import (
    drop_root,
    give_to_unprivileged,
    seen_from_inside,
)

__all__ = ["EmbeddedPostgres", "start_postgres"]

START_SECONDS = 60.0
# A laptop's memory belongs to the samplers; our processes open a few dozen connections.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # No socket file: its path may hold 107 bytes at most, and a home may lie deeper than that.
    "unix_socket_directories": "",
    "max_connections": "80",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPostgres:
    """A running PostgreSQL."""

    process: subprocess.Popen[bytes]
    port: int
    password: str
    superuser_password: str

    def url(self, database: str = USER) -> str:
        """SQLAlchemy address of one of its databases, for the service's role."""
        return self._url(USER, self.password, database)

    def superuser_url(self, database: str = SUPERUSER) -> str:
        """The same for the superuser, who sets up; never for the service."""
        return self._url(SUPERUSER, self.superuser_password, database)

    def stop(self) -> None:
        """Stop it: fast shutdown, and a crash stop if that takes too long."""
        stop_child(self.process, signals=(signal.SIGINT, signal.SIGQUIT), patience=10.0)

    def _url(self, user: str, password: str, database: str) -> str:
        return f"postgresql+psycopg://{user}:{password}@127.0.0.1:{self.port}/{database}"


def start_postgres(
    folder: Path, *, password: str, superuser_password: str, log: Path, port: int | None = None
) -> EmbeddedPostgres:
    """Start PostgreSQL on a data folder, made on the first call, and wait until it answers.

    Parameters
    ----------
    folder
        The data folder; a server that runs on it without us is ended.
    password, superuser_password
        Of the role of the service and of the one that sets up.
    log
        File that takes its output.
    port
        Port to listen on; a free one by default.

    Raises
    ------
    StartError
        It ended or did not answer within a minute; the message quotes the end of its log.
    """
    programs = find_programs()
    end_leftovers_on(folder)
    if not (folder / "PG_VERSION").exists():
        make_data_folder(folder, programs=programs, superuser_password=superuser_password)
    give_to_unprivileged(folder)
    port = port or free_port()
    options = {**_SETTINGS, "port": str(port)}
    process = start_child(
        [
            programs / "postgres",
            "-D",
            seen_from_inside(folder),
            *(f"--{key.replace('_', '-')}={value}" for key, value in options.items()),
        ],
        log=log,
        folder=folder,
        death_signal=signal.SIGINT,
        before_exec=drop_root(),
    )
    server = EmbeddedPostgres(
        process=process, port=port, password=password, superuser_password=superuser_password
    )
    try:
        _wait_until_ready(server, log=log)
        ensure_roles(port, password=password, superuser_password=superuser_password)
    except BaseException:
        server.stop()
        raise
    return server


def _wait_until_ready(server: EmbeddedPostgres, *, log: Path) -> None:
    # Asks whether it takes connections, without one: the roles may not be there yet.
    address = f"host=127.0.0.1 port={server.port} connect_timeout=2".encode()
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        if PGconn.ping(address) == Ping.OK:
            return
        time.sleep(0.05)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise StartError(f"PostgreSQL did not start; the end of {log}:\n{tail}")
