"""Drift alerts: one row for each test of each check of a week."""

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import psycopg

from cinematch_dagster.warehouse.statements import query, scalar


@dataclass(frozen=True)
class AlertRow:
    """One test of one check of a week, whether it fired or not.

    Attributes:
        drift_score: a fraction, and `threshold` its limit.
        input_digest: names what was compared: the sha256 of the histograms.
    """

    week: datetime.date
    view: Literal["cumulative", "per_batch"]
    feature_name: str
    drift_score: float
    threshold: float
    alert_triggered: bool
    input_digest: str
    notes: str = ""


def record_alerts(connection: psycopg.Connection, rows: Sequence[AlertRow]) -> None:
    """Append a check's rows."""
    with connection.cursor() as cursor:
        cursor.executemany(query("drift/alert_insert"), [asdict(row) for row in rows])


def recorded_digests(connection: psycopg.Connection) -> dict[datetime.date, set[str]]:
    """Return what the latest check of each week rests on."""
    found = connection.execute(query("drift/recorded_digests"))
    return {week: set(input_digest) for week, input_digest in found}


def history_fingerprint(connection: psycopg.Connection) -> str:
    """Return a text that changes with loads, merges, promotions and decisions."""
    return str(scalar(connection, query("drift/history_fingerprint")))
