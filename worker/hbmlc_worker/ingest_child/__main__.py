"""Entry of the child: one request from standard input, one line of JSON for each thing it says.

The lines are ``walls`` (once), ``progress``, and at the end one of ``report``, ``error`` (the
upload is at fault) and ``failure`` (something else is). What stands in a cell is in none of them.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hbmlc_worker.ingest_child.walls import ChildLimits, raise_walls

__all__ = ["main"]

_PAUSE = 0.2
"""Seconds between two words of progress at least."""
_NO_MEMORY = frozenset({errno.ENOMEM, errno.EAGAIN})
_NO_DISK = frozenset({errno.ENOSPC, errno.EDQUOT})


def main() -> None:
    """Read the request, wall in, ingest, and tell."""
    request = json.loads(sys.stdin.buffer.read())
    say = _take_stdout()
    source, scratch = Path(request["source"]), Path(request["scratch"])
    walls = raise_walls(
        ChildLimits(**request["limits"]), source=source, scratch=scratch, parent=request["parent"]
    )
    say({"walls": list(walls)})
    try:
        say({"report": _ingest(request, source, say)})
    except Exception as error:  # noqa: BLE001 -- the parent judges what libraries raise
        say(_told(error))


def _take_stdout() -> Callable[[Mapping[str, object]], None]:
    """Keep the pipe for our lines alone; what libraries print goes nowhere."""
    pipe = os.dup(1)
    os.dup2(2, 1)

    def say(line: Mapping[str, object]) -> None:
        text = json.dumps(line, separators=(",", ":")) + "\n"
        os.write(pipe, text.encode())

    return say


def _ingest(
    request: Mapping[str, Any], source: Path, say: Callable[[Mapping[str, object]], None]
) -> dict[str, object]:
    """Report of the ingest, as a document."""
    from hbmlc_models.formats import ColumnMapping, IngestLimits, ingest

    said = -1.0
    last = time.monotonic()

    def progress(fraction: float) -> None:
        nonlocal said, last
        now = time.monotonic()
        if fraction > said and now - last >= _PAUSE:
            said, last = fraction, now
            say({"progress": fraction})

    report = ingest(
        source,
        Path(request["target"]),
        mapping=ColumnMapping.from_dict(request["mapping"] or {}),
        limits=IngestLimits(**request["bounds"]),
        on_progress=progress,
    )
    return report.as_dict()


def _told(error: Exception) -> dict[str, object]:
    """What the parent learns about an error; the text of a foreign one may hold cells."""
    from hbmlc_models.formats import CatalogError

    if isinstance(error, CatalogError):
        told = {"code": error.code, "message": error.message, "where": error.where}
        mapping = getattr(error, "mapping", None)
        return {"error": {**told, "mapping": None if mapping is None else dict(mapping)}}
    number = error.errno if isinstance(error, OSError) else None
    kind = "bug"
    if isinstance(error, MemoryError) or number in _NO_MEMORY:
        kind = "memory"
    elif number in _NO_DISK:
        kind = "disk"
    elif number == errno.EFBIG:
        kind = "output"
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return {"failure": {"kind": kind, "type": type(error).__name__, "places": places}}


if __name__ == "__main__":
    main()
