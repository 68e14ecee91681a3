"""Errors of the embedded servers."""

from __future__ import annotations

__all__ = ["EmbeddedError", "HomeInUse", "ServerDidNotStart"]


class EmbeddedError(Exception):
    """Root of the errors of the embedded servers."""


class HomeInUse(EmbeddedError):
    """Another supervisor runs on this home."""


class ServerDidNotStart(EmbeddedError):
    """A server ended or stayed silent while it should start; the message quotes its log."""
