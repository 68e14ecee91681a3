"""The command ``hbmlc``: a skin over the SDK."""

from __future__ import annotations

from hbmlc.cli.app import main

__all__ = ["main"]
