import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinematch_dagster.drift import DriftPolicy, Errors, Level, PerformanceVerdict, judge_errors

POLICY = DriftPolicy(count_threshold=1_000)
OWN = Errors(rmse=1.0, mae=0.8)
ERRORS = st.floats(0.05, 4.5)


def judge(rmse: float, mae: float, rows: int = 1_000) -> PerformanceVerdict:
    return judge_errors(Errors(rmse, mae), OWN, rows, POLICY)


def test_the_threshold_is_ten_per_cent() -> None:
    assert DriftPolicy().performance_threshold == 0.10


@pytest.mark.parametrize(
    ("rmse", "mae", "level", "triggered", "reasons"),
    [
        (1.0, 0.8, Level.NO_DRIFT, (False, False), ()),
        (0.5, 0.4, Level.NO_DRIFT, (False, False), ()),
        (1.0799, 0.8, Level.NO_DRIFT, (False, False), ()),
        (1.08, 0.8, Level.EARLY, (False, False), ("RMSE +8.0%",)),
        (1.0, 0.864, Level.EARLY, (False, False), ("MAE +8.0%",)),
        (1.1, 0.88, Level.EARLY, (False, False), ("RMSE +10.0%", "MAE +10.0%")),
        (1.1001, 0.88, Level.DRIFT, (True, False), ("RMSE +10.0%",)),
        (0.9, 0.8801, Level.DRIFT, (False, True), ("MAE +10.0%",)),
        (1.25, 1.2, Level.DRIFT, (True, True), ("RMSE +25.0%", "MAE +50.0%")),
    ],
)
def test_verdicts_around_each_threshold(
    rmse: float, mae: float, level: Level, triggered: tuple[bool, bool], reasons: tuple[str, ...]
) -> None:
    verdict = judge(rmse, mae)
    assert verdict.level is level
    assert tuple(test.triggered for test in verdict.tests) == triggered
    assert verdict.reasons == reasons


def test_a_gain_is_kept_as_a_change_and_scores_nothing() -> None:
    better, worse = judge(0.5, 1.0).tests
    assert (better.feature_name, better.change, better.score) == ("performance_rmse", -0.5, 0.0)
    assert (worse.feature_name, worse.change, worse.score) == ("performance_mae", 0.25, 0.25)
    assert worse.threshold == 0.10


def test_too_few_rows_show_their_scores_and_alert_nobody() -> None:
    verdict = judge(2.0, 2.0, rows=999)
    assert verdict.level is Level.INSUFFICIENT
    assert [test.score for test in verdict.tests] == [1.0, 1.5]
    assert not any(test.triggered for test in verdict.tests)
    assert verdict.reasons == ("Week holds 999 ratings, 1,000 needed",)


def test_the_thresholds_are_settings() -> None:
    week = Errors(1.3, 0.8)
    strict, lax = (DriftPolicy(count_threshold=2, performance_threshold=t) for t in (0.2, 0.4))
    assert judge_errors(week, OWN, 10, strict).level is Level.DRIFT
    assert judge_errors(week, OWN, 10, lax).level is Level.NO_DRIFT
    assert judge_errors(week, OWN, 10, POLICY).level is Level.INSUFFICIENT


@given(rmse=ERRORS, mae=ERRORS, own_rmse=ERRORS, own_mae=ERRORS, rows=st.integers(1, 2_000))
def test_a_test_triggers_if_and_only_if_the_level_is_drift_and_it_is_above_its_threshold(
    rmse: float, mae: float, own_rmse: float, own_mae: float, rows: int
) -> None:
    verdict = judge_errors(Errors(rmse, mae), Errors(own_rmse, own_mae), rows, POLICY)
    assert (verdict.level is Level.DRIFT) == any(test.triggered for test in verdict.tests)
    for test in verdict.tests:
        assert test.score == max(test.change, 0) >= 0
        assert test.triggered == (rows >= 1_000 and test.exceeded)
    assert bool(verdict.reasons) == (verdict.level is not Level.NO_DRIFT)


@given(rmse=ERRORS, mae=ERRORS, factor=st.floats(0.1, 10))
def test_the_unit_of_the_stars_makes_no_difference(rmse: float, mae: float, factor: float) -> None:
    once = judge_errors(Errors(rmse, mae), OWN, 1_000, POLICY)
    scaled = judge_errors(
        Errors(rmse * factor, mae * factor),
        Errors(OWN.rmse * factor, OWN.mae * factor),
        1_000,
        POLICY,
    )
    for one, other in zip(once.tests, scaled.tests, strict=True):
        assert one.change == pytest.approx(other.change, abs=1e-11)
