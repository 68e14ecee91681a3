"""What a child may still do after it has left root behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hbmlc_store.embedded.unprivileged import drop_root, give_to_unprivileged

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


def ask(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, preexec_fn=drop_root(), capture_output=True, text=True, check=False
    )


def test_files_below_a_private_folder_can_be_read(private: Path) -> None:
    assert ask("cat", str(private)).stdout == "content"


def test_access_says_so_too(private: Path) -> None:
    # PostgreSQL looks for its own programs with access(2), which judges by the real user.
    code = "import os, sys; print(os.access(sys.argv[1], os.R_OK))"

    answer = ask("/usr/bin/env", "python3", "-c", code, str(private))

    assert answer.stdout.strip() == "True", answer.stderr


def test_nothing_else_can_be_written(private: Path, tmp_path: Path) -> None:
    answers = [
        ask("touch", str(private.parent / "new")),
        ask("sh", "-c", f"echo more >> {private}"),
        ask("chown", "nobody", str(private)),
    ]

    assert all(answer.returncode != 0 for answer in answers)
    assert private.read_text() == "content"


def test_a_folder_that_was_given_away_can_be_written(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    give_to_unprivileged(data)

    assert ask("touch", str(data / "new")).returncode == 0


def test_one_capability_is_left(tmp_path: Path) -> None:
    status = ask("cat", "/proc/self/status").stdout

    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    assert int(effective.split()[1], 16) == 1 << 2
