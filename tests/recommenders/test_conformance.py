"""Every algorithm of the settings passes its conformance class, and a new one by the recipe."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from cinematch_dagster.recommenders import algorithms
from cinematch_dagster.recommenders.ease import fit_ease
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.settings import TrainingSettings
from serving.heads import FactorRating, RankingHead, RatingHead
from tests.recommenders.conformance import RankingConformance, RatingConformance
from tests.recommenders.frames import SMALL


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


def test_the_settings_name_every_algorithm() -> None:
    heads = TrainingSettings.model_fields
    assert set(get_args(heads["rating_head"].annotation)) == set(algorithms.RATING_HEADS)
    assert set(get_args(heads["ranking_head"].annotation)) == set(algorithms.RANKING_HEADS)


def test_too_many_movies_are_refused() -> None:
    interactions = TestEase().one_row()
    with pytest.raises(ValueError, match="1 movies, at most 0 were expected"):
        fit_ease(interactions, regularization=1.0, links=1, max_movies=0)
