"""Rating distributions that have moved by a known amount, and as little as possible otherwise."""

from __future__ import annotations

import numpy as np
from scipy.optimize import root

from benchmarks.drift.scores import Floats
from cinematch_dagster.drift import STARS


def shift_mean(shares: Floats, change: float) -> Floats:
    """Return shares, shape (10,), whose mean is relatively `change` higher (below 0: lower).

    An exponential tilt: share times exp(a · star). Of all distributions with that mean it is the
    closest in relative entropy.
    """
    mean = float(shares @ STARS)
    return _tilt(shares, (STARS - mean)[:, None], np.array([change * mean]))


def shift_std(shares: Floats, change: float) -> Floats:
    """Return shares with the same mean and a standard deviation relatively `change` higher.

    An exponential tilt: share times exp(a · star + b · star²).
    """
    centred = STARS - float(shares @ STARS)
    variance = float(shares @ centred**2)
    features = np.stack([centred, centred**2 - variance], axis=1)
    return _tilt(shares, features, np.array([0.0, variance * ((1 + change) ** 2 - 1)]))


def _tilt(shares: Floats, features: Floats, wanted: Floats) -> Floats:
    """Return share · exp(features @ a), normed, with the expected features that are wanted.

    Raises:
        ValueError: no distribution over the ten stars has these.
    """

    def tilted(a: Floats) -> Floats:
        exponent = features @ a
        weights = shares * np.exp(exponent - exponent.max())
        return np.asarray(weights / weights.sum())

    def missing(a: Floats) -> Floats:
        return np.asarray(tilted(a) @ features - wanted)

    shifted = tilted(root(missing, np.zeros(features.shape[1]), tol=1e-12).x)
    if np.abs(shifted @ features - wanted).max() > 1e-9:
        raise ValueError(f"no tilt of the ratings has the moments {wanted}: expected a smaller one")
    return shifted
