"""The outbox hands each committed message on, and only those."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from hbmlc_store.database import Database
from hbmlc_store.outbox import CHANNEL, add_message, oldest_message, publish_batch
from hbmlc_store.schema import JsonObject


def add(database: Database, *numbers: int) -> None:
    with database.transaction() as tx:
        for number in numbers:
            add_message(tx, queue="cpu", payload={"number": number})


def recorder(sent: list[int]) -> Callable[[str, JsonObject], None]:
    return lambda _queue, payload: sent.append(payload["number"])


def test_messages_go_out_once_and_in_order(database: Database) -> None:
    add(database, 1, 2, 3)
    sent: list[int] = []

    for _ in range(2):
        with database.transaction() as tx:
            publish_batch(tx, recorder(sent))

    assert sent == [1, 2, 3]


def test_a_rolled_back_change_sends_nothing(database: Database) -> None:
    def add_and_break() -> None:
        with database.transaction() as tx:
            add_message(tx, queue="cpu", payload={"number": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        add_and_break()
    sent: list[int] = []

    with database.transaction() as tx:
        publish_batch(tx, recorder(sent))

    assert sent == []


def test_messages_stay_while_the_broker_is_down(database: Database) -> None:
    add(database, 1)

    def refuse(queue: str, payload: JsonObject) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError), database.transaction() as tx:
        publish_batch(tx, refuse)

    with database.transaction() as tx:
        assert oldest_message(tx) is not None


def test_a_second_relay_skips_what_the_first_holds(database: Database) -> None:
    add(database, 1, 2)
    first: list[int] = []
    second: list[int] = []

    with database.transaction() as one, database.transaction() as two:
        publish_batch(one, recorder(first), limit=1)
        publish_batch(two, recorder(second), limit=1)

    assert (first, second) == ([1], [2])


def test_a_commit_wakes_the_listener(database: Database) -> None:
    dsn = database.url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(dsn, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        add(database, 1)

        heard = list(listener.notifies(timeout=5, stop_after=1))

    assert [note.channel for note in heard] == [CHANNEL]
