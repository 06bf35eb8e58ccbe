"""Compare a week with what the model was trained on, and decide what follows."""

import datetime

import psycopg

from cinematch_dagster.drift import DriftPolicy, DriftReport, Histogram, ViewResult, assess
from cinematch_dagster.drift.secondary_metrics import SecondaryThresholds
from cinematch_dagster.warehouse.drift import alerts
from cinematch_dagster.warehouse.drift.histograms import Sides, compared_histograms
from cinematch_dagster.warehouse.drift.verdicts import record_report

DEFAULT_MARKS = SecondaryThresholds()


def week_report(
    connection: psycopg.Connection, week: datetime.date, policy: DriftPolicy
) -> DriftReport:
    """Compare a week, alone and cumulated, with the baseline that held in that week.

    A function of history alone: it gives the same report whenever it is computed. A week that was
    not loaded has an empty one, whatever the weeks before it have.
    """
    return assess_sides(compared_histograms(connection, [week])[week], policy)


def assess_sides(sides: Sides[Histogram], policy: DriftPolicy) -> DriftReport:
    """Compare both views with the baseline; a week without ratings has no weeks before it."""
    cumulative = sides.cumulative if sides.per_batch.any() else sides.per_batch
    return assess(sides.baseline, sides.per_batch, cumulative, policy)


def check_week(
    connection: psycopg.Connection,
    week: datetime.date,
    policy: DriftPolicy,
    secondary: SecondaryThresholds = DEFAULT_MARKS,
) -> DriftReport:
    """Compute a week's report, and write down one row for each test, and both views' verdicts.

    Args:
        connection: used within its current transaction.
        week: the Monday.
        policy: thresholds of today, which are written down with the verdict.
        secondary: from where the secondary metrics are marked as high, likewise.
    """
    report = week_report(connection, week, policy)
    views = (report.cumulative, report.per_batch)
    rows = [
        alerts.AlertRow(
            week=week,
            view=view.view,
            feature_name=test.feature_name,
            drift_score=test.score,
            threshold=test.threshold,
            alert_triggered=test.triggered,
            input_digest=report.input_digest,
            notes=_notes(view),
        )
        for view in views
        for test in view.tests
    ]
    alerts.record_alerts(connection, rows)
    record_report(connection, week, report, policy, secondary)
    return report


def _notes(view: ViewResult) -> str:
    p_value = "" if view.ks_p_value is None else f"; KS p-value {view.ks_p_value:.3g}"
    return f"{view.level.value}; {view.n} ratings{p_value}"
