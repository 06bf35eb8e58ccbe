from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.model import Answer, Model, Recommendation
from serving.model.answers.types import Liked
from tests.serving.hand_made import floats, hand_made, random_artifact

RANDOM = Model(random_artifact(seed=4))
KNOWN = RANDOM.user_ids.tolist()
MOVIES = RANDOM.movie_ids.tolist()


@pytest.fixture
def model() -> Model:
    return Model(hand_made())


def movies(answer: Answer) -> list[int]:
    return [recommendation.movie_id for recommendation in answer.recommendations]


def scores(answer: Answer) -> list[float]:
    return [recommendation.score for recommendation in answer.recommendations]


def predicted(answer: Answer) -> list[float]:
    return [recommendation.predicted_rating for recommendation in answer.recommendations]


def half(value: float) -> float:
    """Return a number as half precision has it."""
    return float(np.float16(value))


def near(values: list[float]) -> Any:
    return pytest.approx(values, abs=1e-6)


def scores_of_user_1(movie_ids: list[int]) -> list[float]:
    """Work out what the ranking head gives from the rating of movie 10.

    Confidence 2 * (5 - 2) = 6, so x = (6 / (2 + 1 + 5), 0); one rating of ten.
    """
    x, y = 0.9 * 0.5 + 0.1 * 6 / 8, 0.9 * 0.625
    all_of_them = {10: x, 20: y, 30: 0.6 * x + 0.8 * y, 40: 0.8 * x - 0.6 * y}
    return [all_of_them[movie] for movie in movie_ids]


def test_a_known_user_gets_the_list_made_at_training_time(model: Model) -> None:
    answer = model.recommend(1, 2)
    assert answer == Answer(
        user_id=1,
        fallback=False,
        strategy="known_user",
        recommendations=(
            Recommendation(
                movie_id=30,
                title="Title 30",
                genres="Drama",
                score=half(0.8),
                predicted_rating=3.5 + 0.25 - 0.5 - 1.0,
                strategy="known_user",
                reason="Closest to Title 10, one of the movies you liked.",
                because=(Liked(10, "Title 10"),),
            ),
            Recommendation(
                movie_id=40,
                title="Title 40",
                genres="Drama",
                score=half(0.65),
                predicted_rating=3.5 + 0.25 + 0.25 + 0.5,
                strategy="known_user",
                reason="Closest to Title 10, one of the movies you liked.",
                because=(Liked(10, "Title 10"),),
            ),
        ),
    )


def test_a_padded_list_is_a_shorter_answer(model: Model) -> None:
    answer = model.recommend(2, 3)
    assert movies(answer) == [10, 40]
    assert [r.reason for r in answer.recommendations] == [
        "Closest to Title 30, one of the movies you liked.",
        "3.75 stars on average (damped) from 1 rating.",
    ]


def test_more_than_the_list_holds_is_scored(model: Model) -> None:
    assert model.top_n == 3
    assert scores(model.recommend(1, 4)) == near(scores_of_user_1([30, 20, 40]))
    listed, scored = RANDOM.recommend(KNOWN[0], 10), RANDOM.recommend(KNOWN[0], 11)
    assert movies(scored)[:10] == movies(listed)


def test_an_unknown_user_gets_the_popular(model: Model) -> None:
    answer = model.recommend(77, 3)
    assert (answer.user_id, answer.fallback, answer.strategy) == (77, True, "popular")
    assert movies(answer) == [10, 40, 20]
    assert scores(answer) == [4.0, 3.75, 3.5]
    assert predicted(answer) == [4.0, 3.75, 3.5]
    assert answer.recommendations[0].reason == (
        "Popular: 4.00 stars on average (damped) from 3 ratings."
    )


def test_an_unknown_user_with_a_genre_gets_the_popular_of_it(model: Model) -> None:
    answer = model.recommend(77, 5, genres=["drama"])
    assert (answer.fallback, answer.strategy, movies(answer)) == (True, "genre", [40, 30])
    assert answer.recommendations[0].reason == (
        "Popular in a genre you named: 3.75 stars on average (damped) from 1 rating."
    )
    assert movies(model.recommend(77, 5, genres=["Drama", "COMEDY"])) == [10, 40, 20, 30]


