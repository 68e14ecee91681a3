r"""The part that physics has in a population: a shipped mixture next to the one learnt from labels.

Where no label is near, dimmed copies of others stand for galaxies that they are not. A population
simulated through the same filters knows such galaxies, if less exactly. Two kinds of evidence say
how much of it is needed.

Where the labels cannot explain the unlabelled photometry, the share of the sky that is left for the
shipped population says so (``sky_share``).

Beyond the brightness of the labels a learnt n(z | m) is a mere continuation. Where photometry
cannot tell the two parts apart there, the shipped one is trusted instead: with G the median
advantage of the learnt part, in log likelihood, by :math:`t_0 = e^{-(G/G_0)^2}`, as far as its
record r on the labels goes (``label_record``). Beyond the redshift of the last labels as well the
learnt part knows nothing at all, however well it explains colours by galaxies on this side: there
the shipped one has no rival. Together, at magnitude m and :math:`\zeta = \log(1 + z)`,

.. math:: t(m, z) = \big(1 - e^{-(m - m_\mathrm{edge})/\Delta}\big)
          \big[1 - (1 - r\,t_0)\,\sigma\big((\zeta_\mathrm{edge} - \zeta)/\Delta_\zeta\big)\big].

What comes out is a density among *selected* galaxies, as everything learnt from labels is, and
later multiplied by :math:`e^{-\beta z}` for the others. A simulated sky has no selection, so its
components get the opposite factor first, and none of it is left in the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry, flux_from_luptitude
from hbmlc_models.selection.colour_correction import LabelledColours
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.label_record import label_record
from hbmlc_models.selection.mixture import (
    Mixture,
    log_density,
    reweight_mixture,
)
from hbmlc_models.selection.redshift_selection import factor_of_photometry, factor_of_types
from hbmlc_models.selection.sky_share import fit_sky_share

__all__ = [
    "ALONE_STRENGTH",
    "Blend",
    "LabelReach",
    "blend_populations",
    "draw_galaxies",
    "marginal",
]

ALONE_STRENGTH = 1_000.0
"""Weight of the shipped population's own proportions where it is alone, in galaxies."""
TELLING_GAP = 0.2
"""Advantage of the learnt part, in log likelihood a galaxy, that tells the two apart."""
TRUST_MAG = 1.0
"""How far beyond the labels the shipped population takes over [mag]."""
TRUST_LOG1P_Z = 0.025
"""How softly it does so at the redshift of the last labels, in log(1 + z)."""
MIN_BEYOND = 20
"""Fewer galaxies beyond the labels need no continuation of n(z | m)."""
NOISELESS = 1e-3
"""Flux errors of drawn galaxies, in units of the typical noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelReach:
    """How far the labels of a survey reach."""

    mag: float
    """Next to no labels are fainter [mag]."""
    z: float
    """Next to no labels have a higher redshift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """A learnt and a shipped population together."""

    population: Mixture
    """Both among selected galaxies, the learnt components first."""
    source: str
    """Which of the candidates it is."""
    share: float
    """Its share of the sky."""
    log_likelihood: float
    """Mean log density of the sky's photometry before any trust beyond the evidence."""


def marginal(population: Mixture, bands: tuple[str, ...], wanted: tuple[str, ...]) -> Mixture:
    """Population of the bands ``wanted``, all of them among its ``bands``."""
    keep = np.array([0, *(1 + bands.index(band) for band in wanted)])
    return Mixture(
        weights=population.weights,
        means=population.means[:, keep],
        covariances=population.covariances[:, keep[:, None], keep],
    )


