"""Which column of an upload holds what, as a client says it."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    StrictBool,
    StringConstraints,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from hbmlc.schemas.base import Request

__all__ = ["ColumnMapping", "QualityCut"]

MAX_ENTRIES = 200
"""Bands, or further columns, that a mapping names at most."""
MAX_ID_COLUMNS = 16
"""Columns that together are an id at most."""
MAX_QUALITY_VALUES = 100
"""Values of a quality column that are listed at most."""
_MAX_TABLE = 99_999

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Band = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Unit = Annotated[str, StringConstraints(min_length=1, max_length=100)]
# A number as text, or a truth value for a number, is a slip that should be told.
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
TableNumber = Annotated[int, Field(strict=True, ge=0, le=_MAX_TABLE)]
Value = (
    StrictBool
    | Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
    | Number
    | Annotated[str, StringConstraints(max_length=200)]
)
"""What may stand in a cell of a quality column."""
_CONDITIONS = ("min", "max", "equal", "in")
Columns = Annotated[dict[Band, Column], Field(max_length=MAX_ENTRIES)]


class QualityCut(Request):
    """Which values of a quality column make a redshift a label; one of the conditions is given."""

    column: Column
    """Column of the quality."""
    min: Number | None = None
    """Least value."""
    max: Number | None = None
    """Largest value."""
    equal: Value | None = None
    """The one value."""
    among: list[Value] | None = Field(
        default=None, alias="in", min_length=1, max_length=MAX_QUALITY_VALUES
    )
    """The values; in JSON, and for ``model_validate``, called ``in``."""

    @model_validator(mode="after")
    def _need_a_condition(self) -> QualityCut:
        said = self.model_fields_set - {"column"}
        if not said or any(getattr(self, name) is None for name in said):
            raise ValueError("say which values are good: 'min' and 'max', 'equal', or 'in'")
        kinds = (bool(said & {"min", "max"}), "equal" in said, bool(said - {"min", "max", "equal"}))
        if sum(kinds) > 1:
            raise ValueError("give 'min' and 'max', or 'equal', or 'in', and not two of them")
        return self

    @model_serializer(mode="plain")
    def _only_what_was_said(self) -> dict[str, Any]:
        fields = {"column": self.column, "min": self.min, "max": self.max, "equal": self.equal}
        return {k: v for k, v in (fields | {"in": self.among}).items() if v is not None}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Give the schema of its fields, none of them null, and one kind of condition."""
        found = super().__get_pydantic_json_schema__(_without_serializer(core_schema), handler)
        schema = handler.resolve_ref_schema(found)
        for name in _CONDITIONS:
            field = schema["properties"][name]
            kinds = [kind for kind in field.pop("anyOf") if kind != {"type": "null"}]
            field.pop("default", None)
            field.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})
        limits = [{"required": [name]} for name in ("min", "max")]
        schema["oneOf"] = [{"anyOf": limits}, {"required": ["equal"]}, {"required": ["in"]}]
        return found


class ColumnMapping(Request):
    """Which column of the upload holds what.

    A field that is left out is guessed; ``null`` switches its guess off. A document that is sent,
    stored or shown has the fields that were said, and no others. ``FLUX[0]`` is the first element
    of a vector column.
    """

    id: Column | Annotated[list[Column], Field(min_length=1, max_length=MAX_ID_COLUMNS)] | None = (
        None
    )
    """Identifier, unique; several columns that are so together; ``null``: the number of the row."""
    tile: Column | None = None
    """The caller's own tiles; ``null``: from the positions."""
    ra: Column | None = None
    dec: Column | None = None
    position_unit: Unit | None = None
    """``deg``, ``rad`` or ``hour`` (of right ascension)."""
    z_spec: Column | None = None
    z_spec_err: Column | None = None
    """Error of the redshift; one without a positive error is no label."""
    z_quality: QualityCut | None = None
    """Which redshifts to trust, such as ``{"column": "ZWARN", "equal": 0}``."""
    selected: Column | None = None
    mag: Columns | None = Field(default_factory=dict)
    """Band name to the column of its AB magnitude."""
    mag_err: Columns | None = Field(default_factory=dict)
    mag_offset: Annotated[dict[Band, Number], Field(max_length=MAX_ENTRIES)] | None = Field(
        default_factory=dict
    )
    """Band name to what is added to its magnitudes to make them AB."""
    flux: Columns | None = Field(default_factory=dict)
    """Band name to the column of its flux, in ``flux_unit`` or by ``zero_point``."""
    flux_err: Columns | None = Field(default_factory=dict)
    flux_ivar: Columns | None = Field(default_factory=dict)
    """Band name to the column of its inverse variance, instead of an error."""
    flux_unit: Unit | Annotated[dict[Band, Unit], Field(max_length=MAX_ENTRIES)] | None = None
    """Any flux density (``nJy``, ``nanomaggy``, ``erg / (s cm2 Hz)``), one or by band."""
    zero_point: Number | Annotated[dict[Band, Number], Field(max_length=MAX_ENTRIES)] | None = None
    """AB magnitude of a flux of one, one or by band, instead of a unit."""
    table: Column | TableNumber | None = None
    """HDU, TABLE or group that holds the catalogue, by name or number."""
    extras: Columns | None = Field(default_factory=dict)
    """``size``, ``ellipticity``, ``concentration``, ``density``, ``depth_<band>``,
    ``seeing_<band>``."""

    @model_serializer(mode="wrap")
    def _only_what_was_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        document = cast("dict[str, Any]", handler(self))
        said = [name for name in type(self).model_fields if name in self.model_fields_set]
        # ``exclude_none`` would take away what switches a guess off.
        return {
            name: document.get(name)
            for name in said
            if name in document or getattr(self, name) is None
        }

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Give the schema of its fields, the same for what is sent and what is shown."""
        return super().__get_pydantic_json_schema__(_without_serializer(core_schema), handler)


def _without_serializer(schema: CoreSchema) -> CoreSchema:
    """Return a schema, and those that it wraps, without the serializer of the model."""
    bare = {name: part for name, part in schema.items() if name != "serialization"}
    inner = bare.get("schema")
    if isinstance(inner, dict) and bare.get("type") != "model":
        bare["schema"] = _without_serializer(cast("CoreSchema", inner))
    return cast("CoreSchema", bare)
