"""Every algorithm of the settings passes its conformance class, and a new one by the recipe."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from cinematch_dagster.recommenders import algorithms, export, fit
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.ease import fit_ease
from cinematch_dagster.settings import TrainingSettings
from serving.model import Model
from serving.model.heads import FactorRating, ItemRanking, NeighbourRating, RankingHead, RatingHead
from tests.recommenders.conformance import RankingConformance, RatingConformance
from tests.recommenders.frames import SMALL, TRAINED_AT, WEEK, random_ratings


class TestSvd(RatingConformance):
    def fit(self, interactions: Interactions) -> RatingHead:
        return algorithms.RATING_HEADS["svd"](interactions, SMALL)


class TestCompiledSvd(RatingConformance):
    def fit(self, interactions: Interactions) -> RatingHead:
        return algorithms.RATING_HEADS["svd"](interactions, replace(SMALL, svd_engine="compiled"))


class TestSvdpp(RatingConformance):
    def fit(self, interactions: Interactions) -> RatingHead:
        return algorithms.RATING_HEADS["svdpp"](interactions, SMALL)


class TestBaseline(RatingConformance):
    closeness = 0.01

    def fit(self, interactions: Interactions) -> RatingHead:
        return algorithms.RATING_HEADS["baseline"](interactions, SMALL)


class TestKnnBaseline(RatingConformance):
    closeness = 0.01

    def fit(self, interactions: Interactions) -> RatingHead:
        return algorithms.RATING_HEADS["knn_baseline"](interactions, SMALL)


class TestAls(RankingConformance):
    def fit(self, interactions: Interactions) -> RankingHead:
        return algorithms.RANKING_HEADS["als"](interactions, SMALL)


class TestEase(RankingConformance):
    def fit(self, interactions: Interactions) -> RankingHead:
        return algorithms.RANKING_HEADS["ease"](interactions, SMALL)


class TestItemKnn(RankingConformance):
    def fit(self, interactions: Interactions) -> RankingHead:
        return algorithms.RANKING_HEADS["item_knn"](interactions, SMALL)


class TestPopularity(RankingConformance):
    def fit(self, interactions: Interactions) -> RankingHead:
        return algorithms.RANKING_HEADS["popularity"](interactions, SMALL)


def fit_movie_means(interactions: Interactions) -> FactorRating:
    """Expect a movie's own mean, whoever the user: the recipe's example."""
    mean = float(interactions.stars.mean())
    n_users, n_movies = len(interactions.user_ids), len(interactions.movie_ids)
    sums = np.bincount(interactions.movies, interactions.stars - mean, n_movies)
    return FactorRating(
        global_mean=mean,
        regularization=1.0,
        user_bias=np.zeros(n_users),
        user_factors=np.zeros((n_users, 0)),
        movie_bias=sums / np.maximum(interactions.movie_counts, 1),
        movie_factors=np.zeros((n_movies, 0)),
    )


class TestTheRecipe(RatingConformance):
    closeness = 0.5

    def fit(self, interactions: Interactions) -> RatingHead:
        return fit_movie_means(interactions)


def test_an_algorithm_by_the_recipe_is_fitted_exported_and_served_by_its_name(
    ratings: pd.DataFrame, movies: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(algorithms.RATING_HEADS, "movie_means", lambda i, _: fit_movie_means(i))
    trained = fit(ratings, movies, replace(SMALL, rating_head="movie_means"))
    export(trained, tmp_path, week=WEEK, trained_at=TRAINED_AT)
    model = Model.load(tmp_path)
    assert model.info.algorithm == "movie_means+als"
    means = ratings.groupby("movieId")["rating"].mean()
    user = int(model.user_ids[0])
    found = model.predict(np.full(len(means), user), means.index.to_numpy())
    np.testing.assert_allclose(found, means, rtol=0, atol=1e-5)
    listed = model.recommend(user, 5).recommendations
    assert len(listed) == 5
    for movie in listed:
        if movie.movie_id in means.index:
            assert movie.predicted_rating == pytest.approx(means[movie.movie_id], abs=1e-5)


def test_the_settings_name_every_algorithm() -> None:
    heads = TrainingSettings.model_fields
    assert set(get_args(heads["rating_head"].annotation)) == set(algorithms.RATING_HEADS)
    assert set(get_args(heads["ranking_head"].annotation)) == set(algorithms.RANKING_HEADS)


@pytest.mark.parametrize("name", ["knn_baseline", "ease"])
def test_memory_grows_with_the_rated_movies_not_with_the_catalogue(name: str) -> None:
    frame = random_ratings(seed=8, users=9, movies=9, n=40)
    catalogue = np.arange(300_000)  # squared, these would be hundreds of gigabytes
    interactions = Interactions.from_frame(frame, catalogue)
    head = (algorithms.RATING_HEADS | algorithms.RANKING_HEADS)[name](interactions, SMALL)
    expected = (algorithms.RATING_HEADS | algorithms.RANKING_HEADS)[name](
        small := Interactions.from_frame(frame), SMALL
    )
    rows = np.searchsorted(catalogue, small.movie_ids)
    if isinstance(head, ItemRanking) and isinstance(expected, ItemRanking):
        found = head.scores(interactions.profiles)
        np.testing.assert_allclose(found[:, rows], expected.scores(small.profiles), atol=1e-6)
    elif isinstance(head, NeighbourRating) and isinstance(expected, NeighbourRating):
        found = head.predict(interactions.profiles, interactions.users, interactions.movies)
        same = expected.predict(small.profiles, small.users, small.movies)
        np.testing.assert_allclose(found, same, atol=1e-6)


def test_equal_ratings_have_no_similar_movies() -> None:
    frame = random_ratings(seed=8, users=9, movies=9, n=40).assign(rating=np.float32(4.0))
    interactions = Interactions.from_frame(frame)
    head = algorithms.RATING_HEADS["knn_baseline"](interactions, SMALL)
    found = head.predict(interactions.profiles, interactions.users, interactions.movies)
    np.testing.assert_allclose(found, 4.0, rtol=0, atol=1e-6)


def test_too_many_movies_are_refused() -> None:
    interactions = TestEase().one_row()
    with pytest.raises(ValueError, match="1 movies, at most 0 were expected"):
        fit_ease(interactions, regularization=1.0, links=1, max_movies=0)
