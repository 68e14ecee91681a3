"""The versions inside the package."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from hbmlc_models.base_models.version import AUTO, ModelVersion, read_version, write_version

__all__ = [
    "UnknownModelError",
    "choose_version",
    "covering_versions",
    "list_versions",
    "load_version",
]

MAX_BANDS_MORE = 3
"""A version with more bands than that beyond a catalogue's is of another kind of camera: Euclid's Y
is not DECam's, though both are called so."""
_PACKAGE = "hbmlc_models.base_models"
_SUFFIX = ".safetensors"


class UnknownModelError(LookupError):
    """No shipped version has that name and number."""


def list_versions() -> tuple[tuple[str, int], ...]:
    """Names and numbers of all versions, ``auto`` first."""
    found = [
        _parse(entry.name)
        for entry in (files(_PACKAGE) / "weights").iterdir()
        if entry.name.endswith(_SUFFIX)
    ]
    return ((AUTO, 1), *sorted(found))


@lru_cache(maxsize=8)
def load_version(name: str, version: int) -> ModelVersion:
    """Load a shipped version.

    Raises
    ------
    UnknownModelError
        There is none of that name and number.
    """
    if (name, version) not in list_versions():
        known = ", ".join(f"{n}:{v}" for n, v in list_versions())
        raise UnknownModelError(f"There is no model {name}:{version}; this release has {known}.")
    if name == AUTO:
        return read_version(write_version(_auto()))
    path = files(_PACKAGE) / "weights" / f"{name}-{version}{_SUFFIX}"
    return read_version(path.read_bytes())


def choose_version(bands: Sequence[str]) -> str:
    """Name of the version for a catalogue's bands.

    The one trained for just these, else the one with the fewest bands more, else ``auto``.
    """
    own = {name: load_version(name, number).bands for name, number in list_versions()[1:]}
    fitting = [name for name in own if _covers(own[name], bands)]
    return min(fitting, key=lambda name: len(own[name]), default=AUTO)


def covering_versions(bands: Sequence[str]) -> list[ModelVersion]:
    """Latest version of every name that knows all of ``bands``."""
    latest = dict(list_versions())
    versions = [load_version(name, number) for name, number in latest.items()]
    return [version for version in versions if _covers(version.bands, bands)]


def _covers(known: Sequence[str], bands: Sequence[str]) -> bool:
    """Whether a version of the bands ``known`` may serve a catalogue of ``bands``."""
    return set(bands) <= set(known) and len(known) - len(bands) <= MAX_BANDS_MORE


def _auto() -> ModelVersion:
    """The version without weights."""
    card = {
        "description": "Starts from random weights and learns from the catalogue's own labels.",
        "training_data": "none: the labelled galaxies of the calibrated catalogue",
        "licence": "BSD-3-Clause",
    }
    return ModelVersion(name=AUTO, version=1, digest="", bands=(), card=card)


def _parse(file_name: str) -> tuple[str, int]:
    """Name and number from ``name-number.safetensors``."""
    name, _, number = file_name.removesuffix(_SUFFIX).rpartition("-")
    return name, int(number)
