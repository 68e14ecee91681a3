"""Which column of an upload holds what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from hbmlc_models.formats.errors import MappingInvalidError
from hbmlc_models.formats.shown import shown
from hbmlc_models.photometry import AB_ZERO_JANSKY

__all__ = ["ColumnMapping", "FluxUnit"]


class FluxUnit(StrEnum):
    """Units in which fluxes may be uploaded."""

    MAGGY = "maggy"
    NANOMAGGY = "nanomaggy"
    JANSKY = "Jy"
    MICROJANSKY = "uJy"
    NANOJANSKY = "nJy"

    @property
    def maggies(self) -> float:
        """One of this unit in maggies."""
        return {
            FluxUnit.MAGGY: 1.0,
            FluxUnit.NANOMAGGY: 1e-9,
            FluxUnit.JANSKY: 1 / AB_ZERO_JANSKY,
            FluxUnit.MICROJANSKY: 1e-6 / AB_ZERO_JANSKY,
            FluxUnit.NANOJANSKY: 1e-9 / AB_ZERO_JANSKY,
        }[self]

    @classmethod
    def parse(cls, text: str) -> FluxUnit:
        """Read a spelling that is in use, such as ``njy``, ``microJansky`` or ``nmgy``.

        Raises
        ------
        MappingInvalidError
            The spelling is unknown; the message lists the known units.
        """
        spelled = text.strip().lower().replace("μ", "u").replace("µ", "u").replace(" ", "")
        if spelled not in _SPELLINGS:
            known = ", ".join(cls)
            raise MappingInvalidError(f"Unknown flux unit {shown(text)}; use one of {known}.")
        return _SPELLINGS[spelled]


_SPELLINGS = {unit.value.lower(): unit for unit in FluxUnit} | {
    "maggies": FluxUnit.MAGGY,
    "mgy": FluxUnit.MAGGY,
    "nanomaggies": FluxUnit.NANOMAGGY,
    "nmgy": FluxUnit.NANOMAGGY,
    "jansky": FluxUnit.JANSKY,
    "microjansky": FluxUnit.MICROJANSKY,
    "microjy": FluxUnit.MICROJANSKY,
    "nanojansky": FluxUnit.NANOJANSKY,
    "nanojy": FluxUnit.NANOJANSKY,
}


def _no_columns() -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """Names of the columns that hold what the science needs; ``None`` or empty: guess."""

    id: str | None = None
    """Identifier of the galaxy, integer or text, unique."""
    tile: str | None = None
    """The caller's own tiles, integer or text."""
    ra: str | None = None
    """Right ascension [deg]."""
    dec: str | None = None
    """Declination [deg]."""
    z_spec: str | None = None
    """Spectroscopic redshift."""
    selected: str | None = None
    """Whether the spectroscopic survey selected the galaxy."""
    mag: Mapping[str, str] = field(default_factory=_no_columns)
    """Band to the column of its AB magnitude."""
    mag_err: Mapping[str, str] = field(default_factory=_no_columns)
    """Band to the column of its one-sigma error [mag]."""
    flux: Mapping[str, str] = field(default_factory=_no_columns)
    """Band to the column of its flux, in ``flux_unit``."""
    flux_err: Mapping[str, str] = field(default_factory=_no_columns)
    """Band to the column of its one-sigma error, in ``flux_unit``."""
    flux_unit: FluxUnit | None = None
    """Unit of fluxes and their errors."""
    extras: Mapping[str, str] = field(default_factory=_no_columns)
    """``size``, ``ellipticity``, ``concentration``, ``density``, ``depth_<band>``,
    ``seeing_<band>`` to their columns."""

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> ColumnMapping:
        """Read a JSON document with the names of the fields.

        Raises
        ------
        MappingInvalidError
            A field is unknown or of the wrong type.
        """
        columns: dict[str, object] = {}
        for name, value in document.items():
            if name not in cls.__dataclass_fields__:
                known = ", ".join(cls.__dataclass_fields__)
                raise MappingInvalidError(f"Unknown mapping field {shown(name)}; known: {known}.")
            if value is not None:
                columns[name] = _checked(name, value)
        return cls(**columns)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def as_dict(self) -> dict[str, object]:
        """JSON document with the names of the fields."""
        return asdict(self)

    def without_tile(self) -> ColumnMapping:
        """Return the same mapping without a tile column."""
        return replace(self, tile=None)

    def names(self) -> tuple[str, ...]:
        """All columns that are named, without repetition."""
        single = (self.id, self.tile, self.ra, self.dec, self.z_spec, self.selected)
        several = (self.mag, self.mag_err, self.flux, self.flux_err, self.extras)
        found = [name for name in single if name is not None]
        found += [name for columns in several for name in columns.values()]
        return tuple(dict.fromkeys(found))


def _checked(name: str, value: object) -> object:
    """Return the value of the field ``name`` in its type."""
    if name == "flux_unit" and isinstance(value, str):
        return FluxUnit.parse(value)
    if name in {"mag", "mag_err", "flux", "flux_err", "extras"}:
        if isinstance(value, Mapping):
            return {str(band): str(column) for band, column in value.items()}
    elif isinstance(value, str):
        return value
    raise MappingInvalidError(f"Mapping field {name!r} cannot be {shown(repr(value))}.", where=name)
