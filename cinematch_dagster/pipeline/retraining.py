"""Between station 2 and 3: drift reports are looked at, and one decision is written down."""

import datetime
from collections.abc import Sequence

import psycopg

from cinematch_dagster.drift import RetrainingCriteria, decide
from cinematch_dagster.warehouse import alerts
from cinematch_dagster.warehouse.alerts import Decision
from cinematch_dagster.warehouse.batches import buffer_status


def evaluate(
    connection: psycopg.Connection,
    weeks: Sequence[datetime.date],
    run_key: str,
    now: datetime.datetime,
    criteria: RetrainingCriteria,
) -> Decision:
    """Decide on the alerts that are open now, and write the decision; a replay finds the first.

    Args:
        connection: its transaction holds the reading of the alerts and the writing together.
        weeks: whose reports are the new evidence.
        run_key: names the evidence: `<week>:<storage id>` of the newest report.
        now: with its time zone.
        criteria: what is required.
    """
    alerts.take_turns(connection)
    if known := alerts.decision(connection, run_key):
        return known
    made = decide(
        alerts=alerts.open_alerts(connection),
        last_check=alerts.last_check(connection),
        buffer_size=buffer_status(connection)["total"],
        now=now,
        criteria=criteria,
    )
    decision = Decision(
        decision=made.decision,
        reason=made.reason,
        buffer_size=buffer_status(connection)["total"],
        drift_score=made.drift_score,
        alert_ids=made.alert_ids,
        weeks=tuple(sorted(set(weeks))),
        target_week=made.target_week,
        run_key=run_key,
    )
    alerts.record_decision(connection, decision)
    return decision


def unacknowledged(connection: psycopg.Connection, storage_id: int) -> list[Decision]:
    """Return the decisions to retrain that rest on evidence after `storage_id`, oldest first.

    When the daemon dies between a decision and its run, the next tick finds the decision here.
    """
    return [
        decision
        for decision in alerts.decisions_to_retrain(connection)
        if int(decision.run_key.rpartition(":")[2]) > storage_id
    ]
