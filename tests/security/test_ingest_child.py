"""The process that reads an upload: walled in, limited, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from hostile import hdf5_false_chunk, hdf5_wide_text
from uploads import make_columns, write_csv, write_hdf5, write_parquet

from hbmlc_store.errors import LostClaimError
from hbmlc_worker.ingest_child._landlock import confine
from hbmlc_worker.ingest_child.walls import ALL_WALLS, ChildLimits
from hbmlc_worker.ingest_process import IngestRequest, run_ingest
from hbmlc_worker.problems import WorkerError, is_fatal
from hbmlc_worker.scratch import scratch_folder, sweep

MIB = 2**20
LIMITS = ChildLimits(memory_bytes=4096 * MIB, cpu_seconds=60, file_bytes=1024 * MIB)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the walls are those of Linux")


def wait_for(claim: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Wait until a claim holds."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def children() -> list[psutil.Process]:
    """Ingest children of this process."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "hbmlc_worker.ingest_child" in child.cmdline():
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[[Path], IngestRequest]:
    def make(source: Path) -> IngestRequest:
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        return IngestRequest(
            source=source,
            target=work / "canonical.parquet",
            mapping=None,
            bounds={},
            limits=LIMITS,
            wall_seconds=120.0,
        )

    return make


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_csv(tmp_path / "upload", make_columns(60))
    return tmp_path / "upload"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """An upload that takes some seconds."""
    write_parquet(tmp_path / "large", make_columns(1_500_000, bands="ugrizy"))
    return tmp_path / "large"


def behind_walls(source: Path, code: str, limits: ChildLimits = LIMITS) -> dict[str, Any]:
    """What ``code`` prints as JSON in a process that raised its walls around ``source``."""
    program = f"""
        import errno, json, os, pathlib, socket, subprocess, sys
        from hbmlc_worker.ingest_child.walls import ChildLimits, raise_walls
        source, scratch = pathlib.Path({str(source)!r}), pathlib.Path({str(source.parent)!r}, "own")
        scratch.mkdir(exist_ok=True)
        walls = raise_walls({limits!r}, source=source, scratch=scratch, parent={os.getpid()})
        def attempt(act):
            try:
                return ["done", repr(act())]
            except OSError as error:
                return [errno.errorcode[error.errno], ""]
        found = {{"walls": walls}}
    """
    text = textwrap.dedent(program) + textwrap.dedent(code) + "\nprint(json.dumps(found))"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(done.stdout)


needs_walls = pytest.mark.skipif(
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 4)",
        ],
        check=False,
    ).returncode
    != 0,
    reason="the kernel has no Landlock",
)


@needs_walls
def test_every_wall_stands_here(small: Path) -> None:
    assert sorted(behind_walls(small, "")["walls"]) == sorted(ALL_WALLS)


@needs_walls
def test_the_child_reads_its_upload_and_no_other_file(small: Path, tmp_path: Path) -> None:
    beside = tmp_path / "secrets.json"
    beside.write_text("{}")

    found = behind_walls(
        small,
        f"""
        found["upload"] = attempt(lambda: len(source.read_bytes()))
        found["beside"] = attempt(lambda: open({str(beside)!r}).read())
        found["listing"] = attempt(lambda: os.listdir(source.parent))
        found["passwords"] = attempt(lambda: open("/etc/passwd").read())
        found["parent"] = attempt(lambda: open(f"/proc/{{os.getppid()}}/environ", "rb").read())
        found["overwrite"] = attempt(lambda: source.write_bytes(b""))
        found["outside"] = attempt(lambda: (source.parent / "new").write_text("x"))
        found["inside"] = attempt(lambda: (scratch / "new").write_text("x"))
        found["link"] = attempt(lambda: (scratch / "link").symlink_to("/etc/passwd"))
        """,
    )

    assert found["upload"][0] == found["inside"][0] == "done"
    for name in ("beside", "listing", "passwords", "parent", "overwrite", "outside", "link"):
        assert found[name][0] == "EACCES", name


@needs_walls
def test_the_child_reaches_no_network_and_no_other_process(small: Path) -> None:
    found = behind_walls(
        small,
        """
        found["tcp"] = attempt(lambda: socket.socket())
        found["udp"] = attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        found["unix"] = attempt(lambda: socket.socket(socket.AF_UNIX))
        found["fork"] = attempt(os.fork)
        found["program"] = attempt(lambda: subprocess.run(["/bin/true"]))
        found["kill"] = attempt(lambda: os.kill(os.getppid(), 0))
        """,
    )

    for name in ("tcp", "udp", "unix", "fork", "program", "kill"):
        assert found[name][0] in {"EPERM", "EACCES"}, name


