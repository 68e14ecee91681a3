"""How often a child may die before its parent gives up, and when it comes back."""

from __future__ import annotations

from collections import deque

__all__ = ["MAX_RESTARTS", "RESTART_WINDOW", "Deaths"]

MAX_RESTARTS = 5
RESTART_WINDOW = 120.0
"""More than ``MAX_RESTARTS`` deaths of one child within this time end the service [s]."""
LONGEST_BACKOFF = 10.0


class Deaths:
    """The recent deaths of one child."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._times = deque[float](maxlen=MAX_RESTARTS + 1)

    def note(self, now: float, *, see: str) -> float:
        """Note a death; returns when to start the child again.

        Raises
        ------
        ChildProcessError
            It has died again and again; the message says where to ``see`` why.
        """
        self._times.append(now)
        if len(self._times) > MAX_RESTARTS and now - self._times[0] < RESTART_WINDOW:
            raise ChildProcessError(
                f"{self._name} died {len(self._times)} times within "
                f"{RESTART_WINDOW:.0f} s; see {see}"
            )
        return now + min(0.2 * 2 ** len(self._times), LONGEST_BACKOFF)
