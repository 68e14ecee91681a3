"""Which of the tables in a file is the catalogue, and what to say of the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hbmlc_models.formats.errors import MappingInvalidError
from hbmlc_models.formats.findings import Finding, FindingCode, note
from hbmlc_models.formats.readers._table import TableChoice
from hbmlc_models.formats.shown import listed, shown

__all__ = ["Candidate", "choose", "refuse_choice"]

_MOST_NAMED = 6
"""Tables that a message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One table of a file, as far as its head tells."""

    name: str | None
    """What the file calls it."""
    number: int | None
    """Its number as the format counts."""
    columns: Collection[str]
    """Names of its columns."""
    n_rows: int
    """Number of its rows, zero where that is unknown."""
    aliases: tuple[str, ...] = ()
    """Further names that a caller may use."""

    @property
    def label(self) -> str:
        """What it is called in messages and in a mapping."""
        return self.name or str(self.number)


def choose(
    candidates: Sequence[Candidate], choice: TableChoice, *, what: str
) -> tuple[Candidate, list[Finding]]:
    """Return the table that was asked for, or the one that looks most like a catalogue.

    Parameters
    ----------
    candidates
        At least one table, in file order.
    choice
        What the caller asked for, and how names are judged.
    what
        What the format calls a table.

    Raises
    ------
    MappingInvalidError
        The table that was asked for is not there.
    """
    matching = candidates
    if choice.table is not None:
        matching = [entry for entry in candidates if _is_called(entry, choice.table)]
        if not matching:
            there = listed((entry.label for entry in candidates), _MOST_NAMED)
            raise MappingInvalidError(
                f"There is no {what} {shown(str(choice.table))} with a table in the file; there "
                f"are {there}.",
                where="table",
            )
    best = max(matching, key=lambda entry: _worth(entry, choice))
    if choice.table is not None:
        return best, []
    return best, _findings(best, candidates, choice, what)


def refuse_choice(choice: TableChoice, what: str) -> None:
    """Raise where a table was asked for by name in a format that holds just one."""
    if choice.table is not None:
        raise MappingInvalidError(
            f"{what} holds one table, and the mapping asks for {shown(str(choice.table))}; leave "
            "'table' out.",
            where="table",
        )


def _is_called(entry: Candidate, wanted: str | int) -> bool:
    if isinstance(wanted, int):
        return entry.number == wanted
    name = wanted.strip("/").lower()
    names = (entry.name, *entry.aliases)
    if any(known is not None and known.strip("/").lower() == name for known in names):
        return True
    return entry.number is not None and name == str(entry.number)


def _worth(entry: Candidate, choice: TableChoice) -> tuple[tuple[int, ...], int, int]:
    # Ties in size go to the table with more columns: attributes often come as short side tables.
    return choice.rank(entry.columns), entry.n_rows, len(entry.columns)


def _findings(
    best: Candidate, candidates: Sequence[Candidate], choice: TableChoice, what: str
) -> list[Finding]:
    """Say which table was taken where there are several."""
    rest = [entry for entry in candidates if entry.label != best.label]
    if not rest:
        return []
    rank = choice.rank(best.columns)
    equal = [entry for entry in rest if choice.rank(entry.columns) == rank]
    other = max(equal or rest, key=lambda entry: _worth(entry, choice))
    if equal:
        message = (
            f"The {what}s {shown(best.label)} and {shown(other.label)} look equally like a "
            f"catalogue; {shown(best.label)} was taken."
        )
    else:
        names = listed(dict.fromkeys(entry.label for entry in rest), _MOST_NAMED)
        message = f"The table of the {what} {shown(best.label)} was taken, not that of {names}."
    value = other.name or other.number
    return [
        note(
            FindingCode.TABLE_CHOSEN,
            f"{message} Choose another with 'table' in the mapping.",
            mapping={"table": value},
        )
    ]
