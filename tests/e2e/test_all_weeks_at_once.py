"""Every week dropped while the platform is down: one retraining, and none after a restart."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from cinematch_dagster.demo.orchestrator import Orchestrator
from cinematch_dagster.local import platform
from cinematch_dagster.local.databases import warehouse_dsn
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import Settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.lifecycle,
    pytest.mark.timeout(1_300),
]  # the platform starts three times

JOB = "trigger_retraining"


@contextmanager
def running(settings: Settings) -> Iterator[Orchestrator]:
    with ExitStack() as stack:
        stack.enter_context(platform.running(settings, lambda _: None))
        client = Orchestrator(f"http://127.0.0.1:{settings.dagster_port}")
        stack.callback(client.close)
        yield client


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(warehouse_dsn(settings)) as connection:
        return connection.execute(query.encode()).fetchall()


def drop_everything(settings: Settings) -> None:
    for folder in ("buffer_batches", "injected_batches"):
        for file in sorted((settings.prepared_dir / folder).glob("*.parquet")):
            shutil.copy(file, settings.landing_dir / file.name)


def test_all_weeks_at_once_lead_to_one_retraining_that_survives_restarts(
    settings: Settings,
) -> None:
    with running(settings) as dagster:
        dagster.run_job("data_preparation")
        dagster.run_job(JOB, "2023-12-25")

    drop_everything(settings)
    with running(settings) as dagster:  # the daemon finds all of them in its first tick

        def promoted_again() -> bool:
            return rows(settings, "SELECT count(*) FROM promotions") == [(2,)]

        dagster.wait_for("the retraining", promoted_again, seconds=240)
        dagster.wait_for(
            "the end of its run", lambda: len(dagster.runs(JOB, ["SUCCESS"])) == 2, seconds=60
        )
        (ingestion,) = dagster.runs("buffer_ingestion_weekly")
        tags = {tag["key"]: tag["value"] for tag in ingestion["tags"]}
        assert tags["dagster/asset_partition_range_start"] == "2024-01-01"
        assert tags["dagster/asset_partition_range_end"] == "2024-02-05"

    decisions = rows(
        settings, "SELECT decision, target_week::text, cardinality(weeks) FROM retraining_decisions"
    )
    assert decisions == [("trigger_actual", "2024-02-05", 6)]
    unused = rows(
        settings,
        "SELECT count(*) FROM drift_alerts a WHERE alert_triggered AND NOT EXISTS"
        " (SELECT FROM retraining_decisions d WHERE a.id = ANY (d.alert_ids))",
    )
    assert unused == [(0,)]

    with running(settings) as dagster:
        restarted = time.time()

        def both_sensors_have_looked() -> bool:
            return all(
                dagster.skip_reason(sensor, restarted, containing="")
                for sensor in ("landing_folder_sensor", "drift_alert_sensor")
            )

        dagster.wait_for("both sensors' ticks", both_sensors_have_looked, seconds=90)
        assert len(dagster.runs()) == 4  # preparation, first model, six weeks, retraining
    assert rows(settings, "SELECT count(*) FROM retraining_decisions") == [(1,)]
    platform.stop(settings)
