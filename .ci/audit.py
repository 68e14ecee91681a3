"""Looks the installed packages up among the known vulnerabilities; skipped where none is told.

python .ci/audit.py <pip-audit> <site-packages>
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

ACCEPTED: dict[str, str] = {}
"""Advisories that do not concern us, each with its reason."""

SOURCES = ("osv", "pypi")


def main() -> int:
    """Audit with the first source that answers; the exit status says whether anything was found."""
    program, packages = sys.argv[1:]
    for source in SOURCES:
        checked = [found for found in ask(program, packages, source) if "skip_reason" not in found]
        if checked:
            return report(source, checked)
    print("No source of advisories is reachable from here; the audit is skipped.")
    return 0


def ask(program: str, packages: str, source: str) -> list[dict[str, Any]]:
    """Ask one source about every package; nothing if it does not answer."""
    options = ("--format", "json", "--progress-spinner", "off", "--timeout", "5")
    done = subprocess.run(
        [program, "--path", packages, "--vulnerability-service", source, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return []


def report(source: str, checked: list[dict[str, Any]]) -> int:
    """Print what was found; returns how many advisories concern us."""
    n_found = 0
    for package in checked:
        for advisory in package["vulns"]:
            names = {advisory["id"], *advisory["aliases"]}
            accepted = next((why for name, why in ACCEPTED.items() if name in names), None)
            n_found += accepted is None
            fixed = ", ".join(advisory["fix_versions"]) or "no release"
            verdict = accepted or f"fixed in {fixed}"
            print(f"{package['name']} {package['version']}: {advisory['id']}, {verdict}")
    print(f"{len(checked)} packages looked up at {source}: {n_found} advisories")
    return min(n_found, 1)


if __name__ == "__main__":
    sys.exit(main())
