"""Property-based calls of every route of the running service, held against its OpenAPI document.

``python tests/fuzz/run.py --short`` takes about a minute, ``--long`` makes thousands of calls.
What it may find without failing stands, with the reasons, in ``exceptions.py`` beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from world import World, running_service  # noqa: E402 - beside this file, which is no package

SEED = 1
SHORT = ["--generation-deterministic", "--max-examples", "5", "--no-shrink"]
LONG = ["--max-examples", "100"]


def main() -> int:
    """Run; the exit status says whether anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--short", action="store_true", help="about a minute (the default)")
    kind.add_argument("--long", action="store_true", help="thousands of calls, some minutes")
    parser.add_argument("--seed", type=int, default=SEED, help="of the long run")
    parser.add_argument("--report", type=Path, help="folder for a record of every call")
    asked, further = parser.parse_known_args()
    options = [*LONG, "--seed", str(asked.seed)] if asked.long else SHORT
    options = [*options, *further]
    if asked.report is not None:
        options += ["--report", "ndjson", "--report-dir", str(asked.report)]
    with (
        tempfile.TemporaryDirectory(prefix="hbmlc-fuzz-", ignore_cleanup_errors=True) as folder,
        running_service(Path(folder)) as world,
    ):
        status = _call(world, options)
        failures = _failures_in(world.log)
    report = [*failures, f"Lines of the service's log that tell of a failure: {len(failures)}"]
    sys.stdout.write("\n".join(report) + "\n")
    return status or min(len(failures), 1)


def _call(world: World, options: list[str]) -> int:
    config = HERE / "schemathesis.toml"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run"),
            *options,
            f"{world.url}/openapi.json",
        ],
        env={
            **os.environ,
            "FUZZ_ACCOUNT_KEY": world.account_key,
            "FUZZ_ACCOUNT_KEY_ID": str(world.account_key_id),
            "FUZZ_CATALOG_ID": str(world.catalog_id),
            "FUZZ_OPERATOR_KEY": world.operator_key,
            "SCHEMATHESIS_HOOKS": "hooks",
            "PYTHONPATH": str(HERE),
        },
        check=False,
    )
    return done.returncode


def _failures_in(log: Path) -> list[str]:
    """Lines of an error, and what is no line of ours: a traceback."""
    return [line for line in log.read_text(encoding="utf-8").splitlines() if _is_failure(line)]


def _is_failure(line: str) -> bool:
    try:
        return json.loads(line)["level"] in {"error", "critical"}
    except (ValueError, KeyError):
        return True


if __name__ == "__main__":
    sys.exit(main())