def test_a_kernel_without_landlock_is_told_as_a_missing_wall() -> None:
    class OldKernel:
        """System calls of a kernel that knows none of the new ones."""

        def syscall(self, *_: object) -> int:
            return -1

    assert list(confine(OldKernel(), {})) == []  # type: ignore[arg-type]


def test_the_child_sees_no_secret_in_its_environment(
    small: Path,
    request_of: Callable[[Path], IngestRequest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HBMLC_KEY_SECRET", "sesame")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sesame")
    seen: list[dict[str, str]] = []
    real = subprocess.Popen

    class Watched(real):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **options: Any) -> None:
            seen.append(options["env"])
            super().__init__(*args, **options)

    monkeypatch.setattr(subprocess, "Popen", Watched)

    run_ingest(request_of(small), on_progress=lambda _: None)

    (environment,) = seen
    assert "sesame" not in str(environment)
    assert not [name for name in environment if name.startswith(("HBMLC_", "AWS_", "PYTHON"))]


@pytest.mark.parametrize("write", [write_csv, write_parquet, write_hdf5])
def test_a_good_upload_is_read_behind_walls(
    tmp_path: Path,
    request_of: Callable[[Path], IngestRequest],
    write: Callable[[Path, Any], None],
) -> None:
    write(tmp_path / "upload", make_columns(60))

    report = run_ingest(request_of(tmp_path / "upload"), on_progress=lambda _: None)

    assert report["n_rows"] == 60
    assert not children()


def test_progress_comes_through_and_rises(
    large: Path, request_of: Callable[[Path], IngestRequest]
) -> None:
    seen: list[float] = []

    run_ingest(request_of(large), on_progress=seen.append)

    assert len(seen) > 1
    assert seen == sorted(seen)


def failing(request: IngestRequest) -> WorkerError:
    with pytest.raises(WorkerError) as caught:
        run_ingest(request, on_progress=lambda _: None)
    assert is_fatal(caught.value)
    assert not children()
    return caught.value


def test_a_fault_keeps_its_code_and_place(
    tmp_path: Path, request_of: Callable[[Path], IngestRequest]
) -> None:
    (tmp_path / "upload").write_text("id,mag_g,mag_err_g\n1,bright,0.1\n2,20,0.1\n")

    error = failing(request_of(tmp_path / "upload"))

    assert (error.code, error.where) == ("mapping-invalid", "mag_g")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"memory_bytes": 200 * MIB}, "bytes"),
        ({"cpu_seconds": 1}, "seconds"),
        ({"file_bytes": MIB}, "file of more"),
    ],
)
def test_a_limit_ends_the_ingest_once_and_for_all(
    large: Path,
    request_of: Callable[[Path], IngestRequest],
    change: dict[str, int],
    said: str,
) -> None:
    error = failing(replace(request_of(large), limits=replace(LIMITS, **change)))

    assert error.code == "file-too-demanding"
    assert said in error.message


def test_time_on_the_wall_is_limited_too(
    large: Path, request_of: Callable[[Path], IngestRequest]
) -> None:
    error = failing(replace(request_of(large), wall_seconds=0.5))

    assert error.code == "file-too-demanding"


def test_a_child_that_crashes_blames_the_file(
    large: Path, request_of: Callable[[Path], IngestRequest]
) -> None:
    def crash(_: float) -> None:
        for child in children():
            child.send_signal(signal.SIGSEGV)

    with pytest.raises(WorkerError) as caught:
        run_ingest(request_of(large), on_progress=crash)

    assert caught.value.code == "unreadable-file"


def test_a_child_killed_from_outside_is_tried_again(
    large: Path, request_of: Callable[[Path], IngestRequest]
) -> None:
    def kill(_: float) -> None:
        for child in children():
            child.kill()

    with pytest.raises(MemoryError) as caught:
        run_ingest(request_of(large), on_progress=kill)

    assert not is_fatal(caught.value)


def test_a_lost_claim_kills_and_reaps_the_child(
    large: Path, request_of: Callable[[Path], IngestRequest]
) -> None:
    def lose(_: float) -> None:
        raise LostClaimError("lost-claim", "aborted")

    with pytest.raises(LostClaimError):
        run_ingest(request_of(large), on_progress=lose)

    wait_for(lambda: not children())


