"""Child processes: watched, restarted, and gone with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hbmlc_store.embedded.crew import Crew, Member
from hbmlc_store.embedded.deaths import MAX_RESTARTS
from hbmlc_store.embedded.errors import HomeInUseError
from hbmlc_store.embedded.lock import end_leftovers, hold_home, note_children
from hbmlc_store.embedded.secrets import load_secrets

PATIENCE = 60.0
WAIT_FOREVER = "import threading; threading.Event().wait()"
IGNORE_SIGTERM = (
    "import signal, threading; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); threading.Event().wait()"
)


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def member(script: str, name: str = "member") -> Member:
    return Member(name=name, command=python(script), environment=dict(os.environ))


def test_a_member_that_died_is_started_again(tmp_path: Path) -> None:
    crew = Crew(tmp_path)
    crew.start(member(WAIT_FOREVER))
    (first,) = crew.pids()
    os.kill(first, signal.SIGKILL)
    died: list[str] = []

    def is_back() -> bool:
        died.extend(crew.tend())
        return crew.pids() != [first]

    wait_until(is_back)

    assert died == ["member"]
    assert psutil.pid_exists(crew.pids()[0])
    crew.stop()


def test_a_member_that_keeps_dying_ends_the_crew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hbmlc_store.embedded.deaths.LONGEST_BACKOFF", 0.01)
    crew = Crew(tmp_path)
    crew.start(member("print('no'); raise SystemExit(3)"))

    with pytest.raises(ChildProcessError, match="member died"):
        wait_until(lambda: len(crew.tend()) > MAX_RESTARTS)

    assert (tmp_path / "member.log").read_text().count("no") == MAX_RESTARTS + 1
    crew.stop()


def test_stopping_ends_even_who_does_not_listen(tmp_path: Path) -> None:
    crew = Crew(tmp_path)
    crew.start(member(IGNORE_SIGTERM))
    (pid,) = crew.pids()
    wait_until(lambda: "up" in (tmp_path / "member.log").read_text())

    crew.stop(patience=0.1)

    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_a_child_dies_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = f"""
import pathlib, sys, threading
from hbmlc_store.embedded.child import start_child
log = pathlib.Path({str(tmp_path)!r}) / "log"
child = start_child([sys.executable, "-c", {WAIT_FOREVER!r}], log=log)
print(child.pid, flush=True)
threading.Event().wait()
"""
    parent = subprocess.Popen(python(script), stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)

    parent.kill()
    parent.wait()

    wait_until(
        lambda: (
            not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
        )
    )


def test_one_home_has_one_holder(tmp_path: Path) -> None:
    def hold() -> None:
        with hold_home(tmp_path):
            pass

    with hold_home(tmp_path), pytest.raises(HomeInUseError, match=str(os.getpid())):
        hold()
    hold()


def test_leftovers_are_ended_and_strangers_are_not(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    left = subprocess.Popen(python(WAIT_FOREVER))
    note_children(tmp_path, [left.pid, os.getpid()])
    noted = (tmp_path / "run" / "children.json").read_text()
    born = psutil.Process().create_time()
    # Our own number, but noted for a process of another time: a stranger by now.
    (tmp_path / "run" / "children.json").write_text(noted.replace(str(born), str(born - 500)))

    ended = end_leftovers(tmp_path)

    assert ended == 1
    assert not psutil.pid_exists(left.pid)
    left.wait()


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    first = load_secrets(tmp_path)
    second = load_secrets(tmp_path)

    assert first == second
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
