"""Popularity: the mean rating of a movie, damped towards the mean of all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cinematch_dagster.recommenders.interactions import Interactions

DAMPING = 25.0
"""Ratings of the global mean that every movie starts with."""


def damped_mean(interactions: Interactions, damping: float = DAMPING) -> npt.NDArray[np.float64]:
    r"""Return each movie's damped mean in stars, (n_movies,).

    :math:`(\sum_u r_{ui} + k \mu) / (n_i + k)` with k = `damping`; mu for a movie without ratings.
    """
    stars = interactions.stars.astype(np.float64)
    sums = np.bincount(interactions.movies, weights=stars, minlength=len(interactions.movie_ids))
    means: npt.NDArray[np.float64] = sums + damping * stars.mean()
    return means / (interactions.movie_counts + damping)


def most_ratings(interactions: Interactions) -> npt.NDArray[np.float32]:
    """Return each movie's number of ratings, (n_movies,); -inf for one without."""
    counts = interactions.movie_counts
    return np.where(counts > 0, counts, -np.inf).astype(np.float32)
