"""Columns that were measured in one way, in several bands: what a table's photometry comes in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hbmlc_models.bands import sort_bands
from hbmlc_models.formats.recognise.band_names import Quantity, Role, parse_band_column
from hbmlc_models.formats.recognise.photometry_words import DEREDDENED, PREFERRED

__all__ = ["Family", "Measured", "families_in", "preference", "rank_names"]

_LETTERS = frozenset("UGRIZ")
_CALIBRATED = DEREDDENED | {"calib", "cal", "obs", "observed", "ab", "vega"}
"""Words that either the values or their errors often lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Columns of one band."""

    column: str
    """Values."""
    error: str | None
    """Errors or inverse variances; ``None`` where there are none."""
    is_ivar: bool = False
    """Whether ``error`` holds inverse variances."""


@dataclass(slots=True, kw_only=True)
class Family:
    """Columns that differ only in band and in their part of the measurement."""

    quantity: Quantity
    aperture: tuple[str, ...]
    instrument: tuple[str, ...]
    is_dereddened: bool = False
    bands: dict[str, Measured] = field(default_factory=dict[str, Measured])
    """By band, in the order of the file."""

    @property
    def name(self) -> str:
        """What the family is called in a message."""
        words = [*self.instrument, *self.aperture]
        kind = "" if self.quantity is Quantity.BARE else self.quantity.value
        return " ".join(filter(None, [*words, kind])) or "plain columns"

    @property
    def complete(self) -> tuple[str, ...]:
        """Bands with both a value and an error."""
        return sort_bands(band for band, found in self.bands.items() if found.error)

    def only(self, bands: Iterable[str]) -> Family:
        """Give the same family with some of its bands."""
        kept = set(bands)
        return Family(
            quantity=self.quantity,
            aperture=self.aperture,
            instrument=self.instrument,
            is_dereddened=self.is_dereddened,
            bands={band: found for band, found in self.bands.items() if band in kept},
        )


_Key = tuple[Quantity, tuple[str, ...], tuple[str, ...]]
_Parts = dict[_Key, dict[str, str]]


def families_in(plain_names: Mapping[str, str]) -> list[Family]:
    """Families among columns; ``plain_names`` gives what each is called without its suffix."""
    parts: dict[Role, _Parts] = {role: {} for role in Role}
    dereddened: set[_Key] = set()
    for column, plain in plain_names.items():
        parsed = parse_band_column(plain)
        if parsed is None or parsed.quantity in {Quantity.DEPTH, Quantity.SEEING}:
            continue
        key = (parsed.quantity, parsed.aperture, parsed.instrument)
        parts[parsed.role].setdefault(key, {}).setdefault(parsed.band, column)
        if parsed.is_dereddened:
            dereddened.add(key)
    found = [
        _family(key, columns, parts, is_dereddened=key in dereddened)
        for key, columns in parts[Role.VALUE].items()
    ]
    for related in _related(found):
        _settle_case(related)
    found += [twin for family in found if (twin := _twin(family)).bands]
    for family in found:
        _settle_near_infrared(family)
    return found


def rank_names(names: Iterable[str]) -> tuple[int, ...]:
    """How much column names look like a catalogue: bands with errors, bands, then all else."""
    families = families_in({name: name for name in names})
    bare = Quantity.BARE
    complete = [len(f.complete) for f in families if f.quantity is not bare or len(f.complete) > 1]
    values = [len(f.bands) for f in families if f.quantity is not bare]
    return max(complete, default=0), max(values, default=0)


def preference(aperture: tuple[str, ...]) -> int:
    """Place of a kind of photometry: the lower, the better for colours of galaxies."""
    known = [PREFERRED.index(word) for word in aperture if word in PREFERRED]
    if known:
        return max(known)
    return PREFERRED.index("") if not aperture else len(PREFERRED)


def _family(
    key: _Key, columns: Mapping[str, str], parts: Mapping[Role, _Parts], *, is_dereddened: bool
) -> Family:
    """Values with the errors that belong to them."""
    quantity, aperture, instrument = key
    family = Family(
        quantity=quantity, aperture=aperture, instrument=instrument, is_dereddened=is_dereddened
    )
    for band, column in columns.items():
        error, is_ivar = _error_of(band, key, parts)
        family.bands[band] = Measured(column=column, error=error, is_ivar=is_ivar)
    return family


def _error_of(band: str, key: _Key, parts: Mapping[Role, _Parts]) -> tuple[str | None, bool]:
    """Error column of a value: of its own name, else of the nearest; and whether it is an ivar."""
    for near in _near(key):
        for role in (Role.ERROR, Role.IVAR):
            if (column := parts[role].get(near, {}).get(band)) is not None:
                return column, role is Role.IVAR
    for role in (Role.ERROR, Role.IVAR):
        fitting = [
            columns[band]
            for other, columns in parts[role].items()
            if band in columns and _is_kin(key, other)
        ]
        if len(fitting) == 1:
            return fitting[0], role is Role.IVAR
    return None, False


def _is_kin(value: _Key, error: _Key) -> bool:
    """Whether an error differs from a value in words such as "cal" only."""
    quantity, aperture, instrument = error
    is_same = quantity in {value[0], Quantity.BARE} and instrument == value[2]
    return is_same and _plain(aperture) == _plain(value[1])


def _plain(aperture: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in aperture if word not in _CALIBRATED)


def _near(key: _Key) -> list[_Key]:
    """Where the errors of a family may be, the likeliest first."""
    quantity, aperture, instrument = key
    plain = _plain(aperture)
    kinds = [aperture, plain, ()]
    if plain != aperture and not plain:
        # SDSS has "dered_g" beside the errors of "modelMag_g".
        kinds.insert(2, ("model",))
    quantities = [quantity] if quantity is Quantity.BARE else [quantity, Quantity.BARE]
    if quantity is Quantity.BARE and plain != aperture:
        quantities.append(Quantity.MAG)
    return list(dict.fromkeys((q, kind, instrument) for kind in kinds for q in quantities))


def _related(families: list[Family]) -> list[list[Family]]:
    """Families that differ in the instrument only."""
    groups: dict[tuple[Quantity, tuple[str, ...]], list[Family]] = {}
    for family in families:
        groups.setdefault((family.quantity, family.aperture), []).append(family)
    return list(groups.values())


def _settle_case(related: list[Family]) -> None:
    """Give single letters the usual case: who shouts writes ugrizy as ``U``, ``G``, ``R``."""
    letters = {band for family in related for band in family.bands if len(band) == 1}
    if not letters & {"G", "Z"}:
        return
    has_lower = bool(letters & set("ugriz"))
    for family in related:
        has_own = bool(family.bands.keys() & {"G", "Z"})
        is_johnson = bool(family.bands.keys() & {"B", "V"}) and not has_own
        names: dict[str, str] = {}
        for band in family.bands:
            if has_lower:
                # KiDS writes VISTA's z as "Z" beside its own "u", "g", "r", "i".
                lowered = band in {"G", "Z"} and band.lower() not in family.bands
            else:
                lowered = (band in _LETTERS and not is_johnson) or (
                    band == "Y" and _is_optical(family)
                )
            names[band] = band.lower() if lowered else band
        family.bands = {names[band]: found for band, found in family.bands.items()}


def _twin(family: Family) -> Family:
    """Take out the bands of a family that are there in both cases: ``mag_g`` and ``MAG_G``."""
    twice = {b for b in ("G", "Z") if b in family.bands and b.lower() in family.bands}
    twin = family.only(twice)
    twin.bands = {band.lower(): found for band, found in twin.bands.items()}
    family.bands = family.only(family.bands.keys() - twice).bands
    return twin


def _settle_near_infrared(family: Family) -> None:
    """Give the Y of a near-infrared camera its capital: WFCAM, VISTA and NISP write ``y``."""
    has_infrared = bool(family.bands.keys() & {"J", "H", "K", "Ks"})
    if has_infrared and "Y" not in family.bands and not family.bands.keys() & {"g", "r", "i"}:
        family.bands = {"Y" if b == "y" else b: found for b, found in family.bands.items()}


def _is_optical(family: Family) -> bool:
    """Whether the Y of a family is the reddest of an optical camera and not a first near-infrared.

    A camera with J, H or K has the latter.
    """
    return bool(family.bands.keys() & _LETTERS) and not family.bands.keys() & {"J", "H", "K", "Ks"}
