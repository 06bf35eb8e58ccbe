"""Station 2: compare a week with what the model was trained on, and decide what follows."""

import datetime

import psycopg

from cinematch_dagster.drift import (
    DriftPolicy,
    DriftReport,
    ViewResult,
    assess,
)
from cinematch_dagster.warehouse.drift import alerts
from cinematch_dagster.warehouse.drift.histograms import (
    baseline_histogram,
    batch_histogram,
    cumulative_histogram,
)


def week_report(
    connection: psycopg.Connection, week: datetime.date, policy: DriftPolicy
) -> DriftReport:
    """Compare a week, alone and cumulated, with the baseline that held in that week.

    A function of history alone: it gives the same report whenever it is computed. A week that was
    not loaded has an empty one, whatever the weeks before it have.
    """
    batch = batch_histogram(connection, week)
    return assess(
        baseline=baseline_histogram(connection, week),
        per_batch=batch,
        cumulative=cumulative_histogram(connection, week) if batch.any() else batch,
        policy=policy,
    )


def check_week(
    connection: psycopg.Connection, week: datetime.date, policy: DriftPolicy
) -> DriftReport:
    """Compute a week's report and write one row per test of each view that may alert."""
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
            evidence=report.evidence,
            notes=_notes(view),
        )
        for view in views
        if view.view in policy.alerting_views
        for test in view.tests
    ]
    alerts.record_alerts(connection, rows)
    return report


def _notes(view: ViewResult) -> str:
    p_value = "" if view.ks_p_value is None else f"; KS p-value {view.ks_p_value:.3g}"
    return f"{view.level.value}; {view.n} ratings{p_value}"
