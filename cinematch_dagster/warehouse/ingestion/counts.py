"""Who rated what in a load, counted in the transaction that writes its rows."""

import datetime
from collections.abc import Mapping

import numpy as np
import pandas as pd
import psycopg

from cinematch_dagster.postgres.copy import copy_in
from cinematch_dagster.warehouse.statements import query

_COUNTED = {"rating_histogram": "rating", "user_counts": "userId", "movie_counts": "movieId"}
_DATED = {"user_counts", "movie_counts"}  # who is new is asked of them
_DAY_ZERO = datetime.date(2000, 1, 1)  # COPY's binary format has a date as days from here


def write_counts(
    connection: psycopg.Connection,
    batch_id: str,
    week: datetime.date,
    data_split: str,
    columns: Mapping[str, np.ndarray],
) -> None:
    """Count one part of a load by rating, user and movie, from the columns that are copied in.

    Args:
        connection: used within its current transaction.
        batch_id: of the load.
        week: of the load.
        data_split: 'train' or 'test'; held-out rows are 'test'.
        columns: of the part's rows; `rating`, `userId` and `movieId` are used.
    """
    part = {"batch_id": batch_id, "data_split": data_split}
    for table, column in _COUNTED.items():
        n = pd.Series(columns[column]).value_counts(sort=False).sort_index()
        counts = {column: n.index.to_numpy(), "n": n.to_numpy()}
        if table in _DATED:
            counts["week"] = np.full(len(n), (week - _DAY_ZERO).days, np.int32)
        copy_in(connection, table, counts, part)


def count_genres(connection: psycopg.Connection, batch_id: str) -> None:
    """Count a load by genre, from its counts by movie; a rating counts in each of its genres.

    A movie that the catalogue lacks has no genre, until `recount_genres` finds it there.
    """
    connection.execute(query("ingestion/genre_count"), {"batch_id": batch_id})


def recount_genres(connection: psycopg.Connection) -> None:
    """Count every load by genre again, after the catalogue changed."""
    connection.execute("DELETE FROM genre_counts")
    connection.execute(query("ingestion/genre_count"), {"batch_id": None})


def delete_counts(connection: psycopg.Connection, batch_id: str) -> None:
    """Forget everything counted of a load: by rating, user, movie and genre."""
    connection.execute(query("ingestion/counts_delete"), {"batch_id": batch_id})