@pytest.mark.parametrize("genres", [["Opera"], [], ["Horror"]])
def test_a_genre_without_movies_falls_back_to_the_popular(
    model: Model, genres: Sequence[str]
) -> None:
    answer = model.recommend(77, 1, genres=genres)
    assert (answer.strategy, movies(answer)) == ("popular", [10])


def test_an_unknown_user_with_a_rating_is_folded_in(model: Model) -> None:
    # Stars: residual 4.5 - 3.5 - 0 = 1, factor 0, so the bias is 1 / (1 + 0.5 + 2).
    # Order: confidence 2 * (4.5 - 2) = 5, so x = (0, 5 / (2 + 1 + 4)); one rating of ten.
    answer = model.recommend(77, 3, ratings={20: 4.5})
    assert (answer.fallback, answer.strategy) == (True, "fold_in")
    assert movies(answer) == [30, 10, 40]
    x, y = 0.9 * 0.5, 0.9 * 0.625 + 0.1 * 5 / 7
    assert scores(answer) == pytest.approx([0.6 * x + 0.8 * y, x, 0.8 * x - 0.6 * y], abs=1e-6)
    bias = 1 / 3.5
    assert predicted(answer) == pytest.approx([3 + bias, 4 + bias, 3.75 + bias])
    assert answer.recommendations[0].reason == "Closest to Title 20, one of the movies you liked."
    assert answer.recommendations[1].reason.startswith("4.00 stars on average")


def test_a_disliked_movie_is_nobodys_reason(model: Model) -> None:
    answer = model.recommend(77, 3, ratings={20: 3.5})
    assert not any("liked" in r.reason for r in answer.recommendations)


def test_a_known_user_with_a_new_rating_is_scored_with_both(model: Model) -> None:
    answer = model.recommend(1, 5, ratings={30: 5.0})
    assert (answer.fallback, answer.strategy) == (False, "known_user")
    assert sorted(movies(answer)) == [20, 40]
    assert answer == replace(
        model.recommend(77, 5, ratings={10: 5.0, 30: 5.0}),
        user_id=1,
        fallback=False,
        strategy="known_user",
        recommendations=answer.recommendations,
    )
    folded = model.recommend(77, 5, ratings={10: 5.0, 30: 5.0})
    assert scores(folded) == scores(answer)
    assert predicted(folded) == predicted(answer)


def test_a_new_rating_replaces_the_one_known_from_training(model: Model) -> None:
    again = model.recommend(2, 3, ratings={30: 0.5})
    assert scores(again) == scores(model.recommend(77, 3, ratings={20: 3.0, 30: 0.5}))
    assert scores(again) != scores(model.recommend(77, 3, ratings={20: 3.0, 30: 4.5}))


@pytest.mark.parametrize("ratings", [{}, {999: 5.0}, {50: 5.0}, {-1: 0.5, 10**12: 5.0}])
def test_ratings_of_movies_without_a_rating_in_training_say_nothing(
    model: Model, ratings: Mapping[int, float]
) -> None:
    assert model.recommend(77, 3, ratings=ratings) == model.recommend(77, 3)
    assert model.recommend(1, 3, ratings=ratings) == model.recommend(1, 3)


def test_a_genre_narrows_the_answer_of_a_known_user(model: Model) -> None:
    answer = model.recommend(1, 5, genres=["comedy"])
    assert (answer.strategy, movies(answer)) == ("known_user", [20])
    assert scores(answer) == near(scores_of_user_1([20]))
    assert movies(model.recommend(77, 5, ratings={20: 4.5}, genres=["Drama"])) == [30, 40]


def test_predictions_worked_by_hand(model: Model) -> None:
    users, films = np.array([1, 1, 2, 1, 9, 9, 2]), np.array([30, 10, 30, 99, 40, 99, 50])
    stars = model.predict(users, films)
    assert stars.dtype == np.float32
    assert stars.tolist() == [2.25, 5.0, 2.5, 3.75, 3.75, 3.5, 3.0]


def test_predictions_in_blocks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    users = np.repeat([*KNOWN, -1], len(MOVIES))
    films = np.tile(MOVIES, len(KNOWN) + 1)
    whole = RANDOM.predict(users, films)
    monkeypatch.setattr("serving.model.scoring.scorer._BLOCK", 7)
    np.testing.assert_array_equal(RANDOM.predict(users, films), whole)


