"""The weeks as they were judged: read from what was written down, never judged again."""

import datetime

import psycopg

from cinematch_dagster.batches.weeks import WEEK
from cinematch_dagster.drift.page import WeekReport
from cinematch_dagster.warehouse.drift.verdicts import latest_verdicts, recorded_report
from cinematch_dagster.warehouse.drift.weekly_performance import recorded_performance
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
    verdicts = latest_verdicts(connection, first, last)
    predicted = {
        week: each["performance"] for week, each in verdicts.items() if "performance" in each
    }
    performance = recorded_performance(connection, predicted)
    weeks = []
    for batch in loaded_batches(connection):
        found = verdicts.get(batch.week, {})
        report = recorded_report(found)
        if report:
            cumulative = found["cumulative"]
            weeks.append(
                WeekReport(
                    batch.week,
                    batch.batch_id,
                    batch.injected,
                    report,
                    performance.get(batch.week),
                    policy=cumulative.decided_under,
                    secondary=cumulative.secondary,
                )
            )
    return weeks
