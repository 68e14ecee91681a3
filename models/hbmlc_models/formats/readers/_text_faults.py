"""What is wrong with a text table, told by the line."""

from __future__ import annotations

from pathlib import Path

from hbmlc_models.formats.errors import TruncatedFileError
from hbmlc_models.formats.readers._text_encoding import TextEncoding
from hbmlc_models.formats.readers._text_fields import split
from hbmlc_models.formats.readers._text_lines import BLOCK_BYTES, UNIT, blocks
from hbmlc_models.formats.readers._text_plan import Layout, TextPlan

__all__ = ["first_fault"]


def first_fault(
    message: str, source: Path, plan: TextPlan, encoding: TextEncoding
) -> TruncatedFileError:
    """Our words for Arrow's, which repeat the row and do not say which it is."""
    if "straddl" in message:
        return TruncatedFileError(
            f"A line of the text table is longer than {BLOCK_BYTES:,} bytes; write one line a "
            "galaxy."
        )
    found = _odd_line(source, plan, encoding) if "Expected" in message else None
    if found is not None:
        number, n_fields = found
        return TruncatedFileError(
            f"Line {number:,} of the text table has {n_fields:,} fields where the header has "
            f"{len(plan.columns):,}; write the table again, or put quotes around texts with a "
            "separator.",
            where=f"line {number}",
        )
    return TruncatedFileError(
        "The text table breaks off, changes its number of fields or is not UTF-8; mend it."
    )


def _odd_line(source: Path, plan: TextPlan, encoding: TextEncoding) -> tuple[int, int] | None:
    """Number, from one, of the first line with another number of fields, and that number."""
    separator = plan.separator if plan.layout is Layout.SEPARATED else UNIT
    number = plan.first_row
    for block in blocks(source, plan, encoding):
        lines = block.split(b"\n")
        # A block ends with a line end.
        for line in lines[:-1]:
            number += 1
            if not line.strip():
                continue
            n_fields = line.count(separator.encode()) + 1
            if n_fields != len(plan.columns) and b'"' in line:
                n_fields = len(split(line.decode("utf-8", "replace"), separator))
            if n_fields != len(plan.columns):
                return number, n_fields
    return None
