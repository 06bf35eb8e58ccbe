import numpy as np
import pandas as pd
import pytest
import surprise

from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.popularity import damped_mean
from cinematch_dagster.recommenders.rating.baseline import fit_baseline
from tests.recommenders.frames import ratings_frame


def test_predictions_are_those_of_surprise(ratings: pd.DataFrame) -> None:
    reader = surprise.Reader(rating_scale=(0.5, 5.0))
    columns = ratings[["userId", "movieId", "rating"]]
    algorithm = surprise.BaselineOnly(verbose=False)
    algorithm.fit(surprise.Dataset.load_from_df(columns, reader).build_full_trainset())
    users = np.append(ratings["userId"].unique(), -1)
    movies = np.append(ratings["movieId"].unique(), -1)
    pairs = [(user, movie) for user in users.tolist() for movie in movies.tolist()]
    expected = [algorithm.predict(user, movie).est for user, movie in pairs]
    found = fit_baseline(Interactions.from_frame(ratings)).predict(*np.array(pairs).T)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_two_ratings_worked_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    # mu = 3, residuals +-1. Movies: 1 / (10 + 1). Users: (1 - 1/11) / (15 + 1) = 10/176.
    monkeypatch.setattr("cinematch_dagster.recommenders.rating.baseline.EPOCHS", 1)
    frame = ratings_frame((1, 1, 4.0), (2, 2, 2.0))
    predictor = fit_baseline(Interactions.from_frame(frame))
    assert predictor.movie_bias == pytest.approx([1 / 11, -1 / 11])
    assert predictor.user_bias == pytest.approx([10 / 176, -10 / 176])
    both = predictor.predict(np.array([1, 1, 9, 9]), np.array([1, 9, 1, 9]))
    assert both == pytest.approx([3 + 1 / 11 + 10 / 176, 3 + 10 / 176, 3 + 1 / 11, 3.0])


def test_it_ranks_by_popularity_and_never_what_nobody_rated(ratings: pd.DataFrame) -> None:
    interactions = Interactions.from_frame(ratings, np.array([9001]))
    scores = fit_baseline(interactions).scores(np.array([1, -1]))
    assert scores[:, -1].tolist() == [-np.inf, -np.inf]
    expected = damped_mean(interactions)[:-1].astype(np.float32)
    np.testing.assert_array_equal(scores[0, :-1], expected)
    np.testing.assert_array_equal(scores[0], scores[1])