def test_no_pairs_are_no_predictions(model: Model) -> None:
    nothing = np.array([], dtype=np.int64)
    assert model.predict(nothing, nothing).shape == (0,)


def test_scores_of_the_catalogue_worked_by_hand(model: Model) -> None:
    found = model.scores(np.array([1, 77, 2]))
    # User 2: confidences 2 and 5 for (0, 1) and (.6, .8), so the half step solves
    # 4.44 x + 1.92 y = 3 and 1.92 x + 6.56 y = 6; two ratings of ten.
    determinant = 4.44 * 6.56 - 1.92 * 1.92
    x = 0.8 * 0.5 + 0.2 * (3 * 6.56 - 1.92 * 6) / determinant
    y = 0.8 * 0.625 + 0.2 * (4.44 * 6 - 1.92 * 3) / determinant
    expected = [
        [*scores_of_user_1([10, 20, 30, 40]), -np.inf],
        [4.0, 3.5, 3.0, 3.75, -np.inf],
        [x, y, 0.6 * x + 0.8 * y, 0.8 * x - 0.6 * y, -np.inf],
    ]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_ratings_given_now_are_folded_into_all_answers(model: Model) -> None:
    folded = model.fold_in(
        np.array([77, 2, 2, 77]), np.array([20, 30, 99, 50]), floats(4.5, 0.5, 5, 5)
    )
    users = np.array([77, 2, 1, 88])
    for user, ratings in ((77, {20: 4.5}), (2, {30: 0.5})):
        answer = model.recommend(user, 5, ratings)
        rows = np.searchsorted(model.movie_ids, movies(answer))
        assert folded.scores(np.array([user]))[0, rows].tolist() == near(scores(answer))
        found = folded.predict(np.full(len(rows), user), model.movie_ids[rows])
        assert found.tolist() == near(predicted(answer))
    np.testing.assert_allclose(folded.scores(users)[2:], model.scores(users)[2:], atol=1e-6)
    ten = np.full(4, 10)
    np.testing.assert_array_equal(folded.predict(users, ten)[2:], model.predict(users, ten)[2:])


def test_no_rating_folded_in_changes_nothing(model: Model) -> None:
    nothing = np.array([], dtype=np.int64)
    folded = model.fold_in(nothing, nothing, floats())
    users = np.array([1, 2, 77])
    np.testing.assert_array_equal(folded.scores(users), model.scores(users))
    np.testing.assert_array_equal(
        folded.predict(users, users * 10), model.predict(users, users * 10)
    )


def test_the_pairs_of_training_are_known(model: Model) -> None:
    users, films = model.rated_pairs(np.array([2, 77, 1]))
    assert list(zip(users.tolist(), films.tolist(), strict=True)) == [(2, 20), (2, 30), (1, 10)]


def test_seen_is_what_was_rated_in_training(model: Model) -> None:
    assert model.seen(2).tolist() == [20, 30]
    assert model.seen(77).tolist() == []


STARS = st.integers(1, 10).map(lambda half: half / 2)


@given(
    user=st.sampled_from([*KNOWN, -7, 1, 10**12]),
    top_k=st.integers(1, 40),
    ratings=st.dictionaries(st.sampled_from([*MOVIES, 2]), STARS, max_size=15),
    genres=st.lists(st.sampled_from(["Comedy", "drama", "Opera"]), max_size=2),
)
def test_what_holds_for_every_answer(
    user: int, top_k: int, ratings: dict[int, float], genres: list[str]
) -> None:
    answer = RANDOM.recommend(user, top_k, ratings, genres)
    found = movies(answer)
    assert answer.user_id == user
    assert answer.fallback is (user not in KNOWN)
    assert len(set(found)) == len(found) <= top_k
    assert not set(found) & set(RANDOM.seen(user).tolist())
    assert not set(found) & set(ratings)
    assert not set(found) & set(MOVIES[-3:]), "nobody rated these"
    assert scores(answer) == sorted(scores(answer), reverse=True)
    assert all(0.5 <= stars <= 5.0 for stars in predicted(answer))
    assert {r.strategy for r in answer.recommendations} <= {answer.strategy}
    assert all(r.reason and r.title for r in answer.recommendations)
    assert RANDOM.recommend(user, top_k, ratings, genres) == answer
