from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from cinematch_dagster.batches.checks import (
    known_pairs,
    outside_window,
    unknown_movies,
    unusual_row_count,
)
from tests.movielens.strategies import T0, ratings, ratings_frames

FRAME = ratings((1, 1, 3.0, T0), (1, 2, 0.5, T0 + 1), (2, 9, 5.0, T0 + 2), (3, 9, 5.0, T0 + 3))


def test_unknown_movies_are_counted_and_the_first_is_named() -> None:
    assert unknown_movies(FRAME, np.array([1, 2, 9])) is None
    assert unknown_movies(FRAME, np.array([1, 2])) == (
        "column movieId: 2 ratings of 1 unknown movies, first row 2: 9"
    )


def test_pairs_of_other_batches_are_counted_and_the_first_is_named() -> None:
    others = pd.DataFrame({"userId": [2, 9, 1], "movieId": [1, 9, 2]})
    assert known_pairs(FRAME, others[:2]) is None
    assert known_pairs(FRAME, others) == (
        "columns userId, movieId: 1 pairs were rated in an earlier batch or a later one, "
        "first row 1: 1, 2"
    )


def test_the_largest_ids_are_different_pairs() -> None:
    largest = 2**31 - 1
    one, other = ratings((largest, 0, 3.0, T0)), ratings((0, largest, 3.0, T0))
    assert known_pairs(one, other) is None
    assert known_pairs(one, one) is not None
    assert known_pairs(ratings((1, 0, 3.0, T0)), ratings((0, largest, 3.0, T0))) is None


@given(ratings_frames(min_size=1))
def test_a_batch_has_all_its_own_pairs_and_movies(frame: pd.DataFrame) -> None:
    found = known_pairs(frame, frame)
    assert found is not None
    assert f"{len(frame)} pairs" in found
    assert known_pairs(frame, frame[:0]) is None
    assert unknown_movies(frame, frame["movieId"].unique()) is None


@pytest.mark.parametrize(
    ("rows", "recent", "is_found"),
    [
        (1_000, [100, 100, 90, 120], True),
        (10, [100, 100, 90, 120], True),
        (500, [100, 100, 100], False),
        (20, [100, 100, 100], False),
        (1_000, [100], False),
        (1_000, [], False),
    ],
)
def test_row_counts_far_from_the_usual_are_found(
    rows: int, recent: list[int], is_found: bool
) -> None:
    assert (unusual_row_count(rows, recent) is not None) == is_found


def test_the_usual_number_of_rows_is_named() -> None:
    assert unusual_row_count(1_000, [90, 100, 110]) == (
        "1000 rows, expected about 100, the median of the last 3 weeks: from 20 to 500"
    )


def test_ratings_of_another_week_are_counted_and_the_first_is_named() -> None:
    assert outside_window(FRAME) is None
    assert outside_window(FRAME, T0, T0 + 3) is None
    assert outside_window(FRAME, after=T0 + 2) == (
        f"column timestamp: 2 ratings of another week, first row 0: {T0}, "
        f"expected {T0 + 2} or later"
    )
    assert outside_window(FRAME, T0, T0 + 1) == (
        f"column timestamp: 2 ratings of another week, first row 2: {T0 + 2}, "
        f"expected {T0} or later, {T0 + 1} or earlier"
    )
