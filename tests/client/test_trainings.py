"""``client.trainings``, blocking and asynchronous alike."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from fake_service import Disconnect, FakeService

from hbmlc import errors
from hbmlc.client import Client
from hbmlc.schemas import Phase, TrainingOptions


@pytest.fixture
def catalogs(client: Client, upload: Path) -> list[UUID]:
    return [client.catalogs.create(upload).id for _ in range(2)]


def test_a_training_is_asked_for_with_all_its_catalogues(
    client: Client, service: FakeService, catalogs: list[UUID]
) -> None:
    training = client.trainings.create(
        "mine", catalogs, options=TrainingOptions(train_steps=5), seed=3, promote="never"
    )

    asked = json.loads(service.calls[-1].body)
    assert training.catalog_ids == catalogs
    assert asked["options"] == {"train_steps": 5}
    assert (asked["name"], asked["seed"], asked["promote"]) == ("mine", 3, "never")


def test_a_repeated_request_trains_once(
    client: Client, service: FakeService, catalogs: list[UUID]
) -> None:
    service.interruptions = [Disconnect]

    client.trainings.create("mine", catalogs)

    assert len(service.trainings) == 1


def test_waiting_for_a_training_ends_with_its_version(client: Client, catalogs: list[UUID]) -> None:
    training = client.trainings.create("mine", catalogs)
    seen: list[Phase] = []

    done = client.trainings.wait(
        training.id, timeout=60, on_progress=lambda found: seen.append(found.phase)
    )

    assert done.result is not None
    assert (done.result.reference, done.result.is_promoted) == ("mine:1", True)
    assert seen[-1] is Phase.COMPLETED


def test_a_training_that_fails_is_an_error(
    client: Client, service: FakeService, catalogs: list[UUID]
) -> None:
    service.phases = ["EXECUTING", "ERROR"]
    training = client.trainings.create("mine", catalogs)

    with pytest.raises(errors.TrainingFailedError, match="ERROR"):
        client.trainings.wait(training.id, timeout=60)


def test_waiting_has_a_deadline(client: Client, service: FakeService, catalogs: list[UUID]) -> None:
    service.phases = ["EXECUTING"]
    training = client.trainings.create("mine", catalogs)

    with pytest.raises(errors.WaitTimeoutError, match=str(training.id)):
        client.trainings.wait(training.id, timeout=0)

    assert client.trainings.abort(training.id).phase is Phase.ABORTED


def test_trainings_are_listed_and_deleted(client: Client, catalogs: list[UUID]) -> None:
    made = [client.trainings.create("mine", catalogs).id for _ in range(3)]

    found = [training.id for training in client.trainings.list(limit=2)]
    client.trainings.delete(made[0])

    assert found == made
    with pytest.raises(errors.NotFoundError):
        client.trainings.get(made[0])
