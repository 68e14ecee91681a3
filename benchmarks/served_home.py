"""A whole service as its users start it, `hbmlc serve` on a home, with a hand on each part."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import psutil
import redis

from hbmlc_store.database import Database
from hbmlc_store.embedded.secrets import load_secrets

__all__ = ["ServedHome", "serve_home", "wait_until"]

START_SECONDS = 120.0
STOP_SECONDS = 60.0
LOOK_SECONDS = 0.1

T = TypeVar("T")


def wait_until(condition: Callable[[], T | None], *, seconds: float, what: str) -> T:
    """Wait for a condition; returns what it returned.

    Raises
    ------
    TimeoutError
        It did not come true in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(LOOK_SECONDS)
    raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedHome:
    """A served home."""

    home: Path
    supervisor: psutil.Process
    client: httpx.Client
    """Holds the home's own key."""

    def part(self, name: str) -> psutil.Process:
        """Main process of a part: ``postgres``, ``broker``, ``api``, or a worker's queue."""
        return wait_until(lambda: self._find(name), seconds=60, what=f"the life of {name}")

    def broker(self) -> redis.Redis:
        """Connect to the broker."""
        configuration = (self.home / "broker" / "valkey.conf").read_text()
        port = re.findall(r"^port (\d+)$", configuration, re.MULTILINE)[0]
        return redis.Redis(port=int(port), password=load_secrets(self.home).broker_password)

    def database(self) -> Database:
        """Connect to the database as the service does."""
        port = (self.home / "postgres" / "postmaster.pid").read_text().splitlines()[3]
        password = load_secrets(self.home).database_password
        return Database(
            f"postgresql+psycopg://hbmlc:{password}@127.0.0.1:{port}/hbmlc", keeps_none=True
        )

    def _find(self, name: str) -> psutil.Process | None:
        return next((child for child in self.supervisor.children() if _is_part(child, name)), None)


def _is_part(process: psutil.Process, name: str) -> bool:
    try:
        command = process.cmdline()
        if name in {"postgres", "broker"}:
            return process.name().startswith({"broker": "valkey"}.get(name, name))
    except psutil.NoSuchProcess:
        return False
    ending = ["hbmlc_service"] if name == "api" else ["worker", "--queue", name]
    return command[-len(ending) :] == ending


@contextmanager
def serve_home(home: Path, **environment: str) -> Generator[ServedHome]:
    """Serve a home during the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hbmlc_store.embedded", "--home", str(home)],
        env={**os.environ, **environment},
    )
    announcement = home / "run" / "service.json"
    try:
        wait_until(announcement.exists, seconds=START_SECONDS, what="the start of the service")
        found = json.loads(announcement.read_text())
        headers = {"Authorization": f"Bearer {found['api_key']}"}
        with httpx.Client(base_url=found["url"], headers=headers, timeout=30) as client:
            yield ServedHome(home=home, supervisor=psutil.Process(process.pid), client=client)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
