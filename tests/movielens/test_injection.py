from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cinematch_dagster.batches.frame import in_order
from cinematch_dagster.movielens import Injection, clean, inject, prepare, shift
from cinematch_dagster.movielens.injection import shift_label
from serving.base.scale import is_on_scale
from tests.movielens.strategies import T0, ratings, ratings_frames


def test_one_star_more_is_capped_at_five_and_comes_after_the_last() -> None:
    frame = ratings((1, 1, 0.5, T0), (1, 2, 4.5, T0 + 10), (2, 1, 3.0, T0 + 10))
    shifted = shift(frame, 1.0)
    expected = ratings((1, 1, 1.5, T0 + 11), (1, 2, 5.0, T0 + 21), (2, 1, 4.0, T0 + 21))
    assert_frame_equal(shifted, expected)


def test_a_star_less_stops_at_half_a_star() -> None:
    shifted = shift(ratings((1, 1, 1.0, T0), (1, 2, 4.0, T0)), -1.0)
    assert shifted["rating"].tolist() == [0.5, 3.0]


def test_a_shift_off_the_scale_of_half_stars_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shift 0\.3: expected a multiple of 0\.5"):
        shift(ratings((1, 1, 1.0, T0)), 0.3)


def test_the_label_tells_direction_and_size() -> None:
    assert (shift_label(1.0), shift_label(-0.5)) == ("shift +1.0", "shift -0.5")


@given(ratings_frames(min_size=1), st.integers(-9, 9).map(lambda n: n / 2))
def test_shifted_ratings_are_valid_later_and_in_the_same_order(
    frame: pd.DataFrame, stars: float
) -> None:
    before = frame.copy()
    shifted = shift(frame, stars)
    assert_frame_equal(frame, before)
    assert_frame_equal(in_order(shifted), shifted)
    assert is_on_scale(shifted["rating"].to_numpy()).all()
    assert shifted["timestamp"].min() == frame["timestamp"].max() + 1
    assert_frame_equal(shifted[["userId", "movieId"]], frame[["userId", "movieId"]])
    assert shifted.dtypes.equals(frame.dtypes)


MOVIES = pd.DataFrame(
    {
        "movieId": [1, 2, 3, 4, 5, 6],
        "genres": ["War", "Drama|War", "Comedy", "Comedy|War", "Drama|War", None],
    }
)


def injected(frame: pd.DataFrame, **what: Any) -> pd.DataFrame:
    return inject(frame, Injection(**what), MOVIES, 1_000)


def many(n: int = 4_000) -> pd.DataFrame:
    return ratings(*((n // 7, n % 7, 0.5 + n % 10 / 2, T0 + n) for n in range(n)))


def test_an_injection_of_nothing_has_no_label_and_only_moves_on() -> None:
    frame = many(20)
    assert Injection().label is None
    assert_frame_equal(injected(frame), shift(frame, 0.0))


def test_the_label_tells_all_that_was_done() -> None:
    everything = Injection(shift=-0.5, noise=0.75, genre_swap=("War", "Comedy"), cold_users=0.3)
    expected = "shift -0.5, noise 0.75, genre swap War/Comedy, cold users 30%"
    assert everything.label == expected


def test_noise_spreads_the_ratings_and_leaves_their_mean() -> None:
    middle = many().assign(rating=np.float32(3.0))
    noisy = injected(middle, noise=0.5)["rating"]
    assert noisy.mean() == pytest.approx(3.0, abs=0.04)
    assert noisy.std() == pytest.approx(np.sqrt(0.5**2 + 0.5**2 / 12), rel=0.05)


def test_swapped_genres_change_places_one_to_one() -> None:
    # War alone: 1, 2, 5; Comedy alone: 3. One of the three changes places with 3.
    frame = ratings(*((1, movie, 3.0, T0 + movie) for movie in range(1, 8)))
    found = injected(frame, genre_swap=("War", "Comedy"))["movieId"].tolist()
    moved = {was: now for was, now in enumerate(found, start=1) if was != now}
    assert set(found) == set(range(1, 8))
    assert len(moved) == 2
    assert moved[moved[3]] == 3
    assert moved[3] in {1, 2, 5}


@pytest.mark.parametrize(("genres", "named"), [(("War", "IMAX"), "IMAX"), (("Wa", "War"), "Wa")])
def test_a_genre_that_no_movie_has_is_named(genres: tuple[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=f"genre '{named}': no movie"):
        injected(many(20), genre_swap=genres)


def test_genres_can_not_be_swapped_without_movies() -> None:
    with pytest.raises(ValueError, match="genres can't be swapped without movies"):
        inject(many(20), Injection(genre_swap=("War", "Comedy")), None, 1_000)


@pytest.mark.parametrize(("share", "cold"), [(0.25, 2), (0.5, 4), (1.0, 8)])
def test_cold_users_have_ids_that_nobody_had(share: float, cold: int) -> None:
    frame = many(56)
    found = injected(frame, cold_users=share)
    new = found.loc[found["userId"] >= 1_000, "userId"].unique()
    assert sorted(new) == list(range(1_000, 1_000 + cold))
    sizes = found["userId"].value_counts()
    assert (sizes == 7).all()
    assert found["rating"].tolist() == frame["rating"].tolist()


def test_preparation_makes_one_more_batch_whose_users_are_new() -> None:
    done = prepare(
        many(140),
        start=None,
        most_recent=100,
        baseline_share=0.5,
        train_share=0.5,
        batches=2,
        injection=Injection(cold_users=1.0),
    )
    assert [batch.injected for batch in done.batches] == [None, None, "cold users 100%"]
    assert done.batches[2].ratings["userId"].min() == 20


@given(
    ratings_frames(min_size=1),
    st.builds(
        Injection,
        shift=st.integers(-9, 9).map(lambda n: n / 2),
        noise=st.floats(0, 3),
        genre_swap=st.none() | st.just(("War", "Comedy")),
        cold_users=st.floats(0, 1),
        seed=st.integers(0, 9),
    ),
)
def test_injected_ratings_are_valid_later_and_repeatable(
    frame: pd.DataFrame, injection: Injection
) -> None:
    before = frame.copy()
    found = inject(frame, injection, MOVIES, 1_000)
    assert_frame_equal(frame, before)
    assert_frame_equal(in_order(found), found)
    assert_frame_equal(clean(found)[0], found)
    assert found["timestamp"].min() == frame["timestamp"].max() + 1
    assert_frame_equal(inject(frame, injection, MOVIES, 1_000), found)
