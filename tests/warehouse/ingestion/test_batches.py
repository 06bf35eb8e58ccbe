import json

import pandas as pd
import psycopg
import pytest

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.ingestion.batches import (
    Loaded,
    buffer_status,
    injected_drift,
    known_batches,
    load_batch,
    record_failure,
)
from cinematch_dagster.warehouse.ingestion.metadata import IngestionError
from cinematch_dagster.warehouse.registry.promotions import merge_buffer, record_promotion
from tests.warehouse.support import batch, frame, many, promotion, stars, value, week

EVERYTHING = """
SELECT json_build_array(
    (SELECT json_agg(b ORDER BY "userId", "movieId") FROM ratings_buffer AS b),
    (SELECT json_agg(h ORDER BY data_split, rating) FROM rating_histogram AS h),
    (SELECT json_agg(m ORDER BY id) FROM ingestion_metadata AS m)
)::text
"""


def counts(connection: psycopg.Connection) -> tuple[int, int, int]:
    """Rows in the buffer, in its histogram, and what the metadata says."""
    return (
        value(connection, "SELECT count(*) FROM ratings_buffer"),
        value(connection, "SELECT coalesce(sum(n), 0)::int FROM rating_histogram"),
        value(connection, "SELECT coalesce(sum(record_count), 0)::int FROM ingestion_metadata"),
    )


def test_a_batch_is_loaded_counted_and_described(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    ratings = many(1_003)
    loaded = load_batch(warehouse_dsn, batch(1, ratings, injected="shift +1"))
    assert loaded == Loaded("batch_w1", 1_003, "loaded")
    assert counts(connection) == (1_003, 1_003, 1_003)
    stored = connection.execute(
        'SELECT "userId", "movieId", rating, "timestamp" FROM ratings_buffer'
    ).fetchall()
    assert sorted(stored) == sorted(ratings.itertuples(index=False, name=None))
    row = "SELECT (batch_id, status, week, sha256, notes)::text FROM ingestion_metadata"
    assert value(connection, row) == '(batch_w1,completed,2024-01-01,a,"")'
    assert injected_drift(connection, week(1)) == "shift +1"
    assert injected_drift(connection, week(2)) is None


def test_the_latest_share_is_held_out_by_time_then_user_then_movie(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    # 9 rows, a third: 3 held out. Out of order, and five rows share the last second.
    ratings = frame(
        [
            *((1, 5, 2.0, 1), (1, 6, 2.0, 2), (1, 7, 2.0, 3), (5, 1, 3.0, 10)),
            *((user, movie, 1.0, 20) for user, movie in ((1, 1), (2, 1), (2, 9), (3, 1), (9, 9))),
        ]
    ).sample(frac=1, random_state=1)
    load_batch(warehouse_dsn, batch(1, ratings, held_out_share=1 / 3))
    held = connection.execute(
        'SELECT "userId", "movieId" FROM ratings_buffer WHERE held_out ORDER BY 1, 2'
    ).fetchall()
    assert held == [(2, 9), (3, 1), (9, 9)]
    histogram = connection.execute(
        "SELECT data_split, rating, n FROM rating_histogram ORDER BY 1, 2"
    ).fetchall()
    assert histogram == [("test", 1.0, 3), ("train", 1.0, 2), ("train", 2.0, 3), ("train", 3.0, 1)]


@pytest.mark.parametrize(("rows", "held"), [(4, 0), (5, 1), (9, 1), (4_796, 959), (4_797, 959)])
def test_the_held_out_rows_are_rounded_down(
    warehouse_dsn: str, connection: psycopg.Connection, rows: int, held: int
) -> None:
    load_batch(warehouse_dsn, batch(1, many(rows)))
    assert value(connection, "SELECT count(*) FROM ratings_buffer WHERE held_out") == held


def test_the_same_file_again_changes_nothing_at_all(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    load_batch(warehouse_dsn, batch(1, many(50)))
    before = value(connection, EVERYTHING)
    assert load_batch(warehouse_dsn, batch(1, many(50))) == Loaded("batch_w1", 50, "unchanged")
    assert value(connection, EVERYTHING) == before


def test_another_file_replaces_the_batch_and_no_other(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    load_batch(warehouse_dsn, batch(1, many(50), injected="shift"))
    load_batch(warehouse_dsn, batch(2, many(30), "other"))
    assert load_batch(warehouse_dsn, batch(1, many(20), "b")) == Loaded("batch_w1", 20, "replaced")
    assert counts(connection) == (50, 50, 50)
    assert known_batches(connection) == {
        "batch_w1": ("b", "completed"),
        "batch_w2": ("other", "completed"),
    }
    assert injected_drift(connection, week(1)) is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, 1, 3.0, 1), (1, 2, 5.5, 2)], "ratings_buffer_half_stars"),
        ([(1, 1, 3.0, 1), (1, 2, 0.0, 2)], "ratings_buffer_half_stars"),
        ([(1, 1, 3.0, 1), (1, 1, 4.0, 2)], "ratings_buffer_once"),
    ],
)
def test_a_failed_load_leaves_its_message_and_no_rows(
    warehouse_dsn: str,
    connection: psycopg.Connection,
    rows: list[tuple[int, int, float, int]],
    message: str,
) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        load_batch(warehouse_dsn, batch(1, frame(rows)))
    assert counts(connection) == (0, 0, 0)
    assert known_batches(connection) == {"batch_w1": ("a", "failed")}
    assert message in value(connection, "SELECT notes FROM ingestion_metadata")

    assert load_batch(warehouse_dsn, batch(1, stars(3.0, 4.0))).outcome == "loaded"
    assert counts(connection) == (2, 2, 2)
    assert value(connection, "SELECT notes FROM ingestion_metadata") == ""


