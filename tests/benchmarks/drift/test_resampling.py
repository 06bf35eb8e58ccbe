import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.drift.resampling import draw_by_rating, draw_by_user, pick_users
from tests.benchmarks.drift.populations import WEEK, lovers_and_haters, population

ROWS = [
    (7, 1, 0.5, 0),
    (7, 2, 5.0, WEEK - 1),
    (7, 3, 5.0, WEEK),
    (9, 2, 3.0, 50),
]


def test_four_ratings_counted_by_hand() -> None:
    found = population(ROWS)
    assert found.size == 4
    assert found.stars.tolist() == [
        [1, 0, 0, 0, 0, 0, 0, 0, 0, 2],
        [0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
    ]
    assert found.shares.tolist() == [0.25, 0, 0, 0, 0, 0.25, 0, 0, 0, 0.5]
    assert found.genre_names == ("Comedy", "Drama", "Horror")
    assert found.genres.tolist() == [[1, 2, 1], [1, 1, 0]]
    assert sorted(found.mixes.tolist()) == [1, 1, 2]
    assert found.within_week == 0.75  # one comes exactly seven days after its user's first


def test_a_rating_of_a_movie_with_two_genres_counts_in_both() -> None:
    found = population(ROWS)
    assert (found.mixes @ found.mix_genres).tolist() == found.genres.sum(axis=0).tolist()


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(1, 400), st.integers(0, 99)
)
def test_users_are_picked_until_the_size_is_reached_and_no_further(
    sizes: list[int], n: int, seed: int
) -> None:
    weights = np.array(sizes, dtype=np.float64)
    picks = pick_users(weights, n, 20, np.random.default_rng(seed))
    totals = picks @ weights
    assert picks.shape == (20, len(sizes))
    assert (totals >= n).all()
    assert (totals < n + max(sizes)).all()


def test_users_are_picked_evenly_whatever_their_size() -> None:
    picks = pick_users(np.array([1.0, 1.0, 30.0]), 10_000, 50, np.random.default_rng(1))
    times = picks.sum(axis=0)
    assert times / times.sum() == pytest.approx([1 / 3] * 3, abs=0.02)


def test_a_draw_by_rating_has_the_size_and_the_shares_of_the_population() -> None:
    draw = draw_by_rating(population(ROWS), 1_000, 400, np.random.default_rng(1))
    assert (draw.stars.sum(axis=1) == 1_000).all()
    assert draw.stars.mean(axis=0) / 1_000 == pytest.approx(population(ROWS).shares, abs=0.005)
    assert draw.genres.mean(axis=0) / 1_000 == pytest.approx([0.5, 0.75, 0.25], abs=0.005)


def test_a_draw_by_user_is_made_of_whole_users() -> None:
    crowd = lovers_and_haters(n_users=6, n_ratings=30)
    draw = draw_by_user(crowd, 90, 200, np.random.default_rng(1))
    assert (draw.stars.sum(axis=1) == 90).all()
    assert set(draw.stars[:, [3, 7]].ravel()) == {0, 30, 60, 90}
    assert (draw.genres == [30, 60, 30]).all()  # all users rate the same movies


def test_whole_users_spread_wider_than_ratings() -> None:
    crowd = lovers_and_haters(n_users=6, n_ratings=30)
    by_user = draw_by_user(crowd, 900, 2_000, np.random.default_rng(1)).stars[:, 3]
    by_rating = draw_by_rating(crowd, 900, 2_000, np.random.default_rng(1)).stars[:, 3]
    assert by_user.var() / by_rating.var() == pytest.approx(30, rel=0.15)


def test_the_same_seed_draws_the_same() -> None:
    crowd = lovers_and_haters(n_users=6, n_ratings=30)
    for draw in (draw_by_rating, draw_by_user):
        first, again = (draw(crowd, 500, 5, np.random.default_rng(8)) for _ in range(2))
        assert (first.stars == again.stars).all()
        assert (first.genres == again.genres).all()
