"""Options of a calibration as words: ``--option n_anchors=30``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from hbmlc.schemas import CalibrationOptions, ColumnMapping

__all__ = ["read_mapping", "read_options"]


def read_options(words: Sequence[str], *, preset: str | None) -> CalibrationOptions:
    """Options from ``name=value`` words; raises ``typer.BadParameter`` with the known names."""
    # Here and not above: "hbmlc --help" need not build the wire schemas.
    from pydantic import ValidationError

    from hbmlc.schemas import CalibrationOptions

    document: dict[str, object] = {} if preset is None else {"preset": preset}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise typer.BadParameter(f"{word!r} is not name=value.", param_hint="--option")
        document[name.strip()] = _value(text.strip())
    try:
        return CalibrationOptions.model_validate(document)
    except ValidationError as error:
        found = error.errors()[0]
        name = ".".join(str(part) for part in found["loc"])
        known = ", ".join(CalibrationOptions.model_fields)
        raise typer.BadParameter(
            f"{name}: {found['msg']}. Known options: {known}.", param_hint="--option"
        ) from error


def read_mapping(path: Path | None, *, tile_column: str | None) -> ColumnMapping | None:
    """Column mapping from a JSON file and the option for the tile column."""
    if path is None and tile_column is None:
        return None
    from hbmlc.schemas import ColumnMapping

    try:
        document = {} if path is None else json.loads(path.read_text())
        if tile_column is not None:
            document["tile"] = tile_column
        return ColumnMapping.model_validate(document)
    except (ValueError, TypeError) as error:
        raise typer.BadParameter(
            f"{path} is no column mapping: {error}", param_hint="--mapping"
        ) from error


def _value(text: str) -> object:
    """Number, boolean or text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
