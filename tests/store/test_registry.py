"""Model versions never change; aliases move and remember."""

from __future__ import annotations

from uuid import UUID

import pytest

from hbmlc_store.accounts import ensure_account
from hbmlc_store.aliases import aliases_of, set_alias
from hbmlc_store.database import Database
from hbmlc_store.errors import ConflictError, InvalidError, NotFoundError
from hbmlc_store.registry import NewVersion, choose, list_versions, owner_of, register, resolve


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
        row = resolve(tx, None, reference)
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
        set_alias(tx, None, "m", "production", version=2, set_by="key 1")

    with database.transaction() as tx:
        history = [row.version for row in aliases_of(tx, None, "m", with_history=True)]
        present = [row.version for row in aliases_of(tx, None, "m")]
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
        chosen = choose(tx, None, list(bands))

    assert chosen is not None
    assert chosen.name == wanted


def test_auto_may_find_nothing(database: Database) -> None:
    add(database, "m", 1)

    with database.transaction() as tx:
        assert choose(tx, None, ["J"]) is None


@pytest.fixture
def stranger(database: Database) -> UUID:
    with database.transaction() as tx:
        return ensure_account(tx, "stranger")


def add_own(database: Database, account: UUID, name: str, version: int, bands: str = "gri") -> None:
    with database.transaction() as tx:
        register(
            tx,
            NewVersion(
                name=name,
                version=version,
                digest=f"{account}/{name}/{version}",
                bands=tuple(bands),
                card={},
                account_id=account,
            ),
        )


def promote(database: Database, account: UUID, name: str, version: int) -> None:
    with database.transaction() as tx:
        set_alias(tx, account, name, "production", version=version, set_by="training 1")


def chosen(database: Database, account: UUID, bands: str = "gri") -> str:
    with database.transaction() as tx:
        row = choose(tx, account, list(bands))
    assert row is not None
    return f"{row.name}:{row.version}"


def test_the_first_version_of_an_account_has_to_earn_its_alias(
    database: Database, account: UUID
) -> None:
    add_own(database, account, "mine", 1)

    with database.transaction() as tx:
        assert resolve(tx, account, "mine:1").account_id == account
        with pytest.raises(NotFoundError, match="production"):
            resolve(tx, account, "mine")


@pytest.mark.parametrize("reference", ["mine", "mine:1", "mine@production"])
def test_a_version_of_another_account_does_not_exist(
    database: Database, account: UUID, stranger: UUID, reference: str
) -> None:
    add_own(database, account, "mine", 1)
    promote(database, account, "mine", 1)

    with database.transaction() as tx:
        assert resolve(tx, account, reference).version == 1
        with pytest.raises(NotFoundError):
            resolve(tx, stranger, reference)
        assert list_versions(tx, stranger) == []
        assert choose(tx, stranger, ["g", "r", "i"]) is None


def test_two_accounts_may_use_one_name(database: Database, account: UUID, stranger: UUID) -> None:
    for owner in (account, stranger):
        add_own(database, owner, "mine", 1)
        promote(database, owner, "mine", 1)

    with database.transaction() as tx:
        owners = {resolve(tx, owner, "mine").account_id for owner in (account, stranger)}
    assert owners == {account, stranger}


def test_a_name_of_ones_own_hides_a_shipped_one_that_comes_later(
    database: Database, account: UUID, stranger: UUID
) -> None:
    add_own(database, account, "sky", 1)
    add(database, "sky", 2)

    with database.transaction() as tx:
        assert owner_of(tx, account, "sky") == account
        assert owner_of(tx, stranger, "sky") is None
        with pytest.raises(NotFoundError):
            resolve(tx, account, "sky:2")


def test_auto_prefers_ones_own_production_version_to_a_shipped_one(
    database: Database, account: UUID, stranger: UUID
) -> None:
    add(database, "shipped", 1)
    add_own(database, account, "mine", 1)
    before = chosen(database, account)

    promote(database, account, "mine", 1)

    assert (before, chosen(database, account)) == ("shipped:1", "mine:1")
    assert chosen(database, stranger) == "shipped:1"


def test_auto_prefers_a_shipped_version_of_just_these_bands_to_ones_own_of_more(
    database: Database, account: UUID
) -> None:
    add(database, "shipped", 1)
    add_own(database, account, "mine", 1, "griz")
    promote(database, account, "mine", 1)

    assert chosen(database, account) == "shipped:1"


def test_auto_takes_of_ones_own_what_was_promoted_last(database: Database, account: UUID) -> None:
    for name in ("b", "a", "c"):
        add_own(database, account, name, 1)
        promote(database, account, name, 1)

    promote(database, account, "b", 1)

    assert chosen(database, account) == "b:1"


def test_an_alias_remembers_who_set_it_and_what_the_gate_said(
    database: Database, account: UUID
) -> None:
    add_own(database, account, "mine", 1)
    with database.transaction() as tx:
        verdict = {"is_better": True, "reason": "Better."}
        set_alias(
            tx, account, "mine", "production", version=1, set_by="training 7", verdict=verdict
        )
        set_alias(tx, account, "mine", "production", version=1, set_by="key 9")

    with database.transaction() as tx:
        history = aliases_of(tx, account, "mine", with_history=True)
    assert [(found.set_by, found.verdict) for found in history] == [
        ("key 9", None),
        ("training 7", verdict),
    ]
    assert [found.replaced_at is None for found in history] == [True, False]
