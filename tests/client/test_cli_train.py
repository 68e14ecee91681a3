"""``hbmlc train``, over real HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_service import API_KEY, FakeService
from typer.testing import CliRunner, Result

from hbmlc.cli.app import app


@pytest.fixture
def url(service: FakeService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setenv("HBMLC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HBMLC_API_KEY", API_KEY)
    with service.listening() as address:
        monkeypatch.setenv("HBMLC_URL", address)
        yield address


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_train_prints_the_reference_and_says_how_it_fared(
    service: FakeService, url: str, upload: Path
) -> None:
    service.catalog_states = ["READY", "READY"]

    result = run(
        *("train", upload, upload, "--name", "mine", "--seed", 5, "--tile-column", "patch"),
        *("--option", "train_steps=7"),
    )

    assert result.exit_code == 0, result.output
    assert result.stdout == "mine:1\n"
    assert "held out" in result.stderr
    assert "new 0.02  current 0.03" in result.stderr
    assert "It is production now." in result.stderr
    (asked,) = service.trainings.values()
    assert asked["catalog_ids"] == list(service.catalogs)
    assert (asked["seed"], asked["options"]) == (5, {"train_steps": 7})
    assert asked["promote"] == "if-better"
    assert json.loads(service.calls[0].body)["mapping"]["tile"] == "patch"


def test_a_version_that_is_not_better_is_no_failure_of_the_command(
    service: FakeService, url: str, upload: Path
) -> None:
    service.is_better = False

    result = run("train", upload, "--name", "mine", "--json")

    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert document["result"]["is_promoted"] is False


def test_promotion_can_be_declined(service: FakeService, url: str, upload: Path) -> None:
    run("train", upload, "--name", "mine", "--no-promote")

    (asked,) = service.trainings.values()
    assert asked["promote"] == "never"


def test_a_training_that_fails_is_exit_code_one(
    service: FakeService, url: str, upload: Path
) -> None:
    service.phases = ["ERROR"]

    result = run("train", upload, "--name", "mine")

    assert result.exit_code == 1
    assert "ended as ERROR" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--name",),
        (),
        ("--name", "mine", "--option", "draws=5"),
        ("--name", "m", "--seed", "-1"),
        ("--name", "My Sky"),
    ],
)
def test_wrong_arguments_are_usage_errors(words: tuple[str, ...], upload: Path) -> None:
    assert run("train", upload, *words).exit_code == 2


def test_trainings_and_aliases_are_plain_columns_in_a_pipe(
    service: FakeService, url: str, upload: Path
) -> None:
    run("train", upload, "--name", "mine")
    (name,) = service.trainings

    listed = run("trainings", "list")
    shown = run("trainings", "show", name)
    aliases = run("models", "aliases", "lsst-ugrizy")

    assert listed.stdout.split("\t")[1:] == ["COMPLETED", "50%", "mine:1", "production\n"]
    assert json.loads(shown.stdout)["id"] == name
    assert aliases.stdout.split("\t")[:2] == ["production", "1"]
    assert run("trainings", "abort", name).exit_code == 0
    assert run("trainings", "delete", name).exit_code == 0
    assert service.trainings == {}


def test_training_through_a_service_loads_no_science() -> None:
    code = (
        "import sys, hbmlc.cli.train\n"
        "heavy = {'torch', 'numpy', 'httpx', 'pydantic', 'hbmlc_models'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
