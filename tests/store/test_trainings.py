"""Trainings give numbers once, register what they made, and promote only what has earned it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from hbmlc.schemas import CatalogState, Phase, Stage, TrainingRequest
from hbmlc_store.accounts import ensure_account
from hbmlc_store.aliases import aliases_of, set_alias
from hbmlc_store.catalogs import lock_unused_catalog
from hbmlc_store.database import Database
from hbmlc_store.errors import ConflictError, InvalidError, LostClaimError, NotFoundError
from hbmlc_store.jobs.owned import abort_owned, delete_owned, find_job
from hbmlc_store.jobs.stages import JobKind
from hbmlc_store.jobs.trainings import Trained, complete_training, create_training, records_of
from hbmlc_store.jobs.units import Claim, claim_units
from hbmlc_store.registry import NewVersion, find_version, register, resolve
from hbmlc_store.schema import TrainingRow, UsageRow

BETTER = {"is_better": True, "reason": "Lower loss.", "n_held_out": 40}
WORSE = {"is_better": False, "reason": "Higher loss.", "n_held_out": 40}
MakeCatalog = Callable[..., UUID]


@pytest.fixture(autouse=True)
def shipped(database: Database) -> None:
    with database.transaction() as tx:
        register(
            tx, NewVersion(name="shipped", version=1, digest="s1", bands=tuple("gri"), card={})
        )


@pytest.fixture
def catalog(make_catalog: MakeCatalog) -> UUID:
    return make_catalog(CatalogState.READY, n_labelled=500)


def ask(database: Database, account: UUID, *catalogs: UUID, **wanted: Any) -> UUID:
    request = TrainingRequest(catalog_ids=list(catalogs), **{"name": "mine", **wanted})
    with database.transaction() as tx:
        return create_training(tx, account, request).id


def claim(database: Database, job: UUID) -> Claim:
    with database.transaction() as tx:
        (found,) = claim_units(tx, job, Stage.TRAINING, limit=1, worker="w", lease=60)
    return found


def complete(database: Database, found: Claim, verdict: dict[str, Any] = BETTER) -> None:
    trained = Trained(
        digest=f"sha256:{found.job_id}",
        bands=tuple("gri"),
        card={"licence": "x"},
        metrics={"nmad": 0.02},
        verdict=verdict,
    )
    with database.transaction() as tx:
        complete_training(tx, found, trained=trained)


def train(database: Database, job: UUID, verdict: dict[str, Any] = BETTER) -> dict[str, Any]:
    complete(database, claim(database, job), verdict)
    with database.transaction() as tx:
        result = tx.get_one(TrainingRow, job).result
    assert result is not None
    return result


def production(database: Database, account: UUID) -> str:
    with database.transaction() as tx:
        row = resolve(tx, account, "mine")
    return f"{row.name}:{row.version}"


def test_a_training_pins_its_catalogues_and_the_version_to_beat(
    database: Database, account: UUID, make_catalog: MakeCatalog
) -> None:
    catalogs = [make_catalog(CatalogState.READY, n_labelled=100) for _ in range(2)]

    job = ask(database, account, *reversed(catalogs), seed=4)

    with database.transaction() as tx:
        (found,) = records_of(tx, [find_job(tx, account, job, kind=JobKind.TRAINING)])
    assert [row.catalog_id for row in found.catalogs] == catalogs[::-1]
    assert {row.digest for row in found.catalogs} == {"cd" * 32}
    assert (found.training.name, found.training.version) == ("mine", 1)
    assert (found.job.model_name, found.job.model_digest) == ("shipped", "s1")


def test_each_number_is_given_once_however_many_ask_at_the_same_time(
    database: Database, account: UUID, catalog: UUID
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ask(database, account, catalog), range(16)))

    with database.transaction() as tx:
        numbers = sorted(tx.scalars(select(TrainingRow.version)))
    assert numbers == list(range(1, 17))


def test_a_number_is_not_given_again_after_a_training_was_deleted(
    database: Database, account: UUID, catalog: UUID
) -> None:
    first = ask(database, account, catalog)
    with database.transaction() as tx:
        delete_owned(tx, account, first, kind=JobKind.TRAINING)

    second = ask(database, account, catalog)

    with database.transaction() as tx:
        assert tx.get_one(TrainingRow, second).version == 2


def test_accounts_and_names_count_on_their_own(
    database: Database, account: UUID, catalog: UUID
) -> None:
    ask(database, account, catalog)

    other = ask(database, account, catalog, name="other")

    with database.transaction() as tx:
        assert tx.get_one(TrainingRow, other).version == 1


def test_a_better_version_becomes_production_with_its_verdict(
    database: Database, account: UUID, catalog: UUID
) -> None:
    job = ask(database, account, catalog)

    result = train(database, job)

    with database.transaction() as tx:
        row = find_version(tx, account, "mine", 1)
        (alias,) = aliases_of(tx, account, "mine")
    assert (row.training_id, row.account_id, row.card) == (job, account, {"licence": "x"})
    assert (result["reference"], result["is_promoted"]) == ("mine:1", True)
    assert production(database, account) == "mine:1"
    assert (alias.set_by, alias.verdict) == (f"training {job}", BETTER)


@pytest.mark.parametrize(("promote", "verdict"), [("never", BETTER), ("if-better", WORSE)])
def test_a_version_that_may_not_or_has_not_earned_it_is_only_registered(
    database: Database, account: UUID, catalog: UUID, promote: str, verdict: dict[str, Any]
) -> None:
    result = train(database, ask(database, account, catalog, promote=promote), verdict)

    assert not result["is_promoted"]
    with database.transaction() as tx:
        assert find_version(tx, account, "mine", 1).version == 1
        with pytest.raises(NotFoundError):
            resolve(tx, account, "mine@production")


def test_the_next_training_has_to_beat_the_account_s_own_production(
    database: Database, account: UUID, catalog: UUID
) -> None:
    train(database, ask(database, account, catalog))

    second = ask(database, account, catalog)

    with database.transaction() as tx:
        pinned = find_job(tx, account, second, kind=JobKind.TRAINING)
    assert (pinned.model_name, pinned.model_version) == ("mine", 1)
    train(database, second)
    assert production(database, account) == "mine:2"


def test_a_version_that_was_compared_with_a_former_one_is_not_promoted(
    database: Database, account: UUID, catalog: UUID
) -> None:
    slow, fast = (ask(database, account, catalog) for _ in range(2))
    train(database, fast)

    result = train(database, slow)

    assert not result["is_promoted"]
    assert "mine:2 became production meanwhile" in result["promotion"]
    assert production(database, account) == "mine:2"


def test_two_first_versions_that_end_at_once_leave_one_production(
    database: Database, account: UUID, catalog: UUID
) -> None:
    claims = [claim(database, ask(database, account, catalog)) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda found: complete(database, found), claims))

    with database.transaction() as tx:
        promoted = [row.result for row in tx.scalars(select(TrainingRow)) if row.result]
        history = aliases_of(tx, account, "mine", with_history=True)
    assert sum(result["is_promoted"] for result in promoted) == 1
    assert len(history) == 1


def test_an_alias_that_was_set_by_hand_meanwhile_stays(
    database: Database, account: UUID, catalog: UUID
) -> None:
    train(database, ask(database, account, catalog, promote="never"), WORSE)
    late = ask(database, account, catalog)
    with database.transaction() as tx:
        set_alias(tx, account, "mine", "production", version=1, set_by="key 1")

    assert not train(database, late)["is_promoted"]
    assert production(database, account) == "mine:1"


def test_an_aborted_training_registers_nothing(
    database: Database, account: UUID, catalog: UUID
) -> None:
    job = ask(database, account, catalog)
    held = claim(database, job)
    with database.transaction() as tx:
        abort_owned(tx, account, job, kind=JobKind.TRAINING)

    with pytest.raises(LostClaimError):
        complete(database, held)

    with database.transaction() as tx, pytest.raises(NotFoundError):
        find_version(tx, account, "mine", 1)


def test_a_training_is_metered_over_all_its_catalogues(
    database: Database, account: UUID, make_catalog: MakeCatalog
) -> None:
    catalogs = [make_catalog(CatalogState.READY, n_labelled=300) for _ in range(3)]

    train(database, ask(database, account, *catalogs))

    with database.transaction() as tx:
        usage = tx.scalars(select(UsageRow)).one()
    assert (usage.kind, usage.phase) == ("training", Phase.COMPLETED)
    assert (usage.n_galaxies, usage.n_tiles) == (3_000, 9)


def test_a_version_outlives_the_training_that_made_it(
    database: Database, account: UUID, catalog: UUID
) -> None:
    job = ask(database, account, catalog)
    train(database, job)

    with database.transaction() as tx:
        delete_owned(tx, account, job, kind=JobKind.TRAINING)

    assert production(database, account) == "mine:1"


@pytest.mark.parametrize("position", [0, 1])
def test_no_catalogue_of_a_training_under_way_may_change(
    database: Database, account: UUID, make_catalog: MakeCatalog, position: int
) -> None:
    catalogs = [make_catalog(CatalogState.READY, n_labelled=300) for _ in range(2)]
    job = ask(database, account, *catalogs)

    with database.transaction() as tx, pytest.raises(ConflictError, match="under way"):
        lock_unused_catalog(tx, account, catalogs[position])

    train(database, job)
    with database.transaction() as tx:
        lock_unused_catalog(tx, account, catalogs[position])


@pytest.mark.parametrize(
    ("wanted", "kind", "code"),
    [
        ({"name": "shipped"}, ConflictError, "model-name-reserved"),
        ({"name": "auto"}, ConflictError, "model-name-reserved"),
        ({"bands": "griz"}, InvalidError, "no-model-for-bands"),
        ({"bands": "gr"}, InvalidError, "too-few-bands"),
        ({"n_labelled": 199}, InvalidError, "too-few-labels"),
        ({"state": CatalogState.INGESTING}, ConflictError, "catalog-not-ready"),
        ({"state": CatalogState.CREATED}, ConflictError, "catalog-not-ready"),
    ],
)
def test_a_training_that_cannot_work_is_refused_with_its_own_code(
    database: Database,
    account: UUID,
    make_catalog: MakeCatalog,
    wanted: dict[str, Any],
    kind: type[Exception],
    code: str,
) -> None:
    name = wanted.pop("name", "mine")
    found = {"state": CatalogState.READY, "n_labelled": 500, **wanted}

    with pytest.raises(kind) as refused:
        ask(database, account, make_catalog(**found), name=name)

    assert refused.value.code == code  # type: ignore[attr-defined]


def test_catalogues_of_different_bands_cannot_be_mixed(
    database: Database, account: UUID, catalog: UUID, make_catalog: MakeCatalog
) -> None:
    other = make_catalog(CatalogState.READY, n_labelled=500, bands="griz")

    with pytest.raises(InvalidError, match="same bands"):
        ask(database, account, catalog, other)


def test_a_name_keeps_its_bands(
    database: Database, account: UUID, catalog: UUID, make_catalog: MakeCatalog
) -> None:
    train(database, ask(database, account, catalog))
    with database.transaction() as tx:
        register(tx, NewVersion(name="wide", version=1, digest="w1", bands=tuple("griz"), card={}))
    other = make_catalog(CatalogState.READY, n_labelled=500, bands="griz")

    with pytest.raises(ConflictError, match="another name"):
        ask(database, account, other)


def test_a_catalogue_of_another_account_is_not_found(database: Database, catalog: UUID) -> None:
    with database.transaction() as tx:
        stranger = ensure_account(tx, "stranger")

    with pytest.raises(NotFoundError):
        ask(database, stranger, catalog)
