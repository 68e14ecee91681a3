"""``hbmlc serve``: the whole service on one machine, started and stopped as one."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import structlog
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from hbmlc.schemas import Scope
from hbmlc_store.accounts import authenticate, create_api_key, ensure_account
from hbmlc_store.database import Database, migrate
from hbmlc_store.embedded.child import free_port
from hbmlc_store.embedded.crew import Crew, Member
from hbmlc_store.embedded.errors import StartError
from hbmlc_store.embedded.lock import end_leftovers, hold_home, note_children
from hbmlc_store.embedded.secrets import load_secrets, save_secrets, write_private
from hbmlc_store.embedded.servers import Servers
from hbmlc_store.jobs.reaper import bury, recover
from hbmlc_store.settings import Settings

__all__ = ["serve_home"]

ACCOUNT = "local"
API_START_SECONDS = 60.0
# A stopped service is no fault of the unit; only one that ends several services is suspect.
RECOVER_ATTEMPTS = 10

logger = structlog.get_logger(__name__)


def serve_home(settings: Settings) -> int:
    """Serve a home until SIGTERM, SIGINT or a part that keeps dying; returns the exit status.

    Raises
    ------
    EmbeddedError
        A server did not start, or the home is in use.
    """
    home = settings.home_path
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    # One that was made for us, a volume, may be open to everybody.
    home.chmod(0o700)
    with _awake() as awake, hold_home(home), ExitStack() as stack:
        end_leftovers(home)
        announcement = home / "run" / "service.json"
        announcement.unlink(missing_ok=True)
        servers = Servers(home, load_secrets(home))
        stack.callback(servers.stop)
        settings = _with_servers(settings, servers)
        database = Database(settings.database_url.get_secret_value(), pool_size=2)
        stack.callback(database.close)
        migrate(database)
        api_key = _ensure_api_key(database, settings)
        recover(database, max_attempts=RECOVER_ATTEMPTS)
        crew = Crew(home / "logs")
        stack.callback(crew.stop)
        _start_crew(crew, settings)
        note_children(home, [*crew.pids(), *servers.pids()])
        _register_models(settings)
        _wait_for_api(settings, crew, awake)
        url = f"http://{settings.host}:{settings.port}"
        stack.callback(announcement.unlink, missing_ok=True)
        write_private(
            announcement, json.dumps({"url": url, "api_key": api_key, "pid": os.getpid()})
        )
        logger.info("Service is ready", url=url, home=str(home))
        return _watch(servers, crew, database, settings, awake)


class _Awake:
    """Whether to go on, and a wait that every signal ends."""

    def __init__(self, reader: socket.socket) -> None:
        self._reader = reader
        self.is_stopping = False

    def wait(self, seconds: float) -> None:
        """Wait for a signal, a dead child among them, or for the time to pass."""
        readable, _, _ = select.select([self._reader], [], [], seconds)
        if readable:
            self._reader.recv(4096)

    def stop(self, *_: object) -> None:
        """Signal handler: stop at the next look."""
        self.is_stopping = True


@contextmanager
def _awake() -> Generator[_Awake]:
    reader, writer = socket.socketpair()
    reader.setblocking(False)  # noqa: FBT003 - the socket's own interface
    writer.setblocking(False)  # noqa: FBT003 - as above
    awake = _Awake(reader)
    handlers = {
        signal.SIGTERM: awake.stop,
        signal.SIGINT: awake.stop,
        signal.SIGHUP: awake.stop,
        signal.SIGCHLD: lambda *_: None,
    }
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    former_descriptor = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield awake
    finally:
        signal.set_wakeup_fd(former_descriptor)
        for number, handler in former.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()


def _with_servers(settings: Settings, servers: Servers) -> Settings:
    """Fill the addresses of the home's own servers in."""
    home = settings.home_path
    return settings.model_copy(
        update={
            "home": home,
            "database_url": SecretStr(servers.postgres.url()),
            "broker_url": SecretStr(servers.broker.url()),
            "key_secret": SecretStr(load_secrets(home).key_secret),
            "port": settings.port or free_port(),
        }
    )


def _ensure_api_key(database: Database, settings: Settings) -> str:
    """Give the home's own API key, made at the first start and after it was revoked."""
    home = settings.home_path
    secrets = load_secrets(home)
    key_secret = settings.key_secret.get_secret_value()
    with database.transaction() as tx:
        if authenticate(tx, secrets.api_key, key_secret=key_secret) is not None:
            return secrets.api_key
        account_id = ensure_account(tx, ACCOUNT)
        _, key = create_api_key(
            tx, account_id, name="this machine", scopes=list(Scope), key_secret=key_secret
        )
    save_secrets(home, replace(secrets, api_key=key))
    return key


def _start_crew(crew: Crew, settings: Settings) -> None:
    python = sys.executable
    worker = [python, "-m", "hbmlc_worker", "worker", "--queue"]
    # A busy worker finishes its task on SIGTERM, which may take minutes; SIGQUIT drops it, and the
    # unit is queued again.
    drop = (signal.SIGTERM, signal.SIGQUIT)
    environment = settings.child_environment()
    crew.start(Member(name="api", command=[python, "-m", "hbmlc_service"], environment=environment))
    crew.start(Member(name="relay", command=[*worker, "relay"], environment=environment))
    for queue in ("ingest", "cpu", "gpu"):
        crew.start(
            Member(
                name=queue,
                command=[*worker, queue],
                environment={**environment, "HBMLC_WORKER_NAME": _worker_name(queue)},
                stop_signals=drop,
            )
        )


def _worker_name(queue: str) -> str:
    return f"{socket.gethostname()}-{queue}"


def _register_models(settings: Settings) -> None:
    log = settings.home_path / "logs" / "register.log"
    with log.open("ab") as output:
        done = subprocess.run(
            [sys.executable, "-m", "hbmlc_worker", "register-models"],
            env=settings.child_environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise StartError(f"The base models could not be registered; see {log}")


def _wait_for_api(settings: Settings, crew: Crew, awake: _Awake) -> None:
    deadline = time.monotonic() + API_START_SECONDS
    while time.monotonic() < deadline and not awake.is_stopping:
        crew.tend()
        connection = http.client.HTTPConnection(settings.host, settings.port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            awake.wait(0.05)
        finally:
            connection.close()
    if not awake.is_stopping:
        raise StartError(f"The API did not answer; see {settings.home_path / 'logs' / 'api.log'}")


def _watch(
    servers: Servers, crew: Crew, database: Database, settings: Settings, awake: _Awake
) -> int:
    """Tend servers and crew until told to stop; returns the exit status."""
    died: set[str] = set()
    while not awake.is_stopping:
        try:
            servers.tend()
            died.update(crew.tend())
        except ChildProcessError as exc:
            logger.error("Service stops", reason=str(exc))  # noqa: TRY400 - the message says all
            return 1
        if died and _queue_again(died, database, settings):
            died.clear()
        note_children(settings.home_path, [*crew.pids(), *servers.pids()])
        awake.wait(0.5)
    logger.info("Service stops", reason="asked to")
    return 0


def _queue_again(died: Collection[str], database: Database, settings: Settings) -> bool:
    """Queue the units of dead members again: they need not wait for their leases to run out.

    Returns whether it is done; while PostgreSQL is away it is not, and is tried again.
    """
    try:
        for name in died:
            bury(
                database,
                f"{_worker_name(name)}/",
                max_attempts=settings.max_attempts,
                stale_after=settings.stale_message_seconds,
            )
    except OperationalError as exc:
        logger.warning("PostgreSQL does not answer", reason=str(exc.orig))
        return False
    return True
