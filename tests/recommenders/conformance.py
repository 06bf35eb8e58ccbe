"""What every head must hold, whatever its algorithm; a test class of each inherits one of these."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pytest

from cinematch_dagster.recommenders.interactions import Interactions
from serving.model.archive import Npz, write_npz
from serving.model.arrays import Floats, arrays_of, as_stored, numbers, read_arrays
from serving.model.heads import RankingHead, RatingHead
from serving.model.profiles import Profiles
from serving.model.scoring.fold_in import FULL_PROFILE
from tests.recommenders.frames import random_ratings, ratings_frame

NEVER_RATED = 9001
Head = TypeVar("Head", RatingHead, RankingHead)


def stored(head: Head, interactions: Interactions) -> Head:
    return as_stored(head, len(interactions.movie_ids))


def reloaded(head: Head, interactions: Interactions, folder: Path) -> Head:
    """Write a head's arrays and read them again."""
    n_users, n_movies = len(interactions.user_ids), len(interactions.movie_ids)
    sizes = {"users": n_users, "movies": n_movies, "movies + 1": n_movies + 1}
    write_npz(folder / "head.npz", arrays_of(head, "", n_movies))
    store = Npz(folder / "head.npz")
    return type(head)(**numbers(head), **read_arrays(type(head), store, "", sizes))


def copies_of(holder: Any) -> dict[str, Any]:
    values = ((field.name, getattr(holder, field.name)) for field in fields(holder))
    return {name: value.copy() for name, value in values if isinstance(value, np.ndarray)}


class Conformance:
    """Fixtures of both kinds of heads."""

    @pytest.fixture
    def interactions(self) -> Interactions:
        frame = random_ratings(seed=5, users=25, movies=20, n=300)
        return Interactions.from_frame(frame, np.array([NEVER_RATED]))

    def one_row(self) -> Interactions:
        return Interactions.from_frame(ratings_frame((7, 50, 4.5)), np.array([NEVER_RATED]))

    def test_no_ratings_are_refused(self) -> None:
        with pytest.raises(ValueError, match="the ratings frame is empty: at least one rating"):
            Interactions.from_frame(pd.DataFrame(columns=["userId", "movieId", "rating"]))


class RatingConformance(Conformance, ABC):
    """What every rating head must hold.

    Attributes:
        closeness: stars that a fold-in of the training ratings may differ from the trained user,
            on average.
    """

    closeness = 0.3

    @abstractmethod
    def fit(self, interactions: Interactions) -> RatingHead:
        """Fit the head."""

    def everything(self, head: RatingHead, interactions: Interactions) -> Floats:
        n_users, n_movies = len(interactions.user_ids), len(interactions.movie_ids)
        users, movies = np.divmod(np.arange(n_users * n_movies), n_movies)
        return head.predict(interactions.profiles, users, movies)

    @pytest.fixture
    def head(self, interactions: Interactions) -> RatingHead:
        return stored(self.fit(interactions), interactions)

    def test_a_seed_determines_it(self, head: RatingHead, interactions: Interactions) -> None:
        again = stored(self.fit(interactions), interactions)
        found, expected = (self.everything(h, interactions) for h in (again, head))
        np.testing.assert_array_equal(found, expected)
        assert np.isfinite(found).all()

    def test_it_fits_its_ratings_better_than_their_mean(
        self, head: RatingHead, interactions: Interactions
    ) -> None:
        found = head.predict(interactions.profiles, interactions.users, interactions.movies)
        assert np.mean((found - interactions.stars) ** 2) < interactions.stars.var()

    def test_an_unknown_user_or_movie_contributes_nothing(
        self, head: RatingHead, interactions: Interactions
    ) -> None:
        mean = interactions.stars.mean()
        nobody, never = np.array([-1, -1, 0]), np.array([-1, 0, -1])
        neither, movie, user = head.predict(interactions.profiles, nobody, never)
        assert neither == pytest.approx(mean, abs=1e-6)
        row = int(np.searchsorted(interactions.movie_ids, NEVER_RATED))
        found = head.predict(interactions.profiles, np.array([0, -1]), np.array([row, row]))
        np.testing.assert_allclose(found, [user, neither], rtol=0, atol=1e-6)
        assert movie != neither

    def test_folding_in_the_training_ratings_is_close_to_the_trained_user(
        self, head: RatingHead, interactions: Interactions
    ) -> None:
        folded = head.fold_in(interactions.profiles)
        found, trained = (self.everything(h, interactions) for h in (folded, head))
        assert np.abs(found - trained).mean() < self.closeness

    def test_written_and_read_it_says_the_same(
        self, head: RatingHead, interactions: Interactions, tmp_path: Path
    ) -> None:
        found = self.everything(reloaded(head, interactions, tmp_path), interactions)
        expected = self.everything(head, interactions)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)

    def test_nothing_given_is_changed(self, interactions: Interactions) -> None:
        before, matrix = copies_of(interactions), interactions.matrix.copy()
        head = self.fit(interactions)
        learnt = copies_of(head)
        self.everything(head.fold_in(interactions.profiles), interactions)
        for name, values in before.items():
            np.testing.assert_array_equal(getattr(interactions, name), values)
        np.testing.assert_array_equal(interactions.matrix.indices, matrix.indices)
        np.testing.assert_array_equal(interactions.matrix.data, matrix.data)
        for name, values in learnt.items():
            np.testing.assert_array_equal(getattr(head, name), values)

    def test_one_rating_is_enough(self) -> None:
        interactions = self.one_row()
        found = self.everything(stored(self.fit(interactions), interactions), interactions)
        assert found[0] == pytest.approx(4.5, abs=0.5)


