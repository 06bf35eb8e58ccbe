"""The list of the best movies for every known user, made at training time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cinematch_dagster.recommenders.interactions import Interactions
from serving.base.scale import LIKED
from serving.model.artifact import REASONS
from serving.model.heads import RankingHead
from serving.model.scoring.top import best

_BLOCK = 256


class Lists(NamedTuple):
    """One row a user, best first, as `serving.model.artifact.Arrays` has them.

    Attributes:
        movies: one past the rows of movies, (n_users, top_n); 0 pads.
        scores: ranking scores, 0 where padded.
        nearest: one past the row of the liked movie that explains each of the first `REASONS`;
            0 is none.
    """

    movies: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float16]
    nearest: npt.NDArray[np.int32]


def make_lists(interactions: Interactions, head: RankingHead, top_n: int) -> Lists:
    """Rank the whole catalogue for each user, the user's rated movies out."""
    n_users = len(interactions.user_ids)
    lists = Lists(
        np.zeros((n_users, top_n), dtype=np.int32),
        np.zeros((n_users, top_n), dtype=np.float16),
        np.zeros((n_users, min(top_n, REASONS)), dtype=np.int32),
    )
    for start in range(0, n_users, _BLOCK):
        users = np.arange(start, min(start + _BLOCK, n_users))
        scores = head.scores(interactions.profiles.take(users))
        for user, row in zip(users.tolist(), scores, strict=True):
            _fill(lists, user, row, interactions, head)
    return lists


def _fill(
    lists: Lists,
    user: int,
    scores: npt.NDArray[np.float32],
    interactions: Interactions,
    head: RankingHead,
) -> None:
    """Write one user's list; `scores` (n_movies,) is used up."""
    rated, stars = interactions.profiles.rated(user), interactions.profiles.stars(user)
    scores[rated] = -np.inf
    rows = best(scores, lists.movies.shape[1])
    lists.movies[user, : len(rows)] = rows + 1
    lists.scores[user, : len(rows)] = scores[rows]
    explained = rows[: lists.nearest.shape[1]]
    nearest = head.explain(explained, rated[stars >= LIKED])
    lists.nearest[user, : len(explained)] = nearest + 1
