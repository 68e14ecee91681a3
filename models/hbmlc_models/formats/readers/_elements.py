"""Names of elements of vector columns: ``FLUX[0]`` is the first value of ``FLUX`` in each row."""

from __future__ import annotations

import re
from collections.abc import Container

__all__ = ["split_element"]

_ELEMENT = re.compile(r"(.+)\[(\d{1,6})\]")


def split_element(name: str, columns: Container[str]) -> tuple[str, int | None]:
    """Column and index of an element; a column that is called ``a[0]`` itself is taken first.

    Examples
    --------
    >>> split_element("FLUX[2]", {"FLUX"}), split_element("FLUX[2]", {"FLUX[2]"})
    (('FLUX', 2), ('FLUX[2]', None))
    """
    found = None if name in columns else _ELEMENT.fullmatch(name)
    return (name, None) if found is None else (found[1], int(found[2]))
