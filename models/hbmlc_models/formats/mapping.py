"""Which column of an upload holds what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import cast

from hbmlc_models.formats.arrays import JsonValue
from hbmlc_models.formats.errors import MappingInvalidError
from hbmlc_models.formats.quality_cut import QualityCut, is_finite_number
from hbmlc_models.formats.shown import shown

__all__ = ["ColumnMapping"]

_BY_BAND = ("mag", "mag_err", "flux", "flux_err", "flux_ivar", "extras")
_TEXTS = ("tile", "ra", "dec", "position_unit", "z_spec", "z_spec_err", "selected")


def _no_columns() -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """Names of the columns that hold what the science needs.

    What is left out is guessed; ``null`` in JSON, here a name in ``off``, switches the guess off.
    ``FLUX[0]`` is the first element of a vector column.
    """

    id: str | tuple[str, ...] | None = None
    """Identifier of the galaxy, integer or text, unique; several columns together; off: the row."""
    tile: str | None = None
    """The caller's own tiles, integer or text."""
    ra: str | None = None
    """Right ascension."""
    dec: str | None = None
    """Declination."""
    position_unit: str | None = None
    """Unit of the positions: ``deg``, ``rad`` or ``hour`` (of right ascension)."""
    z_spec: str | None = None
    """Spectroscopic redshift."""
    z_spec_err: str | None = None
    """Its error; a redshift without a positive one is no label."""
    z_quality: QualityCut | None = None
    """Which redshifts to trust."""
    selected: str | None = None
    """Whether the spectroscopic survey selected the galaxy."""
    mag: Mapping[str, str] = field(default_factory=_no_columns)
    """Band to the column of its AB magnitude."""
    mag_err: Mapping[str, str] = field(default_factory=_no_columns)
    """Band to the column of its one-sigma error [mag]."""
    mag_offset: Mapping[str, float] = field(default_factory=dict[str, float])
    """Band to what is added to its magnitudes to make them AB [mag]."""
    flux: Mapping[str, str] = field(default_factory=_no_columns)
    """Band to the column of its flux."""
    flux_err: Mapping[str, str] = field(default_factory=_no_columns)
    """Band to the column of its one-sigma error, in the unit of the flux."""
    flux_ivar: Mapping[str, str] = field(default_factory=_no_columns)
    """Band to the column of its inverse variance, instead of an error."""
    flux_unit: str | Mapping[str, str] | None = None
    """Unit of fluxes and their errors, one or by band: any flux density."""
    zero_point: float | Mapping[str, float] | None = None
    """AB magnitude of a flux of one, one or by band, instead of a unit."""
    table: str | int | None = None
    """HDU, TABLE or group that holds the catalogue: name, or number counted from one in a VOTable
    and as the file counts in FITS."""
    extras: Mapping[str, str] = field(default_factory=_no_columns)
    """``size``, ``ellipticity``, ``concentration``, ``density``, ``depth_<band>``,
    ``seeing_<band>`` to their columns."""
    off: frozenset[str] = frozenset()
    """Fields that stay empty: nothing is guessed for them."""

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> ColumnMapping:
        """Read a JSON document with the names of the fields.

        Raises
        ------
        MappingInvalidError
            A field is unknown or of the wrong type, or two contradict each other.
        """
        columns: dict[str, object] = {}
        off: set[str] = set()
        for name, value in document.items():
            if name not in _FIELDS:
                raise MappingInvalidError(
                    f"Unknown mapping field {shown(name)}; known: {', '.join(_FIELDS)}.", where=name
                )
            if value is None:
                off.add(name)
            else:
                columns[name] = _checked(name, value)
        mapping = cls(**columns, off=frozenset(off))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        _refuse_contradictions(mapping)
        return mapping

    def as_dict(self) -> dict[str, JsonValue]:
        """JSON document with the names of the fields; read again, it gives the same mapping."""
        found: dict[str, JsonValue] = {}
        for name in _FIELDS:
            value = _as_json(getattr(self, name))
            if value is not None or name in self.off:
                found[name] = value
        return found

    def without_tile(self) -> ColumnMapping:
        """Return the same mapping without a tile column."""
        return replace(self, tile=None)

    @property
    def id_columns(self) -> tuple[str, ...]:
        """Columns that together are the id; none: the number of the row."""
        if self.id is None:
            return ()
        return (self.id,) if isinstance(self.id, str) else self.id

    def names(self) -> tuple[str, ...]:
        """All columns that are named, without repetition."""
        single = (
            *self.id_columns,
            self.tile,
            self.ra,
            self.dec,
            self.z_spec,
            self.z_spec_err,
            None if self.z_quality is None else self.z_quality.column,
            self.selected,
        )
        found = [name for name in single if name is not None]
        for kind in _BY_BAND:
            found += getattr(self, kind).values()
        return tuple(dict.fromkeys(found))


_FIELDS = tuple(item.name for item in fields(ColumnMapping) if item.name != "off")
"""Names in JSON."""


