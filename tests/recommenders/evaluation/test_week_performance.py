import math

import numpy as np
import pandas as pd
import pytest

from cinematch_dagster.drift.performance import WeekSlice
from cinematch_dagster.recommenders.evaluation import Scores, evaluate_static
from cinematch_dagster.recommenders.evaluation.week_performance import score_week
from serving.model import Model
from tests.recommenders.frames import random_ratings, ratings_frame
from tests.serving.hand_made import hand_made

# User 1 had rated movie 10, user 2 movies 20 and 30; nobody movie 50. Expected stars on the right.
WEEK = ratings_frame(
    (1, 20, 4.0),  # 3.75
    (1, 30, 1.5),  # 2.25
    (2, 10, 3.0),  # 3.5
    (2, 50, 4.0),  # 3.0
    (7, 10, 4.5),  # 4.0
    (7, 99, 2.0),  # 3.5
)


@pytest.fixture
def small() -> Model:
    return Model(hand_made())


def check(found: WeekSlice | None, rows: int, mse: float, mae: float) -> WeekSlice:
    assert found is not None
    assert found.rows == rows
    assert (found.rmse, found.mae) == pytest.approx((math.sqrt(mse), mae))
    return found


def test_six_ratings_worked_by_hand(small: Model) -> None:
    scores = score_week(small, WEEK)
    overall = check(scores.overall, rows=6, mse=4.375 / 6, mae=4.5 / 6)
    warm = check(scores.warm_user, rows=4, mse=1.875 / 4, mae=2.5 / 4)
    new_user = check(scores.new_user, rows=2, mse=2.5 / 2, mae=2.0 / 2)
    new_movie = check(scores.new_movie, rows=2, mse=3.25 / 2, mae=2.5 / 2)
    # Users 1 and 7 find what they like (20 and 10); user 2 likes 50, which is never recommended.
    assert (overall.users, overall.hit_rate_at_10) == (3, 2 / 3)
    assert (warm.users, warm.hit_rate_at_10) == (2, 0.5)
    assert (new_user.users, new_user.hit_rate_at_10) == (1, 1.0)
    assert (new_movie.users, new_movie.hit_rate_at_10) == (1, 0.0)


def test_a_slice_without_ratings_is_none(small: Model) -> None:
    scores = score_week(small, WEEK.head(2))
    assert scores.warm_user == scores.overall
    assert (scores.new_user, scores.new_movie) == (None, None)


def test_a_movie_rated_in_training_is_predicted_and_is_no_hit(small: Model) -> None:
    again = score_week(small, ratings_frame((1, 10, 4.0))).overall
    assert again == WeekSlice(rows=1, rmse=1.0, mae=1.0, users=0, hit_rate_at_10=None)


def test_no_rating_is_an_error(small: Model) -> None:
    with pytest.raises(ValueError, match="at least one row was expected"):
        score_week(small, WEEK.head(0))


def test_a_prediction_that_is_not_finite_is_an_error(
    small: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small, "predict", lambda users, _: np.full(len(users), np.nan))
    with pytest.raises(ValueError, match="6 of 6 predictions are not finite"):
        score_week(small, WEEK)


def test_hits_are_those_of_the_lists_that_are_served(model: Model, ratings: pd.DataFrame) -> None:
    week = random_ratings(seed=4, users=40, movies=25, n=300)
    seen = set(zip(ratings["userId"], ratings["movieId"], strict=True))
    hits = []
    for user, rows in week.groupby("userId"):
        liked = set(rows.loc[rows["rating"] >= 4, "movieId"])
        relevant = {movie for movie in liked if (user, movie) not in seen}
        if relevant:
            answer = model.recommend(int(str(user)), 10)
            hits.append(bool(relevant & {r.movie_id for r in answer.recommendations}))
    overall = score_week(model, week).overall
    assert overall.users == len(hits) > 20
    assert overall.hit_rate_at_10 == pytest.approx(np.mean(hits))
    assert 0 < sum(hits) < len(hits)


@pytest.mark.parametrize("seed", range(5))
def test_the_model_s_own_memory_of_training_gives_what_the_training_data_gives(
    model: Model, ratings: pd.DataFrame, seed: int
) -> None:
    week = random_ratings(seed=seed + 10, users=40, movies=30, n=200)
    overall = score_week(model, week).overall
    expected = Scores.of(evaluate_static(model, week, ratings))
    assert (overall.rows, overall.rmse, overall.mae, overall.users) == (
        expected.rows,
        expected.rmse,
        expected.mae,
        expected.users,
    )


@pytest.mark.parametrize("seed", range(5))
def test_warm_and_new_users_add_up(model: Model, seed: int) -> None:
    scores = score_week(model, random_ratings(seed=seed, users=60, movies=40, n=300))
    overall, parts = scores.overall, [scores.warm_user, scores.new_user]
    known = [part for part in parts if part is not None]
    assert len(known) == 2
    assert sum(p.rows for p in known) == overall.rows
    assert sum(p.users for p in known) == overall.users
    assert sum(p.rows * p.mae for p in known) == pytest.approx(overall.rows * overall.mae)
    assert sum(p.rows * p.rmse**2 for p in known) == pytest.approx(overall.rows * overall.rmse**2)
    assert overall.hit_rate_at_10 is not None
    found = sum(p.users * (p.hit_rate_at_10 or 0) for p in known)
    assert found == pytest.approx(overall.users * overall.hit_rate_at_10)
