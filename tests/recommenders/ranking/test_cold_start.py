"""Movies that nobody rated: guessed from genres and decade, all others as they were."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from cinematch_dagster.recommenders.algorithms import RANKING_HEADS, RATING_HEADS
from cinematch_dagster.recommenders.export import export
from cinematch_dagster.recommenders.features import movie_features
from cinematch_dagster.recommenders.fit import fit
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.cold_start import PENALTY, TRUSTED, ColdStart
from serving.model import Model
from serving.model.answers.explanations import GUESSED
from serving.model.artifact import Artifact
from serving.model.heads import FactorRanking, FactorRating
from tests.recommenders.frames import (
    SEED,
    SMALL,
    SMALL_RANKING,
    SMALL_RATING,
    TRAINED_AT,
    WEEK,
    ratings_frame,
)

MUSICALS, WESTERNS = range(1, 9), range(11, 19)
NEW_MUSICAL, NEW_WESTERN = 9, 19
CATALOGUE = np.array([*MUSICALS, NEW_MUSICAL, *WESTERNS, NEW_WESTERN])
COLD = np.isin(CATALOGUE, [NEW_MUSICAL, NEW_WESTERN])


@pytest.fixture(scope="module")
def ratings() -> pd.DataFrame:
    """Users 1 to 10 like musicals, users 11 to 20 westerns; each has not rated one of them."""
    rows = []
    for user in range(1, 21):
        liked, other = (MUSICALS, WESTERNS) if user <= 10 else (WESTERNS, MUSICALS)
        rows += [(user, movie, 5.0) for movie in liked if movie % 8 != user % 8]
        rows += [(user, movie, 1.0) for movie in list(other)[:2]]
    return ratings_frame(*rows)


@pytest.fixture(scope="module")
def movies() -> pd.DataFrame:
    genres = ["Musical" if movie < 10 else "Western" for movie in CATALOGUE]
    titles = [f"Title {movie} (199{movie % 10})" for movie in CATALOGUE]
    return pd.DataFrame({"movieId": CATALOGUE, "title": titles, "genres": genres})


@pytest.fixture(scope="module")
def interactions(ratings: pd.DataFrame) -> Interactions:
    return Interactions.from_frame(ratings, CATALOGUE)


@pytest.fixture(scope="module")
def cold_start(interactions: Interactions, movies: pd.DataFrame) -> ColdStart:
    return ColdStart.of(
        movie_features(movies["title"], movies["genres"]), interactions.movie_counts
    )


def test_features_are_genres_and_decades() -> None:
    titles = pd.Series(["A (1999)", "B (1985)", "C", "2001: D (1990) "])
    genres = pd.Series(["Drama|Comedy", "Comedy", "(no genres listed)", "Drama"])
    assert movie_features(titles, genres).astype(int).tolist() == [
        [1, 1, 0, 1],  # Comedy, Drama, 198., 199.
        [1, 0, 1, 0],
        [0, 0, 0, 0],
        [0, 1, 0, 1],
    ]


def test_without_features_it_is_the_mean_of_the_trusted() -> None:
    # Trust 25 / 50 and 75 / 100: (.5 * 1 + .75 * 2) / 1.25.
    cold_start = ColdStart.of(np.zeros((3, 0)), np.array([25, 0, 75]))
    np.testing.assert_allclose(cold_start.filled(np.array([1.0, 9.0, 2.0])), [1.0, 1.6, 2.0])


def test_guesses_are_those_of_another_ridge_regression() -> None:
    random = np.random.default_rng(3)
    features = random.integers(0, 2, (40, 5)).astype(float)
    counts, values = random.integers(0, 60, 40) // 8, random.normal(size=(40, 3))
    rated = counts > 0
    ridge = Ridge(alpha=PENALTY)
    ridge.fit(features[rated], values[rated], counts[rated] / (counts[rated] + TRUSTED))
    found = ColdStart.of(features, counts).filled(values)
    np.testing.assert_allclose(found[~rated], ridge.predict(features[~rated]), atol=1e-9)
    np.testing.assert_array_equal(found[rated], values[rated])


@pytest.mark.parametrize("name", RANKING_HEADS)
def test_the_order_of_the_rated_stays_and_a_new_movie_finds_its_users(
    name: str, interactions: Interactions, cold_start: ColdStart
) -> None:
    head = SMALL_RANKING[name].fit(interactions, SEED)
    before, after = (h.scores(interactions.profiles) for h in (head, cold_start.into(head)))
    np.testing.assert_allclose(after[:, ~COLD], before[:, ~COLD], rtol=0, atol=1e-6)
    musical, western = after[:, COLD].T
    if name == "popularity":
        assert (musical > 0).all()
    else:
        assert (musical[:10] > western[:10]).all()
        assert (western[10:] > musical[10:]).all()


@pytest.mark.parametrize("name", RATING_HEADS)
def test_the_stars_of_the_rated_stay_and_a_new_movie_has_the_bias_of_its_kind(
    name: str, interactions: Interactions, cold_start: ColdStart
) -> None:
    head = SMALL_RATING[name].fit(interactions, SEED)
    rows = np.arange(len(CATALOGUE))
    users = np.zeros_like(rows)
    before, after = (
        h.predict(interactions.profiles, users, rows) for h in (head, cold_start.into(head))
    )
    np.testing.assert_array_equal(after[~COLD], before[~COLD])
    assert (after[COLD] != before[COLD]).all()


def test_weights_between_movies_are_guessed_as_scores_are(
    interactions: Interactions, cold_start: ColdStart
) -> None:
    head = SMALL_RANKING["ease"].fit(interactions, SEED)
    before, after = (h.scores(interactions.profiles) for h in (head, cold_start.into(head)))
    np.testing.assert_allclose(after, cold_start.filled(before.T).T, rtol=0, atol=1e-6)


def test_a_catalogue_all_of_which_is_rated_leaves_a_head_as_it_is(ratings: pd.DataFrame) -> None:
    interactions = Interactions.from_frame(ratings)
    cold_start = ColdStart.of(np.ones((len(interactions.movie_ids), 1)), interactions.movie_counts)
    for name in ("als", "item_knn"):
        head = SMALL_RANKING[name].fit(interactions, SEED)
        found = cold_start.into(head).scores(interactions.profiles)
        np.testing.assert_array_equal(found, head.scores(interactions.profiles))


def test_what_is_served_recommends_the_new_once_and_says_why(
    ratings: pd.DataFrame, movies: pd.DataFrame, tmp_path: Path
) -> None:
    trained = fit(ratings, movies, SMALL)
    assert isinstance(trained.rating, FactorRating)
    assert isinstance(trained.ranking, FactorRanking)
    assert trained.rating.movie_bias[COLD].all()
    export(trained, tmp_path, week=WEEK, trained_at=TRAINED_AT)
    model = Model.load(tmp_path)
    listed = {r.movie_id: r for r in model.recommend(1, 20).recommendations}
    assert listed[NEW_MUSICAL].reason == GUESSED
    assert listed[NEW_MUSICAL].score > listed[NEW_WESTERN].score
    assert NEW_MUSICAL not in {r.movie_id for r in model.recommend(-1, 20).recommendations}
    fan = model.recommend(-1, 20, ratings={NEW_MUSICAL: 5.0}).recommendations
    assert NEW_MUSICAL not in {r.movie_id for r in fan}
    assert NEW_WESTERN in {r.movie_id for r in fan}


def test_a_model_without_guesses_never_recommends_the_new(
    ratings: pd.DataFrame, movies: pd.DataFrame, tmp_path: Path
) -> None:
    export(fit(ratings, movies, SMALL), tmp_path, week=WEEK, trained_at=TRAINED_AT)
    artifact = Artifact.read(tmp_path)
    before = Model(replace(artifact, info=replace(artifact.info, guesses=False)))
    found = {r.movie_id for r in before.recommend(1, 20, genres=("Musical",)).recommendations}
    assert found
    assert NEW_MUSICAL not in found
