"""A predictor as it is, on rows that it was not trained on: the standing test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import pandas as pd

from cinematch_dagster.recommenders.evaluation.predictor import Scorer
from cinematch_dagster.recommenders.evaluation.ranking import rank, relevant_pairs
from cinematch_dagster.recommenders.evaluation.scores import FoldScores
from cinematch_dagster.recommenders.metrics import mae, precision, rmse


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

    @classmethod
    def of(cls, found: FoldScores) -> Self:
        """Return the short form of a protocol's scores."""
        hits = found.ranking.precision_at_10
        precision_at_10 = float(hits.mean()) if len(hits) else 0.0
        rating = found.rating
        return cls(rating.rmse, rating.mae, precision_at_10, rating.rows, len(hits))


def evaluate(predictor: Scorer, test: pd.DataFrame, training: pd.DataFrame) -> Scores:
    """Score a predictor on a ratings frame.

    RMSE and MAE are over every row. Precision@10 ranks the whole catalogue for each user with a
    relevant movie (a test rating of 4 stars or more), known to the predictor or not. What a user
    has rated in `training` is neither a candidate nor relevant; when two predictors are compared,
    `training` is the challenger's for both, so that both choose from the same movies.

    Raises:
        ValueError: no row, or a prediction that is not finite.
    """
    stars = test["rating"].to_numpy()
    predicted = predictor.predict(test["userId"].to_numpy(), test["movieId"].to_numpy())
    ranked = rank(predictor, relevant_pairs(test, training), training)
    found = precision(ranked.hits)
    return Scores(
        rmse=rmse(stars, predicted),
        mae=mae(stars, predicted),
        precision_at_10=float(found.mean()) if len(found) else 0.0,
        rows=len(test),
        users=len(found),
    )
