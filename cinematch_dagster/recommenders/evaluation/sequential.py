"""Test ratings folded in as they come: what the stars shown are worth day by day."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cinematch_dagster.recommenders.evaluation.predictor import Predictor
from cinematch_dagster.recommenders.evaluation.protocols import fold_in
from cinematch_dagster.recommenders.evaluation.scores import RatingScores
from cinematch_dagster.recommenders.metrics import mae, rmse


def evaluate_sequential(
    predictor: Predictor, test: pd.DataFrame, known: pd.DataFrame, *, patience: float = 0.0
) -> RatingScores:
    """Predict each test rating with all that its user has rated before it folded in.

    All users' first test ratings are predicted together, then all second ones, and so on: as many
    rounds as the longest user has ratings.

    Args:
        predictor: trained on `known`, or on some of it; its movie side stays.
        test: ratings frame held out from it, in time order within each user.
        known: the ratings at the cut.
        patience: a user's next ratings are predicted together until there are this share more than
            have been folded in: 0 is exact, 0.1 takes about 50 rounds instead of 1,000.

    Raises:
        ValueError: no row, or a prediction that is not finite.
    """
    place = test.groupby("userId").cumcount().to_numpy()
    known = known[known["userId"].isin(test["userId"])]
    predicted = np.full(len(test), np.nan, dtype=np.float32)
    for start, stop in _rounds(int(place.max(initial=0)) + 1, patience):
        now = (place >= start) & (place < stop)
        rows = test[now]
        profiles = pd.concat([known, test[place < start]])
        folded = fold_in(predictor, profiles[profiles["userId"].isin(rows["userId"])])
        predicted[now] = folded.predict(rows["userId"].to_numpy(), rows["movieId"].to_numpy())
    given = test["rating"].to_numpy()
    return RatingScores(rmse(given, predicted), mae(given, predicted), len(test))


def _rounds(longest: int, patience: float) -> Iterator[tuple[int, int]]:
    """Yield the ranges of places that are predicted together."""
    start = 0
    while start < longest:
        stop = start + max(1, int(start * patience))
        yield start, stop
        start = stop
