r"""Small Gaussians conditioned on their first variables, written out in vector instructions.

Nearly all time of a calibration goes into one step: a component's covariance plus the noise of a
galaxy is factorised, :math:`S + E = L D L^T`, and the last variable, log(1+z), conditioned on the
others, the luptitudes. The matrices are tiny and differ from pair to pair, so that a loop over
their rows costs more than the arithmetic in it. The code below has no loop: for each number of
bands it is written out when it is compiled, and it works on ``LANES`` components at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir as _ir
from numba.core import cgutils as _cgutils
from numba.core import types as _types
from numba.extending import intrinsic as _intrinsic

from hbmlc_models.arrays import FloatArray

__all__ = ["LANES", "PIVOT_FLOOR", "condition", "pack"]

# Neither library has types.
ir: Any = _ir
cgutils: Any = _cgutils
types: Any = _types
intrinsic: Any = _intrinsic

LANES = 8
"""Components side by side: one vector of the widest instructions, two of the common ones."""
PIVOT_FLOOR = 1e-12
"""Least pivot of a factor, against rounding."""
_BYTES = 8
_INDEX, _DOUBLE = ir.IntType(64), ir.DoubleType()
_VECTOR = ir.VectorType(_DOUBLE, LANES)


def pack(means: FloatArray, covariances: FloatArray) -> FloatArray:
    """Components as ``condition`` reads them, ``(n_blocks, n_rows, LANES)``.

    ``means`` is ``(n_components, 1 + n_bands)``, redshift first, ``covariances`` ``(n_components,
    1 + n_bands, 1 + n_bands)``. Rows are the means of all variables, redshift last, and the lower
    triangles of the covariances. The last block is filled up with unit normals.
    """
    n_components, n = means.shape
    n_blocks = -(-n_components // LANES)
    order = np.r_[1:n, 0]
    full = np.zeros((n_blocks * LANES, n))
    full[:n_components] = means[:, order]
    square = np.tile(np.eye(n), (n_blocks * LANES, 1, 1))
    square[:n_components] = covariances[:, order[:, None], order]
    row, column = np.tril_indices(n)
    rows = np.column_stack([full, square[:, row, column]])
    return np.ascontiguousarray(rows.reshape(n_blocks, LANES, -1).swapaxes(1, 2))


@intrinsic
def condition(
    _context: Any,
    bands: Any,
    packed: Any,
    block: Any,
    values: Any,
    variances: Any,
    moments: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Judge one galaxy by the components of one block, and condition their redshifts on it.

    ``bands`` is a tuple of ``n_bands`` integers, whose length is known when this is compiled;
    ``values`` and the ``variances`` of their noise are ``(n_bands,)``. Fills the columns of the
    block in ``moments`` ``(4, n_blocks * LANES)``: Mahalanobis square of the luptitudes,
    determinant of their covariance, mean and variance of log(1+z) given them.
    """
    n_bands: int = bands.count
    signature = types.void(bands, packed, block, values, variances, moments)

    def generate(context: Any, builder: Any, given: Any, arguments: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, argument)
            for kind, argument in zip(given.args, arguments, strict=True)
            if isinstance(kind, types.Array)
        ]
        components, value, noise, answer = arrays
        code = _Code(builder)
        n_rows = (n_bands + 1) * (n_bands + 4) // 2
        start = builder.mul(arguments[2], _INDEX(n_rows * LANES))
        rows = builder.gep(components.data, [start])
        found = _written_out(
            n_bands,
            code,
            row=lambda i: code.load(rows, i),
            value=lambda i: code.spread(value.data, i),
            noise=lambda i: code.spread(noise.data, i),
        )
        stride = cgutils.unpack_tuple(builder, answer.strides, 2)[0]
        column = builder.mul(arguments[2], _INDEX(LANES * _BYTES))
        for i, result in enumerate(found):
            offset = builder.add(builder.mul(stride, _INDEX(i)), column)
            code.store(result, answer.data, offset)
        return context.get_dummy_value()

    return signature, generate


