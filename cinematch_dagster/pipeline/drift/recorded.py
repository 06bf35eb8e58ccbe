"""The weeks as they were judged: read from what was written down, never judged again."""

import datetime

import psycopg

from cinematch_dagster.batches.weeks import WEEK
from cinematch_dagster.drift import Errors
from cinematch_dagster.drift.page import SLICES, Performance, Slice, WeekReport
from cinematch_dagster.warehouse.drift.performance import Measured, recorded_performance
from cinematch_dagster.warehouse.drift.verdicts import (
    Verdict,
    latest_verdicts,
    recorded_report,
)
from cinematch_dagster.warehouse.operations.week_history import loaded_batches


def recorded_weeks(
    connection: psycopg.Connection,
    last: datetime.date | None = None,
    count: int | None = None,
) -> list[WeekReport]:
    """Return the loaded weeks that have a verdict, in order, with how they were predicted.

    Args:
        connection: used within its current transaction.
        last: no week after this one; None for all.
        count: so many weeks up to `last`; None for all.
    """
    first = last - WEEK * (count - 1) if last and count else None
    measured = recorded_performance(connection)
    verdicts = latest_verdicts(connection, first, last)
    weeks = []
    for batch in loaded_batches(connection):
        found = verdicts.get(batch.week, {})
        report = recorded_report(found)
        if report:
            cumulative = found["cumulative"]
            performance = _performance(found.get("performance"), measured.get(batch.week))
            weeks.append(
                WeekReport(
                    batch.week,
                    batch.batch_id,
                    batch.injected,
                    report,
                    performance,
                    policy=cumulative.decided_under,
                    secondary=cumulative.secondary,
                )
            )
    return weeks


def _performance(verdict: Verdict | None, measured: Measured | None) -> Performance | None:
    """Put what was measured on a week and what was decided on it together."""
    if verdict is None or measured is None:
        return None
    scores = measured.scores
    return Performance(
        version=measured.version,
        own=Errors(**scores["own"]),
        overall=Slice(**scores["overall"]),
        slices={name: Slice(**scores[name]) for name in SLICES if scores[name]},
        verdict=verdict.as_performance(),
        policy=verdict.decided_under,
    )
