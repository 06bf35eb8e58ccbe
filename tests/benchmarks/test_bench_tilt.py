import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.drift.scores import Floats, mean, std
from benchmarks.drift.tilt import shift_mean, shift_std
from cinematch_dagster.movielens.synthetic import HISTOGRAM

N = 10**9  # so many ratings that n - 1 is n

shares = st.lists(st.floats(0.02, 1), min_size=10, max_size=10).map(lambda w: np.array(w) / sum(w))


@given(shares, st.floats(-0.3, 0.3))
def test_the_mean_moves_by_what_was_asked(share: Floats, change: float) -> None:
    shifted = shift_mean(share, change)
    assert shifted.sum() == pytest.approx(1)
    assert (shifted > 0).all()
    assert mean(shifted) / mean(share) - 1 == pytest.approx(change, abs=1e-8)


@given(st.floats(-0.5, 0.5))
def test_the_standard_deviation_moves_and_the_mean_stays(change: float) -> None:
    shifted = shift_std(HISTOGRAM, change)
    assert mean(shifted) == pytest.approx(mean(HISTOGRAM), abs=1e-8)
    assert std(shifted * N) / std(HISTOGRAM * N) - 1 == pytest.approx(change, abs=1e-6)


def test_no_change_is_no_change() -> None:
    assert shift_mean(HISTOGRAM, 0.0) == pytest.approx(HISTOGRAM)
    assert shift_std(HISTOGRAM, 0.0) == pytest.approx(HISTOGRAM)


def test_the_tilt_is_exponential_in_the_stars() -> None:
    log_ratio = np.log(shift_mean(HISTOGRAM, 0.1) / HISTOGRAM)
    assert np.diff(log_ratio) == pytest.approx(np.diff(log_ratio)[0] * np.ones(9))


def test_a_mean_beyond_five_stars_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a smaller one"):
        shift_mean(HISTOGRAM, 0.9)
