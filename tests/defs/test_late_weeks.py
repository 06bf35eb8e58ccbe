"""Files that come late, out of order or corrected: which weeks are reported again, once only."""

import datetime
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from cinematch_dagster.definitions import defs
from cinematch_dagster.defs.drift.assets import drift_report, weekly_performance
from cinematch_dagster.defs.drift.sensors import follow_up_sensor
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.defs.runs import PATIENCE
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.registry.promotions import (
    Promotion,
    merge_buffer,
    record_promotion,
)
from tests.builders import FIRST_WEEK as FIRST
from tests.builders import week as monday
from tests.defs.dagster_states import Backfill

Run = Callable[..., dg.ExecuteInProcessResult]
Drop = Callable[..., Path]


class FollowUp:
    """Ticks the sensor, runs what it requests, and says which weeks that was."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: str | None = None

    def tick(self, runs: bool = True) -> list[tuple[int, int]]:
        """Look; the runs may also come to nothing."""
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            resources=RESOURCES,
            definitions=defs,
        ) as context:
            result = follow_up_sensor.evaluate_tick(context)
        self.cursor = result.cursor or self.cursor
        requests = result.run_requests or ()
        self.keys = [str(request.run_key) for request in requests]
        return [self._run(request, runs) for request in requests]

    def _run(self, request: dg.RunRequest, runs: bool) -> tuple[int, int]:
        if runs:
            dg.materialize(
                [weekly_performance, drift_report],
                instance=self.instance,
                resources=RESOURCES,
                tags=dict(request.tags),
            )
        ends = [
            datetime.date.fromisoformat(request.tags[f"dagster/asset_partition_range_{end}"])
            for end in ("start", "end")
        ]
        first, last = ((end - FIRST).days // 7 + 1 for end in ends)
        return first, last


@pytest.fixture
def follow_up(instance: dg.DagsterInstance) -> FollowUp:
    return FollowUp(instance)


@pytest.fixture
def weeks_1_2_4_5(drop: Drop, run_weeks: Run, follow_up: FollowUp) -> None:
    for number in (1, 2, 4, 5):
        drop(number)
    assert run_weeks(1, 2).success
    assert run_weeks(4, 5).success
    assert follow_up.tick() == []


def reported(instance: dg.DagsterInstance) -> list[str | None]:
    """The weeks of all reports, in the order in which they were made."""
    records = instance.fetch_materializations(dg.AssetKey("drift_report"), 100, ascending=True)
    return [record.partition_key for record in records.records]


def counts(dsn: str) -> list[tuple[object, ...]]:
    """Rows in the table, in the histogram and in the metadata: always the same number."""
    with connect(dsn) as connection:
        return connection.execute(
            "SELECT (SELECT count(*) FROM ratings_buffer)"
            " + (SELECT count(*) FROM ratings WHERE batch_id IS NOT NULL),"
            " (SELECT sum(n) FROM rating_histogram WHERE batch_id <> 'baseline'),"
            " (SELECT sum(record_count) FROM ingestion_metadata WHERE batch_id <> 'baseline')"
        ).fetchall()


@pytest.mark.usefixtures("weeks_1_2_4_5")
def test_week_3_after_week_5_has_weeks_4_and_5_reported_again_in_order(
    drop: Drop,
    run_weeks: Run,
    follow_up: FollowUp,
    instance: dg.DagsterInstance,
    warehouse_dsn: str,
) -> None:
    drop(3)
    run_weeks(3, 3)
    assert follow_up.tick() == [(4, 5)]
    assert follow_up.tick() == []
    assert reported(instance)[-3:] == [monday(n).isoformat() for n in (3, 4, 5)]
    assert counts(warehouse_dsn) == [(10_000, 10_000, 10_000)]


@pytest.mark.usefixtures("weeks_1_2_4_5")
def test_week_4_with_other_content_has_week_5_reported_again_and_no_other(
    drop: Drop, run_weeks: Run, follow_up: FollowUp, warehouse_dsn: str
) -> None:
    drop(4, drifted=True)
    run_weeks(4, 4)
    assert follow_up.tick() == [(5, 5)]
    assert follow_up.tick() == []
    assert counts(warehouse_dsn) == [(8_000, 8_000, 8_000)]


@pytest.mark.usefixtures("weeks_1_2_4_5")
def test_the_same_file_again_has_nothing_reported_again(
    run_weeks: Run, follow_up: FollowUp, warehouse_dsn: str
) -> None:
    run_weeks(4, 4)
    assert follow_up.tick() == []
    assert counts(warehouse_dsn) == [(8_000, 8_000, 8_000)]


@pytest.fixture
def week_2_is_in_production(weeks_1_2_4_5: None, warehouse_dsn: str) -> None:
    del weeks_1_2_4_5
    promotion = Promotion("1", None, monday(2), True, "", "run", "", "merge", {})
    with connect(warehouse_dsn) as connection:
        record_promotion(connection, promotion)
        merge_buffer(connection, monday(2), "1", "merge")


@pytest.mark.usefixtures("week_2_is_in_production")
def test_a_promotion_has_the_later_weeks_reported_against_the_new_baseline(
    follow_up: FollowUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Reports only: predicting would need the version in a registry.
    monkeypatch.setattr(
        "cinematch_dagster.pipeline.drift.predicted_week.week_performance", lambda *_: None
    )
    monkeypatch.setattr(
        "cinematch_dagster.pipeline.drift.input_digest.in_production", lambda *_, **__: None
    )
    assert follow_up.tick() == [(4, 5)]
    assert follow_up.tick() == []


@pytest.mark.usefixtures("week_2_is_in_production")
def test_a_merged_week_is_not_replaced_and_the_refusal_says_so(
    drop: Drop, run_weeks: Run, warehouse_dsn: str
) -> None:
    drop(2, drifted=True)
    result = run_weeks(2, 2, raise_on_error=False)
    assert not result.success
    (failure,) = result.get_step_failure_events()
    error = failure.step_failure_data.error
    assert error is not None
    assert "batch_w2 was merged with model version 1" in error.message
    assert counts(warehouse_dsn) == [(8_000, 8_000, 8_000)]


@pytest.mark.usefixtures("loaded_baseline")
def test_a_week_without_a_file_fails_by_name_and_the_others_get_their_reports(
    drop: Drop, run_weeks: Run, follow_up: FollowUp, instance: dg.DagsterInstance
) -> None:
    for number in (1, 3):
        drop(number)
    result = run_weeks(1, 3, raise_on_error=False)
    assert not result.success
    (failure,) = result.get_step_failure_events()
    error = failure.step_failure_data.error
    assert error is not None
    assert "batch_w2.parquet was expected" in error.message
    assert reported(instance) == []
    assert follow_up.tick() == [(1, 1), (3, 3)]
    assert reported(instance) == [monday(1).isoformat(), monday(3).isoformat()]


def test_reports_whose_run_failed_are_requested_again_ever_more_seldom(
    drop: Drop, run_weeks: Run, follow_up: FollowUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_700_000_000.0
    monkeypatch.setattr("cinematch_dagster.defs.drift.sensors.time", lambda: now)
    for number in (1, 2, 4):
        drop(number)
    assert run_weeks(1, 2).success
    assert run_weeks(4, 4).success
    assert follow_up.tick() == []
    drop(3)
    assert run_weeks(3, 3).success
    assert follow_up.tick(runs=False) == [(4, 4)]
    first = follow_up.keys
    assert follow_up.tick() == []
    now += 1.1 * PATIENCE
    assert follow_up.tick(runs=False) == [(4, 4)]
    assert follow_up.keys == [f"{first[0]} try 2"]
    now += 1.1 * PATIENCE
    assert follow_up.tick() == []
    now += PATIENCE
    assert follow_up.tick() == [(4, 4)]
    now += 10 * PATIENCE
    assert follow_up.tick() == []


def test_the_sensor_waits_for_runs_that_are_about_to_write_reports(
    platform_settings: Path, follow_up: FollowUp, instance: dg.DagsterInstance
) -> None:
    assert platform_settings.is_dir()
    assert load_settings().profile == "sample"
    run = instance.create_run_for_job(defs.resolve_job_def("buffer_ingestion_weekly"))
    assert follow_up.tick() == []
    assert follow_up.cursor is None
    instance.report_run_canceled(run)
    follow_up.tick()
    assert follow_up.cursor is not None


@pytest.mark.usefixtures("platform_settings")
def test_the_sensor_waits_for_a_backfill_between_its_runs(
    follow_up: FollowUp, instance: dg.DagsterInstance
) -> None:
    backfill = Backfill(instance)
    assert follow_up.tick() == []
    assert follow_up.cursor is None
    backfill.ends()
    follow_up.tick()
    assert follow_up.cursor is not None
