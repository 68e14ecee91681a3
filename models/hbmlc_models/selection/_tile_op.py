"""The compiled log likelihood of a tile as an operation that PyMC can differentiate."""

from __future__ import annotations

from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from hbmlc_models.selection import _compiled, _tile_kernels
from hbmlc_models.selection._tile_kernels import log_likelihood

__all__ = ["symbolic_log_likelihood"]

# The symbolic library has no types for what a subclass of Op needs: it is known as ``Any``.
_pt: Any = import_module("pytensor.tensor")
_graph: Any = import_module("pytensor.graph")
_gradient: Any = import_module("pytensor.gradient")
_numba: Any = import_module("pytensor.link.numba.dispatch.basic")

_SOURCES = (_compiled.__file__, _tile_kernels.__file__)


class _TileLogLikelihood(_graph.Op):
    """Value and gradient of ``log_likelihood``; its first input is the one that is sampled."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Any:
        """Return the operation applied to symbolic ``inputs``."""
        variables = [_pt.as_tensor_variable(value) for value in inputs]
        return _graph.Apply(self, variables, [_pt.dscalar(), variables[0].type()])

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        """Evaluate without the symbolic compiler."""
        del node
        value, gradient = log_likelihood(*inputs)
        outputs[0][0] = np.asarray(value)
        outputs[1][0] = gradient

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        """Say that only the value, and only by the parameters, can be differentiated."""
        return [[True, False], *[[False, False] for _ in node.inputs[1:]]]

    def L_op(self, inputs: Any, outputs: Any, output_gradients: Any) -> list[Any]:  # noqa: N802
        """Gradient of the value, which was computed with it."""
        rest = [_gradient.DisconnectedType()() for _ in inputs[1:]]
        return [output_gradients[0] * outputs[1], *rest]


@_numba.register_funcify_and_cache_key(_TileLogLikelihood)
def _to_numba(op: Any, node: Any, **_: Any) -> tuple[Any, str]:
    """Machine code, and the key under which the library keeps it: it changes with the source."""
    del op, node

    @_numba.numba_njit
    def boxed(*inputs: Any) -> Any:
        value, gradient = log_likelihood(*inputs)
        return np.asarray(value), gradient

    sources = b"".join(Path(source).read_bytes() for source in _SOURCES)
    return boxed, sha256(sources).hexdigest()


def symbolic_log_likelihood(*inputs: Any) -> Any:
    """Log likelihood of a tile as a symbolic scalar; arguments are those of ``log_likelihood``."""
    return _TileLogLikelihood()(*inputs)[0]
