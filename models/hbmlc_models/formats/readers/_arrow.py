"""Conversions between numpy and arrow that several readers share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hbmlc_models.formats.errors import BadTextError
from hbmlc_models.formats.shown import shown

__all__ = ["text_array"]


def text_array(stored: npt.NDArray[Any], name: str) -> pa.Array:
    """Text of fixed-width bytes (``S``) or characters (``U``), without the padding."""
    if stored.dtype.kind == "U":
        return pa.array([str(text).rstrip(" \x00") for text in stored], pa.string())
    try:
        decoded = np.char.decode(stored.astype(stored.dtype.newbyteorder("=")), "utf-8")
    except UnicodeDecodeError as error:
        raise BadTextError(
            f"The text column {shown(name)} is not UTF-8; write it as UTF-8.", where=name
        ) from error
    return pa.array(np.char.rstrip(decoded, " \x00").tolist(), pa.string())
