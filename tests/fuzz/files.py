"""Ingest of damaged files: only clean refusals, no crash, no growth, nothing left, nothing opened.

``python tests/fuzz/files.py --seed 1 --count 20000`` takes some minutes. A case is known by its
number: ``--only 123`` runs it again, ``--keep FOLDER`` saves the files of those that fail.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from select import select
from typing import Any, Self

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from file_seeds import write_seeds  # noqa: E402 -- beside this file, which is no package

SECONDS = 30.0
"""Longest that one file may take."""
GROWTH_BYTES = 256 * 2**20
"""Most memory that a process may gain over its files."""
WARM_UP = 200
"""Files after which the memory of a process is first looked at."""
_IN_OPEN, _IN_ACCESS = 0x20, 0x01
_IN_NONBLOCK = 0o4000


@dataclass(slots=True)
class Summary:
    """What came of all cases."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    """Cases by outcome."""
    kinds: Counter[str] = field(default_factory=Counter[str])
    """Cases by the file that was damaged."""
    failures: list[str] = field(default_factory=list[str])
    """What must not be."""
    failed: list[int] = field(default_factory=list[int])
    """Numbers of the cases that failed."""
    growth: int = 0
    """Most memory that a process gained [bytes]."""


def main() -> int:
    """Run; the exit status says whether anything failed."""
    asked = _arguments()
    numbers = [asked.only] if asked.only is not None else list(range(asked.count))
    with tempfile.TemporaryDirectory(prefix="hbmlc-fuzz-files-") as name:
        folder = Path(name)
        for part in ("seeds", "outside"):
            (folder / part).mkdir()
        started = time.monotonic()
        with _Watch() as watch:
            write_seeds(folder / "seeds", folder / "outside", watch.address)
            watch.begin(folder / "outside")
            summary = _run(folder, asked, numbers)
            summary.failures += watch.events()
        seconds = time.monotonic() - started
    _tell(summary, len(numbers), asked.seed, seconds)
    return 1 if summary.failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of all damage")
    parser.add_argument("--count", type=int, default=20_000, help="files")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2, help="processes")
    parser.add_argument("--kind", default="", help="only files whose kind begins so: hdf5, fits")
    parser.add_argument("--only", type=int, help="the one case of this number")
    parser.add_argument("--keep", type=Path, help="folder for the files that fail")
    return parser.parse_args()


class _Watch:
    """Sees whether anybody opens a file of a folder, or connects to the port of an address."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._queue = self._libc.inotify_init1(_IN_NONBLOCK)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/rows"
        """Address at which nobody may ask for anything."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._queue)
        self._socket.close()

    def begin(self, folder: Path) -> None:
        """Watch the files of a folder from now on."""
        path = os.fsencode(folder)
        if self._libc.inotify_add_watch(self._queue, path, _IN_OPEN | _IN_ACCESS) < 0:
            raise OSError(ctypes.get_errno(), "Files outside cannot be watched.")

    def events(self) -> list[str]:
        """What was seen."""
        if select([self._socket], [], [], 0)[0]:
            return ["somebody connected to an address in a file"]
        names: set[str] = set()
        while select([self._queue], [], [], 0)[0]:
            names |= set(_names_in(os.read(self._queue, 65_536)))
        return [f"a file outside was opened: {name}" for name in sorted(names)]


def _names_in(events: bytes) -> Iterator[str]:
    """Names in the events of inotify."""
    at = 0
    while at < len(events):
        length = struct.unpack_from("iIII", events, at)[3]
        yield events[at + 16 : at + 16 + length].rstrip(b"\x00").decode()
        at += 16 + length


def _run(folder: Path, asked: argparse.Namespace, numbers: Sequence[int]) -> Summary:
    """Hand all cases out to processes."""
    cases: SimpleQueue[int] = SimpleQueue()
    for number in numbers:
        cases.put(number)
    summary, lock = Summary(), threading.Lock()
    n_workers = max(1, min(asked.workers, len(numbers)))
    threads = [
        threading.Thread(target=_feed, args=(folder, asked, index, cases, summary, lock))
        for index in range(n_workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return summary


def _feed(
    folder: Path,
    asked: argparse.Namespace,
    index: int,
    cases: SimpleQueue[int],
    summary: Summary,
    lock: threading.Lock,
) -> None:
    """Keep one process busy, and start another where it dies."""
    scratch = folder / f"scratch-{index}"
    scratch.mkdir()
    worker = _Worker(folder / "seeds", scratch, asked)
    try:
        while True:
            try:
                number = cases.get_nowait()
            except Empty:
                break
            answer = worker.ask(number)
            with lock:
                _count(summary, answer, worker)
                if answer["outcome"] == "FAILED":
                    _keep(asked, scratch / "upload", answer)
            if worker.is_dead:
                for left in scratch.iterdir():
                    _remove(left)
                worker = _Worker(folder / "seeds", scratch, asked)
    finally:
        worker.end()


def _remove(left: Path) -> None:
    """Remove what a process left that died."""
    if left.is_dir():
        for inner in left.iterdir():
            _remove(inner)
        left.rmdir()
    else:
        left.unlink()


class _Worker:
    """One process, and how much memory it had when it was warm."""

    def __init__(self, seeds: Path, scratch: Path, asked: argparse.Namespace) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the process
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-X", "faulthandler", str(HERE / "file_worker.py")),
                *(str(seeds), str(scratch), str(asked.seed), asked.kind),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"},
        )
        self._n = 0
        self._warm = 0
        self.growth = 0
        """Memory gained since it was warm [bytes]."""
        self.is_dead = False
        """Whether it is of no more use."""

    def ask(self, number: int) -> dict[str, Any]:
        """Answer to one case, whatever becomes of the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{number}\n".encode())
        self._process.stdin.flush()
        is_first = self._n == 0
        ready = select([self._process.stdout], [], [], SECONDS * (2 if is_first else 1))[0]
        line = self._process.stdout.readline() if ready else b""
        if not line:
            return self._died(number, "it ended" if ready else f"silent for {SECONDS:.0f} s")
        self._n += 1
        answer = json.loads(line)
        if self._n == WARM_UP:
            self._warm = answer["memory"]
        elif self._n > WARM_UP:
            self.growth = answer["memory"] - self._warm
        return answer

    def end(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _died(self, number: int, how: str) -> dict[str, Any]:
        self.is_dead = True
        self._process.kill()
        code = self._process.wait()
        self._errors.seek(0)
        last = self._errors.read()[-1_500:].decode("utf-8", "replace")
        said = f"{how}, exit status {code}: {last}"
        return {"number": number, "seed": "?", "outcome": "FAILED", "said": said}


def _count(summary: Summary, answer: dict[str, Any], worker: _Worker) -> None:
    summary.outcomes[answer["outcome"]] += 1
    summary.kinds[answer["seed"]] += 1
    summary.growth = max(summary.growth, worker.growth)
    if answer["outcome"] == "FAILED":
        summary.failures.append(f"case {answer['number']} ({answer['seed']}): {answer['said']}")
        summary.failed.append(answer["number"])
    grew = f"a process grew by more than {GROWTH_BYTES:,} bytes"
    if worker.growth > GROWTH_BYTES and grew not in summary.failures:
        summary.failures.append(grew)


def _keep(asked: argparse.Namespace, upload: Path, answer: dict[str, Any]) -> None:
    """Save the file of a case."""
    if asked.keep is None or not upload.exists():
        return
    asked.keep.mkdir(parents=True, exist_ok=True)
    (asked.keep / f"{asked.seed}-{answer['number']}").write_bytes(upload.read_bytes())


def _tell(summary: Summary, count: int, seed: int, seconds: float) -> None:
    """Print what came of it."""
    lines = [f"{failure}" for failure in summary.failures]
    lines += [f"{n:>7,}  {outcome}" for outcome, n in summary.outcomes.most_common()]
    rate = count / seconds
    lines += [
        f"{count:,} files of {len(summary.kinds)} kinds (seed {seed}) in {seconds:.0f} s.",
        f"Files a second: {rate:.0f}.",
        f"Most memory that a process gained: {summary.growth / 2**20:.0f} MiB.",
        f"Failures: {len(summary.failures)}.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
