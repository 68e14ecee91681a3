"""The embedded servers survive what laptops do to them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hbmlc_store.embedded.broker import start_broker
from hbmlc_store.embedded.postgres import EmbeddedPostgres, start_postgres


def start(folder: Path) -> EmbeddedPostgres:
    return start_postgres(
        folder / "data", password="secret", superuser_password="super", log=folder / "log"
    )


def execute(server: EmbeddedPostgres, statement: str) -> list[tuple[object, ...]]:
    url = server.url().replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_committed_rows_outlive_a_crash_and_the_next_start(tmp_path: Path) -> None:
    first = start(tmp_path)
    execute(first, "CREATE TABLE t AS SELECT 7 AS x")
    first.process.kill()
    first.process.wait()

    second = start(tmp_path)

    assert execute(second, "SELECT x FROM t") == [(7,)]
    second.stop()


def test_a_server_that_was_left_running_is_replaced(tmp_path: Path) -> None:
    left = start(tmp_path)
    execute(left, "CREATE TABLE t AS SELECT 7 AS x")

    second = start(tmp_path)

    assert left.process.wait(timeout=20) is not None
    assert execute(second, "SELECT x FROM t") == [(7,)]
    second.stop()


@pytest.mark.parametrize("content", ["", "nonsense\n", f"{os.getpid()}\n/elsewhere\n"])
def test_a_pid_file_of_a_stranger_does_not_stop_the_start(tmp_path: Path, content: str) -> None:
    start(tmp_path).stop()
    (tmp_path / "data" / "postmaster.pid").write_text(content)

    server = start(tmp_path)

    assert execute(server, "SELECT 1") == [(1,)]
    server.stop()


def test_a_path_too_long_for_a_socket_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()

    server = start(deep)

    assert execute(server, "SELECT 1") == [(1,)]
    server.stop()


def test_the_database_wants_its_password(tmp_path: Path) -> None:
    server = start(tmp_path)

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://hbmlc:wrong@127.0.0.1:{server.port}/hbmlc")

    server.stop()


def test_the_broker_wants_its_password_and_shows_it_in_no_process_list(tmp_path: Path) -> None:
    import psutil

    server = start_broker(tmp_path, password="secret-word", log=tmp_path / "log")

    command_line = " ".join(psutil.Process(server.process.pid).cmdline())
    once = Retry(NoBackoff(), 0)
    with (
        redis.Redis(port=server.port, retry=once) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    with redis.Redis.from_url(server.url()) as friend:
        assert friend.ping()
    server.stop()
    assert "secret-word" not in command_line
    assert server.process.returncode in {0, -signal.SIGTERM}
