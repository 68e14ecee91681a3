"""Options of a job as words: ``--option n_anchors=30``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from hbmlc.schemas import CalibrationOptions, ColumnMapping, TrainingOptions

__all__ = ["read_mapping", "read_options", "read_training_options"]

OptionsT = TypeVar("OptionsT", "CalibrationOptions", "TrainingOptions")


def read_options(words: Sequence[str], *, preset: str | None) -> CalibrationOptions:
    """Options from ``name=value`` words; raises ``typer.BadParameter`` with the known names."""
    # Here and not above: "hbmlc --help" need not build the wire schemas.
    from hbmlc.schemas import CalibrationOptions

    implied = {} if preset is None else {"preset": preset}
    return _validated(CalibrationOptions, {**implied, **_read_words(words)})


def read_training_options(words: Sequence[str]) -> TrainingOptions:
    """Options of a training, alike."""
    from hbmlc.schemas import TrainingOptions

    return _validated(TrainingOptions, _read_words(words))


def _read_words(words: Sequence[str]) -> dict[str, object]:
    document: dict[str, object] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise typer.BadParameter(f"{word!r} is not name=value.", param_hint="--option")
        document[name.strip()] = _value(text.strip())
    return document


def _validated(kind: type[OptionsT], document: dict[str, object]) -> OptionsT:
    from pydantic import ValidationError

    try:
        return kind.model_validate(document)
    except ValidationError as error:
        found = error.errors()[0]
        name = ".".join(str(part) for part in found["loc"])
        known = ", ".join(kind.model_fields)
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
