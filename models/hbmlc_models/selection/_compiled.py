"""Machine code for inner loops, with an exponential and a logarithm for many numbers at once.

The compiler turns a loop over galaxies into vector instructions only where it can see through every
call; the mathematical library is opaque to it. Both functions below are plain arithmetic on the
bits of a double (Tang 1989, ACM TOMS 15, 144), four times as fast in a loop, and the same on every
machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba
import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["compiled", "dot", "exp", "inlined", "log", "softmax", "total"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_EXACT: set[str] = set()
"""No liberties with arithmetic; without saying so a callee would take those of its caller."""
_ROUNDER = 6755399441055744.0
"""1.5 · 2⁵²: adding it to a small number leaves the nearest integer in the low bits."""
_ROUNDER_BITS = 0x4338000000000000
"""Its bits."""
_BIAS = 1023
_MANTISSA = 52
_LOG2_E = 1.4426950408889634
_LN_2 = 0.6931471805599453
_LN_2_HIGH = 0.693145751953125
"""Leading bits of ln 2, so that an integer times it is exact."""
_LN_2_LOW = 1.42860682030941723212e-6
_LEAST, _MOST = -708.0, 709.0
"""Where the exponential of a double neither underflows nor overflows."""
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD


def compiled(*, parallel: bool = False) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Compile a function to machine code that is kept on disk and leaves Python's lock.

    With ``parallel``, ``prange`` runs on all threads; no result may depend on their number.
    """
    njit: Any = numba.njit
    return njit(cache=True, parallel=parallel, nogil=True, error_model="numpy", fastmath=_EXACT)


def inlined(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function into the loops that call it."""
    njit: Any = numba.njit
    return njit(inline="always", error_model="numpy", fastmath=_EXACT)(function)


def _summing(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a sum whose order the compiler may choose; nothing else may be re-ordered."""
    njit: Any = numba.njit
    return njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})(
        function
    )


@inlined
def exp(x: float) -> float:
    """Exponential to the last bits, of a finite number; it saturates instead of overflowing."""
    x = min(max(x, _LEAST), _MOST)
    shifted = x * _LOG2_E + _ROUNDER
    n = shifted - _ROUNDER
    r = (x - n * _LN_2_HIGH) - n * _LN_2_LOW
    # Taylor series to r^13, with |r| < 0.35.
    p = 1 / 6227020800.0
    p = p * r + 1 / 479001600.0
    p = p * r + 1 / 39916800.0
    p = p * r + 1 / 3628800.0
    p = p * r + 1 / 362880.0
    p = p * r + 1 / 40320.0
    p = p * r + 1 / 5040.0
    p = p * r + 1 / 720.0
    p = p * r + 1 / 120.0
    p = p * r + 1 / 24.0
    p = p * r + 1 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    exponent = np.float64(shifted).view(np.int64) - np.int64(_ROUNDER_BITS) + np.int64(_BIAS)
    return p * np.int64(exponent << np.int64(_MANTISSA)).view(np.float64)


@inlined
def log(x: float) -> float:
    """Logarithm to the last bits, of a normal positive number."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - np.int64(_SQRT_HALF_BITS)) >> np.int64(_MANTISSA)
    mantissa = np.int64(bits - (exponent << np.int64(_MANTISSA))).view(np.float64)
    n = np.int64(exponent + np.int64(_ROUNDER_BITS)).view(np.float64) - _ROUNDER
    # 2 artanh s with |s| < 0.172.
    s = (mantissa - 1) / (mantissa + 1)
    t = s * s
    p = 2 / 21.0
    p = p * t + 2 / 19.0
    p = p * t + 2 / 17.0
    p = p * t + 2 / 15.0
    p = p * t + 2 / 13.0
    p = p * t + 2 / 11.0
    p = p * t + 2 / 9.0
    p = p * t + 2 / 7.0
    p = p * t + 2 / 5.0
    p = p * t + 2 / 3.0
    p = p * t + 2.0
    return n * _LN_2 + s * p


@_summing
def dot(left: FloatArray, right: FloatArray) -> float:
    """Scalar product, both ``(n,)``."""
    answer = 0.0
    for i in range(len(left)):
        answer += left[i] * right[i]
    return answer


@_summing
def total(values: FloatArray) -> float:
    """Sum of ``values`` ``(n,)``."""
    answer = 0.0
    for i in range(len(values)):
        answer += values[i]
    return answer


@compiled()
def softmax(values: FloatArray) -> float:
    """Replace logarithms ``(n,)`` by shares that sum to one; the logarithm of their sum."""
    highest = -np.inf
    for i in range(len(values)):
        highest = max(highest, values[i])
    for i in range(len(values)):
        values[i] = exp(values[i] - highest)
    norm = total(values)
    scale = 1 / norm
    for i in range(len(values)):
        values[i] *= scale
    return highest + np.log(norm)
