"""How a served model predicts a week that it was not trained on, whole and in slices."""

from __future__ import annotations

import pandas as pd

from cinematch_dagster.drift.performance import WeekScores, WeekSlice
from cinematch_dagster.recommenders.evaluation.ranking import rank, relevant_pairs
from cinematch_dagster.recommenders.metrics import hit, mae, rmse
from serving.model.recommender import Model


def score_week(model: Model, ratings: pd.DataFrame) -> WeekScores:
    """Predict a week's ratings, and rank the catalogue for its users.

    What users had rated in training is read from the model itself, so that this gives the same at
    any time.

    Args:
        model: as it is or was served.
        ratings: ratings frame of the week, held-out rows included.

    Raises:
        ValueError: no row, or a prediction that is not finite.
    """
    seen = _seen(model, ratings)
    warm = ratings["userId"].isin(model.user_ids)
    new_movie = ~ratings["movieId"].isin(model.rated_movie_ids)
    slices = (ratings[rows] for rows in (warm, ~warm, new_movie))
    return WeekScores(
        _score(model, ratings, seen),
        *(_score(model, rows, seen) if len(rows) else None for rows in slices),
    )


def _score(model: Model, rows: pd.DataFrame, seen: pd.DataFrame) -> WeekSlice:
    stars = rows["rating"].to_numpy()
    predicted = model.predict(rows["userId"].to_numpy(), rows["movieId"].to_numpy())
    hits = hit(rank(model, relevant_pairs(rows, seen), seen).hits)
    return WeekSlice(
        rows=len(rows),
        rmse=rmse(stars, predicted),
        mae=mae(stars, predicted),
        users=len(hits),
        hit_rate_at_10=float(hits.mean()) if len(hits) else None,
    )


def _seen(model: Model, ratings: pd.DataFrame) -> pd.DataFrame:
    """Return userId and movieId of what the week's users had rated in training."""
    users, movies = model.rated_pairs(ratings["userId"].unique())
    return pd.DataFrame({"userId": users, "movieId": movies})
