"""Heads made from Surprise's algorithms predict what Surprise does by its own way from a frame."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import surprise

from cinematch_dagster.recommenders.algorithms import RATING_HEADS, Rating
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.rating.knn_baseline import OPTIONS, KnnBaseline
from tests.recommenders.frames import SEED, SMALL_RATING, random_ratings

CHOSEN: dict[str, Rating] = {
    **SMALL_RATING,
    "svd": SMALL_RATING["svd"].model_copy(update={"engine": "surprise"}),
    "knn_baseline": KnnBaseline(neighbours=6, links=1_000),
}
ALGORITHMS: dict[str, surprise.AlgoBase] = {
    "svd": surprise.SVD(
        n_factors=4, n_epochs=10, lr_all=0.01, reg_all=0.05, init_std_dev=0.1, random_state=7
    ),
    "svdpp": surprise.SVDpp(
        n_factors=3, n_epochs=5, lr_all=0.01, reg_all=0.05, init_std_dev=0.1, random_state=7
    ),
    "baseline": surprise.BaselineOnly(bsl_options=OPTIONS, verbose=False),
    "knn_baseline": surprise.KNNBaseline(
        k=6,
        sim_options={"name": "pearson_baseline", "user_based": False},
        bsl_options=OPTIONS,
        verbose=False,
    ),
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return random_ratings(seed=8, users=40, movies=30, n=500)


def by_surprise(algorithm: Any, frame: pd.DataFrame, pairs: list[tuple[int, int]]) -> list[float]:
    """Return the predictions for pairs of ids, not clipped."""
    reader = surprise.Reader(rating_scale=(0.5, 5.0))
    columns = frame[["userId", "movieId", "rating"]]
    algorithm.fit(surprise.Dataset.load_from_df(columns, reader).build_full_trainset())
    return [algorithm.predict(user, movie, clip=False).est for user, movie in pairs]


def test_every_rating_head_is_compared() -> None:
    assert set(ALGORITHMS) == set(RATING_HEADS)


@pytest.mark.parametrize("name", RATING_HEADS)
def test_predictions_are_those_of_surprise(name: str, frame: pd.DataFrame) -> None:
    interactions = Interactions.from_frame(frame)
    head = CHOSEN[name].fit(interactions, SEED)
    users = np.append(interactions.user_ids, -1)
    movies = np.append(interactions.movie_ids, -1)
    rows, columns = np.divmod(np.arange(len(users) * len(movies)), len(movies))
    if name == "knn_baseline":  # a rating says nothing of itself, to Surprise it is the nearest
        known = np.zeros((len(users), len(movies)), dtype=np.bool_)
        known[interactions.users, interactions.movies] = True
        rows, columns = np.nonzero(~known)
    pairs = list(zip(users[rows].tolist(), movies[columns].tolist(), strict=True))
    expected = by_surprise(ALGORITHMS[name], frame, pairs)
    rows, columns = (
        np.where(places < len(ids) - 1, places, -1)
        for places, ids in ((rows, users), (columns, movies))
    )
    found = head.predict(interactions.profiles, rows, columns)
    assert np.std(expected) > 0.1
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)
