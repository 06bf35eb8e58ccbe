"""`pages_sensor` shows what has changed; `notice_sensor` tells a webhook of it."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

import dagster as dg
import psycopg

from cinematch_dagster.defs.dagster_internals import (
    FAILED_CHECKS_ERROR,
    PARTITION_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
    RETRIED_TAG,
    ErrorInfo,
)
from cinematch_dagster.defs.definition_settings import NOTICES_STATUS, SENSOR_INTERVAL_SECONDS
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.pipeline.operations import pages
from cinematch_dagster.pipeline.operations.notices import Notice, NoticeError, due, send
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.operations.notice_events import (
    drift_since,
    newest_rows,
    promotions_since,
)

KEPT = 7 * 86_400  # seconds that a dedup key is remembered, at least


@dataclass
class NoticeCursor:
    """The sensor's cursor: up to where everything was told, and when each dedup key was."""

    alert: int
    promotion: int
    failure: float
    keys: dict[str, float] = field(default_factory=dict)


@dg.sensor(
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Writes the pages of the weeks on which something has changed (a load, a verdict, a "
        "decision, a promotion, a rollback), the index and the dashboard's data, and reports it as "
        "a materialization of `platform_pages`. No run is needed for it."
    ),
)
def pages_sensor(
    warehouse: WarehouseResource, settings: dg.ResourceParam[Settings]
) -> dg.SensorResult:
    """Write what has changed, some weeks a tick: the next one goes on."""
    with warehouse.transaction() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        written = pages.write_pages(connection, settings, pages.MOST_AT_ONCE)
    if not written:
        return dg.SensorResult(skip_reason="No week's page has changed; the dashboard is current")
    named = [week.isoformat() for week in written]
    reported = dg.AssetMaterialization(
        "platform_pages",
        metadata={
            "pages written": len(written),
            "weeks": ", ".join(named),
            "newest": dg.MetadataValue.url(f"{settings.reports_url}/{named[-1]}.html"),
        },
    )
    return dg.SensorResult(asset_events=[reported], skip_reason=f"Wrote {len(written)} pages")


@dg.sensor(
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    default_status=NOTICES_STATUS,
    description=(
        "Tells a webhook of failed runs, drift, promotions and rollbacks, each once within the "
        "cool-down. A webhook that is down delays the notices and nothing else."
    ),
)
def notice_sensor(
    context: dg.SensorEvaluationContext,
    warehouse: WarehouseResource,
    settings: dg.ResourceParam[Settings],
) -> dg.SensorResult:
    """Tell what happened since the last tick; what did not arrive is told by the next one."""
    if settings.notices.webhook_url is None:
        return dg.SensorResult(skip_reason="notices.webhook_url is not set")
    now = time.time()
    with warehouse.transaction() as connection:
        if context.cursor is None:
            cursor = NoticeCursor(*newest_rows(connection), now)
            return _result(cursor, "Nothing is told of what happened before this first look")
        cursor = NoticeCursor(**json.loads(context.cursor))
        after = NoticeCursor(cursor.alert, cursor.promotion, cursor.failure)
        news = [*_failures(context.instance, after, settings), *_rows(connection, after, settings)]
    cooldown = settings.notices.cooldown_minutes * 60
    chosen = due(news, cursor.keys, now, cooldown)
    for number, notice in enumerate(chosen):
        try:
            send(notice, settings.notices)
        except NoticeError as error:
            return _result(cursor, f"{len(chosen) - number} notices wait: {error}")
        cursor.keys[notice.dedup_key] = now
    recent = {k: at for k, at in cursor.keys.items() if now - at < max(KEPT, cooldown)}
    after.keys = recent
    return _result(after, f"{len(chosen)} told, {len(news) - len(chosen)} told already")


def _result(cursor: NoticeCursor, said: str) -> dg.SensorResult:
    return dg.SensorResult(cursor=json.dumps(asdict(cursor)), skip_reason=said)


def _failures(
    instance: dg.DagsterInstance, after: NoticeCursor, settings: Settings
) -> Iterator[Notice]:
    """Yield a notice for each run that failed for good, and move `after` past it.

    Runs come in the order in which they were made, and end in another.
    """
    since = after.failure
    failed = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
    records = instance.get_run_records(failed, limit=100)  # newest first
    for record in reversed(records):
        ended, run = record.end_time or 0.0, record.dagster_run
        if ended <= since or run.tags.get(RETRIED_TAG) == "true":
            continue
        after.failure = max(after.failure, ended)
        subject = " ".join(filter(None, [run.job_name, _weeks(run.tags)]))
        yield Notice(
            kind="failure",
            subject=subject,
            title=f"{subject} failed",
            text=_why(instance, run.run_id),
            link=f"http://127.0.0.1:{settings.dagster_port}/runs/{run.run_id}",
        )


def _weeks(tags: Mapping[str, str]) -> str | None:
    """Name the partition of a run, or its first and last one."""
    first, last = tags.get(RANGE_START_TAG), tags.get(RANGE_END_TAG)
    if first is None or first == last:
        return first or tags.get(PARTITION_TAG)
    return f"{first} to {last}"


def _why(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return what each failed step's error says, else what Dagster says of the run."""
    steps = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    said = [
        f"{event.step_key}: {_first_cause(error)}"
        for entry in steps
        if (event := entry.dagster_event) and (error := event.step_failure_data.error)
    ]
    return "; ".join(said) or f"run {run_id} ended without a failed step: its worker is gone"


def _first_cause(error: ErrorInfo) -> str:
    """Return the line that says most: of what was raised first, not of Dagster's wrapper.

    Dagster names failed checks in the lines below its sentence.
    """
    while error.cause:
        error = error.cause
    lines = [line.strip() for line in error.message.strip().splitlines()]
    names_below = error.cls_name == FAILED_CHECKS_ERROR
    return " ".join(lines if names_below else lines[:1])


def _rows(
    connection: psycopg.Connection, after: NoticeCursor, settings: Settings
) -> Iterator[Notice]:
    """Yield a notice for each week that alerted and each promotion, and move `after` past them."""
    for number, week, tests in drift_since(connection, after.alert):
        after.alert = number
        yield Notice(
            kind="drift",
            subject=str(week),
            title=f"Drift in week {week}",
            text=tests,
            link=f"{settings.reports_url}/{week}.html",
        )
    for number, version, reason, back in promotions_since(connection, after.promotion):
        after.promotion = number
        yield Notice(
            kind="rollback" if back else "promotion",
            subject=f"version {version}",
            title=f"Version {version} is {'back ' if back else ''}in production",
            text=reason,
            link=f"http://127.0.0.1:{settings.mlflow_port}/#/models",
        )
