import pandas as pd
import psycopg
import pytest

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import load_batch, record_failure
from cinematch_dagster.warehouse.ingestion.metadata import IngestionError, loaded_batch
from cinematch_dagster.warehouse.registry.promotions import (
    Policy,
    in_production,
    merge_buffer,
    record_promotion,
)
from cinematch_dagster.warehouse.schema import migrate
from cinematch_dagster.warehouse.training.training_data import week_ratings
from tests.warehouse.support import batch, many, promotion, value, week

WEEKS = {1: many(10, seed=1), 2: many(20, seed=100)}


@pytest.fixture
def loaded(warehouse_dsn: str, connection: psycopg.Connection) -> psycopg.Connection:
    """A baseline of 50 ratings and two weeks, of the same users and movies."""
    load_baseline(connection, many(50).assign(data_split="train"), "a", week(0))
    connection.commit()
    for number, ratings in WEEKS.items():
        load_batch(warehouse_dsn, batch(number, ratings))
    return connection


def ratings_of(connection: psycopg.Connection, number: int) -> pd.DataFrame:
    return week_ratings(connection, loaded_batch(connection, week(number)))


def check_all(connection: psycopg.Connection) -> None:
    for number, ratings in WEEKS.items():
        pd.testing.assert_frame_equal(ratings_of(connection, number), ratings)


def test_a_week_in_the_buffer_comes_with_its_held_out_rows(loaded: psycopg.Connection) -> None:
    check_all(loaded)


@pytest.mark.parametrize("policy", ["merge", "archive"])
def test_a_week_is_the_same_after_a_promotion_moved_it(
    loaded: psycopg.Connection, policy: Policy
) -> None:
    merge_buffer(loaded, week(1), "2", policy)
    check_all(loaded)  # one moved, one in the buffer
    merge_buffer(loaded, week(2), "3", policy)
    check_all(loaded)
    assert value(loaded, "SELECT count(*) FROM ratings_buffer") == 0


def test_a_merge_names_the_batch_and_the_baseline_has_none(loaded: psycopg.Connection) -> None:
    merge_buffer(loaded, week(2), "2", "merge")
    assert loaded.execute(
        "SELECT batch_id, data_split, count(*) FROM ratings GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall() == [
        ("batch_w1", "test", 2),
        ("batch_w1", "train", 8),
        ("batch_w2", "test", 4),
        ("batch_w2", "train", 16),
        (None, "train", 50),
    ]


def test_a_cleared_week_is_named(loaded: psycopg.Connection) -> None:
    merge_buffer(loaded, week(1), "2", "clear")
    with pytest.raises(
        IngestionError, match=r"batch_w1 has 0 of its 10 ratings left: .* version 2 was promoted"
    ):
        ratings_of(loaded, 1)
    pd.testing.assert_frame_equal(ratings_of(loaded, 2), WEEKS[2])


@pytest.mark.parametrize("number", [0, 3])
def test_a_week_without_a_batch_is_named(loaded: psycopg.Connection, number: int) -> None:
    with pytest.raises(IngestionError, match=f"week {week(number)} has no loaded batch"):
        ratings_of(loaded, number)


def test_a_failed_load_is_no_batch(loaded: psycopg.Connection) -> None:
    record_failure(loaded, "batch_w3", week(3), "b", "the file is broken")
    with pytest.raises(IngestionError, match="no loaded batch"):
        loaded_batch(loaded, week(3))


def test_a_merged_week_is_found_by_an_index(loaded: psycopg.Connection) -> None:
    merge_buffer(loaded, week(2), "2", "merge")
    loaded.execute("SET LOCAL enable_seqscan = off")
    plan = loaded.execute("EXPLAIN SELECT FROM ratings WHERE batch_id = 'batch_w1'").fetchall()
    assert "ratings_batch" in str(plan)


def test_a_database_of_before_gets_the_column_and_keeps_its_ratings(
    loaded: psycopg.Connection, warehouse_dsn: str
) -> None:
    loaded.execute("ALTER TABLE ratings DROP COLUMN batch_id")
    loaded.execute("DROP TABLE schema_version")
    loaded.commit()
    with connect(warehouse_dsn) as other:
        migrate(other)
    merge_buffer(loaded, week(2), "2", "merge")
    check_all(loaded)
    assert value(loaded, "SELECT count(*) FROM ratings WHERE batch_id IS NULL") == 50


def test_a_week_finds_the_version_promoted_last_for_an_earlier_week(
    connection: psycopg.Connection,
) -> None:
    for version, number, promoted in [("1", 0, True), ("2", 2, False), ("3", 2, True)]:
        record_promotion(connection, promotion(version, number, promoted))

    def found(number: int) -> str | None:
        model = in_production(connection, before=week(number))
        return model.version if model else None

    assert [found(number) for number in range(5)] == [None, "1", "1", "3", "3"]
    record_promotion(connection, promotion("4", 2))  # the same week, trained again
    record_promotion(connection, promotion("5", 4))
    assert [found(number) for number in range(6)] == [None, "1", "1", "4", "4", "5"]
