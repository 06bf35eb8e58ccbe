"""Every algorithm of the settings passes its conformance class, and a new one by the recipe."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, get_args

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, Field, ValidationError

from cinematch_dagster.recommenders import algorithms
from cinematch_dagster.recommenders.algorithm import Algorithm, Range, RatingAlgorithm
from cinematch_dagster.recommenders.export import export
from cinematch_dagster.recommenders.fit import fit
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.ease import fit_ease
from serving.model import Model
from serving.model.heads import FactorRating, ItemRanking, NeighbourRating, RankingHead, RatingHead
from tests.recommenders.conformance import RankingConformance, RatingConformance
from tests.recommenders.frames import (
    SEED,
    SMALL,
    SMALL_RANKING,
    SMALL_RATING,
    TRAINED_AT,
    WEEK,
    random_ratings,
)


class TestSvd(RatingConformance):
    def fit(self, interactions: Interactions) -> RatingHead:
        return SMALL_RATING["svd"].fit(interactions, SEED)


class TestCompiledSvd(RatingConformance):
    def fit(self, interactions: Interactions) -> RatingHead:
        return SMALL_RATING["svd"].model_copy(update={"engine": "compiled"}).fit(interactions, SEED)


class TestSvdpp(RatingConformance):
    def fit(self, interactions: Interactions) -> RatingHead:
        return SMALL_RATING["svdpp"].fit(interactions, SEED)


class TestBaseline(RatingConformance):
    closeness = 0.01

    def fit(self, interactions: Interactions) -> RatingHead:
        return SMALL_RATING["baseline"].fit(interactions, SEED)


class TestKnnBaseline(RatingConformance):
    closeness = 0.01

    def fit(self, interactions: Interactions) -> RatingHead:
        return SMALL_RATING["knn_baseline"].fit(interactions, SEED)


class TestAls(RankingConformance):
    def fit(self, interactions: Interactions) -> RankingHead:
        return SMALL_RANKING["als"].fit(interactions, SEED)


class TestEase(RankingConformance):
    def fit(self, interactions: Interactions) -> RankingHead:
        return SMALL_RANKING["ease"].fit(interactions, SEED)


class TestItemKnn(RankingConformance):
    def fit(self, interactions: Interactions) -> RankingHead:
        return SMALL_RANKING["item_knn"].fit(interactions, SEED)


class TestPopularity(RankingConformance):
    def fit(self, interactions: Interactions) -> RankingHead:
        return SMALL_RANKING["popularity"].fit(interactions, SEED)


class MovieMeans(RatingAlgorithm):
    """A movie's own mean, whoever the user: the recipe's example."""

    algorithm: Literal["movie_means"] = "movie_means"
    damping: float = Field(1.0, ge=0)

    search: ClassVar = {"damping": Range(0.1, 100.0, log=True)}

    def fit(self, interactions: Interactions, seed: int) -> FactorRating:  # noqa: ARG002
        """Fit the head; it draws nothing."""
        mean = float(interactions.stars.mean())
        n_users, n_movies = len(interactions.user_ids), len(interactions.movie_ids)
        sums = np.bincount(interactions.movies, interactions.stars - mean, n_movies)
        return FactorRating(
            global_mean=mean,
            regularization=1.0,
            user_bias=np.zeros(n_users),
            user_factors=np.zeros((n_users, 0)),
            movie_bias=sums / np.maximum(interactions.movie_counts + self.damping, 1),
            movie_factors=np.zeros((n_movies, 0)),
        )


class Recipe(BaseModel):
    """A registry with one algorithm more."""

    rating: Annotated[algorithms.Rating | MovieMeans, Field(discriminator="algorithm")]


class TestTheRecipe(RatingConformance):
    closeness = 0.5

    def fit(self, interactions: Interactions) -> RatingHead:
        return MovieMeans(damping=0).fit(interactions, SEED)


def test_an_algorithm_by_the_recipe_is_fitted_exported_and_served_by_its_name(
    ratings: pd.DataFrame, movies: pd.DataFrame, tmp_path: Path
) -> None:
    named = Recipe.model_validate({"rating": {"algorithm": "movie_means", "damping": 0}})
    trained = fit(ratings, movies, SMALL.model_copy(update={"rating": named.rating}))
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


def test_every_algorithm_has_small_values_here() -> None:
    assert set(SMALL_RATING) == set(algorithms.RATING_HEADS)
    assert set(SMALL_RANKING) == set(algorithms.RANKING_HEADS)


@pytest.mark.parametrize("kind", [*get_args(algorithms.Rating), *get_args(algorithms.Ranking)])
def test_an_algorithm_says_everything_about_itself(kind: type[Algorithm]) -> None:
    chosen = kind.model_validate({})
    assert chosen.algorithm in algorithms.RATING_HEADS | algorithms.RANKING_HEADS
    assert set(chosen.search) <= set(chosen.hyperparameters)
    for name, found in chosen.search.items():
        assert type(getattr(chosen, name)) is type(found.low) is type(found.high)
        for bound in (found.low, found.high):
            kind.model_validate({name: bound})
    with pytest.raises(ValidationError, match="colour"):
        kind.model_validate({"colour": 1})


@pytest.mark.parametrize("name", ["knn_baseline", "ease"])
def test_memory_grows_with_the_rated_movies_not_with_the_catalogue(name: str) -> None:
    frame = random_ratings(seed=8, users=9, movies=9, n=40)
    catalogue = np.arange(300_000)  # squared, these would be hundreds of gigabytes
    interactions = Interactions.from_frame(frame, catalogue)
    algorithm = (SMALL_RATING | SMALL_RANKING)[name]
    head = algorithm.fit(interactions, SEED)
    expected = algorithm.fit(small := Interactions.from_frame(frame), SEED)
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
    head = SMALL_RATING["knn_baseline"].fit(interactions, SEED)
    found = head.predict(interactions.profiles, interactions.users, interactions.movies)
    np.testing.assert_allclose(found, 4.0, rtol=0, atol=1e-6)


def test_too_many_movies_are_refused() -> None:
    interactions = TestEase().one_row()
    with pytest.raises(ValueError, match="1 movies, at most 0 were expected"):
        fit_ease(interactions, regularization=1.0, links=1, max_movies=0)
