from __future__ import annotations

import datetime
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cinematch_dagster.batches import make_batches
from cinematch_dagster.movielens import cut_by_time, reduce, split_by_time
from tests.movielens.strategies import T0, ratings, ratings_frames

SHARES = st.floats(0.01, 0.99)


def test_reduction_starts_at_midnight_utc() -> None:
    midnight = 1_045_612_800  # 2003-02-19 00:00 UTC
    frame = ratings((1, 1, 3.0, midnight - 1), (1, 2, 3.0, midnight), (1, 3, 3.0, midnight + 1))
    kept = reduce(frame, datetime.date(2003, 2, 19), 10)
    assert kept["movieId"].tolist() == [2, 3]
    assert kept.index.tolist() == [0, 1]


def test_reduction_ends_at_the_midnight_after_its_last_day() -> None:
    midnight = 1_045_612_800  # 2003-02-19 00:00 UTC
    frame = ratings((1, 1, 3.0, midnight - 1), (1, 2, 3.0, midnight), (1, 3, 3.0, midnight + 1))
    last = datetime.date(2003, 2, 18)
    assert reduce(frame, None, 10, last)["movieId"].tolist() == [1]
    assert reduce(frame, None, 10, datetime.date(2003, 2, 19))["movieId"].tolist() == [1, 2, 3]
    assert reduce(frame, datetime.date(2003, 2, 19), 10, last).empty


def test_an_uneven_cut_has_its_boundaries_by_configuration() -> None:
    frame = ratings(*((1, movie, 3.0, T0 + movie) for movie in range(1_000)))
    baseline, batches = cut_by_time(frame, 0.9)  # 70/20/10, as the profile of ml-25m has it
    split = split_by_time(baseline, 0.7777777778)["data_split"].value_counts()
    assert (split["train"], split["test"], len(batches)) == (700, 200, 100)


def test_ties_in_time_are_cut_by_user_then_movie() -> None:
    frame = ratings((2, 1, 1.0, T0), (1, 2, 2.0, T0), (1, 1, 3.0, T0), (1, 3, 4.0, T0 + 1))
    for given_frame in (frame, frame[::-1]):
        kept = reduce(given_frame, None, 2)
        assert_frame_equal(kept, ratings((2, 1, 1.0, T0), (1, 3, 4.0, T0 + 1)))


def test_fewer_ratings_than_asked_for_are_all_kept() -> None:
    frame = ratings((1, 1, 3.0, T0), (1, 2, 3.0, T0 + 1))
    assert_frame_equal(reduce(frame, None, 5), frame)


def test_seven_of_ten_are_train_and_the_rest_test() -> None:
    frame = ratings(*((1, movie, 3.0, T0 + movie) for movie in range(10)))
    split = split_by_time(frame[::-1], 0.7)
    assert split["movieId"].tolist() == list(range(10))
    assert split["data_split"].tolist() == ["train"] * 7 + ["test"] * 3


def test_a_cut_rounds_the_older_part_down() -> None:
    frame = ratings(*((1, movie, 3.0, T0 + movie) for movie in range(9)))
    older, newer = cut_by_time(frame, 0.6)
    assert older["movieId"].tolist() == [0, 1, 2, 3, 4]
    assert newer["movieId"].tolist() == [5, 6, 7, 8]
    assert newer.index.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("rows", "n", "sizes"),
    [
        (23_982, 5, [4796, 4796, 4797, 4796, 4797]),
        (10, 5, [2, 2, 2, 2, 2]),
        (7, 3, [2, 2, 3]),
        (3, 3, [1, 1, 1]),
    ],
)
def test_sizes_of_batches(rows: int, n: int, sizes: list[int]) -> None:
    frame = ratings(*((1, movie, 3.0, T0 + movie) for movie in range(rows)))
    assert [len(batch) for batch in make_batches(frame, n)] == sizes


def test_more_batches_than_ratings_are_an_error() -> None:
    with pytest.raises(ValueError, match="1 ratings can't fill 2 batches: expected at least 2"):
        make_batches(ratings((1, 1, 3.0, T0)), 2)


@given(ratings_frames(), SHARES)
def test_the_split_has_its_ratio_and_never_trains_on_the_future(
    frame: pd.DataFrame, share: float
) -> None:
    split = split_by_time(frame.sample(frac=1, random_state=0), share)
    train = split[split["data_split"] == "train"]
    test = split[split["data_split"] == "test"]
    assert abs(len(train) - share * len(frame)) < 1
    if len(train) and len(test):
        assert train["timestamp"].max() <= test["timestamp"].min()
    assert_frame_equal(split.drop(columns="data_split"), frame)


@given(ratings_frames(), SHARES)
def test_both_sides_of_a_cut_are_the_frame(frame: pd.DataFrame, share: float) -> None:
    older, newer = cut_by_time(frame, share)
    assert len(older) == math.floor(len(frame) * share)
    assert_frame_equal(pd.concat([older, newer], ignore_index=True), frame)


@given(ratings_frames(min_size=5), st.integers(1, 5))
def test_batches_are_the_frame_in_order_and_nearly_equal(frame: pd.DataFrame, n: int) -> None:
    batches = make_batches(frame.sample(frac=1, random_state=0), n)
    assert len(batches) == n
    sizes = [len(batch) for batch in batches]
    assert max(sizes) - min(sizes) <= 1
    assert_frame_equal(pd.concat(batches, ignore_index=True), frame)


@given(ratings_frames(), st.integers(0, 50))
def test_reduction_keeps_the_latest_rows(frame: pd.DataFrame, most_recent: int) -> None:
    kept = reduce(frame, None, most_recent)
    assert len(kept) == min(most_recent, len(frame))
    assert_frame_equal(kept, frame[len(frame) - len(kept) :].reset_index(drop=True))
