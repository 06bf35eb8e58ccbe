"""What a model is trained and scored on. A ratings frame is ordered by time, user and movie."""

import datetime

import numpy as np
import pandas as pd
import psycopg

from cinematch_dagster.batches.frame import in_order, pair_keys
from cinematch_dagster.postgres.copy import copy_out
from cinematch_dagster.warehouse.ingestion.metadata import Ingestion, IngestionError
from cinematch_dagster.warehouse.statements import query, scalar

_ORDER = ["timestamp", "userId", "movieId"]


def training_ratings(connection: psycopg.Connection, through: datetime.date) -> pd.DataFrame:
    """Return what a model of this week is trained on, the latest rating per user and movie.

    Train rows of `ratings` and the buffer's rows up to this week; no test and no held-out row.
    """
    found = copy_out(connection, query("training/training_ratings"), {"through": through})
    return in_order(_latest(found))


def standing_test(connection: psycopg.Connection) -> pd.DataFrame:
    """Return the test rows of `ratings`, those of merged batches included, the latest of a pair."""
    return _ordered(_latest(copy_out(connection, query("training/standing_test"))))


def held_out(connection: psycopg.Connection, through: datetime.date) -> pd.DataFrame:
    """Return the held-out rows of the buffer up to this week, the latest rating of each pair.

    No row when the buffer is empty.
    """
    return _ordered(_latest(copy_out(connection, query("training/held_out"), {"through": through})))


def week_ratings(connection: psycopg.Connection, batch: Ingestion) -> pd.DataFrame:
    """Return all rows of a loaded batch: in the buffer, or where a promotion has put them.

    Raises:
        IngestionError: rows are missing, as after a promotion with the policy 'clear'.
    """
    found = copy_out(connection, query("training/week_ratings"), {"ids": batch.batch_id.split()})
    if len(found) != batch.record_count:
        raise IngestionError(
            f"{batch.batch_id} has {len(found)} of its {batch.record_count} ratings left: the "
            "buffer policy 'merge' or 'archive', which keep them, was expected when version "
            f"{batch.merged_version} was promoted"
        )
    return _ordered(found)


def newest_week(connection: psycopg.Connection) -> datetime.date | None:
    """Return the newest week that is loaded, week zero after the baseline; None before it."""
    newest: datetime.date | None = scalar(
        connection, b"SELECT max(week) FROM ingestion_metadata WHERE status = 'completed'"
    )
    return newest


def training_batches(connection: psycopg.Connection, through: datetime.date) -> list[str]:
    """Return the ids of the loads in `training_ratings`, the baseline first, then by week."""
    found = connection.execute(query("training/training_batches"), {"through": through})
    return [row[0] for row in found]


def catalogue(connection: psycopg.Connection) -> pd.DataFrame:
    """Return every movie: movieId (int32), title and genres (separated by '|'), by movieId."""
    found = connection.execute('SELECT "movieId", title, genres FROM movies ORDER BY "movieId"')
    frame = pd.DataFrame(found.fetchall(), columns=["movieId", "title", "genres"])
    return frame.astype({"movieId": "int32"})


def _latest(ratings: pd.DataFrame) -> pd.DataFrame:
    """Keep the latest rating of each pair, at the same second the highest.

    Sorting the keys alone is fast and small; only the pairs found twice are looked at more closely.
    """
    keys = pair_keys(ratings["userId"].to_numpy(), ratings["movieId"].to_numpy())
    ordered = np.sort(keys)
    repeated = pd.Series(keys).isin(ordered[1:][ordered[1:] == ordered[:-1]])
    again = ratings[repeated.to_numpy()].sort_values(["timestamp", "rating"])
    superseded = again.index[again.duplicated(["userId", "movieId"], keep="last")]
    return ratings[~ratings.index.isin(superseded)] if len(superseded) else ratings


def _ordered(ratings: pd.DataFrame) -> pd.DataFrame:
    return ratings.sort_values([*_ORDER, "rating"], ignore_index=True)
