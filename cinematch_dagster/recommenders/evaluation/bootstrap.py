"""Bootstrap over users: how far a mean could have come out by who happened to be in the test."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

REPLICATES = 1_000
LEVEL = 0.95
_BLOCK = 4_000_000  # draws at once


def resampled_sums(columns: Floats, *, seed: int, replicates: int = REPLICATES) -> Floats:
    """Return the sums of columns over users drawn with replacement, (replicates, m).

    All columns see the same draws, so that ratios and differences of sums are those of one
    resampled test: this makes a comparison of two models paired.

    Args:
        columns: a row a user, (n_users, m), n_users at least 1.
        seed: of the draws; the same users and seed give the same draws.
        replicates: how many resampled tests.
    """
    random = np.random.default_rng(seed)
    n_users = len(columns)
    sums = np.empty((replicates, columns.shape[1]))
    size = max(1, _BLOCK // n_users)
    for start in range(0, replicates, size):
        block = slice(start, min(start + size, replicates))
        drawn = random.integers(n_users, size=(block.stop - start, n_users))
        drawn += np.arange(len(drawn))[:, np.newaxis] * n_users
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        sums[block] = times @ columns
    return sums


def percentile_interval(replicates: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Return the central share `level` of the replicates (n,); those that are NaN don't count."""
    tail = (1.0 - level) / 2
    low, high = np.nanquantile(replicates, [tail, 1.0 - tail])
    return float(low), float(high)
