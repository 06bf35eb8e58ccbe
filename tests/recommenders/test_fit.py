from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cinematch_dagster.recommenders.algorithms import RANKING_HEADS, RATING_HEADS
from cinematch_dagster.recommenders.export import export
from cinematch_dagster.recommenders.features import genre_membership
from cinematch_dagster.recommenders.fit import Trained, fit
from serving.model import Model
from serving.model.artifact import Artifact
from serving.model.recommender import Answer
from serving.model.selfcheck import check
from tests.recommenders.frames import SMALL, TRAINED_AT, WEEK, movies_frame, ratings_frame, small


def assert_same(one: Answer, other: Answer) -> None:
    assert [r.movie_id for r in one.recommendations] == [r.movie_id for r in other.recommendations]
    for a, b in zip(one.recommendations, other.recommendations, strict=True):
        assert a.score == pytest.approx(b.score, abs=1e-3)  # lists are in half precision
        assert a.predicted_rating == pytest.approx(b.predicted_rating, abs=1e-6)
        assert a.reason == b.reason


def test_a_seed_determines_what_is_served(
    model: Model, ratings: pd.DataFrame, movies: pd.DataFrame, tmp_path: Path
) -> None:
    export(fit(ratings, movies, SMALL), tmp_path, week=WEEK, trained_at=TRAINED_AT)
    again = Model.load(tmp_path)
    for user in [*model.user_ids.tolist(), -1]:
        assert model.recommend(user, 12) == again.recommend(user, 12)
    others = small(seed=8)
    export(fit(ratings, movies, others), tmp_path, week=WEEK, trained_at=TRAINED_AT)
    user = int(model.user_ids[0])
    assert model.recommend(user, 12) != Model.load(tmp_path).recommend(user, 12)


@pytest.mark.parametrize("rating_head", RATING_HEADS)
@pytest.mark.parametrize("ranking_head", RANKING_HEADS)
def test_every_pair_of_heads_can_be_served(
    rating_head: str, ranking_head: str, ratings: pd.DataFrame, movies: pd.DataFrame, tmp_path: Path
) -> None:
    heads = small(rating_head, ranking_head)
    export(fit(ratings, movies, heads), tmp_path, week=WEEK, trained_at=TRAINED_AT)
    model = Model.load(tmp_path)
    assert model.info.algorithm == f"{rating_head}+{ranking_head}"
    check(model)


def test_nothing_given_is_changed(ratings: pd.DataFrame, movies: pd.DataFrame) -> None:
    before = ratings.copy(), movies.copy()
    fit(ratings, movies, SMALL)
    pd.testing.assert_frame_equal(ratings, before[0])
    pd.testing.assert_frame_equal(movies, before[1])


def test_what_is_served_predicts_what_was_trained(trained: Trained, model: Model) -> None:
    n_users, n_movies = len(trained.interactions.user_ids), len(trained.interactions.movie_ids)
    users, movies = np.divmod(np.arange(n_users * n_movies), n_movies)
    stars = trained.rating.predict(trained.interactions.profiles, users, movies)
    found = model.predict(
        trained.interactions.user_ids[users], trained.interactions.movie_ids[movies]
    )
    np.testing.assert_array_equal(found, np.clip(stars, 0.5, 5.0))


def test_the_manifest_says_what_the_model_is(model: Model, ratings: pd.DataFrame) -> None:
    assert asdict(model.info) == {
        "format": 3,
        "week": "2024-01-01",
        "trained_at": "2024-01-08T06:30:00+00:00",
        "n_users": ratings["userId"].nunique(),
        "n_movies": ratings["movieId"].nunique() + 2,
        "n_ratings": len(ratings),
        "algorithm": "svd+als",
        "guesses": True,
    }
    assert model.genres == ("Comedy", "Drama")


def test_history_is_exported(model: Model, ratings: pd.DataFrame) -> None:
    for user, rows in ratings.groupby("userId"):
        assert model.seen(int(str(user))).tolist() == sorted(rows["movieId"])


def test_new_ratings_that_repeat_the_known_ones_change_no_order(
    model: Model, ratings: pd.DataFrame
) -> None:
    for user, rows in ratings.groupby("userId"):
        known = int(str(user))
        profile = dict(zip(rows["movieId"].tolist(), rows["rating"].tolist(), strict=True))
        listed = model.recommend(known, 12)
        for answer in (model.recommend(known, 12, profile), model.recommend(-1, 12, profile)):
            np.testing.assert_allclose(
                [r.score for r in answer.recommendations],
                [r.score for r in listed.recommendations],
                rtol=0,
                atol=1e-3,
            )


def test_the_exact_path_gives_what_the_lists_give(model: Model) -> None:
    for user in model.user_ids.tolist():
        assert_same(model.recommend(user, 12), model.recommend(user, 12, genres=model.genres))


def test_a_rated_movie_without_a_title_is_called_by_its_id(tmp_path: Path) -> None:
    frame = ratings_frame((1, 10, 4.0), (2, 11, 5.0), (2, 12, 3.0))
    trained = fit(frame, movies_frame(10, 12), SMALL)
    export(trained, tmp_path, week=WEEK, trained_at=TRAINED_AT)
    artifact = Artifact.read(tmp_path)
    assert artifact.titles.to_pylist() == ["Title 10", "Movie 11", "Title 12"]
    assert artifact.genres.to_pylist() == ["Comedy", "(no genres listed)", "Comedy"]
    assert Model.load(tmp_path).recommend(1, 5).recommendations[0].movie_id in {11, 12}


def test_genres_are_taken_apart() -> None:
    texts = pd.Series(["Drama|Sci-Fi", "(no genres listed)", "Drama", "Comedy|Film-Noir"])
    membership = genre_membership(texts)
    assert list(membership.columns) == ["Comedy", "Drama", "Film-Noir", "Sci-Fi"]
    assert membership.to_numpy().astype(int).tolist() == [
        [0, 1, 0, 1],
        [0, 0, 0, 0],
        [0, 1, 0, 0],
        [1, 0, 1, 0],
    ]
