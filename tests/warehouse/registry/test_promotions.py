import dataclasses
import datetime

import psycopg
import pytest

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import load_batch
from cinematch_dagster.warehouse.registry.promotions import (
    ConservationError,
    Policy,
    in_production,
    merge_buffer,
    promotion_of_run,
    record_promotion,
)
from cinematch_dagster.warehouse.training.model_metrics import latest_run, record_metrics
from tests.warehouse.support import batch, many, promotion, stars, value, week

TOTALS = """
SELECT json_build_array(
    (SELECT count(*) FROM ratings WHERE data_split = 'train'),
    (SELECT count(*) FROM ratings WHERE data_split = 'test'),
    (SELECT count(*) FROM ratings_buffer),
    (SELECT count(*) FROM ratings_archive)
)
"""


@pytest.fixture
def loaded(warehouse_dsn: str, connection: psycopg.Connection) -> psycopg.Connection:
    """70 train and 30 test rows; weeks of 10, 20 and 30 rows, of which 2, 4 and 6 are held out."""
    baseline = many(100).assign(data_split=["train"] * 70 + ["test"] * 30)
    load_baseline(connection, baseline, "a", week(0))
    connection.commit()
    for number in (1, 2, 3):
        load_batch(warehouse_dsn, batch(number, many(10 * number, seed=number)))
    return connection


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("merge", [70 + 24, 30 + 6, 30, 0]),
        ("clear", [70, 30, 30, 0]),
        ("archive", [70, 30, 30, 30]),
    ],
)
def test_the_buffer_is_emptied_up_to_the_promoted_week(
    loaded: psycopg.Connection, policy: Policy, expected: list[int]
) -> None:
    assert value(loaded, TOTALS) == [70, 30, 60, 0]
    assert merge_buffer(loaded, week(2), "2", policy) == 30
    assert value(loaded, TOTALS) == expected
    merged = loaded.execute(
        "SELECT batch_id, merged_version, merged_at = now() FROM ingestion_metadata ORDER BY week"
    ).fetchall()
    assert merged == [
        ("baseline", None, None),
        ("batch_w1", "2", True),
        ("batch_w2", "2", True),
        ("batch_w3", None, None),
    ]
    assert merge_buffer(loaded, week(2), "2", policy) == 0
    assert merge_buffer(loaded, week(3), "3", policy) == 30
    assert merge_buffer(loaded, week(3), "3", policy) == 0


