"""A column mapping means the same on the wire and in the science."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hbmlc import schemas
from hbmlc_models.formats import ColumnMapping
from hbmlc_models.formats.errors import MappingInvalidError

COLUMNS = st.text("abcdefgh_[]0.", min_size=1, max_size=12)
BANDS = ("u", "g", "r", "F115W")
NUMBERS = st.integers(-50, 50) | st.floats(-50, 50)
WRONG = st.sampled_from([True, 3, 2.5, "text", [], ["text"], [1], {}, {"g": 1}, {"g": None}])
"""Values of every kind; each is right for some field and wrong for others."""
BY_BAND = ("mag", "mag_err", "flux", "flux_err", "flux_ivar", "extras")
CUTS = st.one_of(
    st.fixed_dictionaries({"column": COLUMNS, "min": NUMBERS}, optional={"max": NUMBERS}),
    st.fixed_dictionaries({"column": COLUMNS, "equal": NUMBERS | COLUMNS | st.booleans()}),
    st.fixed_dictionaries({"column": COLUMNS, "in": st.lists(NUMBERS | COLUMNS, min_size=1)}),
    st.fixed_dictionaries(
        {"column": COLUMNS}, optional={"min": st.none() | st.booleans(), "equal": st.none()}
    ),
    st.fixed_dictionaries({"column": COLUMNS, "in": st.none() | st.just([])}),
    st.fixed_dictionaries({"min": NUMBERS}),
    st.fixed_dictionaries({"column": COLUMNS, "least": NUMBERS}),
)


def by_band(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.dictionaries(st.sampled_from(BANDS), values, min_size=1)


RIGHT: dict[str, st.SearchStrategy[object]] = {
    **dict.fromkeys(("tile", "ra", "dec", "position_unit", "z_spec"), COLUMNS),
    **dict.fromkeys(("z_spec_err", "selected"), COLUMNS),
    **dict.fromkeys(BY_BAND, by_band(COLUMNS)),
    "id": COLUMNS | st.lists(COLUMNS, min_size=1, max_size=4),
    "z_quality": CUTS,
    "mag_offset": by_band(NUMBERS),
    "flux_unit": COLUMNS | by_band(COLUMNS),
    "zero_point": NUMBERS | by_band(NUMBERS),
    "table": COLUMNS | st.integers(0, 20),
}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, object]:
    """Mappings, most of them right, some with a field that is off, wrong or unknown."""
    names = draw(st.lists(st.sampled_from(sorted(RIGHT)), unique=True, max_size=6))
    document = {name: draw(RIGHT[name]) for name in names}
    for name in draw(st.lists(st.sampled_from([*sorted(RIGHT), "surprise"]), max_size=1)):
        document[name] = draw(st.none() | WRONG)
    return document


def is_sound(document: dict[str, object]) -> bool:
    """Whether nothing in it contradicts anything else; the reading of the upload judges that."""
    owned = [
        column
        for kind in BY_BAND[:-1]
        if isinstance(held := document.get(kind), dict)
        for column in held.values()
    ]
    single = (document.get(name) for name in ("ra", "dec", "z_spec", "z_spec_err"))
    owned += [column for column in single if isinstance(column, str)]
    says_of_labels = document.get("z_quality") or document.get("z_spec_err")
    ids = document["id"] if isinstance(document.get("id"), list) else []
    cut = document.get("z_quality")
    low, high = (cut.get(n) if isinstance(cut, dict) else None for n in ("min", "max"))
    bands = [set(document.get(kind) or ()) for kind in ("mag", "flux", "flux_err", "flux_ivar")]
    return (
        len(owned) == len(set(owned))
        and not (low is not None and high is not None and low > high)
        and not bands[0] & bands[1]
        and not bands[2] & bands[3]
        and not overlap(document.get("flux_unit"), document.get("zero_point"))
        and not ("z_spec" in document and document["z_spec"] is None and says_of_labels)
        and len(ids) == len(set(ids))
    )


def overlap(unit: object, point: object) -> bool:
    if isinstance(unit, dict) and isinstance(point, dict):
        return bool(set(unit) & set(point))
    return None not in (unit, point)


def test_both_have_the_same_fields() -> None:
    science = {item.name for item in fields(ColumnMapping)} - {"off"}

    assert set(schemas.ColumnMapping.model_fields) == science
    assert set(RIGHT) == science


@settings(max_examples=500)
@given(document=documents())
def test_what_one_accepts_the_other_accepts(document: dict[str, object]) -> None:
    try:
        schemas.ColumnMapping.model_validate_json(json.dumps(document))
    except ValidationError:
        with pytest.raises(MappingInvalidError):
            ColumnMapping.from_dict(document)
    else:
        assume(is_sound(document))
        ColumnMapping.from_dict(document)


@given(document=documents())
def test_what_is_sent_says_the_same_to_the_science(document: dict[str, object]) -> None:
    try:
        science = ColumnMapping.from_dict(document)
        sent = schemas.ColumnMapping.model_validate(document).model_dump(mode="json")
    except (MappingInvalidError, ValidationError):
        return

    assert ColumnMapping.from_dict(sent) == science
    assert schemas.ColumnMapping.model_validate(science.as_dict()).model_dump(mode="json") == (
        science.as_dict()
    )


@pytest.mark.parametrize("field", sorted(RIGHT))
def test_null_switches_a_guess_off_on_both_sides(field: str) -> None:
    sent = schemas.ColumnMapping.model_validate({field: None}).model_dump(mode="json")

    assert sent == {field: None}
    assert ColumnMapping.from_dict(sent).off == {field}
