import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinematch_dagster.drift.histogram import histogram
from serving.base.scale import STARS

SCALE = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0]


def test_the_scale_is_the_ten_half_stars_and_read_only() -> None:
    assert STARS.tolist() == SCALE
    with pytest.raises(ValueError, match="read-only"):
        STARS[0] = 0


def test_every_rating_is_counted_in_its_own_bin() -> None:
    counts = histogram([5.0, 0.5, 3.0, 3.0, 4.5])
    assert counts.tolist() == [1, 0, 0, 0, 0, 2, 0, 0, 1, 1]
    assert counts.dtype == np.int64
    assert counts.shape == (10,)


def test_no_ratings_are_ten_zeros() -> None:
    assert histogram([]).tolist() == [0] * 10


@given(st.lists(st.sampled_from(SCALE)))
def test_counts_match_the_ratings_whatever_the_dtype(ratings: list[float]) -> None:
    expected = [ratings.count(star) for star in SCALE]
    for dtype in (np.float16, np.float32, np.float64):
        assert histogram(np.array(ratings, dtype=dtype)).tolist() == expected


@given(st.lists(st.sampled_from(SCALE)), st.lists(st.sampled_from(SCALE)))
def test_histograms_of_disjoint_sets_add_up(some: list[float], others: list[float]) -> None:
    assert np.array_equal(histogram(some) + histogram(others), histogram(some + others))


@pytest.mark.parametrize(
    "rating", [0.0, 0.25, 3.3, 5.5, -1.0, float("nan"), float("inf"), float("-inf")]
)
def test_a_rating_off_the_scale_is_refused_by_its_row_and_value(rating: float) -> None:
    with pytest.raises(ValueError, match=rf"rating {rating} in row 2 is off the scale"):
        histogram([4.0, 0.5, rating, 9.0])


def test_a_float32_neighbour_of_a_half_star_is_refused() -> None:
    almost = np.nextafter(np.float32(3.5), np.float32(4))
    with pytest.raises(ValueError, match="off the scale"):
        histogram(np.array([almost], dtype=np.float32))
