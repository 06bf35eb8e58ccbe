from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cinematch_dagster.batches.frame import DTYPES
from cinematch_dagster.movielens import clean
from tests.movielens.strategies import T0, ratings, ratings_frames, raw_frames, rows


def test_each_unusable_row_is_set_aside_with_its_reason() -> None:
    raw = rows(
        (1, 10, 4.0, T0 + 5),
        (None, 10, 4.0, T0),
        (2, 10, 5.5, T0),
        (2, 11, 0.0, T0),
        (2, 12, 3.3, T0),
        (2, 13, 3.0, -5),
        (2, 14, 3.0, T0 * 1000),
        (2, 15, 3.0, None),
        (-2, 16, 3.0, T0),
        (2, 16.5, 3.0, T0),
        (1, 10, 2.5, T0 + 9),
    )
    kept, rejects = clean(raw)
    assert_frame_equal(kept, ratings((1, 10, 2.5, T0 + 9)))
    assert rejects["reason"].to_dict() == {
        0: "duplicate",
        1: "missing_field",
        2: "rating_off_scale",
        3: "rating_off_scale",
        4: "rating_off_scale",
        5: "bad_timestamp",
        6: "bad_timestamp",
        7: "missing_field",
        8: "bad_id",
        9: "bad_id",
    }
    assert_frame_equal(rejects.drop(columns="reason"), raw[:10])


@pytest.mark.parametrize("rating", [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0])
def test_every_half_star_is_kept_exactly(rating: float) -> None:
    kept, rejects = clean(rows((1, 1, rating, T0)))
    assert kept["rating"].tolist() == [rating]
    assert rejects.empty


@pytest.mark.parametrize("rating", [0.0, 0.25, 0.49, 0.75, 4.75, 3.0001, 5.01, 5.5, -1.0, np.inf])
def test_other_ratings_are_off_the_scale(rating: float) -> None:
    _, rejects = clean(rows((1, 1, rating, T0)))
    assert rejects["reason"].tolist() == ["rating_off_scale"]


def test_times_from_1995_until_now_are_plausible() -> None:
    first = 788_918_400
    kept, rejects = clean(rows((1, 1, 3.0, first), (1, 2, 3.0, first - 1)))
    assert kept["movieId"].tolist() == [1]
    assert rejects["movieId"].tolist() == [2]
    now = int(time.time())
    kept, rejects = clean(rows((1, 1, 3.0, now), (1, 2, 3.0, now + 2 * 86_400)))
    assert kept["movieId"].tolist() == [1]
    assert rejects["reason"].tolist() == ["bad_timestamp"]


def test_of_a_pair_rated_again_the_latest_wins_whatever_the_order_in_the_file() -> None:
    again = rows((1, 1, 5.0, T0), (1, 1, 1.0, T0 + 2), (1, 1, 3.0, T0 + 1), (1, 2, 4.0, T0))
    for raw in (again, again[::-1]):
        kept, rejects = clean(raw)
        assert_frame_equal(kept, ratings((1, 1, 1.0, T0 + 2), (1, 2, 4.0, T0)))
        assert sorted(rejects["rating"]) == [3.0, 5.0]


def test_of_two_ratings_in_one_second_the_higher_is_kept() -> None:
    kept, _ = clean(rows((1, 1, 4.0, T0), (1, 1, 2.0, T0)))
    assert kept["rating"].tolist() == [4.0]


def test_an_unusable_later_rating_does_not_displace_a_usable_one() -> None:
    kept, rejects = clean(rows((1, 1, 4.0, T0), (1, 1, 6.0, T0 + 1)))
    assert kept["rating"].tolist() == [4.0]
    assert rejects["reason"].tolist() == ["rating_off_scale"]


def test_numbers_in_text_are_read_and_other_columns_are_dropped() -> None:
    raw = rows(("1", "2", "3.5", str(T0))).assign(comment="good")
    kept, _ = clean(raw)
    assert_frame_equal(kept, ratings((1, 2, 3.5, T0)))


def test_no_rows_give_an_empty_ratings_frame() -> None:
    kept, rejects = clean(rows())
    assert kept.dtypes.astype(str).to_dict() == DTYPES
    assert (len(kept), len(rejects)) == (0, 0)


@given(raw_frames())
def test_rejects_and_kept_rows_are_the_input(raw: pd.DataFrame) -> None:
    kept, rejects = clean(raw)
    assert len(kept) + len(rejects) == len(raw)
    assert_frame_equal(rejects.drop(columns="reason"), raw.loc[rejects.index])
    left = raw.drop(index=rejects.index).astype(DTYPES)
    assert_frame_equal(
        kept, left.sort_values(["timestamp", "userId", "movieId"]).reset_index(drop=True)
    )


@given(raw_frames())
def test_what_was_cleaned_is_clean(raw: pd.DataFrame) -> None:
    kept, _ = clean(raw)
    again, rejects = clean(kept)
    assert_frame_equal(again, kept)
    assert rejects.empty


@given(raw_frames(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(raw: pd.DataFrame, random: st.DataObject) -> None:
    order = list(range(len(raw)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert_frame_equal(clean(raw.iloc[order])[0], clean(raw)[0])


@given(ratings_frames())
def test_usable_ratings_stay_as_they_are(frame: pd.DataFrame) -> None:
    kept, rejects = clean(frame)
    assert_frame_equal(kept, frame)
    assert rejects.empty
