from typing import Any

import numpy as np
import pytest
import surprise
from hypothesis import given
from hypothesis import strategies as st

from cinematch_dagster.recommenders.metrics import mae, rmse

HALF_STARS = st.integers(1, 10).map(lambda half: half / 2)
PAIRS = st.lists(st.tuples(HALF_STARS, st.floats(0.5, 5.0)), min_size=1, max_size=50)


def test_errors_worked_by_hand() -> None:
    given_stars, predicted = np.array([4.0, 3.0, 2.0, 5.0]), np.array([3.0, 3.0, 4.0, 4.0])
    assert rmse(given_stars, predicted) == pytest.approx(np.sqrt(6 / 4))
    assert mae(given_stars, predicted) == 1.0


@given(PAIRS)
def test_errors_are_those_of_surprise(pairs: list[tuple[float, float]]) -> None:
    predictions = [surprise.Prediction(1, 1, stars, est, {}) for stars, est in pairs]
    stars, predicted = np.array(pairs).T
    assert rmse(stars, predicted) == pytest.approx(
        surprise.accuracy.rmse(predictions, verbose=False), rel=1e-12
    )
    assert mae(stars, predicted) == pytest.approx(
        surprise.accuracy.mae(predictions, verbose=False), rel=1e-12
    )


@given(PAIRS)
def test_mae_is_at_most_rmse(pairs: list[tuple[float, float]]) -> None:
    stars, predicted = np.array(pairs).T
    assert mae(stars, predicted) <= rmse(stars, predicted) * (1 + 1e-12)


@pytest.mark.parametrize("metric", [rmse, mae])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_missing_prediction_is_never_skipped(metric: Any, value: float) -> None:
    with pytest.raises(ValueError, match="1 of 2 predictions are not finite"):
        metric(np.array([4.0, 3.0]), np.array([4.0, value]))


@pytest.mark.parametrize("metric", [rmse, mae])
def test_no_rows_is_an_error(metric: Any) -> None:
    with pytest.raises(ValueError, match="at least one row was expected"):
        metric(np.array([]), np.array([]))


@pytest.mark.parametrize("metric", [rmse, mae])
def test_a_missing_prediction_is_skipped_if_told_so(metric: Any) -> None:
    stars, predicted = np.array([4.0, 3.0]), np.array([np.nan, 2.5])
    assert metric(stars, predicted, skip_missing=True) == 0.5
    with pytest.raises(ValueError, match="at least one row was expected"):
        metric(stars, np.full(2, np.nan), skip_missing=True)
