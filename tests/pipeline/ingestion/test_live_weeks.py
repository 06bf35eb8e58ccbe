"""The feed's files and the ratings given through the API, side by side in the same weeks."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from cinematch_dagster.batches import write_batch
from cinematch_dagster.pipeline.drift.input_digest import stale_weeks
from cinematch_dagster.pipeline.drift.recorded import recorded_weeks
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.pipeline.ingestion.live_ratings import write_out
from cinematch_dagster.pipeline.ingestion.load import load_week
from cinematch_dagster.pipeline.preparation.prepare import Folders
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings, load_settings
from cinematch_dagster.warehouse.drift.histograms import compared_histograms, loaded_weeks
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.metadata import IngestionError, loaded_batch
from cinematch_dagster.warehouse.registry.promotions import (
    in_production,
    merge_buffer,
    record_promotion,
)
from cinematch_dagster.warehouse.training.training_data import held_out, week_ratings
from serving.live import Event
from serving.live.postgres_store import PostgresStore
from tests.pipeline.ingestion.test_load import frame
from tests.warehouse.support import promotion, value

WEEK = datetime.date(2024, 1, 1)
NEXT = WEEK + datetime.timedelta(weeks=1)
IN_BUFFER = (
    "SELECT coalesce(json_object_agg(batch_id, n ORDER BY batch_id), '{}') FROM"
    " (SELECT batch_id, count(*) AS n FROM ratings_buffer GROUP BY batch_id) AS b"
)


@pytest.fixture
def settings(platform_settings: Path) -> Settings:
    assert platform_settings.is_dir()
    return load_settings()


@pytest.fixture
def store(warehouse_dsn: str) -> Iterator[PostgresStore]:
    store = PostgresStore(warehouse_dsn)
    yield store
    store.close()


def give(store: PostgresStore, n: int, first_user: int = 900) -> None:
    for user in range(first_user, first_user + n):
        store.add(Event(user, 10, 4.0))


def in_buffer(dsn: str) -> dict[str, int]:
    with connect(dsn) as connection:
        found: dict[str, int] = value(connection, IN_BUFFER)
    return found


def feed(settings: Settings, n: int, number: int = 1) -> Path:
    return write_batch(settings.landing_dir, f"batch_w{number}", frame(n), None)


@pytest.mark.parametrize("feed_first", [True, False])
def test_a_week_has_the_feed_s_ratings_and_the_live_ones(
    warehouse_dsn: str, settings: Settings, store: PostgresStore, feed_first: bool
) -> None:
    give(store, 5)
    (batch,) = write_out(warehouse_dsn, settings)
    assert batch.path.name == "live_w1.parquet"
    if feed_first:
        feed(settings, 20)
    load_week(warehouse_dsn, WEEK, settings)
    feed(settings, 20)
    loaded = load_week(warehouse_dsn, WEEK, settings)
    assert [week.result.batch_id for week in loaded] == ["batch_w1", "live_w1"]
    assert in_buffer(warehouse_dsn) == {"batch_w1": 20, "live_w1": 5}
    assert write_out(warehouse_dsn, settings) == []
    with connect(warehouse_dsn) as connection:
        assert loaded_weeks(connection) == [WEEK]
        assert compared_histograms(connection, [WEEK])[WEEK].per_batch.sum() == 25
        assert len(week_ratings(connection, loaded_batch(connection, WEEK))) == 25
        check_week(connection, WEEK, settings.drift)
        (report,) = recorded_weeks(connection)
        assert report.batch_id == "batch_w1, live_w1"
        assert in_production(connection, before=WEEK) is None


def test_the_report_of_a_week_is_stale_once_its_other_batch_arrives(
    warehouse_dsn: str, settings: Settings, store: PostgresStore
) -> None:
    give(store, 600)
    (batch,) = write_out(warehouse_dsn, settings)
    away = batch.path.rename(batch.path.with_suffix(".away"))
    feed(settings, 2_000)
    with connect(warehouse_dsn) as connection:
        baseline = frame(2_000).assign(data_split="train")
        load_baseline(connection, baseline, "baseline", WEEK - datetime.timedelta(weeks=1))
    with connect(warehouse_dsn, autocommit=True) as connection:
        load_week(warehouse_dsn, WEEK, settings)
        check_week(connection, WEEK, settings.drift)
        assert stale_weeks(connection, settings.drift) == []
        away.rename(batch.path)
        load_week(warehouse_dsn, WEEK, settings)
        assert stale_weeks(connection, settings.drift) == [WEEK]
        assert check_week(connection, WEEK, settings.drift).per_batch.n == 2_600
        assert stale_weeks(connection, settings.drift) == []


def test_a_corrected_file_and_a_merge_leave_the_live_ratings_alone(
    warehouse_dsn: str, settings: Settings, store: PostgresStore
) -> None:
    give(store, 5)
    write_out(warehouse_dsn, settings)
    for n in (20, 30):
        feed(settings, n)
        load_week(warehouse_dsn, WEEK, settings)
        assert in_buffer(warehouse_dsn) == {"batch_w1": n, "live_w1": 5}
    with connect(warehouse_dsn) as connection:
        record_promotion(connection, promotion("2", 1))
        merge_buffer(connection, WEEK, "2", "merge")
        assert value(connection, "SELECT count(*) FROM ratings") == 35
        assert len(week_ratings(connection, loaded_batch(connection, WEEK))) == 35
    feed(settings, 40)
    with pytest.raises(IngestionError, match="batch_w1 was merged"):
        load_week(warehouse_dsn, WEEK, settings)
    assert write_out(warehouse_dsn, settings) == []


def test_one_bad_file_of_a_week_does_not_take_the_other_along(
    warehouse_dsn: str, settings: Settings, store: PostgresStore
) -> None:
    give(store, 5)
    write_out(warehouse_dsn, settings)
    (settings.landing_dir / "batch_w1.parquet").write_bytes(b"no Parquet")
    with pytest.raises(ValueError, match="not a readable Parquet file"):
        load_week(warehouse_dsn, WEEK, settings)
    assert in_buffer(warehouse_dsn) == {"live_w1": 5}


def test_a_strangers_file_never_passes_for_live_ratings(
    warehouse_dsn: str, settings: Settings, store: PostgresStore
) -> None:
    write_batch(settings.landing_dir, "live_w1", frame(7), None)
    with pytest.raises(IngestionError, match=r"this file was not written from them .*none yet"):
        load_week(warehouse_dsn, WEEK, settings)
    give(store, 5)
    (batch,) = write_out(warehouse_dsn, settings)
    assert batch.batch_id == "live_w2"
    write_batch(settings.landing_dir, "live_w2", frame(7), None)
    with pytest.raises(IngestionError, match="this file was not written from them"):
        load_week(warehouse_dsn, NEXT, settings)
    assert in_buffer(warehouse_dsn) == {}
    assert [again.rows for again in write_out(warehouse_dsn, settings)] == [5]
    load_week(warehouse_dsn, NEXT, settings)
    write_batch(settings.landing_dir, "live_w2", frame(7), None)
    with pytest.raises(IngestionError, match="this file was not written from them"):
        load_week(warehouse_dsn, NEXT, settings)
    assert in_buffer(warehouse_dsn) == {"live_w2": 5}, "what was loaded stays"


def test_small_live_weeks_hold_out_their_share_together(
    warehouse_dsn: str, settings: Settings, store: PostgresStore
) -> None:
    held, said = [], []
    for number in range(6):
        give(store, 2, first_user=100 + 10 * number)
        write_out(warehouse_dsn, settings)
        week = WEEK + datetime.timedelta(weeks=number)
        (loaded,) = load_week(warehouse_dsn, week, settings)
        held.append(loaded.held_out)
        said.append(loaded.findings["held_out"] is not None)
    assert held == [0, 0, 1, 0, 1, 0]  # a fifth of 2, 4, 6, … ratings, rounded down
    assert said == [n == 0 for n in held]
    assert loaded.findings["held_out"] == (
        "none of 2 ratings is held out for comparing models: 20% of them is less than one"
    )
    with connect(warehouse_dsn) as connection:
        assert len(held_out(connection, WEEK + datetime.timedelta(weeks=5))) == 2


def test_a_week_that_has_not_landed_is_loaded_from_the_prepared_batches(
    warehouse_dsn: str, settings: Settings
) -> None:
    folder = Folders(settings.prepared_dir).batches
    write_batch(folder, "batch_w1", frame(30), None)
    for outcome in ("loaded", "unchanged"):
        (loaded,) = load_week(warehouse_dsn, WEEK, settings)
        assert (loaded.path.parent, loaded.result.outcome) == (folder, outcome)
    feed(settings, 20)
    (loaded,) = load_week(warehouse_dsn, WEEK, settings)
    assert (loaded.path.parent, loaded.result.outcome) == (settings.landing_dir, "replaced")


def test_a_prepared_batch_never_replaces_what_the_feed_delivered(
    warehouse_dsn: str, settings: Settings
) -> None:
    write_batch(Folders(settings.prepared_dir).batches, "batch_w1", frame(30), None)
    feed(settings, 20)
    load_week(warehouse_dsn, WEEK, settings)
    (settings.landing_dir / "batch_w1.parquet").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"week 2024-01-01 has no batch file, batch_w1\.par"
    ):
        load_week(warehouse_dsn, WEEK, settings)
    assert in_buffer(warehouse_dsn) == {"batch_w1": 20}
