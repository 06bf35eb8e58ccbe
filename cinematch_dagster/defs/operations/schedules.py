"""When the database is put in order, and when it is checked that nothing has fallen silent."""

import dagster as dg

from cinematch_dagster.defs.definition_settings import schedule_status
from cinematch_dagster.defs.operations import jobs

database_maintenance_weekly = dg.ScheduleDefinition(
    name="database_maintenance_weekly",
    job=jobs.database_maintenance,
    cron_schedule="0 4 * * 0",
    execution_timezone="UTC",
    default_status=schedule_status("database_maintenance_weekly"),
    description="Every Sunday at 4:00 UTC, when few ratings arrive.",
)

freshness_hourly = dg.ScheduleDefinition(
    name="freshness_hourly",
    job=jobs.freshness_checks,
    cron_schedule="30 * * * *",
    execution_timezone="UTC",
    default_status=schedule_status("freshness_hourly"),
    description="Half past every hour: silence shows up as a failed check.",
)
