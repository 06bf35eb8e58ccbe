"""A retraining by the clock, for platforms that want one whether ratings drift or not."""

import datetime

import dagster as dg

from cinematch_dagster.defs.definition_settings import schedule_status
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retraining import jobs
from cinematch_dagster.defs.runs import REASON_TAG
from cinematch_dagster.warehouse.drift.histograms import loaded_weeks


@dg.schedule(
    job=jobs.trigger_retraining,
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
        tags={REASON_TAG: f"monthly retraining of {due:%Y-%m-%d}"},
    )