def test_merged_rows_keep_their_values_and_the_held_out_ones_are_test(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    load_batch(warehouse_dsn, batch(1, stars(1.0, 2.0, 3.0, 4.0, 5.0, user=7, start=100)))
    merge_buffer(connection, week(1), "2", "merge")
    stored = connection.execute(
        'SELECT "userId", "movieId", rating, "timestamp", data_split FROM ratings ORDER BY 2'
    ).fetchall()
    splits = ["train"] * 4 + ["test"]
    assert stored == [(7, i + 1, i + 1.0, 100 + i, split) for i, split in enumerate(splits)]


def test_archived_rows_keep_everything(loaded: psycopg.Connection) -> None:
    before = loaded.execute("SELECT * FROM ratings_buffer ORDER BY 5, 1, 2").fetchall()
    merge_buffer(loaded, week(3), "2", "archive")
    after = loaded.execute("SELECT * FROM ratings_archive ORDER BY 5, 1, 2").fetchall()
    assert [row[:-1] for row in after] == before


@pytest.mark.parametrize("policy", ["merge", "clear", "archive"])
def test_rows_that_do_not_add_up_stop_the_merge(loaded: psycopg.Connection, policy: Policy) -> None:
    loaded.execute("DELETE FROM ratings_buffer WHERE batch_id = 'batch_w1' AND \"movieId\" = 3")
    loaded.commit()
    with pytest.raises(ConservationError, match=r"29 rows .*\(expected the 30 that were loaded"):
        merge_buffer(loaded, week(2), "2", policy)
    loaded.rollback()
    assert value(loaded, TOTALS) == [70, 30, 59, 0]


def test_a_merge_and_its_promotion_are_one_transaction(loaded: psycopg.Connection) -> None:
    record_promotion(loaded, promotion("2", 2))
    merge_buffer(loaded, week(2), "2", "merge")
    loaded.rollback()
    assert in_production(loaded) is None
    assert value(loaded, TOTALS) == [70, 30, 60, 0]


def test_a_merge_waits_for_a_load_and_a_load_for_a_merge(
    loaded: psycopg.Connection, warehouse_dsn: str
) -> None:
    merge_buffer(loaded, week(1), "2", "merge")
    with connect(warehouse_dsn) as other:
        other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            merge_buffer(other, week(1), "2", "merge")


def test_nothing_is_in_production_before_the_first_promotion(
    connection: psycopg.Connection,
) -> None:
    assert in_production(connection) is None
    record_promotion(connection, promotion("1", 0, promoted=False))
    assert in_production(connection) is None


def test_a_decision_comes_back_as_it_was_written(connection: psycopg.Connection) -> None:
    made = promotion("2", 3, from_version="1", scores={"held_out": {"rmse": [0.9, 0.8]}})
    record_promotion(connection, made)
    found = promotion_of_run(connection, made.mlflow_run_id)
    assert found is not None
    assert found.decided_at == value(connection, "SELECT now()")
    assert dataclasses.replace(found, decided_at=None) == made
    assert in_production(connection) == found
    assert promotion_of_run(connection, "another") is None


def test_a_run_is_decided_on_once(connection: psycopg.Connection) -> None:
    record_promotion(connection, promotion("2", 3, promoted=False))
    record_promotion(connection, promotion("2", 3, reason="tried again"))
    found = promotion_of_run(connection, "mlflow-2")
    assert found is not None
    assert (found.promoted, found.reason) == (False, "better")


def test_what_was_in_production_at_any_moment(connection: psycopg.Connection) -> None:
    day = datetime.timedelta(days=1)
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    decisions = [("1", 0, True), ("2", 1, False), ("3", 2, True)]
    for i, (version, number, promoted) in enumerate(decisions):
        record_promotion(connection, promotion(version, number, promoted))
        connection.execute(
            "UPDATE promotions SET decided_at = %s WHERE version = %s", [start + i * day, version]
        )

    def served(at: datetime.datetime | None = None) -> str | None:
        found = in_production(connection, at)
        return found.version if found else None

    moments = [start - day, start, start + day, start + 2 * day, start + 9 * day]
    assert [served(at) for at in moments] == [None, "1", "1", "3", "3"]
    assert served() == "3"


def metrics(connection: psycopg.Connection, run: str, number: int, rmse: float) -> None:
    record_metrics(
        connection,
        mlflow_run_id=run,
        week=week(number),
        rmse=rmse,
        mae=0.7,
        precision_at_10=0.2,
        data_size=1_000,
        notes="on 10 rows",
    )


def test_a_training_run_has_one_row_and_is_named_after_its_run_until_it_is_decided_on(
    connection: psycopg.Connection,
) -> None:
    metrics(connection, "mlflow-2", 3, 0.91)
    metrics(connection, "mlflow-2", 3, 0.92)
    row = "SELECT (model_version, rmse, mae, precision_at_10, data_size, notes, week)::text"
    found = value(connection, f"{row} FROM model_metrics")
    assert found == '(run:mlflow-2,0.92,0.7,0.2,1000,"on 10 rows",2024-01-15)'

    record_promotion(connection, promotion("2", 3, promoted=False))
    metrics(connection, "mlflow-2", 3, 0.93)
    found = value(connection, f"{row} FROM model_metrics")
    assert found == '(2,0.93,0.7,0.2,1000,"on 10 rows",2024-01-15)'


def test_the_latest_run_of_a_week(connection: psycopg.Connection) -> None:
    assert latest_run(connection, week(1)) is None
    for run, number in (("first", 1), ("second", 1), ("other", 2)):
        metrics(connection, run, number, 0.9)
    assert latest_run(connection, week(1)) == "second"
