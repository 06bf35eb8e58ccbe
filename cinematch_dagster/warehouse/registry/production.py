"""What served when, and the way back to what served before."""

import datetime
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from cinematch_dagster.warehouse.registry.promotions import Promotion, in_production
from cinematch_dagster.warehouse.schema import lock_registry
from cinematch_dagster.warehouse.statements import query, scalar


class RollbackError(ValueError):
    """Production can't be taken back to that version; the message says why."""


@dataclass(frozen=True)
class Period:
    """A time in which one version was in production.

    Attributes:
        since: when it was promoted, or production was taken back to it.
        until: when it was replaced; None while it serves.
        rolled_back_by: who took production back to it; None when the gate promoted it.
        dagster_run_id: empty when no run did it.
    """

    version: str
    from_version: str | None
    week: datetime.date
    since: datetime.datetime
    until: datetime.datetime | None
    reason: str
    rolled_back_by: str | None
    mlflow_run_id: str
    dagster_run_id: str


def periods(
    connection: psycopg.Connection,
    first: datetime.datetime | None = None,
    last: datetime.datetime | None = None,
) -> list[Period]:
    """Return what was in production at any time from `first` to `last`, the oldest first."""
    with connection.cursor(row_factory=class_row(Period)) as cursor:
        return cursor.execute(
            query("registry/production_periods"), {"first": first, "last": last}
        ).fetchall()


def record_rollback(
    connection: psycopg.Connection,
    to: str | None,
    *,
    why: str,
    who: str,
    dagster_run_id: str = "",
) -> Promotion:
    """Write that production goes back to a version; return the new row.

    The data stays where it is: what a promotion merged into `ratings` is not taken out again.

    Args:
        connection: used within its current transaction, which then excludes promotions.
        to: a version that served before; None for the one that the present version replaced when
            the gate promoted it. Two rollbacks in a row thus go back by two.
        why: a person's reason.
        who: did it.
        dagster_run_id: empty outside Dagster.

    Raises:
        RollbackError: no such version.
    """
    lock_registry(connection)
    present = in_production(connection)
    if present is None:
        raise RollbackError("nothing is in production yet: a promoted model was expected")
    target = to or replaced_by(connection, present.version)
    if target is None:
        raise RollbackError(f"version {present.version} is the first model: it replaced none")
    if target == present.version:
        raise RollbackError(f"version {target} is in production already")
    values = {
        "version": target,
        "from_version": present.version,
        "reason": f"Rolled back from version {present.version} by {who}: {why}",
        "dagster_run_id": dagster_run_id,
        "rolled_back_by": who,
    }
    with connection.cursor(row_factory=class_row(Promotion)) as cursor:
        found = cursor.execute(query("registry/rollback_insert"), values).fetchone()
    if found is None:
        served = ", ".join(served_versions(connection))
        raise RollbackError(f"version {target} never served (expected one of {served})")
    return found


def replaced_by(connection: psycopg.Connection, version: str) -> str | None:
    """Return what a version replaced when the gate promoted it; None for the first model."""
    found: str | None = scalar(connection, query("registry/replaced_by"), {"version": version})
    return found


def served_versions(connection: psycopg.Connection) -> list[str]:
    """Return every version that the gate promoted, the oldest first."""
    return [row[0] for row in connection.execute(query("registry/served_versions"))]
