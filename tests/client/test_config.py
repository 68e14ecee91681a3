"""Where the client finds its service."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hbmlc._config import Endpoint, find_local_service, resolve_endpoint
from hbmlc.errors import ConfigurationError


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HBMLC_URL", "HBMLC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HBMLC_HOME", str(tmp_path))


def announce(home: Path, pid: int) -> None:
    (home / "run").mkdir()
    document = {"url": "http://127.0.0.1:1", "api_key": "hbk_local", "pid": pid}
    (home / "run" / "service.json").write_text(json.dumps(document))


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HBMLC_URL", "http://from.environment")
    monkeypatch.setenv("HBMLC_API_KEY", "hbk_environment")

    assert resolve_endpoint("http://here/", "hbk_x") == Endpoint(url="http://here", api_key="hbk_x")
    assert resolve_endpoint(None, None).url == "http://from.environment"


def test_the_service_on_this_machine_is_found(tmp_path: Path) -> None:
    announce(tmp_path, os.getpid())

    assert resolve_endpoint(None, None).api_key == "hbk_local"


def test_a_dead_service_is_not_found(tmp_path: Path) -> None:
    announce(tmp_path, 2**22 + 12345)

    assert find_local_service(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": "x"}'])
def test_half_written_announcements_are_no_service(tmp_path: Path, text: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "service.json").write_text(text)

    assert find_local_service(tmp_path) is None


def test_without_anything_the_error_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="hbmlc serve"):
        resolve_endpoint(None, None)


def test_an_address_without_a_key_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="HBMLC_API_KEY"):
        resolve_endpoint("http://here", None)
