"""Scores of a predictor on test rows; challenger and champion go through the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from cinematch_dagster.recommenders.metrics import hits_at_k, mae, rmse
from serving.lookup import find_all

K = 10
RELEVANT_STARS = 4.0
_BLOCK = 1024

Integers = npt.NDArray[np.integer]


class Predictor(Protocol):
    """What can be scored: a served model, or the sanity floor."""

    @property
    def movie_ids(self) -> npt.NDArray[np.int32]:
        """The catalogue, ascending; the columns of `scores`."""

    def predict(self, user_ids: Integers, movie_ids: Integers) -> npt.NDArray[np.float32]:
        """Return expected stars, pairwise, (n,)."""

    def scores(self, user_ids: Integers) -> npt.NDArray[np.float32]:
        """Return ranking scores of the catalogue, (n, n_movies)."""


@dataclass(frozen=True)
class Scores:
    """A predictor's scores on some rows.

    Attributes:
        rmse: in stars, over all rows.
        mae: in stars, over all rows.
        precision_at_10: mean over `users`; 0 when there are none.
        rows: ratings predicted.
        users: users with at least one relevant movie.
    """

    rmse: float
    mae: float
    precision_at_10: float
    rows: int
    users: int


def evaluate(predictor: Predictor, test: pd.DataFrame, training: pd.DataFrame) -> Scores:
    """Score a predictor on a ratings frame.

    RMSE and MAE are over every row. Precision@10 ranks the whole catalogue for each user with a
    relevant movie (a test rating of 4 stars or more), known to the predictor or not. What a user
    has rated in `training` is neither a candidate nor relevant; when two predictors are compared,
    `training` is the challenger's for both, so that both choose from the same movies.

    Raises:
        ValueError: no row, or a prediction that is not finite.
    """
    users, movies = test["userId"].to_numpy(), test["movieId"].to_numpy()
    stars = test["rating"].to_numpy()
    predicted = predictor.predict(users, movies)
    hits = hits_by_user(predictor, test, training)
    precision = int(hits.sum()) / (K * len(hits)) if len(hits) else 0.0
    return Scores(rmse(stars, predicted), mae(stars, predicted), precision, len(test), len(hits))


def hits_by_user(
    predictor: Predictor, test: pd.DataFrame, training: pd.DataFrame
) -> npt.NDArray[np.int64]:
    """Count the relevant movies in the top 10 of each user who has one, by user id, (n_users,)."""
    pair = ["userId", "movieId"]
    wanted = test.loc[test["rating"] >= RELEVANT_STARS, pair].drop_duplicates()
    wanted = wanted.merge(training[pair], how="left", on=pair, indicator="seen")
    wanted = wanted[wanted["seen"] == "left_only"]
    users = np.unique(wanted["userId"].to_numpy())
    relevant = _matrix(wanted, users, predictor.movie_ids)
    excluded = _matrix(training[training["userId"].isin(users)], users, predictor.movie_ids)
    hits = np.zeros(len(users), dtype=np.int64)
    for start in range(0, len(users), _BLOCK):
        block = slice(start, start + _BLOCK)
        scores = predictor.scores(users[block])
        scores[excluded[block].nonzero()] = -np.inf
        hits[block] = hits_at_k(scores, relevant[block].toarray(), K)
    return hits


def _matrix(pairs: pd.DataFrame, users: Integers, movie_ids: npt.NDArray[np.int32]) -> sp.csr_array:
    """Mark pairs in a (users, movies) matrix, leaving out movies that are not in the catalogue."""
    rows = np.searchsorted(users, pairs["userId"].to_numpy())
    columns = find_all(movie_ids, pairs["movieId"].to_numpy())
    known = columns >= 0
    marks = np.ones(int(known.sum()), dtype=np.bool_)
    shape = (len(users), len(movie_ids))
    return sp.coo_array((marks, (rows[known], columns[known])), shape=shape).tocsr()
