"""From what training gives to the format that serving reads."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from cinematch_dagster.recommenders.fit import ALGORITHM, NO_GENRES, Trained
from cinematch_dagster.recommenders.lists import make_lists
from serving.artifact import FORMAT, Arrays, Artifact, ModelInfo, Parameters


def export(
    trained: Trained, folder: Path, *, week: datetime.date, trained_at: datetime.datetime
) -> None:
    """Write a trained model into a folder, ready to be served.

    Args:
        trained: the model.
        folder: made if it doesn't exist.
        week: the Monday it was trained for.
        trained_at: when, with a time zone.
    """
    interactions = trained.interactions
    info = ModelInfo(
        format=FORMAT,
        week=week.isoformat(),
        trained_at=trained_at.isoformat(timespec="seconds"),
        n_users=len(interactions.user_ids),
        n_movies=len(interactions.movie_ids),
        n_ratings=len(interactions.stars),
        algorithm=ALGORITHM,
    )
    membership = genre_membership(trained.genres)
    parameters = Parameters(
        global_mean=trained.rating.global_mean,
        rating_regularization=trained.rating.regularization,
        ranking_regularization=trained.ranking.regularization,
        ranking_alpha=trained.ranking.alpha,
        genres=tuple(membership.columns),
    )
    titles = pa.array(trained.titles, type=pa.string())
    genres = pa.array(trained.genres, type=pa.string())
    arrays = _arrays(trained, membership)
    Artifact(info, parameters, arrays, titles, genres).write(folder)


def genre_membership(genres: pd.Series[str]) -> pd.DataFrame:
    """Return which movies have which genre, a column a genre, from pipe-separated texts."""
    return genres.replace(NO_GENRES, "").str.get_dummies("|").astype(bool)


def _arrays(trained: Trained, membership: pd.DataFrame) -> Arrays:
    interactions, rating, ranking = trained.interactions, trained.rating, trained.ranking
    rated = interactions.matrix
    lists = make_lists(interactions, ranking, trained.hyperparameters.top_n)
    return Arrays(
        movie_ids=interactions.movie_ids,
        movie_counts=interactions.movie_counts.astype(np.int32),
        movie_damped_mean=trained.popularity.astype(np.float32),
        movie_bias=rating.movie_bias.astype(np.float32),
        movie_factors=rating.movie_factors.astype(np.float32),
        movie_ranking=ranking.movie_factors,
        ranking_gram=ranking.gram,
        ranking_mean=ranking.mean,
        genre_movies=membership.to_numpy().T,
        user_ids=interactions.user_ids,
        user_bias=rating.user_bias.astype(np.float32),
        user_factors=rating.user_factors.astype(np.float32),
        user_ranking=ranking.user_vectors,
        rated_offsets=rated.indptr.astype(np.int64),
        rated_movies=rated.indices.astype(np.int32),
        rated_halves=(rated.data * 2).astype(np.uint8),
        list_movies=lists.movies,
        list_scores=lists.scores,
        list_nearest=lists.nearest,
    )
