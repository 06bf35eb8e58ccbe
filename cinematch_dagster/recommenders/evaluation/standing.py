"""The short form of scores: what a table of models shows of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from cinematch_dagster.recommenders.evaluation.scores import FoldScores


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
