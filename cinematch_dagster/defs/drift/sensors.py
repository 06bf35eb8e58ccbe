"""Retrainings that failed are requested again; reports whose inputs changed are made again."""

import json
from dataclasses import asdict, dataclass
from time import time

import dagster as dg

from cinematch_dagster.defs.dagster_internals import ASSET_JOB, RETRIED_TAG, requested_backfills
from cinematch_dagster.defs.definition_settings import SENSOR_INTERVAL_SECONDS
from cinematch_dagster.defs.drift import jobs
from cinematch_dagster.defs.ingestion import jobs as ingestion_jobs
from cinematch_dagster.defs.partitions import consecutive, range_tags
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.defs.runs import (
    DECISION_TAG,
    GIVEN_UP,
    REASON_TAG,
    again_at,
    going_on,
)
from cinematch_dagster.pipeline.retraining.decide import mark_trigger_failed, weeks_to_report
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.drift.alerts import history_fingerprint
from cinematch_dagster.warehouse.retraining.decisions import pending_decision

NOTHING_NEW = "No load, promotion or decision since the last look"
WRITES_REPORTS = [
    ingestion_jobs.buffer_ingestion_weekly.name,
    jobs.drift_monitoring.name,
    ASSET_JOB,
]


@dataclass(frozen=True)
class StaleReportsCursor:
    """The sensor's cursor: what there was at the last look, and how often it requested reports.

    Attributes:
        fingerprint: of history.
        at: when (unix seconds) reports were requested last.
        times: how often since history changed; 0 where no report was out of date.
    """

    fingerprint: str = ""
    at: float = 0.0
    times: int = 0

    @classmethod
    def read(cls, cursor: str | None) -> "StaleReportsCursor":
        """Read the cursor; that of an older version was the fingerprint alone."""
        if cursor and not cursor.startswith("{"):
            return cls(cursor)
        return cls(**json.loads(cursor or "{}"))


@dg.sensor(
    job=jobs.drift_monitoring,
    minimum_interval_seconds=SENSOR_INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Requests the reports again that a late or corrected week, a promotion or a rollback has "
        "overtaken, in order, and writes down retrainings that have failed for good. Reports whose "
        "run failed are requested again later, ever more seldom."
    ),
)
def follow_up_sensor(
    context: dg.SensorEvaluationContext,
    warehouse: WarehouseResource,
    settings: dg.ResourceParam[Settings],
) -> dg.SensorResult:
    """Look whether anything that a report rests on has changed since the last look."""
    now = time()
    last = StaleReportsCursor.read(context.cursor)
    with warehouse.transaction() as connection:
        pending = pending_decision(connection)
        if pending and (why := _given_up(context.instance, pending.run_key)):
            mark_trigger_failed(connection, pending.run_key, why)
        fingerprint = history_fingerprint(connection)
        if fingerprint != last.fingerprint:
            last = StaleReportsCursor(fingerprint)
        elif not last.times or again_at(last.at, last.times) > now:
            return dg.SensorResult(skip_reason=NOTHING_NEW)
        if going_on := _names_of_runs(context.instance):
            return dg.SensorResult(skip_reason=f"Waits for the end of {going_on}")
        weeks = weeks_to_report(connection, settings.retraining, settings.drift)
    seen = (
        StaleReportsCursor(fingerprint, now, last.times + 1)
        if weeks
        else StaleReportsCursor(fingerprint)
    )
    again = f" try {seen.times}" if seen.times > 1 else ""
    return dg.SensorResult(
        cursor=json.dumps(asdict(seen)),
        run_requests=[
            dg.RunRequest(
                run_key=f"{stretch[0]} {stretch[-1]} {fingerprint}{again}",
                tags={
                    **range_tags(stretch[0], stretch[-1]),
                    REASON_TAG: "what these reports rest on has changed",
                },
            )
            for stretch in consecutive(weeks, lambda week: week)
        ],
        skip_reason=None if weeks else "Every report rests on what the warehouse holds",
    )


def _given_up(instance: dg.DagsterInstance, run_key: str) -> str | None:
    """Return what became of a decision's newest run when it can't succeed any more."""
    newest = instance.get_runs(dg.RunsFilter(tags={DECISION_TAG: run_key}), limit=1)
    for run in newest:
        if run.status in GIVEN_UP and run.tags.get(RETRIED_TAG) != "true":
            return f"run {run.run_id} ended as {run.status.value}"
    return None


def _names_of_runs(instance: dg.DagsterInstance) -> str:
    """Name the runs, and the backfills, that are about to write reports."""
    runs = going_on(instance, WRITES_REPORTS)
    return ", ".join(
        [f"{run.job_name} ({run.run_id[:8]})" for run in runs]
        + [f"backfill {backfill}" for backfill in requested_backfills(instance)]
    )
