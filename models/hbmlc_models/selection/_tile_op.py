"""The compiled log likelihood of a tile as an operation that PyMC can differentiate."""

from __future__ import annotations

from hashlib import sha256
from importlib import import_module
from typing import Any

import numpy as np

from hbmlc_models.selection._tile_kernels import log_likelihood

__all__ = ["symbolic_log_likelihood"]

# The symbolic library has no types for what a subclass of Op needs: it is known as ``Any``.
_pt: Any = import_module("pytensor.tensor")
_graph: Any = import_module("pytensor.graph")
_gradient: Any = import_module("pytensor.gradient")
_numba: Any = import_module("pytensor.link.numba.dispatch.basic")


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
    """Machine code, and the key under which the library keeps it between processes."""
    del op, node

    @_numba.numba_njit
    def boxed(*inputs: Any) -> Any:
        value, gradient = log_likelihood(*inputs)
        return np.asarray(value), gradient

    return boxed, sha256(_fingerprint(log_likelihood).encode()).hexdigest()


def _fingerprint(function: Any) -> str:
    """Everything that the machine code of a compiled function follows from, its callees included.

    Taken from the loaded code and not from its file: a process that outlives an upgrade would else
    leave its old machine code under the key of the new one.
    """
    code, names = function.py_func.__code__, function.py_func.__globals__
    used = {name: names[name] for name in code.co_names if name in names}
    callees = [_fingerprint(value) for value in used.values() if hasattr(value, "py_func")]
    numbers = {name: value for name, value in used.items() if isinstance(value, int | float)}
    options = {name: _in_order(value) for name, value in sorted(function.targetoptions.items())}
    return repr((code.co_code.hex(), code.co_consts, numbers, options, callees))


def _in_order(value: Any) -> str:
    """Text of a value that does not depend on the order of a set."""
    return str(sorted(value) if isinstance(value, set) else value)


def symbolic_log_likelihood(*inputs: Any) -> Any:
    """Log likelihood of a tile as a symbolic scalar; arguments are those of ``log_likelihood``."""
    return _TileLogLikelihood()(*inputs)[0]
