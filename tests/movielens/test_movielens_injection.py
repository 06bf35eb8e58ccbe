from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from movielens_strategies import T0, ratings, ratings_frames
from pandas.testing import assert_frame_equal

from cinematch_dagster.movielens import shift
from cinematch_dagster.movielens.injection import shift_label
from cinematch_dagster.movielens.ratings import in_order, is_on_scale


def test_one_star_more_is_capped_at_five_and_comes_after_the_last() -> None:
    frame = ratings((1, 1, 0.5, T0), (1, 2, 4.5, T0 + 10), (2, 1, 3.0, T0 + 10))
    shifted = shift(frame, 1.0)
    expected = ratings((1, 1, 1.5, T0 + 11), (1, 2, 5.0, T0 + 21), (2, 1, 4.0, T0 + 21))
    assert_frame_equal(shifted, expected)


def test_a_star_less_stops_at_half_a_star() -> None:
    shifted = shift(ratings((1, 1, 1.0, T0), (1, 2, 4.0, T0)), -1.0)
    assert shifted["rating"].tolist() == [0.5, 3.0]


def test_a_shift_off_the_scale_of_half_stars_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shift 0\.3: expected a multiple of 0\.5"):
        shift(ratings((1, 1, 1.0, T0)), 0.3)


def test_the_label_tells_direction_and_size() -> None:
    assert (shift_label(1.0), shift_label(-0.5)) == ("shift +1.0", "shift -0.5")


@given(ratings_frames(min_size=1), st.integers(-9, 9).map(lambda n: n / 2))
def test_shifted_ratings_are_valid_later_and_in_the_same_order(
    frame: pd.DataFrame, stars: float
) -> None:
    before = frame.copy()
    shifted = shift(frame, stars)
    assert_frame_equal(frame, before)
    assert_frame_equal(in_order(shifted), shifted)
    assert is_on_scale(shifted["rating"]).all()
    assert shifted["timestamp"].min() == frame["timestamp"].max() + 1
    assert_frame_equal(shifted[["userId", "movieId"]], frame[["userId", "movieId"]])
    assert shifted.dtypes.equals(frame.dtypes)
