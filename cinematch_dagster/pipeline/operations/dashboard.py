"""The data of the dashboard, which the API shows without a database."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from cinematch_dagster.drift.page import WeekReport
from cinematch_dagster.warehouse.operations.dashboard import MOST_ROWS, dashboard

Row = dict[str, Any]


def snapshot(connection: psycopg.Connection, history: Sequence[WeekReport]) -> dict[str, Any]:
    """Return what the warehouse knows, and the newest drift tests, ready for JSON.

    Args:
        connection: to the warehouse.
        history: the reports of all loaded weeks, in order.
    """
    found = dashboard(connection)
    newest = [row for week in reversed(history) for row in _tests(week)]
    found["tables"]["drift"] = newest[:MOST_ROWS]
    return found


def _tests(known: WeekReport) -> Iterator[Row]:
    """Give a row for each test of a week: of both views, and of the model in production."""
    report, performance = known.report, known.performance
    sides = [(view.view, view.level, view.tests) for view in (report.cumulative, report.per_batch)]
    if performance:
        sides.append(("per_batch", performance.verdict.level, performance.verdict.tests))
    for view, level, tests in sides:
        for test in tests:
            yield {
                "week": known.week.isoformat(),
                "view": view,
                "test": test.feature_name,
                "score": test.score,
                "threshold": test.threshold,
                "alert": test.triggered,
                "verdict": level.value,
            }
