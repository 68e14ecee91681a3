"""Rows a second and memory of the ingest, beside those of another checkout in the same run.

Each format is read by a fresh process, the two checkouts in turns, and the faster of the turns
counts: machines are shared.

    python -m benchmarks.ingest --rows 1000000 --against ../before
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

BANDS = "ugrizy"
_READ = """
import json, resource, sys, time
from pathlib import Path
from hbmlc_models.formats import ingest
source, target = map(Path, sys.argv[1:])
began = time.perf_counter()
report = ingest(source, target)
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"rows": report.n_rows, "seconds": seconds, "mib": peak}))
"""

Columns = Mapping[str, Any]


def main() -> None:
    """Write the tables, read them in turns, and print a line for each format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--against", type=Path, help="another checkout, such as the last release")
    arguments = parser.parse_args()
    here = Path(__file__).parents[1]
    checkouts = {"here": here} | ({"there": arguments.against} if arguments.against else {})
    columns = _columns(arguments.rows)
    with tempfile.TemporaryDirectory() as folder:
        for name, write in _WRITERS.items():
            source = Path(folder) / f"table.{name}"
            write(source, columns)
            found: dict[str, list[dict[str, float]]] = {label: [] for label in checkouts}
            for _ in range(arguments.turns):
                for label, checkout in checkouts.items():
                    found[label].append(_read(checkout, source, Path(folder) / "canonical"))
            print(_line(name, found), flush=True)
            source.unlink()


def _columns(n: int) -> Columns:
    """A survey of ``n`` galaxies, one in ten with a redshift."""
    rng = np.random.default_rng(1)
    columns: dict[str, Any] = {
        "id": np.arange(n) + 10**17,
        "ra": rng.uniform(0, 40, n),
        "dec": rng.uniform(-20, 20, n),
    }
    for band in BANDS:
        columns[f"mag_{band}"] = rng.normal(24, 1, n)
        columns[f"mag_err_{band}"] = rng.uniform(0.01, 0.2, n)
    columns["z_spec"] = np.where(rng.uniform(size=n) < 0.1, rng.gamma(3, 0.25, n) + 0.01, np.nan)
    return columns


def _write_parquet(path: Path, columns: Columns) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(dict(columns)), path)


def _write_csv(path: Path, columns: Columns) -> None:
    import pyarrow as pa
    import pyarrow.csv as pacsv

    pacsv.write_csv(pa.table(dict(columns)), path)


def _write_fits(path: Path, columns: Columns) -> None:
    from astropy.table import Table

    Table(dict(columns)).write(path, format="fits")


def _write_hdf5(path: Path, columns: Columns) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file.create_dataset(name, data=values, chunks=True)


_WRITERS: dict[str, Callable[[Path, Columns], None]] = {
    "parquet": _write_parquet,
    "csv": _write_csv,
    "fits": _write_fits,
    "hdf5": _write_hdf5,
}


def _read(checkout: Path, source: Path, target: Path) -> dict[str, float]:
    """Rows, seconds and peak MiB of a fresh process with the code of a checkout."""
    environment = os.environ | {
        "PYTHONPATH": str((checkout / "models").resolve()),
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(source), str(target)],
        env=environment,
        cwd=target.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def _line(name: str, found: Mapping[str, list[dict[str, float]]]) -> str:
    """Rows a second and MiB of each checkout, and the ratio of their speeds."""
    speed = {k: max(t["rows"] / t["seconds"] for t in turns) for k, turns in found.items()}
    memory = {k: max(t["mib"] for t in turns) for k, turns in found.items()}
    parts = [f"{k}: {speed[k]:>9,.0f} rows/s, {memory[k]:,.0f} MiB" for k in found]
    if "there" in speed:
        parts.append(f"ratio {speed['here'] / speed['there']:.2f}")
    return f"{name:<8} " + "; ".join(parts)


if __name__ == "__main__":
    main()
