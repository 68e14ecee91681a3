"""Named arrays as bytes: the safetensors format, which never runs code and always has one form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as _load_tensors
from safetensors.numpy import save as _save_tensors

__all__ = ["ArrayFileError", "JsonValue", "dump", "load"]

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | Mapping[str, JsonValue] | None"
"""What JSON can say."""

_METADATA_KEY = "hbmlc"


class ArrayFileError(ValueError):
    """The bytes are not what ``dump`` wrote."""


def dump(arrays: Mapping[str, npt.NDArray[np.generic]], metadata: Mapping[str, JsonValue]) -> bytes:
    """Bytes of named arrays and a JSON document; the same input gives the same bytes.

    Examples
    --------
    >>> arrays, metadata = load(dump({"z": np.arange(3.0)}, {"seed": 1}))
    >>> arrays["z"], metadata
    (array([0., 1., 2.]), {'seed': 1})
    """
    # safetensors orders by dtype and name, not by insertion; non-contiguous views must be copied.
    tensors = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    shaped = {name: array.reshape(arrays[name].shape) for name, array in tensors.items()}
    text = json.dumps(metadata, sort_keys=True, separators=(",", ":"), allow_nan=True)
    return _save_tensors(shaped, metadata={_METADATA_KEY: text})


def load(content: bytes) -> tuple[dict[str, npt.NDArray[np.generic]], dict[str, JsonValue]]:
    """Arrays and metadata that ``dump`` wrote.

    Raises
    ------
    ArrayFileError
        The bytes are damaged or of another kind.
    """
    try:
        arrays = _load_tensors(content)
        header_size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + header_size])
        metadata = json.loads(header["__metadata__"][_METADATA_KEY])
    except (SafetensorError, KeyError, ValueError) as error:
        raise ArrayFileError(f"not a file of named arrays: {error}") from error
    return arrays, metadata
