"""API keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from hbmlc.schemas import Scope
from hbmlc_store.accounts import (
    authenticate,
    create_api_key,
    ensure_account,
    revoke_api_key,
)
from hbmlc_store.database import Database
from hbmlc_store.key_text import is_well_formed
from hbmlc_store.schema import ApiKeyRow

SECRET = "pepper"


def make_key(
    database: Database, account: UUID, *, expires_at: datetime | None = None
) -> tuple[ApiKeyRow, str]:
    with database.transaction() as tx:
        return create_api_key(
            tx,
            account,
            name="k",
            scopes=[Scope.CATALOGS_WRITE],
            key_secret=SECRET,
            expires_at=expires_at,
        )


def is_accepted(database: Database, key: str, *, secret: str = SECRET) -> bool:
    with database.transaction() as tx:
        return authenticate(tx, key, key_secret=secret) is not None


def test_a_key_names_its_account_and_scopes(database: Database, account: UUID) -> None:
    _, key = make_key(database, account)

    with database.transaction() as tx:
        identity = authenticate(tx, key, key_secret=SECRET)

    assert identity is not None
    assert identity.account_id == account
    assert identity.may(Scope.CATALOGS_WRITE)
    assert not identity.may(Scope.MODELS_WRITE)


def test_the_key_itself_is_not_stored(database: Database, account: UUID) -> None:
    row, key = make_key(database, account)

    assert key not in repr(vars(row))


def test_a_key_under_another_secret_is_refused(database: Database, account: UUID) -> None:
    _, key = make_key(database, account)

    assert not is_accepted(database, key, secret="other")


def test_an_expired_key_is_refused(database: Database, account: UUID) -> None:
    _, key = make_key(database, account, expires_at=datetime.now(UTC) - timedelta(seconds=1))

    assert not is_accepted(database, key)


def test_a_revoked_key_is_refused(database: Database, account: UUID) -> None:
    row, key = make_key(database, account)
    with database.transaction() as tx:
        revoke_api_key(tx, account, row.id)

    assert not is_accepted(database, key)


def test_a_mistyped_key_is_seen_without_the_database(database: Database, account: UUID) -> None:
    _, key = make_key(database, account)
    swapped = key[:20] + key[21] + key[20] + key[22:]

    assert is_well_formed(key)
    assert swapped == key or not is_well_formed(swapped)


@given(st.text(max_size=80))
def test_no_text_breaks_the_parser(text: str) -> None:
    assert not is_well_formed(text)


def test_ensuring_an_account_twice_gives_one(database: Database) -> None:
    with database.transaction() as tx:
        first = ensure_account(tx, "x")
        second = ensure_account(tx, "x")

    assert first == second