PARENT = """
import pathlib, signal, sys, threading
from hbmlc_store.errors import LostClaimError
from hbmlc_worker.ingest_child.walls import ChildLimits
from hbmlc_worker.ingest_process import IngestRequest, run_ingest
from hbmlc_worker.scratch import scratch_folder

def lose(*_):
    raise LostClaimError("lost-claim", "aborted")

def work():
    with scratch_folder(pathlib.Path({root!r})) as folder:
        run_ingest(
            IngestRequest(
                source=pathlib.Path({source!r}), target=folder / "canonical.parquet", mapping=None,
                bounds={{}}, limits={limits!r}, wall_seconds=120.0,
            ),
            on_progress=lambda fraction: print(fraction, flush=True),
        )

def wait():
    for thread in threading.enumerate()[1:]:
        thread.join()
    sys.stdin.read()

signal.signal(signal.SIGUSR2, lose)
tasks = [work, wait]
while tasks:
    try:
        tasks.pop(0)()
    except (LostClaimError, RuntimeError):  # a thread that is not begun cannot be joined
        tasks = [wait]
"""


def parent_of(large: Path, root: Path) -> subprocess.Popen[bytes]:
    """A worker's process in the middle of an ingest."""
    program = PARENT.format(root=str(root), source=str(large), limits=LIMITS)
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    parent.stdout.readline()
    return parent


def test_a_signal_that_raises_again_and_again_leaves_nothing(large: Path, tmp_path: Path) -> None:
    root = tmp_path / "scratch"
    with parent_of(large, root) as parent:
        left = psutil.Process(parent.pid).children(recursive=True)
        for _ in range(20):
            parent.send_signal(signal.SIGUSR2)
            threading.Event().wait(0.002)
        assert parent.stdin is not None
        parent.stdin.close()

        assert parent.wait(20) == 0

    assert left
    assert not any(process.is_running() for process in left)
    assert list(root.iterdir()) == []


@pytest.fixture
def killed_parent(large: Path, tmp_path: Path) -> Iterator[tuple[Path, list[psutil.Process]]]:
    """Scratch root and former children of a worker that was killed in the middle of an ingest."""
    root = tmp_path / "scratch"
    with parent_of(large, root) as parent:
        left = psutil.Process(parent.pid).children(recursive=True)
        assert left
        parent.kill()
    yield root, left
    for process in left:
        if process.is_running():
            process.kill()


def test_a_killed_worker_takes_its_child_along(
    killed_parent: tuple[Path, list[psutil.Process]],
) -> None:
    _, left = killed_parent

    def is_over(process: psutil.Process) -> bool:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

    wait_for(lambda: all(map(is_over, left)), seconds=5.0)


def test_scratch_of_a_killed_worker_is_swept_and_that_of_a_living_one_is_not(
    killed_parent: tuple[Path, list[psutil.Process]],
) -> None:
    root, _ = killed_parent
    assert len(list(root.iterdir())) == 1

    with scratch_folder(root) as folder:
        removed = sweep(root)

        assert removed == 1
        assert list(root.iterdir()) == [folder]
        assert folder.stat().st_mode & 0o777 == 0o700

    assert list(root.iterdir()) == []


def test_a_sweep_leaves_what_is_not_a_folder_of_ours(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "hbmlc-scratch-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "hbmlc-catalogs").mkdir()

    assert sweep(tmp_path) == 0
    assert (tmp_path / "elsewhere").is_dir()
    assert (tmp_path / "hbmlc-catalogs").is_dir()


def test_a_bomb_costs_one_attempt_and_little_memory(
    tmp_path: Path, request_of: Callable[[Path], IngestRequest]
) -> None:
    hdf5_wide_text(tmp_path / "bomb")

    assert failing(request_of(tmp_path / "bomb")).code == "file-too-demanding"


def test_a_chunk_that_lies_about_its_size_meets_the_limit_of_memory(
    tmp_path: Path, request_of: Callable[[Path], IngestRequest]
) -> None:
    hdf5_false_chunk(tmp_path / "bomb", unpacked=2**30)
    request = request_of(tmp_path / "bomb")
    limits = replace(LIMITS, memory_bytes=512 * MIB)

    error = failing(replace(request, limits=limits))

    # The library does not always say what it had no memory for.
    assert error.code in {"file-too-demanding", "truncated-file"}
