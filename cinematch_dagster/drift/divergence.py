"""How far two distributions over the same categories lie apart, from their counts.

All take two count arrays of one length k (int64, shape (k,), each with at least one count), in the
same order of categories; p and q are the shares of baseline and buffer.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

SMALLEST_SHARE = 1e-4


class ChiSquare(NamedTuple):
    """A chi-square test; the statistic grows with the number of ratings, unlike a distance."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


def psi(baseline: Counts, buffer: Counts) -> float:
    r"""Population stability index :math:`\sum_i (q_i - p_i) \ln(q_i / p_i)`, at least 0.

    Smoothing: a share below `SMALLEST_SHARE` (an empty category, above all) counts as that share,
    on either side, and the others stay as they are. So PSI does not depend on the number of
    ratings, and is finite. Customary reading: below 0.1 stable, above 0.25 changed.
    Source: Lewis, An Introduction to Credit Scoring (1994); it is Jeffreys' divergence (1946).
    """
    p, q = (np.maximum(share, SMALLEST_SHARE).tolist() for share in _shares(baseline, buffer))
    return math.fsum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))


def jensen_shannon_distance(baseline: Counts, buffer: Counts) -> float:
    r"""Jensen-Shannon distance to base 2, in [0, 1]; 1 for distributions without overlap.

    :math:`\sqrt{\tfrac12 \sum_i p_i \log_2 (p_i / m_i) + q_i \log_2 (q_i / m_i)}` with
    :math:`m = (p + q) / 2` and :math:`0 \log 0 = 0`. Sources: Lin, Divergence measures based on
    the Shannon entropy (1991); Endres and Schindelin (2003) for the root being a metric.
    """
    p, q = _shares(baseline, buffer)
    either = p + q > 0
    lean = (q - p)[either] / (p + q)[either]  # (q - m) / m, and with the other sign (p - m) / m
    terms = [
        share * math.log1p(to_middle)
        for side, sign in ((p[either], -1), (q[either], 1))
        for share, to_middle in zip(side.tolist(), (sign * lean).tolist(), strict=True)
        if share > 0
    ]
    return math.sqrt(max(0.0, math.fsum(terms) / 2 / math.log(2)))


def wasserstein_distance(baseline: Counts, buffer: Counts) -> float:
    r"""Wasserstein-1 (earth mover's) distance: mean way that ratings have to move, in stars.

    :math:`\tfrac12 \sum_i |F_i - G_i|` with the distribution functions F and G over the half stars,
    lowest first; exact, and rounded once. At least the absolute difference of the means.
    Source: Vallender, Calculation of the Wasserstein distance on the line (1974).
    """
    n, m = int(baseline.sum()), int(buffer.sum())
    up_to = zip(accumulate(baseline.tolist()), accumulate(buffer.tolist()), strict=True)
    way: int = sum(abs(below * m - below_buffer * n) for below, below_buffer in up_to)
    return way / (2 * n * m)


def chi_square(baseline: Counts, buffer: Counts) -> ChiSquare:
    r"""Pearson's test of homogeneity of two samples over the categories that are not empty in both.

    :math:`\chi^2 = \sum_i (a_i m - b_i n)^2 / ((a_i + b_i) n m)` for counts a and b with sums n and
    m (the sum of (observed - expected)² / expected, simplified); exact, and rounded once. Degrees
    of freedom: one less than there are such categories; with one only, the p-value is 1. It takes
    ratings for independent, which those of one user are not: the p-value is too small.
    Source: Pearson, On the criterion … (1900).
    """
    from scipy.special import chdtrc

    n, m = int(baseline.sum()), int(buffer.sum())
    pairs = [(a, b) for a, b in zip(baseline.tolist(), buffer.tolist(), strict=True) if a + b]
    terms = (Fraction((a * m - b * n) ** 2, a + b) for a, b in pairs)
    statistic = float(sum(terms, Fraction(0)) / (n * m))
    freedom = len(pairs) - 1
    return ChiSquare(statistic, freedom, float(chdtrc(freedom, statistic)) if freedom else 1.0)


def _shares(*sides: Counts) -> list[NDArray[np.float64]]:
    return [side / side.sum() for side in sides]
