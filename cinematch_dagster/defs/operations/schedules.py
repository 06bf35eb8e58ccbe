"""What runs by the clock; `orchestration.schedules_on` says which of them without being asked."""

import datetime

import dagster as dg

from cinematch_dagster.defs.operations.jobs import database_maintenance, freshness_checks
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retraining.jobs import trigger_retraining
from cinematch_dagster.defs.schedule_defaults import schedule_status
from cinematch_dagster.warehouse.drift.histograms import loaded_weeks

database_maintenance_weekly = dg.ScheduleDefinition(
    name="database_maintenance_weekly",
    job=database_maintenance,
    cron_schedule="0 4 * * 0",
    execution_timezone="UTC",
    default_status=schedule_status("database_maintenance_weekly"),
    description="Every Sunday at 4:00 UTC, when few ratings arrive.",
)

freshness_hourly = dg.ScheduleDefinition(
    name="freshness_hourly",
    job=freshness_checks,
    cron_schedule="30 * * * *",
    execution_timezone="UTC",
    default_status=schedule_status("freshness_hourly"),
    description="Half past every hour: silence shows up as a failed check.",
)


@dg.schedule(
    job=trigger_retraining,
    cron_schedule="0 3 1 * *",
    execution_timezone="UTC",
    default_status=schedule_status("retraining_monthly"),
    description="On the first of a month at 3:00 UTC a model of the newest week, drift or not.",
)
def retraining_monthly(
    context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
) -> dg.RunRequest | dg.SkipReason:
    """Request the newest loaded week, once for each time that it is due."""
    with warehouse.transaction() as connection:
        weeks = loaded_weeks(connection)
    if not weeks:
        return dg.SkipReason("no week is loaded: there is nothing new to train on")
    due: datetime.datetime = context.scheduled_execution_time
    return dg.RunRequest(
        run_key=f"{due:%Y-%m-%d}",
        partition_key=weeks[-1].isoformat(),
        tags={"cinematch/reason": f"monthly retraining of {due:%Y-%m-%d}"},
    )
