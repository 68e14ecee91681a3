"""Every code that a problem can have is explained in docs/problems.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from hbmlc_models.formats.findings import FindingCode

ROOT = Path(__file__).parents[1]
CODE = re.compile(r"[a-z]+(-[a-z]+)+")
NOT_PROBLEMS = {"lost-claim", "catalog-error"}
"""Codes that stay inside: a claim of a worker, the root of a tree."""

NAMED_ELSEWHERE = {
    "bad-request",
    "unauthorized",
    "not-found",
    "method-not-allowed",
    "catalog-rejected",
}
"""The framework's own answers, named after their status, and a default."""


def codes_in(path: Path) -> set[str]:
    """Codes that a module gives to its errors."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name), args=args) if name == "_answer" or name.endswith(
                "Error"
            ):
                found |= {code for arg in args[:3] if (code := text(arg))}
            case ast.Assign(targets=[target], value=value) if last_name(target) == "code":
                found |= {text(value) or ""}
            case ast.Dict(keys=keys, values=values):
                found |= {
                    text(value) or ""
                    for key, value in zip(keys, values, strict=True)
                    if text(key) == "code"
                }
            case _:
                pass
    return {code for code in found if CODE.fullmatch(code)}


def last_name(node: ast.expr) -> str:
    return getattr(node, "attr", None) or getattr(node, "id", "")


def text(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def problems_page() -> tuple[str, str]:
    """The page of problems, and its section about findings."""
    page = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    problems, _, findings = page.partition("\n## Findings\n")
    findings, _, rest = findings.partition("\n## ")
    return problems + rest, findings


def documented_in(page: str) -> set[str]:
    return set(re.findall(r"^### `?([a-z-]+)`?$", page, re.MULTILINE))


def test_every_finding_code_is_documented_and_nothing_else() -> None:
    assert documented_in(problems_page()[1]) == {code.value for code in FindingCode}


def test_every_problem_code_is_documented_and_nothing_else() -> None:
    packages = ("models", "store", "service", "worker")
    used: set[str] = set()
    for name in packages:
        for path in (ROOT / name).rglob("*.py"):
            used |= codes_in(path)

    documented = documented_in(problems_page()[0])

    assert used - NOT_PROBLEMS - documented == set(), "explain these in docs/problems.md"
    assert documented - used - NAMED_ELSEWHERE == set()
