import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cinematch_dagster.defs.operations.assets import database_size
from cinematch_dagster.defs.operations.jobs import database_maintenance
from cinematch_dagster.defs.operations.schedules import database_maintenance_weekly
from cinematch_dagster.defs.resources import RESOURCES
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.drift.alerts import AlertRow, record_alerts

DAY = datetime.timedelta(days=1)


@pytest.fixture
def alerts(loaded_baseline: Path, warehouse_dsn: str) -> str:
    """A baseline, and one alert each of today and of 31 days ago; returns the DSN."""
    assert loaded_baseline.is_dir()
    row = AlertRow(datetime.date(2024, 1, 1), "cumulative", "rating_mean", 0.2, 0.1, True, "sha")
    with connect(warehouse_dsn) as connection:
        record_alerts(connection, [row, row])
        connection.execute("ALTER TABLE drift_alerts DISABLE TRIGGER USER")
        connection.execute(
            "UPDATE drift_alerts SET alert_date = alert_date - %s WHERE id = 1", [31 * DAY]
        )
        connection.execute("ALTER TABLE drift_alerts ENABLE TRIGGER USER")
    return warehouse_dsn


def test_the_job_archives_old_alerts_and_shows_the_sizes(
    alerts: str, instance: dg.DagsterInstance
) -> None:
    definitions = dg.Definitions(
        assets=[database_size],
        jobs=[database_maintenance],
        schedules=[database_maintenance_weekly],
        resources=RESOURCES,
    )
    job = definitions.resolve_job_def("database_maintenance")
    result = job.execute_in_process(instance=instance)
    (event,) = result.get_asset_materialization_events()
    metadata: dict[str, Any] = {name: v.value for name, v in event.materialization.metadata.items()}
    assert metadata["alerts archived"] == 1
    assert metadata["database, MB"] > metadata["ratings, MB"] > 0.1
    assert "| ratings | 4,000 | " in metadata["tables"]
    with connect(alerts) as connection:
        left = connection.execute("SELECT id FROM drift_alerts").fetchall()
    assert left == [(2,)]


def test_the_schedule_is_weekly_and_stopped_until_somebody_starts_it() -> None:
    assert database_maintenance_weekly.default_status == dg.DefaultScheduleStatus.STOPPED
    assert database_maintenance_weekly.cron_schedule == "0 4 * * 0"
    assert database_maintenance_weekly.job_name == "database_maintenance"
