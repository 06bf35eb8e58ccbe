import json
from collections.abc import Iterator

import psycopg
import pytest

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.dsn import with_database
from tests.databases import copy_of
from tests.warehouse.support import value


@pytest.fixture(scope="module")
def shared_dsn(postgres_server: str, warehouse_template: str) -> Iterator[str]:
    with copy_of(postgres_server, warehouse_template) as name:
        yield with_database(postgres_server, name)


@pytest.fixture
def connection(shared_dsn: str) -> Iterator[psycopg.Connection]:
    """To a warehouse that keeps nothing of a test."""
    with connect(shared_dsn) as connection:
        yield connection
        connection.rollback()


INSERTS = {
    "ratings": """INSERT INTO ratings VALUES (1, 2, %(rating)s, 4, %(split)s)""",
    "ratings_buffer": """INSERT INTO ratings_buffer VALUES
        (1, 2, %(rating)s, 4, 'batch_w1', now(), false)""",
}


@pytest.mark.parametrize("table", INSERTS)
@pytest.mark.parametrize("rating", [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0])
def test_half_stars_are_taken(connection: psycopg.Connection, table: str, rating: float) -> None:
    connection.execute(INSERTS[table].encode(), {"rating": rating, "split": "train"})
    assert value(connection, f"SELECT rating FROM {table}") == rating


@pytest.mark.parametrize("table", INSERTS)
@pytest.mark.parametrize("rating", [5.5, 0.0, -1.0, 3.3, 0.25, float("nan"), float("inf"), None])
def test_other_ratings_are_refused(
    connection: psycopg.Connection, table: str, rating: float | None
) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        connection.execute(INSERTS[table].encode(), {"rating": rating, "split": "train"})


@pytest.mark.parametrize("split", ["dev", "", "TRAIN", None])
def test_other_splits_are_refused(connection: psycopg.Connection, split: str | None) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        connection.execute(INSERTS["ratings"].encode(), {"rating": 3.0, "split": split})


def test_a_rating_is_dated_when_it_is_loaded(connection: psycopg.Connection) -> None:
    connection.execute(INSERTS["ratings"].encode(), {"rating": 3.0, "split": "test"})
    assert value(connection, "SELECT loaded_at = now() FROM ratings")


def test_a_batch_has_a_user_and_movie_once(connection: psycopg.Connection) -> None:
    connection.execute(INSERTS["ratings_buffer"].encode(), {"rating": 3.0})
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(INSERTS["ratings_buffer"].encode(), {"rating": 4.0})


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (
            "INSERT INTO ingestion_metadata (batch_id, record_count, status, week, sha256)"
            " VALUES ('b', 0, 'done', '2024-01-01', 'a')",
            psycopg.errors.CheckViolation,
        ),
        (
            "INSERT INTO retraining_decisions"
            " (decision, reason, buffer_size, alert_ids, weeks, run_key)"
            " VALUES ('maybe', '', 0, '{}', '{}', 'k')",
            psycopg.errors.CheckViolation,
        ),
        (
            "INSERT INTO movies VALUES (1, 'Heat', 'Crime', '[1, 2]')",
            psycopg.errors.CheckViolation,
        ),
        (
            "INSERT INTO model_metrics"
            " (model_version, rmse, precision_at_10, data_size, week, mlflow_run_id)"
            " VALUES ('1', 0.9, 0.1, 10, '2024-01-01', 'r')",
            psycopg.errors.NotNullViolation,
        ),
    ],
)
def test_what_the_tables_refuse(
    connection: psycopg.Connection, statement: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    ["UPDATE drift_alerts SET notes = 'x'", "DELETE FROM drift_alerts", "TRUNCATE drift_alerts"],
)
def test_alerts_can_only_be_appended(connection: psycopg.Connection, statement: str) -> None:
    connection.execute(
        "INSERT INTO drift_alerts"
        " (feature_name, drift_score, threshold, alert_triggered, week, view, evidence)"
        " VALUES ('rating_mean', 0.2, 0.1, true, '2024-01-01', 'cumulative', 'a')"
    )
    with pytest.raises(psycopg.errors.RaiseException, match="drift_alerts is append-only"):
        connection.execute(statement.encode())


@pytest.fixture
def movies(connection: psycopg.Connection) -> psycopg.Connection:
    """Enough movies for an index to be worth its while: number 7 is the only one of its kind."""
    rows = [(i, f"Film number {i}", "Drama|War", json.dumps([0] * 10)) for i in range(5_000)]
    rows[7] = (7, "Amélie, Le Fabuleux", "Comedy|Romance", json.dumps([0] * 10))
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO movies VALUES (%s, %s, %s, %s)", rows)
    connection.execute("ANALYZE movies")
    return connection


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("to_tsvector('simple', title) @@ to_tsquery('simple', 'AMÉ:* & fab:*')", "title_words"),
        ("string_to_array(genres, '|') @> ARRAY['Comedy']", "genres"),
    ],
)
def test_titles_and_genres_are_found_by_an_index(
    movies: psycopg.Connection, condition: str, index: str
) -> None:
    found = f'SELECT "movieId" FROM movies WHERE {condition}'
    assert movies.execute(found.encode()).fetchall() == [(7,)]
    plan = "\n".join(row[0] for row in movies.execute(f"EXPLAIN {found}".encode()))
    assert f"Bitmap Index Scan on movies_{index}" in plan
