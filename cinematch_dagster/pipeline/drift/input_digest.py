"""Whether what was found out about a week still rests on what the warehouse holds.

What a week is compared with is a function of history, and its input digest tells whether that is
the same: a late or corrected week, a promotion and a rollback all show as a digest that has
changed.
"""

import datetime
import hashlib
from collections.abc import Sequence

import psycopg

from cinematch_dagster.drift import Alert, DriftPolicy, DriftReport
from cinematch_dagster.pipeline.drift.report import assess_sides
from cinematch_dagster.warehouse.drift.alerts import recorded_digests
from cinematch_dagster.warehouse.drift.histograms import compared_histograms, loaded_weeks
from cinematch_dagster.warehouse.ingestion.metadata import IngestionError, loaded_batch
from cinematch_dagster.warehouse.registry.promotions import in_production


def performance_digest(version: str, sha256: str) -> str:
    """Return the sha256 (hex) of a version and the sha256 of a week's file."""
    return hashlib.sha256(f"{version} {sha256}".encode()).hexdigest()


def current_digests(
    connection: psycopg.Connection, weeks: Sequence[datetime.date], policy: DriftPolicy
) -> dict[datetime.date, set[str]]:
    """Return the input digests that some weeks' reports and performance would have now.

    Only of what would be written down: a week with too few ratings to test has none.
    """
    return {
        week: _digests(assess_sides(sides, policy)) | _performance_digests(connection, week)
        for week, sides in compared_histograms(connection, weeks).items()
    }


def _digests(report: DriftReport) -> set[str]:
    return {report.input_digest} if report.cumulative.tests or report.per_batch.tests else set()


def _performance_digests(connection: psycopg.Connection, week: datetime.date) -> set[str]:
    champion = in_production(connection, before=week)
    try:
        if champion:
            sha256 = loaded_batch(connection, week).sha256
            return {performance_digest(champion.version, sha256)}
    except IngestionError:
        pass  # not loaded: nothing to predict
    return set()


def is_current(connection: psycopg.Connection, alert: Alert, policy: DriftPolicy) -> bool:
    """Whether an alert still says something about the model in production.

    It doesn't once that model is of the alert's week or a later one, or once the week would be
    compared with something else than it was.
    """
    champion = in_production(connection)
    if champion and champion.week >= alert.week:
        return False
    return alert.input_digest in current_digests(connection, [alert.week], policy)[alert.week]


def stale_weeks(connection: psycopg.Connection, policy: DriftPolicy) -> list[datetime.date]:
    """Return the loaded weeks whose newest report has another input digest than it would now."""
    recorded = recorded_digests(connection)
    current = current_digests(connection, loaded_weeks(connection), policy)
    return [week for week, digests in current.items() if digests - recorded.get(week, set())]