def test_a_failure_outside_the_database_is_recorded_too(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    with pytest.raises(KeyError):
        load_batch(warehouse_dsn, batch(1, stars(3.0).drop(columns="rating")))
    assert value(connection, "SELECT (status, notes)::text FROM ingestion_metadata") == (
        "(failed,'rating')"
    )


def test_a_bad_new_file_takes_the_rows_of_the_old_one_with_it(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    load_batch(warehouse_dsn, batch(1, many(50)))
    record_failure(connection, "batch_w1", week(1), "b", "row 3 of rating is 7")
    assert counts(connection) == (0, 0, 0)
    assert known_batches(connection) == {"batch_w1": ("b", "failed")}
    assert value(connection, "SELECT notes FROM ingestion_metadata") == "row 3 of rating is 7"


def test_a_failure_does_not_undo_the_same_files_load(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    load_batch(warehouse_dsn, batch(1, many(50)))
    before = value(connection, EVERYTHING)
    record_failure(connection, "batch_w1", week(1), "a", "connection lost")
    assert value(connection, EVERYTHING) == before


def test_a_merged_batch_is_not_loaded_twice(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    load_batch(warehouse_dsn, batch(1, many(50)))
    record_promotion(connection, promotion("2", 1))
    merge_buffer(connection, week(1), "2", "merge")
    connection.commit()
    before = value(connection, EVERYTHING)
    connection.commit()
    assert load_batch(warehouse_dsn, batch(1, many(50))) == Loaded("batch_w1", 50, "unchanged")
    with pytest.raises(IngestionError, match="batch_w1 was merged with model version 2"):
        load_batch(warehouse_dsn, batch(1, many(20), "b"))
    assert value(connection, EVERYTHING) == before
    assert value(connection, "SELECT count(*) FROM ratings") == 50


def test_the_status_shows_the_buffer_and_the_history_newest_first(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    assert buffer_status(connection) == {"total": 0, "batches": [], "history": []}
    for number in (3, 1, 2):
        load_batch(warehouse_dsn, batch(number, many(10 * number), str(number)))
    record_failure(connection, "batch_w4", week(4), "4", "no column rating")
    merge_buffer(connection, week(1), "2", "merge")
    connection.commit()

    status = json.loads(json.dumps(buffer_status(connection)))
    assert status["total"] == 50
    assert status["batches"] == [
        {"batch_id": "batch_w2", "week": "2024-01-08", "rows": 20},
        {"batch_id": "batch_w3", "week": "2024-01-15", "rows": 30},
    ]
    history = pd.DataFrame(status["history"])
    assert history["batch_id"].tolist() == ["batch_w4", "batch_w2", "batch_w1", "batch_w3"]
    assert history["status"].tolist() == ["failed", "completed", "completed", "completed"]
    assert history["merged_version"].tolist() == [None, None, "2", None]
    assert history["notes"][0] == "no column rating"


def test_the_baseline_is_no_batch(connection: psycopg.Connection) -> None:
    connection.execute(
        "INSERT INTO ingestion_metadata (batch_id, record_count, status, week, sha256)"
        " VALUES ('baseline', 7, 'completed', '2023-12-25', 'a')"
    )
    assert known_batches(connection) == {}
    assert buffer_status(connection)["total"] == 0
    assert buffer_status(connection)["batches"] == []


def test_a_load_needs_no_open_transaction_of_the_caller(warehouse_dsn: str) -> None:
    with connect(warehouse_dsn) as reader:
        assert counts(reader) == (0, 0, 0)
        load_batch(warehouse_dsn, batch(1, many(5)))
        assert counts(reader) == (5, 5, 5)
