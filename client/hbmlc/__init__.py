"""hbmlc: calibrated photometric redshifts on demand.

>>> from hbmlc import Client
>>> with Client("https://photoz.example.org", api_key="hbk_…") as client:  # doctest: +SKIP
...     catalog = client.catalogs.create("galaxies.parquet")
...     catalog = client.catalogs.wait(catalog.id, timeout=600)
...     job = client.calibrations.create(catalog.id, seed=1)
...     job = client.calibrations.wait(job.id, timeout=3600)
...     client.calibrations.download_all(job.id, "results")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hbmlc.async_client import AsyncClient
    from hbmlc.client import Client
    from hbmlc.errors import HbmlcError

__all__ = ["AsyncClient", "Client", "HbmlcError"]

_HOMES = {
    "AsyncClient": "hbmlc.async_client",
    "Client": "hbmlc.client",
    "HbmlcError": "hbmlc.errors",
}


def __getattr__(name: str) -> object:
    # Loaded at first use: the wire schemas are imported by servers that need no HTTP client.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