def _written_out(
    n_bands: int,
    code: _Code,
    *,
    row: Callable[[int], Any],
    value: Callable[[int], Any],
    noise: Callable[[int], Any],
) -> tuple[Any, Any, Any, Any]:
    """Vectors of square, determinant, mean and variance; the arguments give numbered vectors."""
    factor: dict[tuple[int, int], Any] = {}
    inverse: list[Any] = []
    solved: list[Any] = []
    square, determinant = code.constant(0.0), code.constant(1.0)
    pivot = residual = code.constant(0.0)
    for i in range(n_bands + 1):
        is_band = i < n_bands
        # Entries of L D, then of L; the last is the pivot.
        scaled: list[Any] = []
        for j in range(i + 1):
            entry = row(n_bands + 1 + i * (i + 1) // 2 + j)
            if i == j and is_band:
                entry = code.add(entry, noise(i))
            for k in range(j):
                entry = code.minus_product(entry, scaled[k], factor[j, k])
            scaled.append(entry)
            if j < i:
                factor[i, j] = code.multiply(entry, inverse[j])
        pivot = scaled[i]
        # Of the redshift there is no value: what is solved for is its mean.
        residual = code.subtract(value(i), row(i)) if is_band else code.negative(row(i))
        for k in range(i):
            residual = code.minus_product(residual, factor[i, k], solved[k])
        if is_band:
            pivot = code.at_least(pivot, PIVOT_FLOOR)
            solved.append(residual)
            inverse.append(code.reciprocal(pivot))
            square = code.plus_product(square, code.multiply(residual, residual), inverse[i])
            determinant = code.multiply(determinant, pivot)
    return square, determinant, code.negative(residual), pivot


class _Code:
    """Vector instructions, appended to a function that is being compiled.

    Products are fused with their sums, which rounds once: the same on every machine.
    """

    def __init__(self, builder: Any) -> None:
        self._builder = builder
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        self._fused = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f64")
        self.add, self.subtract = builder.fadd, builder.fsub
        self.multiply, self.negative = builder.fmul, builder.fneg

    def constant(self, number: float) -> Any:
        """Vector of one number."""
        return _VECTOR([number] * LANES)

    def load(self, pointer: Any, row: int) -> Any:
        """Vector number ``row`` behind a pointer."""
        address = self._builder.gep(pointer, [_INDEX(row * LANES)])
        return self._builder.load(
            self._builder.bitcast(address, _VECTOR.as_pointer()), align=_BYTES
        )

    def spread(self, pointer: Any, index: int) -> Any:
        """Number ``index`` behind a pointer, in all lanes."""
        number = self._builder.load(self._builder.gep(pointer, [_INDEX(index)]))
        empty = ir.Constant(_VECTOR, ir.Undefined)
        first = self._builder.insert_element(empty, number, ir.IntType(32)(0))
        lanes = ir.VectorType(ir.IntType(32), LANES)([0] * LANES)
        return self._builder.shuffle_vector(first, empty, lanes)

    def store(self, vector: Any, pointer: Any, offset: Any) -> None:
        """Put a vector ``offset`` bytes behind a pointer."""
        address = self._builder.add(self._builder.ptrtoint(pointer, _INDEX), offset)
        place = self._builder.inttoptr(address, _VECTOR.as_pointer())
        self._builder.store(vector, place, align=_BYTES)

    def plus_product(self, term: Any, left: Any, right: Any) -> Any:
        """Sum of a term and a product."""
        return self._builder.call(self._fused, [left, right, term])

    def minus_product(self, term: Any, left: Any, right: Any) -> Any:
        """A term less a product."""
        return self.plus_product(term, self.negative(left), right)

    def reciprocal(self, vector: Any) -> Any:
        """One divided by a vector."""
        return self._builder.fdiv(self.constant(1.0), vector)

    def at_least(self, vector: Any, number: float) -> Any:
        """The larger of a vector and a number."""
        floor = self.constant(number)
        return self._builder.select(self._builder.fcmp_ordered(">", vector, floor), vector, floor)
