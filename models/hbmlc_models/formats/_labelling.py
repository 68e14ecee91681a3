"""The labels of an upload: what was gathered, judged, and told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.formats.errors import AllSelectedError, SpecZOutOfRangeError
from hbmlc_models.formats.findings import Finding, FindingCode, note, warn
from hbmlc_models.formats.labels import LEFT_OUT, Labels, judge_labels, largest_visible_redshift
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.recognise import Recognised
from hbmlc_models.formats.shown import shown

__all__ = ["FoundLabels", "Gathered", "find_labels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Columns about redshifts, ``(n_rows,)`` each; ``None`` where the upload has none."""

    n_rows: int
    z: FloatArray | None
    z_err: FloatArray | None
    is_sure: BoolArray | None
    selected: BoolArray | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLabels:
    """Labels and selection of an upload."""

    z_spec: FloatArray
    """Labels, ``(n_rows,)``; NaN where there is none."""
    selected: BoolArray
    """Whether the spectroscopic survey selected the galaxy, ``(n_rows,)``."""
    left_out: Counter[str]
    """Redshifts that are no label, by reason."""
    mapping: ColumnMapping
    """The mapping without a flag that says nothing."""


def find_labels(
    gathered: Gathered, found: Recognised, findings: list[Finding], *, z_max: float
) -> FoundLabels:
    """Labels among what was gathered; what there is to say is added to ``findings``.

    Raises
    ------
    SpecZOutOfRangeError
        There are redshifts, and none can be one.
    AllSelectedError
        Every galaxy is selected.
    """
    mapping, selected = found.mapping, gathered.selected
    z = gathered.z
    if z is None:
        z = np.full(gathered.n_rows, np.nan, dtype=np.float32)
    if selected is not None and found.is_selected_guessed and selected.all():
        # A flag that is always true says nothing about who has a spectrum.
        selected, mapping = None, replace(mapping, selected=None)
    labels = judge_labels(
        z,
        is_sure=gathered.is_sure,
        z_err=gathered.z_err,
        selected=selected,
        z_max=z_max,
        z_visible=largest_visible_redshift(tuple(source.band for source in found.sources)),
    )
    is_labelled = np.isfinite(labels.z_spec)
    selected = is_labelled if selected is None else selected
    _check(labels, selected, mapping)
    findings += _told(labels, mapping)
    if mapping.z_spec is not None and not is_labelled.any():
        # Redshifts that are all left out are told by their reasons.
        is_told = mapping.selected is None and bool(labels.left_out)
        findings.append(_told_none(mapping, has_selected=bool(selected.any()) or is_told))
    return FoundLabels(
        z_spec=labels.z_spec, selected=selected, left_out=labels.left_out, mapping=mapping
    )


def _told_none(mapping: ColumnMapping, *, has_selected: bool) -> Finding:
    """Warn that no redshift is a label."""
    column = mapping.z_spec or ""
    what = f"no redshift in {shown(column)} is a label"
    if not has_selected:
        what = "no galaxy is selected"
    return warn(
        FindingCode.LABELS_MISSING, f"{what}: only the Bayesian part can serve", column=column
    )


def _check(labels: Labels, selected: BoolArray, mapping: ColumnMapping) -> None:
    """Raise where labels are unusable as a whole."""
    impossible = labels.left_out["negative"] + labels.left_out["out_of_range"]
    if impossible and not np.isfinite(labels.z_spec).any():
        raise SpecZOutOfRangeError(
            f"None of the spectroscopic redshifts in {shown(mapping.z_spec or '')} can be one: "
            f"{impossible:,} are negative or impossibly large; map the right column.",
            where=mapping.z_spec,
        )
    if selected.all():
        raise AllSelectedError(
            "Every galaxy is selected, so nothing is left to calibrate; add the galaxies without a "
            "spectrum, or mark them in a column 'selected'.",
            where=mapping.selected or mapping.z_spec,
        )


def _told(labels: Labels, mapping: ColumnMapping) -> list[Finding]:
    """Say how many redshifts are no label, and why."""
    if not labels.left_out:
        return []
    column = mapping.z_spec or ""
    parts: list[str] = []
    for reason, count in labels.left_out.items():
        what = LEFT_OUT[reason]
        if reason == "sentinel":
            what += f" ({', '.join(f'{code:g}' for code in labels.codes)})"
        parts.append(f"{count:,} {what}")
    n = int(np.isfinite(labels.z_spec).sum())
    # Most tables fill the redshift of a galaxy without a spectrum with -1 or -99: nothing is odd.
    is_usual = labels.left_out.keys() == {"sentinel"} and max(labels.codes) < 0
    say = note if is_usual else warn
    return [
        say(
            FindingCode.LABELS_LEFT_OUT,
            f"{sum(labels.left_out.values()):,} redshifts in {shown(column)} are no labels "
            f"({'; '.join(parts)}); {n:,} are",
            column=column,
        )
    ]
