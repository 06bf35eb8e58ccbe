"""A file in the landing folder makes its week's run by itself."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from time import time

import dagster as dg

from cinematch_dagster.defs.dagster_internals import ASSET_JOB
from cinematch_dagster.defs.definition_settings import SENSOR_INTERVAL_SECONDS
from cinematch_dagster.defs.ingestion import jobs
from cinematch_dagster.defs.partitions import consecutive, range_tags
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.runs import again_at, going_on
from cinematch_dagster.pipeline.ingestion.landing import (
    Arrival,
    Landed,
    RequestedFile,
    arrivals,
    fresh,
    readable,
)
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.ingestion.batches import finalized, known_batches

LOADS = [jobs.buffer_ingestion_weekly.name, ASSET_JOB]


@dg.sensor(
    job=jobs.buffer_ingestion_weekly,
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Looks for new or changed batch files: one run per unbroken stretch of weeks. A file whose "
        "run was neither able to load nor to refuse it is tried again later, ever more seldom."
    ),
)
def landing_folder_sensor(
    context: dg.SensorEvaluationContext,
    warehouse: WarehouseResource,
    settings: dg.ResourceParam[Settings],
) -> dg.SensorResult:
    """Request the weeks whose file is new; a file that was loaded already is named and left."""
    now = time()
    seen = _read(context.cursor)
    landed = arrivals(settings.landing_dir, settings.data.first_week, settings.data.weeks)
    new = readable(landed, fresh(landed.found, seen))
    found = landed.found
    if landed.unreadable:
        context.log.warning(_unreadable(landed))
    with warehouse.transaction() as connection:
        loaded = known_batches(connection)
        due = {
            a.batch_id: seen[a.batch_id].sha256
            for a in found
            if a not in new and again_at(seen[a.batch_id].at, seen[a.batch_id].times) <= now
        }
        lost = due.keys() - finalized(connection, due)
    if lost and going_on(context.instance, LOADS):
        lost = set()  # it may be one of these
    if not (new or lost):
        return dg.SensorResult(skip_reason=_nothing_new(landed))
    repeated = [a for a in new if loaded.get(a.batch_id) == (a.sha256, "completed")]
    noted = {a.batch_id: RequestedFile(a.stamp, a.sha256, now) for a in new}
    noted |= {name: replace(seen[name], at=now, times=seen[name].times + 1) for name in lost}
    wanted = [a for a in found if (a in new and a not in repeated) or a.batch_id in lost]
    stretches = consecutive(wanted, lambda arrival: arrival.week)
    requests = [_request(stretch, noted) for stretch in stretches]
    names = ", ".join(a.batch_id for a in repeated)
    return dg.SensorResult(
        run_requests=requests,
        cursor=json.dumps(
            {a.batch_id: asdict(noted.get(a.batch_id) or seen[a.batch_id]) for a in found}
        ),
        skip_reason=None
        if requests
        else f"{names}: the file holds what was loaded already, so nothing changes",
    )


def _read(cursor: str | None) -> dict[str, RequestedFile]:
    """Read the cursor; what an older version of it says of a file is forgotten."""
    noted = json.loads(cursor or "{}").items()
    return {name: RequestedFile(**values) for name, values in noted if isinstance(values, dict)}


def _request(stretch: list[Arrival], noted: Mapping[str, RequestedFile]) -> dg.RunRequest:
    first, last = stretch[0], stretch[-1]
    tries = max(noted[a.batch_id].times for a in stretch)
    return dg.RunRequest(
        run_key=" ".join(f"{a.batch_id}@{a.stamp}" for a in (first, last))
        + (f" try {tries}" if tries > 1 else ""),
        tags={
            **range_tags(first.week, last.week),
            "cinematch/batches": ", ".join(a.batch_id for a in stretch),
        },
    )


def _nothing_new(landed: Landed) -> str:
    found, unknown = landed.found, landed.unknown
    newest = f"the newest of {len(found)} is {found[-1].batch_id}" if found else "it is empty"
    ignored = f"; ignored, no week has this name: {', '.join(unknown)}" if unknown else ""
    skipped = f"; {_unreadable(landed)}" if landed.unreadable else ""
    return f"No new file in the landing folder: {newest}{ignored}{skipped}"


def _unreadable(landed: Landed) -> str:
    return f"skipped, can't be read: {', '.join(landed.unreadable.values())}"
