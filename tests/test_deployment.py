"""What docker-compose.yml promises of every service."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from hbmlc_store.settings import Settings

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"migrate", "models"}
"""They end; whether they did well is their exit status."""

OURS = sorted(set(SERVICES) - {"postgres", "broker"})
CREDENTIALS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_memory_is_limited(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]|\$\{[A-Z_]+:-\d+g\}", SERVICES[name]["mem_limit"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_gains_no_privilege(name: str) -> None:
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_what_runs_is_checked_and_comes_back(name: str) -> None:
    service = SERVICES[name]

    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(ONE_SHOT))
def test_what_ends_is_waited_for_and_not_repeated(name: str) -> None:
    dependants = [other for other in SERVICES.values() if name in other.get("depends_on", {})]

    assert SERVICES[name]["restart"] == "no"
    assert {other["depends_on"][name]["condition"] for other in dependants} == {
        "service_completed_successfully"
    }


@pytest.mark.parametrize("name", OURS)
def test_credentials_of_a_bucket_are_passed_on_where_they_are_set(name: str) -> None:
    environment = SERVICES[name]["environment"]

    assert environment.keys() >= CREDENTIALS
    # Without a value they are passed through; an empty one would hide the machine's own role.
    assert {environment[variable] for variable in CREDENTIALS} == {None}


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    given = {key for key in SERVICES[name]["environment"] if key.startswith("HBMLC_")}

    assert given <= {f"HBMLC_{field.upper()}" for field in Settings.model_fields}


@pytest.mark.parametrize("dockerfile", ["Dockerfile.api", "Dockerfile.worker"])
def test_an_image_is_built_with_every_file_that_the_package_takes_in(dockerfile: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    taken_in = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    steps = (ROOT / "docker" / dockerfile).read_text(encoding="utf-8")
    context = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    for path in taken_in:
        assert f"COPY {path} {path}" in steps
        assert f"!{path}" in context
