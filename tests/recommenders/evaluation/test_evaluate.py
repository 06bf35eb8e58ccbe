import dataclasses

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from cinematch_dagster.recommenders.evaluation import Predictor, Scorer, Scores, evaluate_static
from cinematch_dagster.recommenders.fit import Trained
from serving.model import Model
from tests.recommenders.frames import random_ratings, ratings_frame

NOTHING = ratings_frame((99, 1, 3.0))


def evaluate(predictor: Scorer, test: pd.DataFrame, training: pd.DataFrame) -> Scores:
    return Scores.of(evaluate_static(predictor, test, training))


class ByMovieId:
    """Predicts 3 stars, and ranks movies 1 ... 20 by their ids, the highest first."""

    movie_ids = np.arange(1, 21, dtype=np.int32)

    def predict(
        self, user_ids: npt.NDArray[np.integer], movie_ids: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.float32]:
        assert len(user_ids) == len(movie_ids)
        return np.full(len(user_ids), 3.0, dtype=np.float32)

    def scores(self, user_ids: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        return np.tile(self.movie_ids.astype(np.float32), (len(user_ids), 1))


def test_four_rows_worked_by_hand() -> None:
    # The top 10 are movies 20 ... 11: user 1 hits 20 and not 5, user 2 likes nothing, user 3 hits.
    test = ratings_frame((1, 20, 5.0), (1, 5, 4.0), (2, 20, 3.0), (3, 11, 4.0))
    scores = evaluate(ByMovieId(), test, NOTHING)
    expected = Scores(np.sqrt((4 + 1 + 0 + 1) / 4), mae=1.0, precision_at_10=0.1, rows=4, users=2)
    assert dataclasses.astuple(scores) == pytest.approx(dataclasses.astuple(expected))


def test_what_was_rated_in_training_makes_room_for_the_next() -> None:
    test = ratings_frame((1, 10, 5.0))
    assert evaluate(ByMovieId(), test, NOTHING).precision_at_10 == 0
    rated = ratings_frame((1, 20, 1.0), (2, 19, 1.0))
    assert evaluate(ByMovieId(), test, rated).precision_at_10 == 0.1


def test_what_was_rated_in_training_is_not_relevant() -> None:
    test = ratings_frame((1, 20, 5.0), (1, 19, 5.0), (2, 20, 5.0))
    rated = ratings_frame((1, 20, 4.0), (2, 20, 4.0))
    scores = evaluate(ByMovieId(), test, rated)
    assert (scores.rows, scores.users, scores.precision_at_10) == (3, 1, 0.1)


def test_a_movie_outside_the_catalogue_counts_as_missed() -> None:
    scores = evaluate(ByMovieId(), ratings_frame((1, 20, 5.0), (2, 777, 5.0)), NOTHING)
    assert (scores.users, scores.precision_at_10) == (2, 0.05)


def test_a_movie_rated_twice_counts_once_if_liked_once() -> None:
    twice = ratings_frame((1, 20, 3.0), (1, 20, 4.0), (1, 20, 5.0))
    scores = evaluate(ByMovieId(), twice, NOTHING)
    assert (scores.rows, scores.precision_at_10) == (3, 0.1)


def test_without_a_relevant_movie_precision_is_zero_for_no_users() -> None:
    scores = evaluate(ByMovieId(), ratings_frame((1, 20, 3.5)), NOTHING)
    assert (scores.users, scores.precision_at_10) == (0, 0.0)


def test_no_rows_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one row was expected"):
        evaluate(ByMovieId(), NOTHING[:0], NOTHING)


def test_blocks_of_users_make_no_difference(
    model: Model, ratings: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = random_ratings(seed=3, users=40, movies=25, n=300)
    whole = evaluate(model, test, ratings)
    monkeypatch.setattr("cinematch_dagster.recommenders.evaluation.ranking._BLOCK", 7 * 27)
    assert evaluate(model, test, ratings) == whole


def test_precision_is_that_of_the_lists_that_are_served(
    model: Model, ratings: pd.DataFrame
) -> None:
    test = random_ratings(seed=4, users=40, movies=25, n=300)
    seen = set(zip(ratings["userId"], ratings["movieId"], strict=True))
    hits = []
    for user, rows in test.groupby("userId"):
        liked = set(rows.loc[rows["rating"] >= 4, "movieId"])
        relevant = {movie for movie in liked if (user, movie) not in seen}
        if relevant:
            answer = model.recommend(int(str(user)), 10)
            hits.append(len(relevant & {r.movie_id for r in answer.recommendations}))
    scores = evaluate(model, test, ratings)
    assert scores.users == len(hits) > 20
    assert scores.precision_at_10 == pytest.approx(np.mean(hits) / 10)
    assert set(test["userId"]) - set(ratings["userId"]), "cold users were expected, too"


class TestPredictors:
    """Whatever can be scored."""

    @pytest.fixture(params=["served model", "sanity floor"])
    def predictor(
        self, request: pytest.FixtureRequest, model: Model, trained: Trained
    ) -> Predictor:
        return model if request.param == "served model" else trained.baseline

    @pytest.fixture
    def users(self, ratings: pd.DataFrame) -> npt.NDArray[np.int32]:
        return np.append(ratings["userId"].unique(), [-1, 10**6]).astype(np.int32)

    def test_movies_are_ascending(self, predictor: Predictor) -> None:
        assert (np.diff(predictor.movie_ids) > 0).all()

    def test_predictions_are_stars(
        self, predictor: Predictor, users: npt.NDArray[np.int32]
    ) -> None:
        movies = np.append(predictor.movie_ids, -5)
        pairs = np.array([(user, movie) for user in users for movie in movies])
        stars = predictor.predict(pairs[:, 0], pairs[:, 1])
        assert stars.dtype == np.float32
        assert stars.shape == (len(pairs),)
        assert stars.min() >= 0.5
        assert stars.max() <= 5.0

    def test_scores_have_a_column_a_movie_and_are_finite_or_never_recommended(
        self, predictor: Predictor, users: npt.NDArray[np.int32]
    ) -> None:
        scores = predictor.scores(users)
        assert scores.dtype == np.float32
        assert scores.shape == (len(users), len(predictor.movie_ids))
        unrated = predictor.movie_ids >= 9001
        assert np.isfinite(scores[:, ~unrated]).all()
        guessed = np.isfinite(scores[:, unrated])
        known = users[:, np.newaxis] > 0
        known[-1] = False  # the served model guesses for whom it knows
        assert (guessed == (known & isinstance(predictor, Model))).all()

    def test_scores_may_be_written_to(
        self, predictor: Predictor, users: npt.NDArray[np.int32]
    ) -> None:
        expected = predictor.scores(users).copy()
        predictor.scores(users)[:] = 0
        np.testing.assert_array_equal(predictor.scores(users), expected)

    def test_nothing_given_is_changed(self, predictor: Predictor, ratings: pd.DataFrame) -> None:
        test = random_ratings(seed=6, users=35, movies=25, n=60)
        before = test.copy(), ratings.copy()
        first = evaluate(predictor, test, ratings)
        pd.testing.assert_frame_equal(test, before[0])
        pd.testing.assert_frame_equal(ratings, before[1])
        assert dataclasses.asdict(evaluate(predictor, test, ratings)) == dataclasses.asdict(first)
