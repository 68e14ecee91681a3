"""The ingest task on real uploads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hostile import hdf5_external_storage, hdf5_wide_text, parquet_shared_text, write_secret

from hbmlc.schemas import CatalogState, ColumnMapping, Severity, Stage
from hbmlc_models.formats import CanonicalCatalog
from hbmlc_service.views import show_catalog
from hbmlc_store.database import Database
from hbmlc_store.schema import CatalogRow, UnitRow
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.ingest_child.walls import ChildLimits
from hbmlc_worker.ingest_outcome import Ended, judge
from hbmlc_worker.problems import WorkerError
from hbmlc_worker.runner import run_message

Upload = Callable[..., tuple[UUID, UUID]]
LIMITS = ChildLimits(memory_bytes=2**30, cpu_seconds=60, file_bytes=2**30)
HEADER = "id,mag_g,mag_err_g,mag_r,mag_err_r,z_spec,tile"


def csv(n_galaxies: int = 50, *, header: str = HEADER, ids: Sequence[int | str] = ()) -> bytes:
    rng = np.random.default_rng(1)
    rows = [
        f"{(ids or range(n_galaxies))[k]},{m:.3f},0.05,{m - 0.5:.3f},0.04,{z},{k % 3}"
        for k, (m, z) in enumerate(
            zip(
                rng.uniform(18, 25, n_galaxies),
                ["0.5" if k % 5 == 0 else "" for k in range(n_galaxies)],
                strict=True,
            )
        )
    ]
    return ("\n".join([header, *rows]) + "\n").encode()


def ingest(context: WorkerContext, database: Database, upload: tuple[UUID, UUID]) -> CatalogRow:
    catalog, job = upload
    run_message(context, job_id=job, stage=Stage.INGEST)
    with database.transaction() as tx:
        return tx.get_one(CatalogRow, catalog)


def test_a_table_becomes_a_ready_catalogue(
    context: WorkerContext, database: Database, upload: Upload
) -> None:
    row = ingest(context, database, upload(csv(), ColumnMapping(tile="tile")))

    assert row.state == CatalogState.READY
    assert row.report is not None
    assert (row.report["n_rows"], row.report["n_labelled"]) == (50, 10)
    assert row.report["bands"] == ["g", "r"]
    assert row.report["coverage"]["n_tiles"] == 3
    assert row.canonical_key is not None
    with context.objects.as_file(row.canonical_key) as file:
        assert hashlib.sha256(file.read_bytes()).hexdigest() == row.digest == row.report["digest"]
        with CanonicalCatalog.open(file) as catalog:
            assert catalog.n_rows == 50


def test_the_mapping_asked_for_is_used(
    context: WorkerContext, database: Database, upload: Upload
) -> None:
    content = csv(header="name_of_it,a,b,c,d,e,f")
    mapping = ColumnMapping(
        id="name_of_it",
        mag={"g": "a", "r": "c"},
        mag_err={"g": "b", "r": "d"},
        z_spec="e",
    )

    row = ingest(context, database, upload(content, mapping))

    assert row.state == CatalogState.READY
    assert row.report is not None
    assert row.report["mapping"]["id"] == "name_of_it"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x00\x01\x02\x03" * 40, "unknown-format"),
        (b"PK\x03\x04" + b"\x00" * 40, "compressed-file"),
        (b"\x1f\x8b\x08\x00" + b"\x00" * 40, "truncated-file"),
        (b"PAR1" + b"\x00" * 100, "truncated-file"),
        (csv(header="id,a,b,c,d,z_spec,tile"), "no-band-recognised"),
        (csv(5, ids=[1, 2, 2, 3, 4]), "duplicate-ids"),
        (csv(1), "too-few-galaxies"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_faulty_upload_is_rejected_with_its_own_code(
    context: WorkerContext, database: Database, upload: Upload, content: bytes, code: str
) -> None:
    row = ingest(context, database, upload(content))

    assert row.state == CatalogState.REJECTED
    assert row.problem is not None
    assert row.problem["code"] == code
    assert len(row.problem["detail"]) > 20


def test_what_mends_a_refused_upload_reaches_its_owner(
    context: WorkerContext, database: Database, upload: Upload
) -> None:
    row = ingest(
        context, database, upload(csv(5, ids=[f"{k}.123456789012345e+18" for k in range(1, 6)]))
    )

    assert row.problem is not None
    assert row.problem["mapping"] == {"id": None}
    (refusal,) = show_catalog(row).findings
    assert (refusal.severity, refusal.column) == (Severity.ERROR, "id")
    assert refusal.mapping == {"id": None}


@pytest.mark.parametrize("said", [{"id": 3}, {"surprise": "x"}, ["id"], {"id": "a\x00b"}])
def test_a_cure_that_is_no_mapping_is_not_passed_on(said: object) -> None:
    ended = Ended(returncode=0, ran_out=False, problem=None)
    error = {"code": "bad-text", "message": "m", "where": None, "mapping": said}

    with pytest.raises(WorkerError) as caught:
        judge({"error": error}, ended, LIMITS)

    assert caught.value.mapping is None


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (hdf5_wide_text, "file-too-demanding"),
        (parquet_shared_text, "file-too-demanding"),
        (
            lambda path: hdf5_external_storage(path, write_secret(path.with_name("s"))),
            "outside-data",
        ),
    ],
    ids=["wide", "shared", "outside"],
)
def test_a_poison_file_costs_one_attempt_and_leaves_nothing(
    context: WorkerContext,
    database: Database,
    upload: Upload,
    tmp_path: Path,
    make: Callable[[Path], Path],
    code: str,
) -> None:
    scratch = tmp_path / "scratch"
    context = replace(context, settings=context.settings.model_copy(update={"scratch": scratch}))
    catalog, job = upload(make(tmp_path / "poison").read_bytes())

    row = ingest(context, database, (catalog, job))

    assert row.state == CatalogState.REJECTED
    assert row.problem is not None
    assert row.problem["code"] == code
    with database.transaction() as tx:
        (unit,) = tx.query(UnitRow).filter(UnitRow.job_id == job)
        assert unit.attempt == 1
    assert list(scratch.iterdir()) == []


def test_a_rejected_id_stands_neither_in_the_problem_nor_in_the_log(
    context: WorkerContext,
    database: Database,
    upload: Upload,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = csv(5).replace(b"3,", b"hbk_TOPSECRET\x00,", 1)

    row = ingest(context, database, upload(content))

    assert row.state == CatalogState.REJECTED
    assert "TOPSECRET" not in str(row.problem)
    assert "TOPSECRET" not in "".join(capsys.readouterr())


def test_what_a_killed_ingest_left_goes_with_the_next(
    context: WorkerContext, database: Database, upload: Upload, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    (scratch / "hbmlc-scratch-7-left").mkdir(parents=True)
    (scratch / "hbmlc-scratch-7-left" / "ids").write_bytes(b"x")
    context = replace(context, settings=context.settings.model_copy(update={"scratch": scratch}))

    row = ingest(context, database, upload(csv()))

    assert row.state == CatalogState.READY
    assert list(scratch.iterdir()) == []


def test_ingesting_twice_writes_the_same_bytes(
    context: WorkerContext, database: Database, upload: Upload
) -> None:
    first = ingest(context, database, upload(csv()))
    second = ingest(context, database, upload(csv()))

    assert first.digest == second.digest


def test_a_mapping_to_a_missing_column_is_rejected(
    context: WorkerContext, database: Database, upload: Upload
) -> None:
    row = ingest(context, database, upload(csv(), ColumnMapping(id="nowhere")))

    assert row.problem is not None
    assert row.problem["code"] == "mapping-invalid"
    assert row.problem["errors"][0]["pointer"] == "nowhere"
