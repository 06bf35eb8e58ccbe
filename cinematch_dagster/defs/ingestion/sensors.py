"""A file in the landing folder makes its week's run by itself."""

import json
from collections.abc import Mapping

import dagster as dg

from cinematch_dagster.defs.ingestion.jobs import buffer_ingestion_weekly
from cinematch_dagster.defs.ingestion.landing import Arrival, arrivals, fresh, stretches
from cinematch_dagster.defs.partitions import range_tags
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.batches import known_batches


@dg.sensor(
    job=buffer_ingestion_weekly,
    minimum_interval_seconds=load_settings().orchestration.sensor_interval_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks for new or changed batch files: one run per unbroken stretch of weeks.",
)
def landing_folder_sensor(
    context: dg.SensorEvaluationContext, warehouse: WarehouseResource
) -> dg.SensorResult:
    """Request the weeks whose file is new; a file that was loaded already is named and left."""
    settings = load_settings()
    seen: Mapping[str, str] = json.loads(context.cursor or "{}")
    found, strangers = arrivals(settings.landing_dir, settings.data.first_week, settings.data.weeks)
    new = fresh(found, seen)
    if not new:
        return dg.SensorResult(skip_reason=_nothing_new(found, strangers))
    with warehouse.transaction() as connection:
        loaded = known_batches(connection)
    repeated = [a for a in new if loaded.get(a.batch_id) == (a.sha256, "completed")]
    requests = [_request(s) for s in stretches([a for a in new if a not in repeated])]
    names = ", ".join(a.batch_id for a in repeated)
    return dg.SensorResult(
        run_requests=requests,
        cursor=json.dumps({a.batch_id: a.stamp for a in found}),
        skip_reason=None
        if requests
        else f"{names}: the file holds what was loaded already, so nothing changes",
    )


def _request(stretch: list[Arrival]) -> dg.RunRequest:
    first, last = stretch[0], stretch[-1]
    return dg.RunRequest(
        run_key=" ".join(f"{a.batch_id}@{a.stamp}" for a in (first, last)),
        tags={
            **range_tags(first.week, last.week),
            "cinematch/batches": ", ".join(a.batch_id for a in stretch),
        },
    )


def _nothing_new(found: list[Arrival], strangers: list[str]) -> str:
    newest = f"the newest of {len(found)} is {found[-1].batch_id}" if found else "it is empty"
    ignored = f"; ignored, no week has this name: {', '.join(strangers)}" if strangers else ""
    return f"No new file in the landing folder: {newest}{ignored}"
