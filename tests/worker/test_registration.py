"""What a release does to the registry when it starts."""

from __future__ import annotations

from hbmlc_models.base_models import list_versions
from hbmlc_store.aliases import aliases_of, set_alias
from hbmlc_store.database import Database
from hbmlc_store.registry import NewVersion, register
from hbmlc_worker.registration import register_base_models

NAME = "lsst-ugrizy"
SHIPPED = dict(list_versions())[NAME]


def settings_of(database: Database) -> list[tuple[int, str | None]]:
    with database.transaction() as tx:
        history = aliases_of(tx, None, NAME, with_history=True)
    return [(found.version, found.set_by) for found in history]


def add(database: Database, version: int) -> None:
    with database.transaction() as tx:
        register(
            tx, NewVersion(name=NAME, version=version, digest="x", bands=tuple("ugrizy"), card={})
        )


def test_every_shipped_model_has_a_production_version(database: Database) -> None:
    register_base_models(database)

    with database.transaction() as tx:
        present = {name: aliases_of(tx, None, name)[0].version for name, _ in list_versions()}
    assert present == dict(list_versions())


def test_starting_again_changes_nothing(database: Database) -> None:
    for _ in range(2):
        register_base_models(database)

    assert settings_of(database) == [(SHIPPED, "release")]


def test_a_version_that_is_no_longer_shipped_is_replaced(database: Database) -> None:
    add(database, SHIPPED + 7)

    register_base_models(database)

    assert settings_of(database)[0] == (SHIPPED, "release")


def test_another_alias_stays_where_it_is(database: Database) -> None:
    add(database, SHIPPED + 7)
    with database.transaction() as tx:
        set_alias(tx, None, NAME, "former", version=SHIPPED + 7, set_by="key 1")

    register_base_models(database)

    with database.transaction() as tx:
        present = {found.alias: found.version for found in aliases_of(tx, None, NAME)}
    assert present == {"former": SHIPPED + 7, "production": SHIPPED}
