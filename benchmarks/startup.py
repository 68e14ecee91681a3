"""Start-up of the API, the SDK and the command, each in a fresh process.

Usage: python -m benchmarks.startup
"""

from __future__ import annotations

import subprocess
import sys
import time

N_RUNS = 5
PROGRAMS = {
    "import hbmlc": ["-c", "import hbmlc"],
    "hbmlc --help": ["-m", "hbmlc", "--help"],
    "import hbmlc_service.app": ["-c", "import hbmlc_service.app"],
    "python alone": ["-c", "pass"],
}


def main() -> None:
    """Print the least of a few wall-clock times for each program [seconds]."""
    for name, arguments in PROGRAMS.items():
        times: list[float] = []
        for _ in range(N_RUNS):
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - start)
        print(f"{name:26s} {min(times):.2f}")


if __name__ == "__main__":
    main()
