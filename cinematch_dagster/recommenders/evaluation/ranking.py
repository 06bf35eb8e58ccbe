"""The ten movies that a predictor ranks highest for each user who has something to find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from cinematch_dagster.batches.frame import USER_BITS, pair_keys
from cinematch_dagster.recommenders.evaluation.pairs import (
    Keys,
    among,
    distinct,
    keys_of,
)
from cinematch_dagster.recommenders.evaluation.predictor import Scorer
from cinematch_dagster.recommenders.metrics import top_k
from serving.base.scale import LIKED
from serving.model.id_index import find_all

K = 10
Ids = npt.NDArray[np.int32]

_BLOCK = 4_000_000  # scores at once


@dataclass(frozen=True)
class Ranked:
    """Lists of users, and where in them the relevant movies are.

    Attributes:
        users: ids of the users with a relevant movie, ascending, (n,).
        lists: ids of movies, best first, -1 pads, (n, K).
        hits: the places of relevant movies, (n, K).
        wanted: the relevant pairs, ascending.
    """

    users: Ids
    lists: Ids
    hits: npt.NDArray[np.bool_]
    wanted: Keys

    @property
    def relevant(self) -> npt.NDArray[np.int64]:
        """How many relevant movies each user has, listed or not, at least 1, (n,)."""
        return np.bincount(
            np.searchsorted(self.users, self.wanted >> USER_BITS), minlength=len(self.users)
        )

    def finding(self, keys: Keys) -> Ranked:
        """Return the users who have a relevant pair among these, the only relevant ones now."""
        wanted = self.wanted[among(self.wanted, keys)]
        rows = among(self.users, wanted >> USER_BITS)
        return located(self.users[rows], self.lists[rows], wanted)


def relevant_pairs(test: pd.DataFrame, known: pd.DataFrame) -> Keys:
    """Return the pairs with a test rating of 4 stars or more and no known rating, each once."""
    liked = distinct(keys_of(test[test["rating"] >= LIKED]))
    return liked[~among(liked, keys_of(known))]


def rank(predictor: Scorer, wanted: Keys, known: pd.DataFrame) -> Ranked:
    """Rank the whole catalogue for each user of `wanted`, known to the predictor or not.

    Args:
        predictor: what orders the catalogue; a movie outside of it is never found.
        wanted: the relevant pairs.
        known: what users have rated, in a ratings frame; never a candidate.
    """
    users = distinct(wanted >> USER_BITS).astype(np.int32)
    excluded = _rated(known, users, predictor.movie_ids)
    ids = np.append(predictor.movie_ids, np.int32(-1))
    lists = np.full((len(users), K), -1, dtype=np.int32)
    size = max(1, _BLOCK // len(predictor.movie_ids))
    for start in range(0, len(users), size):
        block = slice(start, start + size)
        scores = predictor.scores(users[block])
        scores[excluded[block].nonzero()] = -np.inf
        lists[block] = ids[top_k(scores, K)]
    return located(users, lists, wanted)


def located(users: Ids, lists: Ids, wanted: Keys) -> Ranked:
    """Mark the hits of lists (n, K) of these users, all of whom have a pair in `wanted`."""
    hits = among(pair_keys(users[:, np.newaxis], lists), wanted)
    return Ranked(users, lists, hits, wanted)


def _rated(known: pd.DataFrame, users: Ids, movie_ids: Ids) -> sp.csr_array:
    """Mark what users have rated of the catalogue, (n_users, n_movies)."""
    rows = find_all(users, known["userId"].to_numpy()) if len(users) else np.full(len(known), -1)
    columns = find_all(movie_ids, known["movieId"].to_numpy())
    both = (rows >= 0) & (columns >= 0)
    marks = np.ones(int(both.sum()), dtype=np.bool_)
    shape = (len(users), len(movie_ids))
    return sp.coo_array((marks, (rows[both], columns[both])), shape=shape).tocsr()
