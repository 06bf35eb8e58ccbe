"""The initial load: the baseline's ratings and the movies."""

import datetime

import pandas as pd
import psycopg

from cinematch_dagster.postgres.copy import copy_in, rating_arrays
from cinematch_dagster.warehouse.ingestion.counts import count_genres, recount_genres, write_counts
from cinematch_dagster.warehouse.ingestion.metadata import (
    BASELINE,
    IngestionError,
    begin,
    complete,
    ingestion,
)
from cinematch_dagster.warehouse.schema import lock_ratings
from cinematch_dagster.warehouse.statements import query

_MOVIE_COLUMNS = ("movieId", "title", "genres", "pca_features")


def load_baseline(
    connection: psycopg.Connection, ratings: pd.DataFrame, sha256: str, week: datetime.date
) -> int:
    """Fill `ratings` with the baseline and count it; return its number of rows.

    The same file again changes nothing; another one replaces it until a batch was merged.

    Args:
        connection: used within its current transaction.
        ratings: a ratings frame with the column `data_split`, 'train' or 'test'.
        sha256: of the file.
        week: week zero, the Monday before the first batch.

    Raises:
        IngestionError: another baseline, when batches were merged into the one that is there; or
            another week zero.
    """
    lock_ratings(connection)
    known = ingestion(connection, BASELINE)
    if known:
        known.expect_week(week)
    if known and known.holds(sha256):
        return known.record_count
    if merged := _merged_batches(connection):
        raise IngestionError(
            f"the baseline can't be replaced: {', '.join(merged)} left the buffer for a model "
            "that was trained on it (expected the same baseline, or an empty database)"
        )
    begin(connection, BASELINE, week, sha256)
    connection.execute("TRUNCATE ratings")
    rows = _copy(connection, week, ratings)
    count_genres(connection, BASELINE)
    complete(connection, BASELINE, rows)
    return rows


def _copy(connection: psycopg.Connection, week: datetime.date, ratings: pd.DataFrame) -> int:
    columns, rows = rating_arrays(ratings), 0
    codes, splits = pd.factorize(ratings["data_split"], use_na_sentinel=False)
    for code, split in enumerate(map(str, splits)):
        part = {name: column[codes == code] for name, column in columns.items()}
        rows += copy_in(connection, "ratings", part, {"data_split": split}, frozen=True)
        write_counts(connection, BASELINE, week, split, part)
    return rows


def _merged_batches(connection: psycopg.Connection) -> list[str]:
    found = connection.execute(
        "SELECT batch_id FROM ingestion_metadata WHERE merged_at IS NOT NULL ORDER BY week"
    )
    return [row[0] for row in found]


def load_movies(connection: psycopg.Connection, movies: pd.DataFrame) -> int:
    """Insert movies, or replace what is known of them; return how many.

    The ratings loaded so far are counted by genre again.

    Args:
        connection: used within its current transaction.
        movies: columns movieId, title, genres (separated by '|') and pca_features (10 numbers).
    """
    lock_ratings(connection)
    records = movies[list(_MOVIE_COLUMNS)].to_json(orient="records", double_precision=15)
    connection.execute(query("ingestion/movie_upsert"), {"movies": records})
    recount_genres(connection)
    return len(movies)
