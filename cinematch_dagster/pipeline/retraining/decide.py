"""Drift reports are looked at, and one decision is written down."""

import datetime
from collections.abc import Sequence
from dataclasses import replace

import psycopg

from cinematch_dagster.drift import DriftPolicy, RetrainingCriteria, decide
from cinematch_dagster.pipeline.drift.input_digest import is_current, stale_weeks
from cinematch_dagster.warehouse.ingestion.batches import buffer_status
from cinematch_dagster.warehouse.retraining import decisions
from cinematch_dagster.warehouse.retraining.decisions import Decision


def evaluate(
    connection: psycopg.Connection,
    weeks: Sequence[datetime.date],
    run_key: str,
    now: datetime.datetime,
    criteria: RetrainingCriteria,
    policy: DriftPolicy,
) -> Decision:
    """Decide on the alerts that are open now, and write the decision; a replay finds the first.

    Args:
        connection: its transaction holds the reading of the alerts and the writing together.
        weeks: whose reports are new.
        run_key: names the reports: `<week>:<storage id>` of the newest report.
        now: with its time zone.
        criteria: what is required.
        policy: of the reports.
    """
    decisions.lock_decisions(connection)
    if known := decisions.decision(connection, run_key):
        return known
    running = decisions.pending_decision(connection, _patience(criteria))
    buffer_size = buffer_status(connection)["total"]
    made = decide(
        alerts=[
            replace(alert, current=is_current(connection, alert, policy))
            for alert in decisions.open_alerts(connection)
        ],
        last_check=decisions.last_check(connection),
        buffer_size=buffer_size,
        now=now,
        criteria=criteria,
        running=running.target_week if running else None,
    )
    decision = Decision(
        decision=made.decision,
        reason=made.reason,
        buffer_size=buffer_size,
        drift_score=made.drift_score,
        alert_ids=made.alert_ids,
        weeks=tuple(sorted(set(weeks))),
        target_week=made.target_week,
        run_key=run_key,
    )
    decisions.record_decision(connection, decision)
    return decision


def _patience(criteria: RetrainingCriteria) -> datetime.timedelta:
    """How long a retraining of which nothing is heard counts as going on."""
    return datetime.timedelta(hours=criteria.alert_max_age_hours)


def undispatched(connection: psycopg.Connection, storage_id: int) -> list[Decision]:
    """Return the decisions to retrain that rest on reports after `storage_id`, oldest first.

    When the daemon dies between a decision and its run, the next tick finds the decision here.
    """
    return [
        decision
        for decision in decisions.decisions_to_retrain(connection)
        if int(decision.run_key.rpartition(":")[2]) > storage_id
    ]


def mark_trigger_failed(connection: psycopg.Connection, run_key: str, why: str) -> None:
    """Turn a decision to retrain into `trigger_failed`, which opens its alerts again."""
    decisions.lock_decisions(connection)
    decisions.record_failed_trigger(connection, run_key, why)


def weeks_to_report(
    connection: psycopg.Connection, criteria: RetrainingCriteria, policy: DriftPolicy
) -> list[datetime.date]:
    """Return the weeks to be reported once more, in order.

    Those whose inputs have changed, and the one that waited for a retraining that has ended.
    """
    weeks = set(stale_weeks(connection, policy))
    waiting = decisions.waiting_week(connection)
    if waiting and not decisions.pending_decision(connection, _patience(criteria)):
        weeks.add(waiting)
    return sorted(weeks)
