from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.drift.scores import Floats, mean, std
from benchmarks.drift.tilt import mean_factors, std_factors
from cinematch_dagster.movielens.sources.synthetic import HISTOGRAM

N = 10**9  # so many ratings that n - 1 is n

shares = st.lists(st.floats(0.02, 1), min_size=10, max_size=10).map(lambda w: np.array(w) / sum(w))


@given(shares, st.floats(-0.3, 0.3))
def test_the_mean_moves_by_what_was_asked(share: Floats, change: float) -> None:
    shifted = share * mean_factors(share, change)
    assert shifted.sum() == pytest.approx(1)
    assert (shifted > 0).all()
    assert mean(shifted) / mean(share) - 1 == pytest.approx(change, abs=1e-8)


@given(st.floats(-0.5, 0.5))
def test_the_standard_deviation_moves_and_the_mean_stays(change: float) -> None:
    shifted = HISTOGRAM * std_factors(HISTOGRAM, change)
    assert mean(shifted) == pytest.approx(mean(HISTOGRAM), abs=1e-8)
    assert std(shifted * N) / std(HISTOGRAM * N) - 1 == pytest.approx(change, abs=1e-6)


@pytest.mark.parametrize("factors", [mean_factors, std_factors])
def test_no_change_is_no_change(factors: Callable[[Floats, float], Floats]) -> None:
    assert factors(HISTOGRAM, 0.0) == pytest.approx(np.ones(10))


def test_the_factors_are_exponential_in_the_stars() -> None:
    steps = np.diff(np.log(mean_factors(HISTOGRAM, 0.1)))
    assert steps == pytest.approx(steps[0] * np.ones(9))


def test_two_stars_worked_by_hand() -> None:
    half = np.array([0, 0, 0, 0.5, 0, 0, 0, 0.5, 0, 0])  # 2.0 and 4.0: 3.0 becomes 3.3
    assert (half * mean_factors(half, 0.1))[[3, 7]] == pytest.approx([0.35, 0.65])


def test_a_mean_beyond_five_stars_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a smaller one"):
        mean_factors(HISTOGRAM, 0.9)
