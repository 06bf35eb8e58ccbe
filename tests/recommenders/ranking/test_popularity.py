import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.popularity import damped_mean
from tests.recommenders.frames import ratings_frame, ratings_frames


def test_four_ratings_worked_by_hand() -> None:
    # mu = 3; (5 + 4 + 2 * 3) / (2 + 2), (2 + 1 + 2 * 3) / (2 + 2), no ratings: mu.
    frame = ratings_frame((1, 1, 5.0), (2, 1, 4.0), (1, 2, 2.0), (2, 2, 1.0))
    means = damped_mean(Interactions.from_frame(frame, np.array([3])), damping=2.0)
    assert means.tolist() == [3.75, 2.25, 3.0]


def test_without_damping_it_is_the_mean() -> None:
    frame = ratings_frame((1, 1, 5.0), (2, 1, 4.0), (1, 2, 2.0))
    assert damped_mean(Interactions.from_frame(frame), damping=0.0).tolist() == [4.5, 2.0]


@given(ratings_frames())
def test_it_lies_between_the_mean_of_the_movie_and_of_all(frame: pd.DataFrame) -> None:
    damped = damped_mean(Interactions.from_frame(frame))
    plain = frame.groupby("movieId")["rating"].mean().to_numpy(dtype=np.float64)
    overall = frame["rating"].mean()
    assert (damped <= np.maximum(plain, overall) + 1e-6).all()
    assert (damped >= np.minimum(plain, overall) - 1e-6).all()


def test_more_ratings_of_the_same_mean_move_further_from_the_mean_of_all() -> None:
    many = [(user, 1, 5.0) for user in range(1, 9)]
    frame = ratings_frame(*many, (1, 2, 5.0), (2, 3, 1.0))
    often, once, _ = damped_mean(Interactions.from_frame(frame))
    assert 5.0 > often > once > frame["rating"].mean() == pytest.approx(4.6)
