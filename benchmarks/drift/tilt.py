"""Factors that move a distribution of ratings by a known amount, and as little as possible else.

Multiplied with the shares or the counts of the ten stars they give the shifted ones; shares stay
shares.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import root

from benchmarks.drift.scores import Floats
from serving.base.scale import STARS


def mean_factors(shares: Floats, change: float) -> Floats:
    """Return factors, shape (10,), that make the mean relatively `change` higher (< 0: lower).

    An exponential tilt: factors exp(a · star + c). Of all distributions with that mean it gives
    the closest in relative entropy.
    """
    mean = float(shares @ STARS)
    return _tilt(shares, (STARS - mean)[:, None], np.array([change * mean]))


def std_factors(shares: Floats, change: float) -> Floats:
    """Return factors that make the standard deviation relatively higher and leave the mean.

    An exponential tilt: factors exp(a · star + b · star² + c).
    """
    centred = STARS - float(shares @ STARS)
    variance = float(shares @ centred**2)
    features = np.stack([centred, centred**2 - variance], axis=1)
    return _tilt(shares, features, np.array([0.0, variance * ((1 + change) ** 2 - 1)]))


def _tilt(shares: Floats, features: Floats, wanted: Floats) -> Floats:
    """Return exp(features @ a + c) that gives the features the expectations that are wanted.

    Raises:
        ValueError: no distribution over the same stars has these.
    """

    def factors(a: Floats) -> Floats:
        exponent = features @ a
        weights = np.exp(exponent - exponent.max())
        return np.asarray(weights / (shares @ weights))

    def missing(a: Floats) -> Floats:
        return np.asarray((shares * factors(a)) @ features - wanted)

    found = root(missing, np.zeros(features.shape[1]), tol=1e-12).x
    if np.abs(missing(found)).max() > 1e-9:
        raise ValueError(f"no tilt of the ratings has the moments {wanted}: expected a smaller one")
    return factors(found)
