"""PostgreSQL and the broker come back in their place when they die."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hbmlc_store.embedded.data_folder import end_leftovers_on
from hbmlc_store.embedded.deaths import MAX_RESTARTS
from hbmlc_store.embedded.errors import StartError
from hbmlc_store.embedded.secrets import load_secrets
from hbmlc_store.embedded.servers import Servers

PATIENCE = 60.0


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    running = Servers(tmp_path, load_secrets(tmp_path))
    yield running
    running.stop()


def tend_until(servers: Servers, condition: Callable[[list[str]], bool]) -> list[str]:
    returned: list[str] = []
    deadline = time.monotonic() + PATIENCE
    while not condition(returned):
        assert time.monotonic() < deadline, "the condition did not come true"
        returned += servers.tend()
        time.sleep(0.02)
    return returned


def query(servers: Servers, statement: str) -> list[tuple[object, ...]]:
    url = servers.postgres.url().replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def ping(servers: Servers) -> bool:
    with redis.Redis.from_url(servers.broker.url(), retry=Retry(NoBackoff(), 0)) as client:
        return bool(client.ping())


def kill(pid: int) -> None:
    process = psutil.Process(pid)
    process.kill()


def is_running(pid: int) -> bool:
    # Whoever adopts an orphan may be slow to bury it.
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def cwd_of(process: psutil.Process) -> str | None:
    """Folder of a process; ``None`` for one that has just ended."""
    try:
        return process.cwd()
    except psutil.NoSuchProcess:
        return None


def test_a_killed_postgres_comes_back_with_its_port_and_its_rows(servers: Servers) -> None:
    query(servers, "CREATE TABLE t AS SELECT 7 AS x")
    address, pid = servers.postgres.url(), servers.postgres.process.pid

    kill(pid)
    returned = tend_until(servers, bool)

    assert returned == ["postgres"]
    assert servers.postgres.url() == address
    assert query(servers, "SELECT x FROM t") == [(7,)]


def test_a_killed_broker_comes_back_at_its_port(servers: Servers) -> None:
    address = servers.broker.url()

    kill(servers.broker.process.pid)
    returned = tend_until(servers, bool)

    assert returned == ["broker"]
    assert servers.broker.url() == address
    assert ping(servers)


def test_a_session_that_outlives_its_postmaster_is_ended(servers: Servers) -> None:
    query(servers, "CREATE TABLE t AS SELECT 7 AS x")
    began = threading.Event()
    session: list[int] = []

    def compute() -> None:
        url = servers.postgres.url().replace("+psycopg", "")
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url) as connection:
            session.append(connection.info.backend_pid)
            began.set()
            # It computes and never looks whether its postmaster is there.
            connection.execute("SELECT count(*) FROM generate_series(1, 1e12::bigint) AS n")

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    assert began.wait(PATIENCE)
    folder = psutil.Process(servers.postgres.process.pid).cwd()

    kill(servers.postgres.process.pid)
    tend_until(servers, bool)

    thread.join(PATIENCE)
    assert not is_running(session[0])
    assert query(servers, "SELECT x FROM t") == [(7,)]
    living = psutil.Process(servers.postgres.process.pid).children()
    assert {cwd_of(process) for process in living} <= {folder, None}


def test_a_server_that_keeps_dying_ends_the_service(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hbmlc_store.embedded.deaths.LONGEST_BACKOFF", 0.01)

    def fails(*_: object, **__: object) -> None:
        raise StartError("no")

    monkeypatch.setattr("hbmlc_store.embedded.servers.start_broker", fails)
    kill(servers.broker.process.pid)

    with pytest.raises(ChildProcessError, match=f"broker died {MAX_RESTARTS + 1} times"):
        tend_until(servers, lambda _: False)


def test_processes_on_another_folder_are_left_alone(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()

    end_leftovers_on(tmp_path / "other")

    assert query(servers, "SELECT 1") == [(1,)]
