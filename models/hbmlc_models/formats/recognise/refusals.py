"""Why columns are not enough: no band, no errors, no id."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hbmlc_models.formats.errors import BadErrorsError, MissingIdsError, NoBandRecognisedError
from hbmlc_models.formats.readers import SourceColumn
from hbmlc_models.formats.recognise.band_names import Quantity, Role, parse_band_column
from hbmlc_models.formats.recognise.band_sources import Chosen
from hbmlc_models.formats.shown import listed

__all__ = ["no_band", "no_errors", "no_id"]


def no_band(
    columns: Mapping[str, SourceColumn], names: Mapping[str, str], *, off: Collection[str]
) -> NoBandRecognisedError:
    """No band; where there are columns of errors, that is what is said."""
    errors = [
        column
        for column, plain in names.items()
        if (parsed := parse_band_column(plain)) is not None and parsed.role is not Role.VALUE
    ]
    vectors = [name for name, column in columns.items() if column.n_elements is not None]
    hint = ""
    switched = sorted({"mag", "flux"} & set(off))
    if switched:
        hint = f" The mapping switches {' and '.join(switched)} off."
    elif errors:
        hint = f" There are columns of errors, such as {listed(errors, 3)}, but none of values."
    elif vectors:
        hint = f" Elements of vectors are mapped as {vectors[0]}[0]."
    return NoBandRecognisedError(
        f"None of {len(columns)} columns names a band (first: {listed(columns, 5)}); name them "
        f"like mag_g and mag_err_g, or map them yourself.{hint}"
    )


def no_errors(chosen: Chosen, columns: Mapping[str, SourceColumn]) -> BadErrorsError:
    """The bands are there, their errors are not."""
    values = [found.column for _, found in chosen.values()]
    likely = [n for n in columns if "err" in n.lower() or "unc" in n.lower() or "sig" in n.lower()]
    hint = f" (perhaps {listed(likely, 3)})" if likely else ""
    kind = "mag_err" if any(f.quantity is Quantity.MAG for f, _ in chosen.values()) else "flux_err"
    return BadErrorsError(
        f"None of the bands {', '.join(chosen)} ({listed(values, 3)} …) has an error column; add "
        f"the one-sigma errors (mag_err_g next to mag_g) or map them as {kind!r}{hint}.",
        where=values[0] if values else None,
    )


def no_id(columns: Mapping[str, SourceColumn]) -> MissingIdsError:
    """Nothing identifies the galaxies."""
    return MissingIdsError(
        f"None of {len(columns)} columns is an id (first: {listed(columns, 5)}); call one 'id' or "
        "map it, or map 'id' to null to number the rows.",
        mapping={"id": None},
    )
