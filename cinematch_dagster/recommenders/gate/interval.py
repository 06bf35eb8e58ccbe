"""How sure a difference between two models is."""

from __future__ import annotations

import numpy as np

from cinematch_dagster.recommenders.evaluation.bootstrap import percentile_interval, resampled_sums
from cinematch_dagster.recommenders.evaluation.scores import Floats, Interval, RatingScores

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


def rmse_interval(new: RatingScores, old: RatingScores) -> Interval | None:
    """Return the 95 % interval of the gain in RMSE, `old - new`, in stars; None below two users.

    Bootstrap over users as in `paired_interval`: RMSE is taken of each resampled test's rows.
    """
    if len(new.counts) < 2:
        return None
    if not (np.isfinite(new.squared).all() and np.isfinite(old.squared).all()):
        return Interval(float("nan"), float("nan"))
    columns = np.column_stack((old.squared, new.squared, new.counts))
    before, after, rows = resampled_sums(columns, seed=SEED).T
    return Interval(*percentile_interval(np.sqrt(before / rows) - np.sqrt(after / rows)))