def blend_populations(
    learnt: Mixture,
    candidates: Mapping[str, Mixture],
    sky: tuple[FloatArray, FloatArray],
    *,
    reference: int,
    reach: LabelReach,
    labels: LabelledColours,
    beta: float,
) -> Blend:
    """Learnt population with the likeliest of the ``candidates``, as among selected galaxies.

    ``sky`` holds luptitudes and errors of unlabelled galaxies, both ``(n_galaxies, n_bands)``;
    ``reach`` says where ``labels`` end, in brightness in band number ``reference`` and in redshift;
    ``beta`` is the expected redshift dependence of the selection [per unit z].
    """
    log_learnt = learnt.log_density(*sky)
    needs = {name: fit_sky_share(shipped, sky, log_learnt) for name, shipped in candidates.items()}
    source = max(needs, key=lambda name: needs[name].log_likelihood)
    shipped, need = candidates[source], needs[source]
    alone = reweight_mixture(shipped, need.evidence, prior_galaxies=ALONE_STRENGTH)
    gap = log_learnt - log_density(need.evidence.log_likelihood, alone.weights)
    undecided = _undecided(gap, sky[0][:, reference], reach.mag)
    selection = _selection_of_components(learnt, shipped, sky[1], beta)
    selected = alone.weights * selection
    record = label_record(learnt, replace(alone, weights=selected / selected.sum()), labels)
    learnt_trust, shipped_trust = (
        _trust(part, reference=reference, reach=reach, undecided=undecided, record=record)
        for part in (learnt, shipped)
    )
    learnt_weights = (1 - need.share) * (1 - learnt_trust) * learnt.weights
    shipped_weights = need.share * (1 - shipped_trust) * need.weights
    shipped_weights += shipped_trust * alone.weights
    total = learnt_weights.sum() + shipped_weights.sum()
    weights = np.concatenate([learnt_weights, shipped_weights * selection])
    return Blend(
        population=Mixture(
            weights=weights / weights.sum(),
            means=np.concatenate([learnt.means, shipped.means]),
            covariances=np.concatenate([learnt.covariances, shipped.covariances]),
        ),
        source=source,
        share=float(shipped_weights.sum() / total),
        log_likelihood=need.log_likelihood,
    )


def _trust(
    part: Mixture, *, reference: int, reach: LabelReach, undecided: float, record: float
) -> FloatArray:
    """How far the shipped population is trusted at each component of a part, ``(n_components,)``.

    ``undecided`` is how far photometry leaves the two parts so beyond the labels, ``record`` how
    well the shipped one did on labels.
    """
    fainter = np.maximum(part.means[:, 1 + reference] - reach.mag, 0)
    farther = expit((part.means[:, 0] - np.log1p(reach.z)) / TRUST_LOG1P_Z)
    doubt = (1 - record * undecided) * (1 - farther)
    return np.asarray(-np.expm1(-fainter / TRUST_MAG) * (1 - doubt))


def _undecided(gap: FloatArray, mag: FloatArray, edge: float) -> float:
    """How far photometry leaves the two parts undecided beyond the labels, 0 to 1."""
    beyond = gap[mag > edge]
    if len(beyond) < MIN_BEYOND:
        return 0.0
    # The median: one galaxy that neither part knows must not decide.
    return float(np.exp(-((max(float(np.median(beyond)), 0.0) / TELLING_GAP) ** 2)))


def _selection_of_components(
    learnt: Mixture, shipped: Mixture, errors: FloatArray, beta: float
) -> FloatArray:
    """Factor of each shipped component between the sky and selected galaxies, ``(n_components,)``.

    Relative to that of a learnt galaxy of the same photometry, so that at no photometry the
    proportion of the two parts changes once all is multiplied by exp(-beta z).
    """
    typical = np.broadcast_to(np.median(errors, axis=0), (len(shipped.weights), errors.shape[1]))
    expected = factor_of_photometry(learnt, shipped.means[:, 1:], typical, beta)
    return expected / factor_of_types(shipped, beta)


def draw_galaxies(
    population: Mixture, n_galaxies: int, frame: LuptitudeFrame, rng: np.random.Generator
) -> tuple[Photometry, FloatArray]:
    """Galaxies of a population, next to free of noise, and their redshifts ``(n_galaxies,)``."""
    component = rng.choice(len(population.weights), n_galaxies, p=population.weights)
    root = np.linalg.cholesky(population.covariances)[component]
    normal = rng.standard_normal((n_galaxies, population.means.shape[1], 1))
    drawn = population.means[component] + (root @ normal)[:, :, 0]
    flux = flux_from_luptitude(drawn[:, 1:], frame.softening)
    photometry = Photometry(
        bands=frame.bands,
        flux=flux,
        flux_err=np.full(flux.shape, NOISELESS * frame.softening),
        is_detected=flux > 0,
    )
    return photometry, np.maximum(np.expm1(drawn[:, 0]), 0.0)
