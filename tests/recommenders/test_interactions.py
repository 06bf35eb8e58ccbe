import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from cinematch_dagster.recommenders.interactions import Interactions
from tests.recommenders.frames import ratings_frame, ratings_frames

FRAME = ratings_frame((9, 40, 4.0), (2, 10, 0.5), (9, 10, 5.0), (2, 30, 3.0))


def test_rows_are_positions_in_ascending_ids() -> None:
    interactions = Interactions.from_frame(FRAME, np.array([20, 10]))
    assert interactions.user_ids.tolist() == [2, 9]
    assert interactions.movie_ids.tolist() == [10, 20, 30, 40]
    assert interactions.users.tolist() == [1, 0, 1, 0]
    assert interactions.movies.tolist() == [3, 0, 0, 2]
    assert interactions.stars.tolist() == [4.0, 0.5, 5.0, 3.0]


def test_counts_include_movies_without_ratings() -> None:
    interactions = Interactions.from_frame(FRAME, np.array([20]))
    assert interactions.movie_counts.tolist() == [2, 0, 1, 1]
    assert interactions.user_counts.tolist() == [2, 2]


def test_matrix_has_a_row_a_user() -> None:
    matrix = Interactions.from_frame(FRAME, np.array([20])).matrix
    assert matrix.toarray().tolist() == [[0.5, 0.0, 3.0, 0.0], [5.0, 0.0, 0.0, 4.0]]


@given(ratings_frames())
def test_a_frame_can_be_read_back(frame: pd.DataFrame) -> None:
    interactions = Interactions.from_frame(frame)
    assert (interactions.user_ids[interactions.users] == frame["userId"]).all()
    assert (interactions.movie_ids[interactions.movies] == frame["movieId"]).all()
    assert interactions.matrix.nnz == len(frame)
    assert interactions.movie_counts.min() >= 1


def test_a_repeated_pair_is_refused() -> None:
    twice = ratings_frame((1, 2, 3.0), (1, 3, 4.0), (1, 2, 5.0))
    with pytest.raises(ValueError, match=r"1 repeated pairs of \(userId, movieId\)"):
        Interactions.from_frame(twice)


def test_an_empty_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one rating was expected"):
        Interactions.from_frame(FRAME[:0])
