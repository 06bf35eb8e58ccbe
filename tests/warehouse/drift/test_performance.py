import datetime
from typing import Any

import psycopg
import pytest

from cinematch_dagster.warehouse.drift.performance import (
    Measured,
    record_performance,
    recorded_performance,
)
from tests.warehouse.support import value, week

SCORES: dict[str, Any] = {
    "own": {"rmse": 0.1 + 0.2, "mae": 1e-17},
    "overall": {"rows": 3, "rmse": 2 / 3, "mae": 0.5, "users": 0, "hit_rate_at_10": None},
    "warm_user": None,
}


def test_nothing_is_known_before_the_first_week(connection: psycopg.Connection) -> None:
    assert recorded_performance(connection) == {}


def test_scores_come_back_to_the_last_digit(connection: psycopg.Connection) -> None:
    measured = Measured(week(1), "7", SCORES)
    record_performance(connection, measured)
    assert recorded_performance(connection) == {week(1): measured}


def test_a_newer_computation_replaces_its_week_only(connection: psycopg.Connection) -> None:
    for number in (1, 2):
        record_performance(connection, Measured(week(number), "7", SCORES))
    connection.execute("UPDATE weekly_performance SET computed_at = '2020-01-01Z'")
    newer = Measured(week(2), "8", SCORES | {"warm_user": {"rows": 1}})
    record_performance(connection, newer)
    assert recorded_performance(connection) == {
        week(1): Measured(week(1), "7", SCORES),
        week(2): newer,
    }
    moment: datetime.datetime = value(
        connection, "SELECT computed_at FROM weekly_performance ORDER BY week DESC LIMIT 1"
    )
    assert moment.year > 2020


def test_a_week_without_a_version_is_refused(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation):
        connection.execute("INSERT INTO weekly_performance (week, scores) VALUES (now(), '{}')")
