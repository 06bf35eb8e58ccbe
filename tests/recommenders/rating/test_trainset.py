from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import surprise
from hypothesis import given, settings

from cinematch_dagster.recommenders.rating.trainset import ArrayTrainset
from tests.recommenders.frames import random_ratings, ratings_frame, ratings_frames

ALGORITHMS: dict[str, Callable[[], surprise.AlgoBase]] = {
    "SVD": lambda: surprise.SVD(n_factors=6, n_epochs=4, random_state=3),
    "SVDpp": lambda: surprise.SVDpp(n_factors=4, n_epochs=2, random_state=3),
    "NMF": lambda: surprise.NMF(n_factors=4, n_epochs=3, random_state=3),
    "BaselineOnly": lambda: surprise.BaselineOnly(verbose=False),
    "KNNBaseline": lambda: surprise.KNNBaseline(
        k=5, sim_options={"name": "pearson_baseline", "user_based": False}, verbose=False
    ),
}


def of_surprise(frame: pd.DataFrame) -> surprise.Trainset:
    reader = surprise.Reader(rating_scale=(0.5, 5.0))
    columns = frame[["userId", "movieId", "rating"]]
    return surprise.Dataset.load_from_df(columns, reader).build_full_trainset()


def of_arrays(frame: pd.DataFrame) -> ArrayTrainset:
    columns = (frame[name].to_numpy() for name in ("userId", "movieId", "rating"))
    return ArrayTrainset(*columns)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_predictions_are_those_of_load_from_df(name: str) -> None:
    frame = random_ratings(seed=5, users=20, movies=15, n=180)
    expected = ALGORITHMS[name]().fit(of_surprise(frame))
    found = ALGORITHMS[name]().fit(of_arrays(frame))
    for user in [*frame["userId"].unique().tolist(), -1]:
        for movie in [*frame["movieId"].unique().tolist(), -1]:
            assert found.predict(user, movie).est == expected.predict(user, movie).est


@settings(deadline=None)
@given(ratings_frames())
def test_every_attribute_is_that_of_load_from_df(frame: pd.DataFrame) -> None:
    expected, found = of_surprise(frame), of_arrays(frame)
    assert (found.n_users, found.n_items, found.n_ratings) == (
        expected.n_users,
        expected.n_items,
        expected.n_ratings,
    )
    assert dict(found.ur) == dict(expected.ur)
    assert {i: sorted(row) for i, row in found.ir.items()} == {
        i: sorted(row) for i, row in expected.ir.items()
    }
    assert list(found.all_ratings()) == list(expected.all_ratings())
    assert found.global_mean == expected.global_mean
    assert found.rating_scale == expected.rating_scale
    assert [found.to_raw_uid(u) for u in found.all_users()] == [
        expected.to_raw_uid(u) for u in expected.all_users()
    ]
    assert [found.to_raw_iid(i) for i in found.all_items()] == [
        expected.to_raw_iid(i) for i in expected.all_items()
    ]


def test_inner_ids_are_in_order_of_first_appearance() -> None:
    trainset = of_arrays(ratings_frame((7, 50, 1.0), (3, 50, 2.0), (7, 20, 3.0), (5, 10, 4.0)))
    assert trainset.raw_users.tolist() == [7, 3, 5]
    assert trainset.raw_movies.tolist() == [50, 20, 10]
    assert list(trainset.all_ratings()) == [(0, 0, 1.0), (0, 1, 3.0), (1, 0, 2.0), (2, 2, 4.0)]
    assert trainset.ir[0] == [(0, 1.0), (1, 2.0)]


def test_ids_that_are_not_there_are_not_known() -> None:
    trainset = of_arrays(ratings_frame((7, 50, 1.0)))
    assert trainset.knows_user(0)
    assert not trainset.knows_user(1)
    assert not trainset.knows_item(-1)
    assert not trainset.knows_item("UKN__50")
    with pytest.raises(KeyError):
        trainset.ur[1]


def test_ratings_are_visited_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = random_ratings(seed=2, users=8, movies=9, n=50)
    monkeypatch.setattr("cinematch_dagster.recommenders.rating.trainset._BLOCK", 7)
    assert list(of_arrays(frame).all_ratings()) == list(of_surprise(frame).all_ratings())


def test_the_arrays_given_stay_as_they_are() -> None:
    users, movies = np.array([2, 1]), np.array([5, 6])
    stars = np.array([1.0, 2.0], dtype=np.float32)
    surprise.SVD(n_factors=2, random_state=0).fit(ArrayTrainset(users, movies, stars))
    assert (users.tolist(), movies.tolist(), stars.tolist()) == ([2, 1], [5, 6], [1.0, 2.0])
