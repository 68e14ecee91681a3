"""Model versions never change; aliases move and remember."""

from __future__ import annotations

import pytest

from hbmlc_store.database import Database
from hbmlc_store.errors import ConflictError, InvalidError, NotFoundError
from hbmlc_store.registry import NewVersion, aliases_of, choose, register, resolve, set_alias


def add(
    database: Database, name: str, version: int, bands: str = "gri", digest: str = "aa"
) -> None:
    with database.transaction() as tx:
        register(
            tx,
            NewVersion(name=name, version=version, digest=digest, bands=tuple(bands), card={}),
        )


def resolved(database: Database, reference: str) -> tuple[str, int]:
    with database.transaction() as tx:
        row = resolve(tx, reference)
    return row.name, row.version


def test_registering_the_same_version_again_changes_nothing(database: Database) -> None:
    add(database, "m", 1)
    add(database, "m", 1)

    assert resolved(database, "m:1") == ("m", 1)


def test_a_version_cannot_be_replaced(database: Database) -> None:
    add(database, "m", 1)

    with pytest.raises(ConflictError, match="never changes"):
        add(database, "m", 1, digest="bb")


def test_the_first_version_becomes_production_and_the_second_does_not(database: Database) -> None:
    add(database, "m", 1)
    add(database, "m", 2)

    assert resolved(database, "m") == resolved(database, "m@production") == ("m", 1)


def test_an_alias_moves_and_its_past_stays(database: Database) -> None:
    add(database, "m", 1)
    add(database, "m", 2)
    with database.transaction() as tx:
        set_alias(tx, "m", "production", version=2)

    with database.transaction() as tx:
        history = [row.version for row in aliases_of(tx, "m", with_history=True)]
        present = [row.version for row in aliases_of(tx, "m")]
    assert resolved(database, "m@production") == ("m", 2)
    assert (history, present) == ([2, 1], [2])


@pytest.mark.parametrize("reference", ["m:9", "other", "m@staging"])
def test_an_unknown_reference_is_not_found(database: Database, reference: str) -> None:
    add(database, "m", 1)

    with pytest.raises(NotFoundError):
        resolved(database, reference)


@pytest.mark.parametrize("reference", ["", "m:x", "m:", "../m", "m@", "M", "m:1:2"])
def test_a_malformed_reference_is_refused(database: Database, reference: str) -> None:
    with pytest.raises(InvalidError):
        resolved(database, reference)


@pytest.mark.parametrize(
    ("bands", "wanted"),
    [("gri", "exact"), ("irg", "exact"), ("gr", "exact"), ("riy", "other"), ("griz", "any")],
)
def test_auto_takes_the_model_of_these_bands_or_of_few_more_or_the_one_without_bands(
    database: Database, bands: str, wanted: str
) -> None:
    add(database, "any", 1, "")
    add(database, "exact", 1, "gri")
    add(database, "other", 1, "griy")

    with database.transaction() as tx:
        chosen = choose(tx, list(bands))

    assert chosen is not None
    assert chosen.name == wanted


def test_auto_may_find_nothing(database: Database) -> None:
    add(database, "m", 1)

    with database.transaction() as tx:
        assert choose(tx, ["J"]) is None
