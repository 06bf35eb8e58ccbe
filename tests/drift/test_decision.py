from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinematch_dagster.drift.decision import Alert, RetrainingCriteria, RetrainingDecision, decide
from tests.builders import week

NOW = datetime.datetime(2024, 2, 20, 12, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def alert(number: int = 1, *, in_week: int = 6, hours_old: float = 1) -> Alert:
    return Alert(
        id=number,
        week=week(in_week),
        feature_name="rating_distribution_ks",
        drift_score=0.0949,
        threshold=0.05,
        alert_date=NOW - hours_old * HOUR,
        input_digest="ab" * 32,
    )


def decided(
    *alerts: Alert, buffer: int = 700_000, checked_hours_ago: float | None = 1
) -> RetrainingDecision:
    last_check = None if checked_hours_ago is None else NOW - checked_hours_ago * HOUR
    return decide(alerts, last_check, buffer, NOW, RetrainingCriteria())


def test_drift_with_700k_ratings_triggers() -> None:
    assert decided(alert(41)) == RetrainingDecision(
        decision="trigger_actual",
        reason=(
            "Retraining up to week 2024-02-05: 1 open alert, worst rating_distribution_ks "
            "0.0949 > 0.05 in week 2024-02-05; 700,000 ratings in the buffer"
        ),
        target_week=week(6),
        drift_score=0.0949,
        alert_ids=(41,),
    )


def test_drift_with_30k_ratings_does_not() -> None:
    decision = decided(alert(), buffer=30_000)
    assert decision.decision == "no_action"
    assert decision.reason == "No retraining: 30,000 ratings in the buffer, 50,000 needed"
    assert decision.drift_score == 0.0949
    assert decision.target_week is None
    assert decision.alert_ids == ()


def test_no_drift_with_100k_ratings_does_not() -> None:
    decision = decided(buffer=100_000)
    assert decision.decision == "no_action"
    assert decision.reason == "No retraining: no unconsumed drift alert within 168 hours"
    assert decision.drift_score is None


def test_alerts_older_than_seven_days_do_not() -> None:
    decision = decided(alert(hours_old=168.01), checked_hours_ago=2)
    assert decision.decision == "no_action"
    assert decision.reason == "No retraining: no unconsumed drift alert within 168 hours"


def test_a_stale_check_does_not() -> None:
    for checked_hours_ago in (None, 168.01):
        decision = decided(alert(), checked_hours_ago=checked_hours_ago)
        assert decision.decision == "no_action"
        assert decision.reason == "No retraining: no drift check within 168 hours"


def test_every_unmet_criterion_is_named() -> None:
    decision = decided(buffer=0, checked_hours_ago=None)
    assert decision.reason == (
        "No retraining: no drift check within 168 hours; "
        "no unconsumed drift alert within 168 hours; 0 ratings in the buffer, 50,000 needed"
    )


@pytest.mark.parametrize(
    ("hours_old", "buffer", "decision"),
    [
        (168, 50_000, "trigger_actual"),
        (168, 49_999, "no_action"),
        (168.001, 50_000, "no_action"),
        (-1, 50_000, "trigger_actual"),  # clocks that disagree
    ],
)
def test_the_boundaries(hours_old: float, buffer: int, decision: str) -> None:
    made = decided(alert(hours_old=hours_old), buffer=buffer, checked_hours_ago=hours_old)
    assert made.decision == decision


def test_the_criteria_are_settings() -> None:
    criteria = RetrainingCriteria(minimum_buffer=10, alert_max_age_hours=0.5)
    assert decide([alert()], NOW, 10, NOW, criteria).decision == "no_action"
    recent = alert(hours_old=0.5)
    assert decide([recent], NOW, 10, NOW, criteria).decision == "trigger_actual"


def test_the_newest_week_is_trained_and_every_recent_alert_is_consumed() -> None:
    worst = replace(alert(1, in_week=3), drift_score=0.3)
    decision = decided(alert(3, in_week=6), worst, alert(2, in_week=5, hours_old=200))
    assert decision.target_week == week(6)
    assert decision.alert_ids == (1, 3)
    assert "2 open alerts" in decision.reason


def test_the_drift_score_is_the_one_furthest_above_its_own_threshold() -> None:
    mean_change = replace(alert(2), feature_name="rating_mean", drift_score=0.12, threshold=0.1)
    decision = decided(mean_change, alert(1))
    assert decision.drift_score == 0.0949  # 1.9 times its threshold, against 1.2 times
    assert "worst rating_distribution_ks 0.0949 > 0.05" in decision.reason


@given(
    st.permutations(range(7)),
    st.lists(st.floats(0, 400), min_size=7, max_size=7),
    st.integers(0, 100_000),
)
def test_the_order_of_the_alerts_does_not_matter(
    order: list[int], ages: list[float], buffer: int
) -> None:
    alerts = [alert(i, in_week=i + 1, hours_old=age) for i, age in enumerate(ages)]
    decision = decided(*alerts, buffer=buffer)
    assert decided(*(alerts[i] for i in order), buffer=buffer) == decision
    recent = [a for a in alerts if NOW - a.alert_date <= 168 * HOUR]
    triggers = bool(recent) and buffer >= 50_000
    assert decision.alert_ids == (tuple(a.id for a in recent) if triggers else ())
    assert decision.target_week == (max(a.week for a in recent) if triggers else None)


def test_an_alert_that_is_out_of_date_neither_counts_nor_is_consumed() -> None:
    old = replace(alert(1, in_week=7), current=False)
    assert decided(old).reason == (
        "No retraining: no unconsumed drift alert within 168 hours"
        " (1 measured against what has changed since)"
    )
    decision = decided(old, alert(2, in_week=6))
    assert (decision.target_week, decision.alert_ids) == (week(6), (2,))


def test_an_alert_waits_for_the_end_of_a_retraining() -> None:
    waiting = decide([alert(1)], NOW, 700_000, NOW, RetrainingCriteria(), running=week(5))
    assert waiting.decision == "no_action"
    assert waiting.reason == "No retraining yet: the one of week 2024-01-29 has not ended"
    assert (waiting.target_week, waiting.alert_ids) == (week(6), ())


def test_without_an_alert_nothing_waits() -> None:
    decision = decide([], NOW, 700_000, NOW, RetrainingCriteria(), running=week(5))
    assert decision.target_week is None
    assert "no unconsumed drift alert" in decision.reason


@pytest.mark.parametrize(("hours_old", "told"), [(168, 1), (168.001, 0), (1, 1), (400, 0)])
def test_only_what_is_recent_is_told_of_what_is_out_of_date(hours_old: float, told: int) -> None:
    old = replace(alert(1, hours_old=hours_old), current=False)
    left_out = " (1 measured against what has changed since)" if told else ""
    assert decided(old).reason == (
        f"No retraining: no unconsumed drift alert within 168 hours{left_out}"
    )
    assert decided(old, alert(2, hours_old=400)).reason == decided(old).reason
