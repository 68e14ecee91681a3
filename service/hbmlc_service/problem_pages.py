"""The page behind a problem's ``type``: its section of docs/problems.md."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

__all__ = ["problem_page"]

_SECTION = re.compile(r"^### `?([a-z-]+)`?\n+(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL)
_MARKS = [
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^*]+)\*"), r"<em>\1</em>"),
    (re.compile(r"\[([^\]]+)\]\([^)]*\)"), r"\1"),
]
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{code}</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>{code}</h1>{text}</main></body></html>
"""


def problem_page(code: str) -> str | None:
    """HTML that explains a problem's code; ``None`` for a code that no problem has."""
    section = _sections().get(code)
    if section is None:
        return None
    paragraphs = (f"<p>{_marked(part)}</p>" for part in section.split("\n\n"))
    return _PAGE.format(code=html.escape(code), text="".join(paragraphs))


@cache
def _sections() -> dict[str, str]:
    text = _document().read_text(encoding="utf-8")
    return {code: body.strip() for code, body in _SECTION.findall(text)}


def _document() -> Path:
    """The document: beside this file in an installed package, in docs/ in a working tree."""
    packaged = Path(__file__).with_name("problems.md")
    return packaged if packaged.exists() else Path(__file__).parents[2] / "docs" / "problems.md"


def _marked(text: str) -> str:
    shown = html.escape(text)
    for pattern, replacement in _MARKS:
        shown = pattern.sub(replacement, shown)
    return shown
