"""Person as the UI launches them, with the real daemon, web server and run workers."""

import datetime
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cinematch_dagster.batches import batch_id, write_batch
from cinematch_dagster.local import platform
from cinematch_dagster.local.databases import warehouse_dsn
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings, load_settings
from tests.e2e.person import Person


@pytest.fixture(scope="module")
def settings(environment: dict[str, str]) -> Iterator[Settings]:
    more = {
        "CINEMATCH_DATA__WEEKS": "520",
        "CINEMATCH_DATA__FIRST_WEEK": "2010-01-04",
        "CINEMATCH_DRIFT__COUNT_THRESHOLD": "2",
        "CINEMATCH_RETRAINING__MINIMUM_BUFFER": "100000000",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (environment | more).items():
            patch.setenv(name, value)
        load_settings.cache_clear()
        yield load_settings()
    load_settings.cache_clear()


@pytest.fixture(scope="module")
def dagster(settings: Settings) -> Iterator[Person]:
    """The platform with the baseline loaded; the landing sensor would be faster than a person."""
    with ExitStack() as stack:
        stack.enter_context(platform.running(settings, lambda _: None))
        client = Person(f"http://127.0.0.1:{settings.dagster_port}")
        stack.callback(client.close)
        client.run_job("data_preparation")
        client.stop_sensor("landing_folder_sensor")
        yield client
    platform.stop(settings)


def drop(folder: Path, first: datetime.date, number: int) -> None:
    """200 ratings of week `number`, from 1."""
    n = np.arange(200)
    frame = pd.DataFrame(
        {
            "userId": (number * 1_000 + n).astype("int32"),
            "movieId": np.ones(200, "int32"),
            "rating": (n % 10 / 2 + 0.5).astype("float32"),
            "timestamp": 1_300_000_000 + number * 1_000 + n.astype("int64"),
        }
    )
    week = first + datetime.timedelta(weeks=number - 1)
    write_batch(folder, batch_id(week, first), frame, None)


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(warehouse_dsn(settings)) as connection:
        return connection.execute(query.encode()).fetchall()


def mondays(settings: Settings, first: int, last: int) -> list[datetime.date]:
    start = settings.data.first_week
    return [start + datetime.timedelta(weeks=n - 1) for n in range(first, last + 1)]


REPORTED = "SELECT week, min(id) FROM drift_alerts WHERE feature_name LIKE 'rating_mean' GROUP BY 1"


@pytest.mark.slow
@pytest.mark.lifecycle
@pytest.mark.timeout(1_300)
def test_seven_weeks_are_one_run_and_the_one_without_a_file_fails_alone(
    settings: Settings, dagster: Person
) -> None:
    weeks = mondays(settings, 1, 7)
    for number in (1, 2, 3, 4, 5, 7):  # the preparation cut weeks 1 to 5
        drop(settings.landing_dir, settings.data.first_week, number)
    assert dagster.backfill(weeks, seconds=240) == "COMPLETED_FAILED"
    (failed,) = dagster.runs(statuses=["FAILURE"])
    assert "batch_w6.parquet was expected" in dagster.failure(failed["runId"])
    loaded = rows(settings, "SELECT week FROM ingestion_metadata WHERE record_count = 200")
    assert sorted(week for (week,) in loaded) == [*weeks[:5], *weeks[6:]]

    def others_are_reported() -> bool:
        return len(rows(settings, REPORTED)) == 6

    dagster.wait(others_are_reported, seconds=120)  # by the follow-up sensor

    drop(settings.landing_dir, settings.data.first_week, 6)
    assert dagster.backfill([weeks[5]], seconds=120) == "COMPLETED_SUCCESS"
    dagster.wait(lambda: len(rows(settings, REPORTED)) == 7, seconds=60)


@pytest.mark.slow
def test_520_weeks_are_two_runs_in_order(settings: Settings, dagster: Person) -> None:
    for number in range(1, 521):
        drop(settings.landing_dir, settings.data.first_week, number)
    before = len(dagster.runs())
    started = time.monotonic()
    assert dagster.backfill(mondays(settings, 1, 520), seconds=900) == "COMPLETED_SUCCESS"
    sys.stderr.write(f"520 weeks took {time.monotonic() - started:.0f} s\n")
    # the buffer and the performance; then the reports, which depend on those of the weeks before
    assert len(dagster.runs()) == before + 2
    assert rows(
        settings,
        "SELECT count(*), sum(record_count) FROM ingestion_metadata WHERE batch_id <> 'baseline'",
    ) == [(520, 104_000)]
    assert rows(settings, "SELECT count(*) FROM ratings_buffer") == [(104_000,)]
    in_order = [week for week, _ in sorted(rows(settings, REPORTED), key=lambda row: row[1])]
    assert set(in_order) == set(mondays(settings, 1, 520))
    assert in_order[7:] == sorted(in_order[7:])
