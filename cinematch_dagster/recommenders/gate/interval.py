"""How sure a difference between two models is."""

from __future__ import annotations

import numpy as np

from cinematch_dagster.recommenders.evaluation.bootstrap import percentile_interval, resampled_sums
from cinematch_dagster.recommenders.evaluation.scores import Floats, Interval

SEED = 42


def paired_interval(new: Floats, old: Floats) -> Interval | None:
    """Return the 95 % interval of the mean difference `new - old`; None below two users.

    Bootstrap over users, both models' figures of a user together; the seed is fixed, so the same
    figures give the same interval, and models in exchanged places the mirrored one. NaN when a
    figure is.

    Args:
        new: one figure a user, (n,).
        old: of the same users, (n,).
    """
    difference = new - old
    if len(difference) < 2:
        return None
    if not np.isfinite(difference).all():
        return Interval(float("nan"), float("nan"))
    means = resampled_sums(difference[:, np.newaxis], seed=SEED)[:, 0] / len(difference)
    return Interval(*percentile_interval(means))
