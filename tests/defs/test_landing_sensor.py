"""The landing folder's sensor on a real Postgres: no file is forgotten, none is loaded twice."""

import datetime
import json
import os
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from cinematch_dagster.definitions import defs
from cinematch_dagster.defs import runs
from cinematch_dagster.defs.ingestion import sensors
from cinematch_dagster.defs.ingestion.jobs import buffer_ingestion_weekly
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.pipeline.ingestion.load import load_week
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.ingestion.batches import record_failure
from cinematch_dagster.warehouse.registry.promotions import merge_buffer

Drop = Callable[..., Path]
WEEKS = [datetime.date(2024, 1, 1) + datetime.timedelta(weeks=n) for n in range(9)]


def load(dsn: str, number: int) -> None:
    load_week(dsn, WEEKS[number - 1], load_settings())


class Watch:
    """Evaluates the sensor at moments of a clock of its own, and keeps its cursor."""

    def __init__(self, instance: dg.DagsterInstance, patch: pytest.MonkeyPatch) -> None:
        self.instance, self.cursor, self.now = instance, None, 1_700_000_000.0
        patch.setattr("cinematch_dagster.defs.ingestion.sensors.time", lambda: self.now)

    cursor: str | None

    def after(self, waits: float) -> list[str]:
        """Return the batches of each run that is requested after so many first waits."""
        self.now += waits * runs.PATIENCE
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            resources=RESOURCES,
            definitions=defs,
        ) as context:
            result = sensors.landing_folder_sensor.evaluate_tick(context)
        self.cursor = result.cursor or self.cursor
        self.reason = str(result.skip_message)
        requests = result.run_requests or ()
        self.keys = [str(request.run_key) for request in requests]
        return [request.tags["cinematch/batches"] for request in requests]


@pytest.fixture
def watch(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(instance, monkeypatch)


def test_a_load_that_came_to_nothing_is_requested_again_ever_more_seldom(
    watch: Watch, drop: Drop
) -> None:
    drop(1)
    assert watch.after(0) == ["batch_w1"]
    first = watch.keys
    assert watch.after(0.9) == []
    assert watch.after(0.2) == ["batch_w1"]
    assert watch.keys == [f"{first[0]} try 2"]
    assert watch.after(1.9) == []
    assert watch.after(0.2) == ["batch_w1"]
    assert watch.keys == [f"{first[0]} try 3"]


def test_what_was_loaded_refused_or_merged_is_left_in_peace(
    watch: Watch, drop: Drop, warehouse_dsn: str
) -> None:
    for number in range(1, 6):
        drop(number)
    assert watch.after(0) == ["batch_w1, batch_w2, batch_w3, batch_w4, batch_w5"]
    assert watch.cursor
    digests = {name: asked["sha256"] for name, asked in json.loads(watch.cursor).items()}
    load(warehouse_dsn, 1)
    with connect(warehouse_dsn) as connection:
        merge_buffer(connection, WEEKS[0], "1", "merge")
        record_failure(connection, "batch_w2", WEEKS[1], digests["batch_w2"], "row 3 is bad")
        record_failure(connection, "batch_w4", WEEKS[3], "an earlier file", "row 3 is bad")
        name, sha256 = "batch_w5", digests["batch_w5"]
        record_failure(connection, name, WEEKS[4], sha256, "the server went", is_final=False)
    load(warehouse_dsn, 3)
    assert watch.after(1.1) == ["batch_w4, batch_w5"]
    drop(1, drifted=True)  # of a merged week, a correction: asked for once, to be refused
    assert watch.after(0.1) == ["batch_w1"]
    assert watch.after(1.1) == []


def test_a_run_that_is_still_going_on_may_be_the_one(
    watch: Watch, drop: Drop, instance: dg.DagsterInstance
) -> None:
    drop(1)
    assert watch.after(0) == ["batch_w1"]
    run = instance.create_run_for_job(
        defs.resolve_job_def(buffer_ingestion_weekly.name), status=dg.DagsterRunStatus.STARTED
    )
    assert watch.after(50) == []
    instance.report_run_failed(run)
    assert watch.after(0) == ["batch_w1"]


def test_an_older_cursor_makes_no_run_of_what_is_loaded(
    watch: Watch, drop: Drop, warehouse_dsn: str
) -> None:
    drop(1)
    load(warehouse_dsn, 1)
    watch.cursor = json.dumps({"batch_w1": "a stamp"})
    assert watch.after(0) == watch.after(2) == []


def test_an_old_file_that_is_restored_with_its_old_time_is_requested_at_once(
    watch: Watch, drop: Drop, warehouse_dsn: str
) -> None:
    path = drop(1)
    content, times = path.read_bytes(), path.stat()
    assert watch.after(0) == ["batch_w1"]
    keys = watch.keys
    load(warehouse_dsn, 1)
    drop(1, drifted=True)
    assert watch.after(0) == ["batch_w1"]
    keys += watch.keys
    load(warehouse_dsn, 1)
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert watch.after(0) == ["batch_w1"]
    assert len({*keys, *watch.keys}) == 3, "Dagster drops a request whose key it has seen"


def test_what_can_not_be_read_is_named_and_stops_no_other_week(watch: Watch, drop: Drop) -> None:
    path = drop(1)
    (path.parent / "batch_w2.parquet").symlink_to("gone.parquet")
    (path.parent / "batch_w3.parquet").mkdir()
    drop(4)
    assert watch.after(0) == ["batch_w1", "batch_w4"]
    assert watch.after(0) == []
    assert "skipped, can't be read: " in watch.reason
    assert "batch_w3.parquet: a folder without part files" in watch.reason
    (path.parent / "batch_w2.parquet").unlink()
    drop(2)
    assert watch.after(0) == ["batch_w2"]
