"""Errors of the embedded servers."""

from __future__ import annotations

__all__ = ["EmbeddedError", "HomeInUseError", "StartError"]


class EmbeddedError(Exception):
    """Root of the errors of the embedded servers."""


class HomeInUseError(EmbeddedError):
    """Another supervisor runs on this home."""


class StartError(EmbeddedError):
    """A server ended or stayed silent while it should start; the message quotes its log."""