class RankingConformance(Conformance, ABC):
    """What every ranking head must hold."""

    @abstractmethod
    def fit(self, interactions: Interactions) -> RankingHead:
        """Fit the head."""

    @pytest.fixture
    def head(self, interactions: Interactions) -> RankingHead:
        return stored(self.fit(interactions), interactions)

    def test_a_seed_determines_it(self, head: RankingHead, interactions: Interactions) -> None:
        again = stored(self.fit(interactions), interactions)
        found = again.scores(interactions.profiles)
        np.testing.assert_array_equal(found, head.scores(interactions.profiles))
        assert found.shape == (len(interactions.user_ids), len(interactions.movie_ids))
        assert np.isfinite(found.astype(np.float16)).all()

    def test_nothing_known_is_the_popular_order(
        self, head: RankingHead, interactions: Interactions
    ) -> None:
        nobody = head.scores(interactions.profiles.take(np.array([-1])))[0]
        liked = np.asarray(interactions.weights.sum(axis=0)).ravel()
        assert np.corrcoef(nobody, liked)[0, 1] > 0.5

    def test_dislikes_alone_leave_the_popular_order(
        self, head: RankingHead, interactions: Interactions
    ) -> None:
        disliked = Profiles.single(dict.fromkeys(range(FULL_PROFILE + 2), 2.0))
        nobody = head.scores(interactions.profiles.take(np.array([-1])))
        np.testing.assert_allclose(head.scores(disliked), nobody, rtol=0, atol=1e-6)
        assert np.ptp(nobody) > 0

    def test_profiles_are_scored_each_alone(
        self, head: RankingHead, interactions: Interactions
    ) -> None:
        some = np.array([3, 0, 3])
        found = head.scores(interactions.profiles.take(some))
        expected = head.scores(interactions.profiles)[some]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)

    def test_a_reason_is_a_liked_movie_or_none(self, head: RankingHead) -> None:
        movies, liked = np.arange(10), np.arange(12, 18)
        assert set(head.explain(movies, liked).tolist()) <= {*liked.tolist(), -1}
        assert head.explain(movies, liked[:0]).tolist() == [-1] * 10

    def test_written_and_read_it_says_the_same(
        self, head: RankingHead, interactions: Interactions, tmp_path: Path
    ) -> None:
        found = reloaded(head, interactions, tmp_path).scores(interactions.profiles)
        expected = head.scores(interactions.profiles)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)

    def test_nothing_given_is_changed(self, interactions: Interactions) -> None:
        before, matrix = copies_of(interactions), interactions.matrix.copy()
        head = self.fit(interactions)
        learnt = copies_of(head)
        head.scores(interactions.profiles)
        for name, values in before.items():
            np.testing.assert_array_equal(getattr(interactions, name), values)
        np.testing.assert_array_equal(interactions.matrix.indices, matrix.indices)
        np.testing.assert_array_equal(interactions.matrix.data, matrix.data)
        for name, values in learnt.items():
            np.testing.assert_array_equal(getattr(head, name), values)

    def test_one_rating_is_enough(self) -> None:
        interactions = self.one_row()
        head = stored(self.fit(interactions), interactions)
        assert np.isfinite(head.scores(interactions.profiles)).all()
        empty = Profiles.single({})
        assert np.isfinite(head.scores(empty)).all()