def _as_json(value: object) -> JsonValue:
    """Value of a field in JSON; ``None`` where nothing is mapped."""
    match value:
        case QualityCut():
            return value.as_dict()
        case tuple():
            return [str(column) for column in cast("tuple[str, ...]", value)]
        case Mapping():
            return dict(cast("Mapping[str, JsonValue]", value)) or None
        case str() | int() | float():
            return value
        case _:
            return None


def _checked(name: str, value: object) -> object:
    """Return the value of the field ``name`` in its type."""
    is_text = isinstance(value, str)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if (is_text and name in {*_TEXTS, "table", "flux_unit"}) or (is_whole and name == "table"):
        return value
    if name == "id" and (found := _id(value)) is not None:
        return found
    if name == "zero_point" and isinstance(value, int | float):
        return _number(name, value)
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value)
        if name == "z_quality":
            return QualityCut.from_dict(entries)
        if name in {"zero_point", "mag_offset"}:
            return {band: _number(name, number) for band, number in entries.items()}
        if name in {*_BY_BAND, "flux_unit"}:
            return {band: _text(name, column) for band, column in entries.items()}
    raise MappingInvalidError(f"Mapping field {name!r} cannot be {shown(repr(value))}.", where=name)


def _id(value: object) -> str | tuple[str, ...] | None:
    """One column, or several that together are the id."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        parts = cast("Sequence[object]", value)
        if parts and all(isinstance(part, str) for part in parts):
            return tuple(str(part) for part in parts)
    return None


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise MappingInvalidError(f"Mapping field {name!r} holds texts by band.", where=name)


def _number(name: str, value: object) -> float:
    if is_finite_number(value):
        return float(cast("float", value))
    raise MappingInvalidError(f"Mapping field {name!r} holds numbers.", where=name)


def _overlap(unit: object, point: object) -> bool:
    """Whether a unit and a zero point, each for all bands or by band, are of the same ones."""
    if unit is None or point is None:
        return False
    if isinstance(unit, Mapping) and isinstance(point, Mapping):
        return not cast("Mapping[str, object]", unit).keys().isdisjoint(point)
    return True


def _refuse_contradictions(mapping: ColumnMapping) -> None:
    """Raise where the mapping says two things at once."""
    _refuse_twice(mapping)
    _refuse_odd_labels(mapping)
    _refuse_shared_columns(mapping)


def _refuse_twice(mapping: ColumnMapping) -> None:
    """Raise where one band has two of a kind."""
    if mapping.mag and mapping.flux and set(mapping.mag) & set(mapping.flux):
        both = sorted(set(mapping.mag) & set(mapping.flux))
        raise MappingInvalidError(
            f"The mapping gives {', '.join(both)} as magnitude and as flux; choose one.",
            where="flux",
        )
    twice = sorted(set(mapping.flux_err) & set(mapping.flux_ivar))
    if twice:
        raise MappingInvalidError(
            f"The mapping gives {', '.join(twice)} an error and an inverse variance; choose one.",
            where="flux_ivar",
        )
    if _overlap(mapping.flux_unit, mapping.zero_point):
        raise MappingInvalidError(
            "The mapping gives a flux unit and a zero point of the same bands; choose one.",
            where="zero_point",
        )


def _refuse_odd_labels(mapping: ColumnMapping) -> None:
    """Raise where what is said of ids and labels cannot be."""
    if "z_spec" in mapping.off and (mapping.z_quality or mapping.z_spec_err):
        raise MappingInvalidError(
            "The mapping switches 'z_spec' off, and says which of its values are labels.",
            where="z_quality" if mapping.z_quality else "z_spec_err",
        )
    if len(set(mapping.id_columns)) < len(mapping.id_columns):
        raise MappingInvalidError("A column is in 'id' twice.", where="id")
    cut = mapping.z_quality
    if cut is not None and cut.min is not None and cut.max is not None and cut.min > cut.max:
        raise MappingInvalidError(
            "No value lies between the 'min' of 'z_quality' and a smaller 'max'.",
            where="z_quality",
        )


def _refuse_shared_columns(mapping: ColumnMapping) -> None:
    """Raise where one column is said to be two things."""
    owners: dict[str, str] = {}
    kinds = ("mag", "mag_err", "flux", "flux_err", "flux_ivar")
    for kind in kinds:
        for band, column in cast("Mapping[str, str]", getattr(mapping, kind)).items():
            what = f"{kind} of {band}"
            if (other := owners.setdefault(column, what)) != what:
                raise MappingInvalidError(
                    f"The column {shown(column)} is mapped twice, as {other} and as {what}.",
                    where=column,
                )
    single = ("ra", "dec", "z_spec", "z_spec_err")
    for name in single:
        column = cast("str | None", getattr(mapping, name))
        if column is not None and (other := owners.setdefault(column, name)) != name:
            raise MappingInvalidError(
                f"The column {shown(column)} is mapped twice, as {other} and as {name}.",
                where=column,
            )
