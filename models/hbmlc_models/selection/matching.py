"""Weights that make dimmed labelled galaxies look like the sky that they stand for.

A classifier that tells dimmed from unlabelled photometry gives the density ratio of the two as its
odds (Bickel et al. 2009, JMLR 10, 2137). Its area under the curve is the evidence: at 0.5 the
dimmed sample cannot be told from the sky. Cross-fitting by parent galaxy keeps it honest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from hbmlc_models.arrays import FloatArray, IntArray

__all__ = ["Matching", "match_photometry"]

ODDS_QUANTILE = 0.995
"""Odds above this quantile are truncated: a few copies must not carry the whole sample."""
N_FOLDS = 5
"""Folds of the cross-fitting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Outcome of matching a sample to a target."""

    odds: FloatArray
    """Truncated odds of being target photometry, mean one, ``(n_sample,)``."""
    auc: float
    """Area under the curve of the cross-fitted classifier; 0.5 is a perfect match."""


def match_photometry(
    sample: FloatArray, target: FloatArray, *, groups: IntArray, seed: int
) -> Matching:
    """Density ratio of ``target`` to ``sample`` at each row of ``sample``.

    Features are ``(n_sample, n_features)`` and ``(n_target, n_features)``, NaN where not observed;
    rows of one group (copies of one galaxy, ``(n_sample,)``) stay in one fold.
    """
    n_sample, n_target = len(sample), len(target)
    if len(np.unique(groups)) < N_FOLDS or n_target < N_FOLDS:
        return Matching(odds=np.ones(n_sample), auc=float("nan"))
    features = np.concatenate([sample, target])
    is_target = np.repeat([0, 1], [n_sample, n_target])
    fold_groups = np.concatenate([groups, groups.max() + 1 + np.arange(n_target)])
    probability = np.empty(len(features))
    for train, test in GroupKFold(N_FOLDS).split(features, is_target, fold_groups):
        # The trees refuse a column without a single value, as of a band that nobody observed.
        known = np.isfinite(features[train]).any(axis=0)
        if not known.any():
            probability[test] = 0.5
            continue
        classifier = HistGradientBoostingClassifier(
            max_iter=80,
            max_leaf_nodes=15,
            min_samples_leaf=40,
            l2_regularization=1,
            random_state=seed,
        )
        shown = features[:, known]
        classifier.fit(shown[train], is_target[train])
        probability[test] = classifier.predict_proba(shown[test])[:, 1]
    odds = probability[:n_sample] / (1 - probability[:n_sample])
    odds = np.minimum(odds, np.quantile(odds, ODDS_QUANTILE))
    return Matching(
        odds=odds / odds.mean(),
        auc=float(roc_auc_score(is_target, probability)),
    )
