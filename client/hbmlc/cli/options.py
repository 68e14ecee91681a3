"""Options of a job as words: ``--option n_anchors=30``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import typer

if TYPE_CHECKING:
    from hbmlc.schemas import CalibrationOptions, ColumnMapping, TrainingOptions

__all__ = [
    "CatalogArgument",
    "CatalogsArgument",
    "MappingOption",
    "change_mapping",
    "read_mapping",
    "read_options",
    "read_training_options",
]

_TABLE: Any = typer.Argument(
    exists=True,
    dir_okay=False,
    readable=True,
    help="Parquet, Arrow, FITS, HDF5, VOTable or text.",
)
CatalogArgument = Annotated[Path, _TABLE]
CatalogsArgument = Annotated[list[Path], _TABLE]
MappingOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="JSON file that maps the columns; 'hbmlc inspect' writes one to edit.",
    ),
]
_EXAMPLE = '{"mag": {"g": "GMAG"}, "mag_err": {"g": "GERR"}}'
_MOST_FAULTS = 5

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


def _read_words(words: Sequence[str], *, hint: str = "--option") -> dict[str, object]:
    document: dict[str, object] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise typer.BadParameter(f"{word!r} is not name=value.", param_hint=hint)
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
    document = {} if path is None else _read_document(path)
    if tile_column is not None:
        document["tile"] = tile_column
    return _mapping(document, hint="--mapping" if path else "--tile-column")


def change_mapping(mapping: ColumnMapping | None, words: Sequence[str]) -> ColumnMapping:
    """Mapping with the fields of ``name=value`` words; ``null`` switches a guess off."""
    document = {} if mapping is None else mapping.model_dump(mode="json")
    return _mapping(document | _read_words(words, hint="--set"), hint="--set")


def _read_document(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError) as error:
        raise typer.BadParameter(f"{path} is no JSON: {error}", param_hint="--mapping") from error
    if not isinstance(document, dict):
        raise typer.BadParameter(
            f"{path} holds no JSON object, such as {_EXAMPLE}.", param_hint="--mapping"
        )
    return cast("dict[str, object]", document)


def _mapping(document: dict[str, object], *, hint: str) -> ColumnMapping:
    """Mapping of a document; what is wrong is told by the field."""
    from pydantic import ValidationError

    from hbmlc.schemas import ColumnMapping
    from hbmlc.schemas.faults import faults_of

    try:
        return ColumnMapping.model_validate(document)
    except ValidationError as error:
        faults = faults_of(error.errors(), document)
        said = [
            f"{'.'.join(str(part) for part in place) or 'mapping'}: {message}"
            for place, message in list(faults.items())[:_MOST_FAULTS]
        ]
        known = ", ".join(ColumnMapping.model_fields)
        raise typer.BadParameter(
            f"{'; '.join(said)}. Fields of a mapping: {known}.", param_hint=hint
        ) from error


def _value(text: str) -> object:
    """Number, boolean or text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
