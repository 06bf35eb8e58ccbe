"""Verdicts as they were decided: nothing is lost, nothing is changed, what is replaced stays."""

import psycopg
import pytest

from cinematch_dagster.drift import DriftPolicy, DriftReport
from cinematch_dagster.drift.secondary_metrics import SecondaryThresholds
from cinematch_dagster.pipeline.drift.report import check_week
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.drift.verdicts import (
    Verdict,
    latest_verdicts,
    record_verdict,
    recorded_report,
)
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import load_batch
from cinematch_dagster.warehouse.statements import reference_queries
from tests.warehouse.support import batch, many, stars, value, week

POLICY = DriftPolicy(count_threshold=10)
CHAIN = "SELECT view, id, replaces, level, policy FROM drift_verdicts ORDER BY id"


def raised(factor: float) -> DriftPolicy:
    thresholds = dict.fromkeys(("ks_threshold", "mean_threshold", "std_threshold"), factor)
    return POLICY.model_copy(update=thresholds)


@pytest.fixture
def checked(warehouse_dsn: str, connection: psycopg.Connection) -> DriftReport:
    """What was found about week 1, of one and two stars; the baseline has all of them."""
    load_baseline(connection, many(500).assign(data_split="train"), "a", week(0))
    connection.commit()
    load_batch(warehouse_dsn, batch(1, stars(*[1.0, 2.0] * 10)))
    report = check_week(connection, week(1), POLICY, SecondaryThresholds(rating_psi=0.5))
    connection.commit()
    return report


def recorded(connection: psycopg.Connection) -> DriftReport | None:
    return recorded_report(latest_verdicts(connection)[week(1)])


def test_a_report_comes_back_to_the_last_digit(
    checked: DriftReport, connection: psycopg.Connection
) -> None:
    assert checked.alerts
    assert recorded(connection) == checked
    verdict = latest_verdicts(connection)[week(1)]["per_batch"]
    assert (verdict.decided_under, verdict.alerting) == (POLICY, False)
    assert verdict.secondary == SecondaryThresholds(rating_psi=0.5)
    assert verdict.decided_at is not None


def test_each_test_of_both_views_is_an_alert_s_row_and_only_a_view_that_may_alert_fires(
    checked: DriftReport, connection: psycopg.Connection
) -> None:
    found = connection.execute(
        "SELECT view, feature_name, drift_score, threshold, alert_triggered"
        " FROM drift_alerts ORDER BY id"
    ).fetchall()
    views = (checked.cumulative, checked.per_batch)
    assert found == [
        (view.view, test.feature_name, test.score, test.threshold, test.triggered)
        for view in views
        for test in view.tests
    ]
    assert [row[4] for row in found] == [True] * 3 + [False] * 3
    assert min(test.score / test.threshold for test in checked.per_batch.tests) > 1


def test_a_week_without_ratings_has_its_verdicts(connection: psycopg.Connection) -> None:
    report = check_week(connection, week(3), POLICY)
    assert recorded_report(latest_verdicts(connection)[week(3)]) == report


def test_a_week_judged_again_names_the_verdict_that_it_replaces_and_the_old_one_stays(
    checked: DriftReport, connection: psycopg.Connection
) -> None:
    (first, second) = connection.execute(CHAIN.encode()).fetchall()
    assert (first[0], second[0]) == ("cumulative", "per_batch")
    assert first[2] is second[2] is None
    again = check_week(connection, week(1), raised(0.99))
    assert again.level != checked.level
    assert recorded(connection) == again
    rows = connection.execute(CHAIN.encode()).fetchall()
    assert rows[:2] == [first, second]
    assert [row[2] for row in rows[2:]] == [first[1], second[1]]
    assert {row[4]["ks_threshold"] for row in rows[2:]} == {0.99}


def test_of_two_that_replace_the_same_verdict_one_is_refused(
    checked: DriftReport, connection: psycopg.Connection
) -> None:
    assert checked.alerts
    verdict = Verdict(week(1), "cumulative", None, None, None, None, None)
    with connect(connection.info.dsn) as other:
        for each in (connection, other):
            each.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            assert len(latest_verdicts(each)) == 1
        record_verdict(connection, verdict)
        connection.commit()
        with pytest.raises(psycopg.errors.UniqueViolation, match="drift_verdicts_chain"):
            record_verdict(other, verdict)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE drift_verdicts SET n = 0", "DELETE FROM drift_verdicts", "TRUNCATE drift_verdicts"],
)
def test_no_verdict_is_changed_or_taken_away(
    checked: DriftReport, connection: psycopg.Connection, statement: str
) -> None:
    assert checked.alerts
    with pytest.raises(psycopg.errors.RaiseException, match="drift_verdicts is append-only"):
        connection.execute(statement.encode())


def test_a_level_that_is_none_is_refused(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="drift_verdicts_level"):
        record_verdict(connection, Verdict(week(1), "cumulative", "?", None, None, None, None))


def test_the_trend_is_that_of_the_verdicts_that_hold(
    checked: DriftReport, connection: psycopg.Connection
) -> None:
    again = check_week(connection, week(1), raised(0.99))
    found = connection.execute(reference_queries()["drift_trend"]).fetchall()
    assert {(row[0], row[1], row[3], row[4]) for row in found} == {
        (view.view, test.feature_name, test.score, 0.99)
        for view in (again.per_batch, again.cumulative)
        for test in view.tests
    }
    assert value(connection, "SELECT count(*) FROM drift_verdicts") == 4
    assert checked.alerts
