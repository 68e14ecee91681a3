"""A process that ingests damaged files one after the other and says how each went.

It reads the number of a case from each line of standard input and answers with a line of JSON. It
is started by ``files.py``, which sees when it dies or falls silent.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from mutations import mutated

from hbmlc_models.formats import CatalogError, ColumnMapping, ingest

MEMORY_BYTES = 3 * 2**30
FILE_BYTES = 2**30
SECRET = b"TOPSECRETKEY"
_VECTORS = ColumnMapping(id="id", flux={"g": "FLUX[0]"}, flux_err={"g": "FLUX[2]"}, flux_unit="uJy")
_MAPPED = 0.1
"""Share of files that are read with a mapping to elements of vectors."""
_UNTOUCHED = 0.02
"""Share of files that stay as they are: those must be read, or be refused for a link."""


def main() -> None:
    """Answer case after case."""
    seeds, scratch, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    names = [path for path in sorted(seeds.iterdir()) if path.name.startswith(sys.argv[4])]
    contents = {path.name: path.read_bytes() for path in names}
    pipe = os.dup(1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    for line in sys.stdin:
        answer = _case(contents, scratch, seed, int(line))
        os.write(pipe, (json.dumps(answer) + "\n").encode())


def _case(contents: Mapping[str, bytes], scratch: Path, seed: int, number: int) -> dict[str, Any]:
    """Damage a file, ingest it, and look at what is left."""
    rng = random.Random(f"{seed}:{number}")  # noqa: S311 -- damage has to be the same each time
    name = rng.choice(list(contents))
    content = contents[name]
    is_whole = rng.random() < _UNTOUCHED
    if not is_whole:
        content = mutated(content, list(contents.values()), rng)
    upload, target = scratch / "upload", scratch / "canonical"
    upload.write_bytes(content)
    mapping = _VECTORS if rng.random() < _MAPPED else None
    outcome, said = _outcome(upload, target, mapping)
    if is_whole and outcome not in {"read", "outside-data"} and mapping is None:
        outcome, said = "FAILED", f"an undamaged file: {outcome} {said}"
    if SECRET in said.encode() or (target.exists() and SECRET in target.read_bytes()):
        outcome, said = "FAILED", "a secret was read"
    target.unlink(missing_ok=True)
    left = sorted(path.name for path in scratch.iterdir() if path != upload)
    if left:
        outcome, said = "FAILED", f"left behind: {left}"
    return {
        "number": number,
        "seed": name,
        "outcome": outcome,
        "said": said if outcome == "FAILED" else "",
        "memory": _memory(),
    }


def _outcome(upload: Path, target: Path, mapping: ColumnMapping | None) -> tuple[str, str]:
    """How the ingest went, and what it said."""
    try:
        ingest(upload, target, mapping=mapping)
    except CatalogError as error:
        if not error.message.isprintable():
            return "FAILED", "an unprintable message"
        return error.code, f"{error.message} {error.where}"
    except MemoryError:
        return "memory", ""
    except BaseException as error:  # noqa: BLE001 -- whatever comes is what is looked for
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
        return "FAILED", f"{type(error).__name__}: {error} at {places}"
    return "read", ""


def _memory() -> int:
    """Bytes of memory that are in use now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main()
