"""The whole service on a simulated sky, to see in minutes what it does."""

from __future__ import annotations

__all__: list[str] = []
