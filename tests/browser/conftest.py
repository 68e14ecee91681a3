"""A real browser, with a profile of its own and no business outside this machine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--log-level=0",
)


@dataclass(frozen=True)
class Visit:
    """What the browser made of a page."""

    dom: str
    """The page as it stands after loading."""
    console: list[str]
    """What the page complained about."""


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium")
    return found


@pytest.fixture
def browse(chromium: str, tmp_path: Path) -> Callable[..., tuple[str, str]]:
    """Runs the browser once on a page; gives its stdout and stderr."""

    def run(page: Path, *switches: str) -> tuple[str, str]:
        profile = tmp_path / "profile"
        command = [chromium, *SWITCHES, f"--user-data-dir={profile}", *switches, page.as_uri()]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
        return ended.stdout, ended.stderr

    return run


@pytest.fixture
def visit(browse: Callable[..., tuple[str, str]]) -> Callable[[Path], Visit]:
    """Opens a page and looks at it."""

    def look(page: Path) -> Visit:
        dom, log = browse(page, "--dump-dom")
        return Visit(dom=dom, console=[line for line in log.splitlines() if ":CONSOLE" in line])

    return look
