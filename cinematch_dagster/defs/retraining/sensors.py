"""The alert becomes a retraining: `drift_alert_sensor` watches `drift_report`."""

import datetime
from collections.abc import Iterator

import dagster as dg

from cinematch_dagster.defs.definition_settings import SENSOR_INTERVAL_SECONDS
from cinematch_dagster.defs.partitions import to_week
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.retraining import jobs
from cinematch_dagster.pipeline.retraining.decide import evaluate, undispatched
from cinematch_dagster.settings import Settings

DRIFT_REPORT = dg.AssetKey("drift_report")
PAGE = 1_000


@dg.asset_sensor(
    asset_key=DRIFT_REPORT,
    jobs=[jobs.trigger_retraining, jobs.github_retraining],
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Looks at every drift report since its cursor, decides once for all of them, writes the "
        "decision down and, where it is to retrain, requests training and registration."
    ),
)
def drift_alert_sensor(
    context: dg.SensorEvaluationContext,
    warehouse: WarehouseResource,
    settings: dg.ResourceParam[Settings],
) -> list[dg.RunRequest] | dg.SkipReason:
    """Evaluate all reports since the cursor in one decision.

    A tick that is evaluated again requests the same runs under the same run keys, of which
    Dagster starts each only once.
    """
    cursor = int(context.cursor or 0)
    reports = list(_since(context.instance, cursor))
    if not reports:  # reported by hand, or through the API, for no week
        return dg.SkipReason("No report names its week: a partition was expected")
    newest_id, newest_week = reports[-1]
    with warehouse.transaction() as connection:
        decision = evaluate(
            connection,
            weeks=[week for _, week in reports],
            run_key=f"{newest_week}:{newest_id}",
            now=datetime.datetime.now(datetime.UTC),
            criteria=settings.retraining,
            policy=settings.drift,
        )
        requested = undispatched(connection, cursor)
    if not requested:
        return dg.SkipReason(decision.reason)
    target = jobs.RETRAINING_TARGETS[settings.orchestration.retraining_target]
    return [target(made) for made in requested]


def _since(instance: dg.DagsterInstance, cursor: int) -> Iterator[tuple[int, datetime.date]]:
    """Yield storage id and week of every materialization after the cursor, oldest first.

    Dagster's own asset sensor hands over the newest one only.
    """
    records = dg.AssetRecordsFilter(asset_key=DRIFT_REPORT, after_storage_id=cursor)
    page_cursor: str | None = None
    more = True
    while more:
        page = instance.fetch_materializations(records, PAGE, page_cursor, ascending=True)
        for record in page.records:
            if record.partition_key is not None:
                yield record.storage_id, to_week(record.partition_key)
        page_cursor, more = page.cursor, page.has_more
