"""From what training gives to the format that serving reads."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from cinematch_dagster.recommenders.features import genre_membership
from cinematch_dagster.recommenders.fit import Trained
from cinematch_dagster.recommenders.ranking.top_n import make_lists
from serving.model.artifact import FORMAT, Arrays, Artifact, ModelInfo


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
        algorithm=trained.algorithm,
        guesses=True,
    )
    membership = genre_membership(trained.genres)
    titles = pa.array(trained.titles, type=pa.string())
    genres = pa.array(trained.genres, type=pa.string())
    Artifact(
        info=info,
        genre_names=tuple(membership.columns),
        rating=trained.rating,
        ranking=trained.ranking,
        arrays=_arrays(trained, membership),
        titles=titles,
        genres=genres,
    ).write(folder)


def _arrays(trained: Trained, membership: pd.DataFrame) -> Arrays:
    interactions, profiles = trained.interactions, trained.interactions.profiles
    lists = make_lists(interactions, trained.ranking, trained.hyperparameters.top_n)
    return Arrays(
        movie_ids=interactions.movie_ids,
        movie_counts=interactions.movie_counts.astype(np.int32),
        movie_damped_mean=trained.popularity.astype(np.float32),
        genre_movies=membership.to_numpy().T,
        user_ids=interactions.user_ids,
        rated_offsets=profiles.offsets,
        rated_movies=profiles.movies,
        rated_halves=profiles.halves,
        list_movies=lists.movies,
        list_scores=lists.scores,
        list_nearest=lists.nearest,
    )
