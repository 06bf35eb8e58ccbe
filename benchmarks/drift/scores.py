"""The platform's drift tests on many pairs of counts at once, in floating point.

The tests hold these figures against the exact ones of `cinematch_dagster.drift`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cinematch_dagster.drift.divergence import SMALLEST_SHARE
from serving.base.scale import STARS

Floats = NDArray[np.float64]
Scores = dict[str, Floats]
"""Scores by the name of the test, each of shape (trials,)."""

KS: Final = "rating_distribution_ks"
MEAN: Final = "rating_mean"
STD: Final = "rating_std"


def rating_scores(baseline: Floats, buffer: Floats) -> Scores:
    """Score pairs of rating histograms with the three tests that may alert.

    Args:
        baseline: counts, shape (..., 10).
        buffer: counts, of a shape that broadcasts with the baseline's; the stars are last.
    """
    gap = np.cumsum(_shares(buffer), axis=-1) - np.cumsum(_shares(baseline), axis=-1)
    before, after = mean(baseline), mean(buffer)
    return {
        KS: np.abs(gap).max(axis=-1),
        MEAN: np.abs(after - before) / before,
        STD: np.abs(std(buffer) / std(baseline) - 1),
    }


def rating_metrics(baseline: Floats, buffer: Floats) -> Scores:
    """Score pairs of rating histograms with the measures shown beside the verdict."""
    gap = np.cumsum(_shares(buffer), axis=-1) - np.cumsum(_shares(baseline), axis=-1)
    return {
        "rating_psi": psi(baseline, buffer),
        "rating_jensen_shannon": jensen_shannon(baseline, buffer),
        "rating_wasserstein": np.abs(gap).sum(axis=-1) / 2,
    }


def genre_metrics(baseline: Floats, buffer: Floats) -> Scores:
    """Score pairs of genre counts, the genres last, with the measures shown for them."""
    return {
        "genre_psi": psi(baseline, buffer),
        "genre_jensen_shannon": jensen_shannon(baseline, buffer),
    }


def severity(scores: Scores, thresholds: Mapping[str, float], minimum_tests: int = 1) -> Floats:
    """Return how far the thresholds could be raised together before nothing alerts any more.

    That is the k-th largest of score / threshold with k = `minimum_tests`: k-of-n alerts above 1.
    """
    ratios = np.stack([scores[name] / threshold for name, threshold in thresholds.items()])
    return np.asarray(np.sort(ratios, axis=0)[-minimum_tests])


def mean(histogram: Floats) -> Floats:
    """Mean in stars of each histogram, shape (..., 10) -> (...)."""
    return _shares(histogram) @ STARS


def std(histogram: Floats) -> Floats:
    """Sample standard deviation in stars (n - 1) of each histogram, shape (..., 10) -> (...)."""
    n = histogram.sum(axis=-1)
    variance = _shares(histogram) @ STARS**2 - mean(histogram) ** 2
    return np.asarray(np.sqrt(np.maximum(variance, 0.0) * n / (n - 1)))


def psi(baseline: Floats, buffer: Floats) -> Floats:
    """Population stability index, smoothed as `cinematch_dagster.drift.divergence.psi` is."""
    p, q = (np.maximum(_shares(side), SMALLEST_SHARE) for side in (baseline, buffer))
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def jensen_shannon(baseline: Floats, buffer: Floats) -> Floats:
    """Jensen-Shannon distance to base 2."""
    p, q = _shares(baseline), _shares(buffer)
    middle = (p + q) / 2
    divergence = (_entropy(middle) - (_entropy(p) + _entropy(q)) / 2).sum(axis=-1)
    return np.asarray(np.sqrt(np.maximum(divergence, 0.0)))


def _shares(counts: Floats) -> Floats:
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))


def _entropy(share: Floats) -> Floats:
    return np.asarray(-share * np.log2(np.where(share > 0, share, 1.0)))
