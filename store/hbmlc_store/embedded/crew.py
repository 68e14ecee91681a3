"""The crew: our own child processes, started, watched, restarted and stopped together."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from hbmlc_store.embedded.child import start_child, stop_child
from hbmlc_store.embedded.deaths import Deaths

__all__ = ["Crew", "Member"]

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One process of the crew."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)
    """Signals that stop it, the gentle one first."""


@dataclass(slots=True)
class _Post:
    """A member's present process and its history."""

    member: Member
    process: subprocess.Popen[bytes]
    deaths: Deaths
    restart_at: float | None = None


class Crew:
    """Members that live and die with this process."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._posts: list[_Post] = []

    def start(self, member: Member) -> None:
        """Start a member and watch it from now on."""
        self._posts.append(
            _Post(member=member, process=self._launch(member), deaths=Deaths(member.name))
        )

    def tend(self) -> list[str]:
        """Look after the members once; returns the names of those that died since the last look.

        Raises
        ------
        ChildProcessError
            A member died again and again.
        """
        died: list[str] = []
        now = time.monotonic()
        for post in self._posts:
            if post.restart_at is not None:
                if now >= post.restart_at:
                    post.process = self._launch(post.member)
                    post.restart_at = None
            elif post.process.poll() is not None:
                self._mourn(post, now)
                died.append(post.member.name)
        return died

    def stop(self, *, patience: float = 4.0) -> None:
        """Stop all members side by side, gently first."""
        living = [post for post in self._posts if post.process.poll() is None]
        for post in living:
            post.process.send_signal(post.member.stop_signals[0])
        deadline = time.monotonic() + patience
        for post in living:
            try:
                post.process.wait(max(deadline - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                logger.info("Member is slow to stop", member=post.member.name)
        for post in self._posts:
            stop_child(post.process, signals=post.member.stop_signals[1:], patience=2.0)
        self._posts.clear()

    def pids(self) -> list[int]:
        """Process ids of the members."""
        return [post.process.pid for post in self._posts]

    def _launch(self, member: Member) -> subprocess.Popen[bytes]:
        return start_child(
            member.command,
            log=self._logs / f"{member.name}.log",
            environment=member.environment,
            death_signal=member.stop_signals[-1],
        )

    def _mourn(self, post: _Post, now: float) -> None:
        name = post.member.name
        logger.warning("Member died", member=name, status=post.process.returncode)
        post.restart_at = post.deaths.note(now, see=str(self._logs / f"{name}.log"))
