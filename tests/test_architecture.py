"""The house rules that no other tool checks; each failure says the mend."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("client", "models", "store", "service", "worker")
MAX_LINES = 500
HEAVY = (
    "torch",
    "pymc",
    "pytensor",
    "numba",
    "celery",
    "sqlalchemy",
    "fastapi",
    "astropy",
    "pyarrow",
    "numpy",
)


def sources() -> list[Path]:
    found = [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]
    assert len(found) > 100
    return found


def loaded_after(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after a statement."""
    code = f"import sys\n{statement}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


def test_files_stay_short() -> None:
    lines = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n")
        for path in [*sources(), *sorted((ROOT / "tests").rglob("*.py"))]
    }

    too_long = {path: n for path, n in lines.items() if n > MAX_LINES}

    assert not too_long, f"split these where the concept splits: {too_long}"


@pytest.mark.parametrize("statement", ["import hbmlc", "from hbmlc.cli import app"])
def test_the_client_loads_nothing_heavy(statement: str) -> None:
    assert not loaded_after(statement) & {*HEAVY, "hbmlc_models", "hbmlc_store"}


def test_the_service_loads_no_science() -> None:
    loaded = loaded_after("import hbmlc_service.app")

    assert not loaded & {"torch", "pymc", "pytensor", "numba", "celery", "hbmlc_models"}


def test_every_module_opens_with_a_sentence() -> None:
    silent = [path for path in sources() if not ast.get_docstring(parsed(path))]

    assert not silent, f"say what these are: {silent}"


def test_public_names_are_offered() -> None:
    hidden = {
        str(path.relative_to(ROOT)): names
        for path in sources()
        # Entry points and migrations are run by path, nobody imports from them.
        if path.name != "__main__.py" and "migrations" not in path.parts
        if (names := public(parsed(path)) - offered(parsed(path)))
    }

    assert not hidden, f"add these to __all__ or begin them with _: {hidden}"


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def public(tree: ast.Module) -> set[str]:
    """Functions and classes without underscore; a decorated one is offered by its decorator."""
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        or (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.decorator_list)
        if not node.name.startswith("_")
    }


def offered(tree: ast.Module) -> set[str]:
    """Names in ``__all__``."""
    return {
        element.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and any(isinstance(name, ast.Name) and name.id == "__all__" for name in targets(node))
        for element in getattr(node.value, "elts", ())
        if isinstance(element, ast.Constant)
    }


def targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def test_what_the_packages_offer_is_there() -> None:
    for name in ("hbmlc", "hbmlc_models.formats", "hbmlc_models.simulate", "hbmlc_models.evaluate"):
        module = import_module(name)
        assert list(module.__all__) == sorted(module.__all__, key=natural), f"{name}: sort __all__"
        assert all(hasattr(module, offered) for offered in module.__all__)


def natural(name: str) -> tuple[int, str]:
    """Order of ruff's RUF022: constants, classes, functions."""
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name


def test_the_changelog_knows_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"## {version('hbmlc')}" in changelog, "add the version to CHANGELOG.md"


def test_the_readme_begins_with_its_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    blocks = re.findall(r"```(?:bash|sh|console|shell)\n(.*?)```", readme, re.DOTALL)

    assert "hbmlc demo" in blocks[0]
    assert "pytest" in blocks[1]


def test_links_between_the_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]

    assert not broken
