"""What a model of a week is trained and scored on, read from the warehouse at one moment."""

import datetime
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import psycopg

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.recommenders.errors import TrainingError
from cinematch_dagster.recommenders.evaluation import unrated
from cinematch_dagster.warehouse.training.training_data import (
    catalogue,
    held_out,
    newest_week,
    standing_test,
    training_batches,
    training_ratings,
)


@dataclass(frozen=True)
class TrainingData:
    """What a model of a week is trained and scored on.

    Attributes:
        week: the Monday up to which batches count.
        ratings: train and the buffer without its held-out rows; latest per user and movie.
        standing: the test rows in `ratings`; never trained on, as are no other ratings of their
            pairs of user and movie: a rating that is repeated tests nothing.
        held_out: the held-out rows of the buffer, those since the last promotion; in the same way.
        movies: the whole catalogue.
        batches: ids of the batches in `ratings`, the baseline first.
    """

    week: datetime.date
    ratings: pd.DataFrame
    standing: pd.DataFrame
    held_out: pd.DataFrame
    movies: pd.DataFrame
    batches: list[str]

    @property
    def sha256(self) -> str:
        """The identity of `ratings`."""
        return ratings_sha256(self.ratings)

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this data from another training's; the cut is the latest rating."""
        latest = int(self.ratings["timestamp"].max())
        return {
            "week": self.week.isoformat(),
            "data_sha256": self.sha256,
            "data_rows": len(self.ratings),
            "data_users": self.ratings["userId"].nunique(),
            "data_movies": self.ratings["movieId"].nunique(),
            "data_latest_timestamp": latest,
            "data_cut": datetime.datetime.fromtimestamp(latest, datetime.UTC).isoformat(),
            "standing_rows": len(self.standing),
            "held_out_rows": len(self.held_out),
            "batches": json.dumps(self.batches),
        }


def ratings_sha256(ratings: pd.DataFrame) -> str:
    """Return a digest of a ratings frame's columns, the bytes in their order."""
    digest = hashlib.sha256()
    for column in ("userId", "movieId", "rating", "timestamp"):
        digest.update(np.ascontiguousarray(ratings[column].to_numpy()).tobytes())
    return digest.hexdigest()


def read_training_data(dsn: str, week: datetime.date) -> TrainingData:
    """Read everything at one moment and close the connection before training starts.

    Raises:
        TrainingError: there is nothing to train on, nothing to test with, or no batch of this week
            or a later one: a model of a week to come would stand above those of the weeks between.
    """
    with connect(dsn) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        _refuse_future(connection, week)
        ratings = training_ratings(connection, week)
        data = TrainingData(
            week=week,
            ratings=ratings,
            standing=unrated(standing_test(connection), ratings),
            held_out=unrated(held_out(connection, week), ratings),
            movies=catalogue(connection),
            batches=training_batches(connection, week),
        )
    if data.ratings.empty or data.standing.empty:
        raise TrainingError(
            f"the warehouse has {len(data.ratings)} ratings to train on and {len(data.standing)} "
            "to test with: some of each, as data_preparation loads them, were expected"
        )
    return data


def _refuse_future(connection: psycopg.Connection, week: datetime.date) -> None:
    newest = newest_week(connection)
    if newest and week > newest:
        raise TrainingError(
            f"week {week} can't have a model yet: a week up to {newest}, the newest that is "
            "loaded, was expected"
        )
