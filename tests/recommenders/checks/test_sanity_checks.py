"""The behavioural checks pass for real models and find models that behave badly."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from cinematch_dagster.recommenders.checks.sanity_checks import (
    genre_finds_its_kind,
    more_stars_raise_similar,
    same_in_any_order,
)
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.rating.baseline import fit_baseline
from tests.recommenders.frames import ratings_frame

GENRES = ("Comedy", "Drama", "Horror")
Ids = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def fans() -> pd.DataFrame:
    """60 users, each a fan of one of three genres with 30 movies; movie m is of genre m % 3."""
    random = np.random.default_rng(5)
    rows = []
    for user in range(60):
        for movie in random.choice(90, size=30, replace=False).tolist():
            liked = movie % 3 == user % 3
            rows.append((user, movie, 5.0 if liked else float(random.integers(1, 4))))
    return ratings_frame(*rows)


@pytest.fixture(scope="module")
def genres() -> "pd.Series[str]":
    return pd.Series({movie: GENRES[movie % 3] for movie in range(90)})


class ItemCosine:
    """Scores by the cosines of who liked what, times the stars above 2; `sign` turns it round."""

    def __init__(self, training: pd.DataFrame, sign: float = 1.0, by_order: bool = False) -> None:
        interactions = Interactions.from_frame(training)
        likes = (interactions.matrix >= 4).astype(np.float32)
        norms = np.sqrt(likes.sum(axis=0)) + 1
        self.cosines = sign * (likes.T @ likes).toarray() / np.outer(norms, norms)
        self.movie_ids = interactions.movie_ids
        self.by_order = by_order

    def predict(self, user_ids: Ids, movie_ids: Ids) -> Floats:
        raise NotImplementedError

    def scores(self, user_ids: Ids) -> Floats:
        return np.stack([self.known[user] for user in user_ids.tolist()]).astype(np.float32)

    def fold_in(self, user_ids: Ids, movie_ids: Ids, stars: Floats) -> "ItemCosine":
        self.known: dict[int, Any] = {}
        for user in np.unique(user_ids).tolist():
            mine = user_ids == user
            weights = stars[mine] - 2.5
            if self.by_order:
                weights = weights * np.arange(1, len(weights) + 1)
            self.known[user] = (
                weights @ self.cosines[np.searchsorted(self.movie_ids, movie_ids[mine])]
            )
        return self


def test_a_good_model_passes(fans: pd.DataFrame, genres: "pd.Series[str]") -> None:
    model = ItemCosine(fans)
    order = same_in_any_order(model, fans)
    assert (order.passed, order.detail) == (True, "0 of 50 users get other scores backwards.")
    raised = more_stars_raise_similar(model, fans)
    assert raised.passed
    assert raised.detail == "Similar movies rose for 50 of 50 users and fell for 0."
    kind = genre_finds_its_kind(model, fans, genres)
    assert kind.passed
    assert kind.detail.endswith("3 of 3 genres do.")


def test_a_model_that_looks_at_the_order_is_found(fans: pd.DataFrame) -> None:
    assert not same_in_any_order(ItemCosine(fans, by_order=True), fans).passed


def test_a_model_that_lowers_what_is_liked_is_found(
    fans: pd.DataFrame, genres: "pd.Series[str]"
) -> None:
    model = ItemCosine(fans, sign=-1)
    raised = more_stars_raise_similar(model, fans)
    assert not raised.passed
    assert raised.detail == "Similar movies rose for 0 of 50 users and fell for 50."
    kind = genre_finds_its_kind(model, fans, genres)
    assert not kind.passed
    assert kind.detail.endswith("0 of 3 genres do.")


def test_a_head_that_looks_at_no_ratings_has_nothing_to_show(
    fans: pd.DataFrame, genres: "pd.Series[str]"
) -> None:
    floor = fit_baseline(Interactions.from_frame(fans))
    comedies_first = np.where(floor.movie_ids % 3 == 0, 1.0, 0.0).astype(np.float32)
    popular = replace(floor, popularity=comedies_first)
    assert same_in_any_order(popular, fans).passed
    assert more_stars_raise_similar(popular, fans).passed
    assert genre_finds_its_kind(popular, fans, genres).passed


def test_without_a_genre_of_20_movies_there_is_nothing_to_try(fans: pd.DataFrame) -> None:
    few = pd.Series(dict.fromkeys(range(19), "Comedy"))
    found = genre_finds_its_kind(ItemCosine(fans), fans, few)
    assert (found.passed, found.detail) == (True, "No two genres have enough movies to try.")
