"""When the ratings that people gave through the API become a week."""

import dagster as dg

from cinematch_dagster.defs.definition_settings import schedule_status
from cinematch_dagster.defs.ingestion import jobs

live_ratings_every_monday = dg.ScheduleDefinition(
    name="live_ratings_every_monday",
    job=jobs.live_ratings_weekly,
    cron_schedule="5 0 * * 1",
    execution_timezone="UTC",
    default_status=schedule_status("live_ratings_every_monday"),
    description="Every Monday at 0:05 UTC: the ratings of the week before.",
)
