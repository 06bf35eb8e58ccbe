"""The list of the best movies for every known user, made at training time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cinematch_dagster.recommenders.als import RankingHead
from cinematch_dagster.recommenders.interactions import Interactions
from serving.ranking import LIKED_STARS, best, nearest

_BLOCK = 256


class Lists(NamedTuple):
    """One row a user, best first.

    Attributes:
        movies: rows of movies, (n_users, top_n); -1 pads.
        scores: ranking scores, 0 where padded.
        nearest: row of the nearest movie that the user liked; -1 is none.
    """

    movies: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]
    nearest: npt.NDArray[np.int32]


def make_lists(interactions: Interactions, head: RankingHead, top_n: int) -> Lists:
    """Rank the movies with a training rating for each user, the user's rated movies out."""
    shape = (len(interactions.user_ids), top_n)
    lists = Lists(
        np.full(shape, -1, dtype=np.int32),
        np.zeros(shape, dtype=np.float32),
        np.full(shape, -1, dtype=np.int32),
    )
    unrated = interactions.movie_counts == 0
    for start in range(0, len(interactions.user_ids), _BLOCK):
        scores = head.user_vectors[start : start + _BLOCK] @ head.movie_factors.T
        scores[:, unrated] = -np.inf
        for user, row in enumerate(scores, start):
            _fill(lists, user, row, interactions, head.movie_factors)
    return lists


def _fill(
    lists: Lists,
    user: int,
    scores: npt.NDArray[np.float32],
    interactions: Interactions,
    factors: npt.NDArray[np.float32],
) -> None:
    """Write one user's list; `scores` (n_movies,) is used up."""
    rated = interactions.matrix
    history = slice(rated.indptr[user], rated.indptr[user + 1])
    movies, stars = rated.indices[history], rated.data[history]
    scores[movies] = -np.inf
    rows = best(scores, lists.movies.shape[1])
    liked = movies[stars >= LIKED_STARS]
    closest = nearest(factors[rows], factors[liked])
    lists.movies[user, : len(rows)] = rows
    lists.scores[user, : len(rows)] = scores[rows]
    lists.nearest[user, : len(rows)] = np.where(closest >= 0, np.append(liked, -1)[closest], -1)
