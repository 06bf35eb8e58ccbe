"""When the ratings that people gave through the API become a week."""

import dagster as dg

from cinematch_dagster.defs.ingestion.jobs import live_ratings_weekly

live_ratings_every_monday = dg.ScheduleDefinition(
    name="live_ratings_every_monday",
    job=live_ratings_weekly,
    cron_schedule="5 0 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every Monday at 0:05 UTC: the ratings of the week before.",
)
