"""When the database is maintained, once somebody switches the schedule on."""

import dagster as dg

from cinematch_dagster.defs.operations.jobs import database_maintenance

database_maintenance_weekly = dg.ScheduleDefinition(
    name="database_maintenance_weekly",
    job=database_maintenance,
    cron_schedule="0 4 * * 0",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every Sunday at 4:00 UTC, when few ratings arrive. Off until it is started.",
)
