"""Two fitted heads as what the protocols score, without a folder in between."""

from __future__ import annotations

import numpy as np

from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.popularity import damped_mean
from serving.model.arrays import as_stored
from serving.model.heads import RankingHead, RatingHead
from serving.model.scoring.scorer import Scorer


def scorer(interactions: Interactions, rating: RatingHead, ranking: RankingHead) -> Scorer:
    """Return the heads as serving has them: their arrays as wide as their files.

    Args:
        interactions: what both were fitted to.
        rating: the head that predicts stars.
        ranking: the head that orders.
    """
    n_movies = len(interactions.movie_ids)
    rated = interactions.movie_counts > 0
    popularity = np.where(rated, damped_mean(interactions), -np.inf)
    return Scorer(
        movie_ids=interactions.movie_ids,
        user_ids=interactions.user_ids,
        profiles=interactions.profiles,
        rating=as_stored(rating, n_movies),
        ranking=as_stored(ranking, n_movies),
        candidates=rated,
        popularity=popularity.astype(np.float32),
    )
