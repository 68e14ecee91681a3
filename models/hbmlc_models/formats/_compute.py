"""Arrow's compute functions, which are made at run time and so carry no types."""

from __future__ import annotations

from typing import Any

import pyarrow.compute

__all__ = ["pc"]

pc: Any = pyarrow.compute
