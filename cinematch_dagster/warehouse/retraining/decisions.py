"""Open alerts, and the decisions that were based on them."""

import datetime
from dataclasses import asdict, dataclass
from typing import Literal

import psycopg
from psycopg.rows import class_row

from cinematch_dagster.drift import Alert
from cinematch_dagster.warehouse.schema import DECISIONS
from cinematch_dagster.warehouse.statements import query, scalar


@dataclass(frozen=True)
class Decision:
    """A decision about retraining.

    Attributes:
        buffer_size: ratings in the buffer at that time.
        alert_ids: the alerts that it used up.
        weeks: of the reports looked at.
        target_week: the week to train; None when there is nothing to train. With `no_action` the
            week that waits until the retraining that is going on has ended.
        run_key: names the reports looked at; there is one decision for each.
    """

    decision: Literal["trigger_actual", "trigger_failed", "no_action"]
    reason: str
    buffer_size: int
    drift_score: float | None
    alert_ids: tuple[int, ...]
    weeks: tuple[datetime.date, ...]
    target_week: datetime.date | None
    run_key: str

    def __post_init__(self) -> None:
        # The database gives lists.
        object.__setattr__(self, "alert_ids", tuple(self.alert_ids))
        object.__setattr__(self, "weeks", tuple(self.weeks))


def last_check(connection: psycopg.Connection) -> datetime.datetime | None:
    """Return when drift was last checked, whatever the outcome; None before the first check."""
    checked: datetime.datetime | None = scalar(
        connection, b"SELECT max(alert_date) FROM drift_alerts"
    )
    return checked


def open_alerts(connection: psycopg.Connection) -> list[Alert]:
    """Return the alerts that still ask for a retraining, the oldest first.

    Those that fired in the latest check of their week, test and view, and whose week, test and
    inputs no decision to retrain has used up: the same inputs, found again, do not ask again.
    """
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute(query("retraining/open_alerts")).fetchall()


def lock_decisions(connection: psycopg.Connection) -> None:
    """Wait until no other transaction is deciding; holds until this one ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [DECISIONS])


def record_decision(connection: psycopg.Connection, decision: Decision) -> None:
    """Write a decision; the first one of a run key stays."""
    values = asdict(decision)
    lists = {name: list(values[name]) for name in ("alert_ids", "weeks")}
    connection.execute(query("retraining/decision_insert"), values | lists)


def decision(connection: psycopg.Connection, run_key: str) -> Decision | None:
    """Return the decision made on these reports, if there is one."""
    with connection.cursor(row_factory=class_row(Decision)) as cursor:
        return cursor.execute(query("retraining/decision"), {"run_key": run_key}).fetchone()


def decisions_to_retrain(connection: psycopg.Connection) -> list[Decision]:
    """Return every decision to retrain, the oldest first."""
    with connection.cursor(row_factory=class_row(Decision)) as cursor:
        return cursor.execute(query("retraining/decisions_to_retrain")).fetchall()


def record_failed_trigger(connection: psycopg.Connection, run_key: str, why: str) -> None:
    """Turn the decision to retrain with this run key into one that failed, for this reason."""
    connection.execute(query("retraining/decision_failed"), {"run_key": run_key, "why": why})


def pending_decision(
    connection: psycopg.Connection, max_age: datetime.timedelta | None = None
) -> Decision | None:
    """Return the newest decision to retrain of whose model nothing has been decided yet."""
    with connection.cursor(row_factory=class_row(Decision)) as cursor:
        return cursor.execute(query("retraining/decision_pending"), {"max_age": max_age}).fetchone()


def waiting_week(connection: psycopg.Connection) -> datetime.date | None:
    """Return the week that the newest decision left waiting for a retraining, if it did."""
    found = connection.execute(query("retraining/decision_waiting")).fetchone()
    return found[0] if found else None
