"""Where the service is and which key to show: arguments, environment, or a local service."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from hbmlc.errors import ConfigurationError

__all__ = ["Endpoint", "LocalService", "find_local_service", "home", "resolve_endpoint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Address of a service and the key for it."""

    url: str
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalService:
    """A service that runs on this machine."""

    endpoint: Endpoint
    pid: int


def home() -> Path:
    """Folder of the embedded service: ``HBMLC_HOME``, else ``~/.hbmlc``."""
    named = os.environ.get("HBMLC_HOME")
    return Path(named).expanduser() if named else Path.home() / ".hbmlc"


def resolve_endpoint(url: str | None, api_key: str | None) -> Endpoint:
    """Endpoint from arguments, else ``HBMLC_URL`` and ``HBMLC_API_KEY``, else the local service.

    Raises
    ------
    ConfigurationError
        Neither names a service, or the key is missing.
    """
    url = url or os.environ.get("HBMLC_URL")
    api_key = api_key or os.environ.get("HBMLC_API_KEY")
    if url is None:
        local = find_local_service(home())
        if local is None:
            raise ConfigurationError(
                "No service named and none runs here: give its address (or set HBMLC_URL), or "
                "start one with 'hbmlc serve'."
            )
        return local.endpoint
    if not api_key:
        raise ConfigurationError(f"No key for {url}: give api_key, or set HBMLC_API_KEY.")
    return Endpoint(url=url.rstrip("/"), api_key=api_key)


def find_local_service(folder: Path) -> LocalService | None:
    """Service that announced itself in ``folder`` and whose process lives; else ``None``."""
    try:
        document = json.loads((folder / "run" / "service.json").read_text())
        endpoint = Endpoint(url=str(document["url"]), api_key=str(document["api_key"]))
        pid = int(document["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        # Absent, or just being written: the same as not ready yet.
        return None
    return LocalService(endpoint=endpoint, pid=pid) if _is_alive(pid) else None


def _is_alive(pid: int) -> bool:
    """Whether a process exists; one of another user does."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
