"""A cut on the quality of redshifts, as a mapping asks for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from hbmlc_models.formats.arrays import JsonValue
from hbmlc_models.formats.errors import MappingInvalidError

__all__ = ["QualityCut", "is_finite_number"]

_CUT = ("min", "max", "equal", "in")


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityCut:
    """Which values of a quality column make a redshift a label; a missing one does not."""

    column: str
    """Column of the quality."""
    min: float | None = None
    """Least value."""
    max: float | None = None
    """Largest value."""
    equal: float | str | None = None
    """The one value."""
    among: tuple[float | str, ...] = ()
    """The values; ``in`` in JSON."""

    def as_dict(self) -> dict[str, JsonValue]:
        """JSON document."""
        found: dict[str, JsonValue] = {"column": self.column}
        for name in ("min", "max", "equal"):
            if (value := getattr(self, name)) is not None:
                found[name] = value
        if self.among:
            found["in"] = list(self.among)
        return found

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> QualityCut:
        """Read a JSON document; raises ``MappingInvalidError`` where it is no cut."""
        column = document.get("column")
        rest = {name: value for name, value in document.items() if name != "column"}
        limits = {name: rest.get(name) for name in ("min", "max")}
        values = [] if rest.get("in") is None else rest["in"]
        is_fine = (
            isinstance(column, str)
            and any(value not in (None, []) for value in rest.values())
            and set(rest) <= set(_CUT)
            and all(value is None or is_finite_number(value) for value in limits.values())
            and isinstance(rest.get("equal"), int | float | str | None)
            and isinstance(values, Sequence)
            and not isinstance(values, str)
            and all(
                isinstance(value, int | float | str) for value in cast("Sequence[object]", values)
            )
        )
        if not is_fine:
            raise MappingInvalidError(
                "'z_quality' is a column with 'min' and 'max', 'equal', or 'in', such as "
                '{"column": "ZWARN", "equal": 0}.',
                where="z_quality",
            )
        given = {name for name, value in rest.items() if value not in (None, [])}
        if len({"min" if name == "max" else name for name in given}) > 1:
            raise MappingInvalidError(
                "'z_quality' takes 'min' and 'max', or 'equal', or 'in', and not two of them.",
                where="z_quality",
            )
        return cls(
            column=str(column),
            min=cast("float | None", limits["min"]),
            max=cast("float | None", limits["max"]),
            equal=cast("float | str | None", rest.get("equal")),
            among=tuple(cast("Sequence[float | str]", values)),
        )


def is_finite_number(value: object) -> bool:
    """Whether a value is a number that JSON can hold; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
