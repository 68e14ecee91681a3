"""The symbolic libraries, whose operators the type checker cannot follow: known as ``Any``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["compile_model", "symbolic"]


def symbolic() -> tuple[Any, Any]:
    """Return PyMC and the tensor functions of PyTensor.

    Importing them takes seconds, so it waits until a model is built.
    """
    return import_module("pymc"), import_module("pytensor.tensor")


def compile_model(model: Any) -> Any:
    """PyMC model compiled for NUTS; its shared data can be exchanged without compiling again."""
    return import_module("nutpie").compile_pymc_model(model)
