"""What a model is trained and scored on. A ratings frame is ordered by time, user and movie."""

import datetime

import pandas as pd
import psycopg

from cinematch_dagster.warehouse.copy import copy_out
from cinematch_dagster.warehouse.ingestion import BASELINE
from cinematch_dagster.warehouse.sql import query

_ORDER = ["timestamp", "userId", "movieId"]


def training_ratings(connection: psycopg.Connection, through: datetime.date) -> pd.DataFrame:
    """Return what a model of this week is trained on, the latest rating per user and movie.

    Train rows of `ratings` and the buffer's rows up to this week; no test and no held-out row.
    """
    found = copy_out(connection, query("training_ratings"), {"through": through})
    # The rating decides only between two of the same second.
    ordered = found.sort_values([*_ORDER, "rating"], ignore_index=True)
    return ordered.drop_duplicates(["userId", "movieId"], keep="last", ignore_index=True)


def standing_test(connection: psycopg.Connection) -> pd.DataFrame:
    """Return the test rows of `ratings`, those of merged batches included."""
    return _ordered(copy_out(connection, query("standing_test")))


def held_out(connection: psycopg.Connection, through: datetime.date) -> pd.DataFrame:
    """Return the held-out rows of the buffer up to this week; none when the buffer is empty."""
    return _ordered(copy_out(connection, query("held_out"), {"through": through}))


def training_batches(connection: psycopg.Connection, through: datetime.date) -> list[str]:
    """Return the ids of the loads in `training_ratings`, the baseline first, then by week."""
    found = connection.execute(
        query("training_batches"), {"through": through, "baseline": BASELINE}
    )
    return [row[0] for row in found]


def catalogue(connection: psycopg.Connection) -> pd.DataFrame:
    """Return every movie: movieId (int32), title and genres (separated by '|'), by movieId."""
    found = connection.execute('SELECT "movieId", title, genres FROM movies ORDER BY "movieId"')
    frame = pd.DataFrame(found.fetchall(), columns=["movieId", "title", "genres"])
    return frame.astype({"movieId": "int32"})


def _ordered(ratings: pd.DataFrame) -> pd.DataFrame:
    return ratings.sort_values([*_ORDER, "rating"], ignore_index=True)
