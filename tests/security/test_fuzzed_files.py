"""A short form of the fuzz of files: any damage ends in a clean refusal or in a result."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

COMMAND = Path(__file__).parents[1] / "fuzz" / "files.py"


def test_damaged_files_are_refused_cleanly() -> None:
    done = subprocess.run(
        [sys.executable, str(COMMAND), "--seed", "1", "--count", "500", "--workers", "2"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Failures: 0." in done.stdout
    found = re.search(r"500 files of (\d+) kinds", done.stdout)
    assert found is not None
    assert int(found[1]) > 30
    assert re.search(r"\d+  read\n", done.stdout)
    assert re.search(r"\d+  outside-data\n", done.stdout)
