"""Model versions that ship with the package, and the one that is made on request."""

from __future__ import annotations

from hbmlc_models.base_models.shipped import (
    UnknownModelError,
    choose_version,
    covering_versions,
    list_versions,
    load_version,
)
from hbmlc_models.base_models.version import (
    AUTO,
    ModelCardError,
    ModelVersion,
    read_version,
    write_version,
)

__all__ = [
    "AUTO",
    "ModelCardError",
    "ModelVersion",
    "UnknownModelError",
    "choose_version",
    "covering_versions",
    "list_versions",
    "load_version",
    "read_version",
    "write_version",
]
