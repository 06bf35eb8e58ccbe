import datetime
from dataclasses import replace

import psycopg
import pytest

from cinematch_dagster.drift import DriftPolicy, Errors, judge_errors
from cinematch_dagster.drift.performance import WeekPerformance, WeekScores, WeekSlice
from cinematch_dagster.warehouse.drift.verdicts import Verdict, latest_verdicts, record_verdict
from cinematch_dagster.warehouse.drift.weekly_performance import (
    record_performance,
    recorded_performance,
)
from tests.warehouse.support import value, week

POLICY = DriftPolicy()
OWN = Errors(0.1 + 0.2, 1e-17)
SCORES = WeekScores(WeekSlice(3, 2 / 3, 0.5, 0, None), None, None, None)
FOUND = WeekPerformance(
    "7", OWN, SCORES, judge_errors(Errors(0.4, 0.5), OWN, 3, POLICY), POLICY, "ab" * 32
)


def record(connection: psycopg.Connection, number: int, found: WeekPerformance = FOUND) -> None:
    record_performance(connection, week(number), found)
    verdict = Verdict.decided(
        week(number), "performance", found.verdict, POLICY, n=3, version=found.version,
        input_digest=found.input_digest,
    )  # fmt: skip
    record_verdict(connection, verdict)


def recorded(connection: psycopg.Connection) -> dict[datetime.date, WeekPerformance]:
    verdicts = latest_verdicts(connection).items()
    return recorded_performance(connection, {week: each["performance"] for week, each in verdicts})


def test_nothing_is_known_before_the_first_week(connection: psycopg.Connection) -> None:
    assert recorded(connection) == {}


def test_scores_come_back_to_the_last_digit(connection: psycopg.Connection) -> None:
    record(connection, 1)
    assert recorded(connection) == {week(1): FOUND}


def test_a_week_without_a_verdict_on_it_is_left_out(connection: psycopg.Connection) -> None:
    record(connection, 1)
    record_performance(connection, week(2), FOUND)
    assert set(recorded(connection)) == {week(1)}


def test_a_newer_computation_replaces_its_week_only(connection: psycopg.Connection) -> None:
    for number in (1, 2):
        record(connection, number)
    connection.execute("UPDATE weekly_performance SET computed_at = '2020-01-01Z'")
    warm = replace(SCORES, warm_user=WeekSlice(1, 1.0, 1.0, 1, 1.0))
    newer = replace(FOUND, version="8", scores=warm)
    record(connection, 2, newer)
    assert recorded(connection) == {week(1): FOUND, week(2): newer}
    moment: datetime.datetime = value(
        connection, "SELECT computed_at FROM weekly_performance ORDER BY week DESC LIMIT 1"
    )
    assert moment.year > 2020


def test_a_week_without_a_version_is_refused(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation):
        connection.execute("INSERT INTO weekly_performance (week, scores) VALUES (now(), '{}')")
