"""Checks of a model before it may be registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from cinematch_dagster.batches.frame import pair_keys
from cinematch_dagster.recommenders.checks.sanity_checks import (
    Observed,
    genre_finds_its_kind,
    more_stars_raise_similar,
    same_in_any_order,
)
from cinematch_dagster.recommenders.evaluation import Scores
from cinematch_dagster.recommenders.evaluation.pairs import among, keys_of
from cinematch_dagster.recommenders.rating.trainset import RATING_SCALE
from serving.model.recommender import Model


@dataclass(frozen=True)
class Check:
    """One check and what was seen, as a sentence."""

    name: str
    passed: bool
    detail: str


def check_model(
    model: Model,
    training: pd.DataFrame,
    genres: pd.Series[str],
    scores: Scores,
    baseline: Scores,
) -> tuple[Check, ...]:
    """Return every check of a model as it will be served.

    Args:
        model: loaded from its exported folder.
        training: the ratings frame it was trained on.
        genres: movie id to its genres, separated by '|'.
        scores: the model's, on the standing test rows.
        baseline: the sanity floor's, on the same rows.
    """
    return (
        predictions_in_range(model, training),
        beats_baseline(scores, baseline),
        answers_everybody(model),
        leaves_out_rated(model, training),
        *behaviour(model, training, genres),
    )


def predictions_in_range(model: Model, training: pd.DataFrame) -> Check:
    """Predict every training pair, and each user and movie beside an unknown one.

    Served stars are cut to the scale, which would hide a head that has run away: before that, none
    may be further outside than the scale is long.
    """
    users, movies = training["userId"].to_numpy(), training["movieId"].to_numpy()
    unknown = np.full_like(users, -1)
    lowest, highest = RATING_SCALE
    length = highest - lowest
    wrong = total = 0
    for u, m in ((users, movies), (users, unknown), (unknown, movies)):
        uncut = model.expected(u, m)
        wrong += int((~(np.abs(uncut - (lowest + highest) / 2) <= 1.5 * length)).sum())
        total += len(uncut)
    detail = (
        f"{wrong} of {total} predictions are further than {length} stars outside "
        f"{lowest} to {highest}."
    )
    return Check("predictions_in_range", wrong == 0, detail)


def beats_baseline(scores: Scores, baseline: Scores) -> Check:
    """Compare RMSE with the sanity floor's."""
    detail = f"RMSE {scores.rmse:.4f}, the baseline predictor's {baseline.rmse:.4f}."
    return Check("beats_baseline", scores.rmse < baseline.rmse, detail)


def answers_everybody(model: Model) -> Check:
    """Ask for the first user who has a movie left, if any, and for one that no model knows."""
    users = model.user_ids.tolist()
    asked = next((user for user in users if model.left(user)), users[0])
    known, unknown = model.recommend(asked, 10), model.recommend(-1, 10)
    counts = len(known.recommendations), len(unknown.recommendations)
    expected = min(10, model.left(asked)), min(10, len(model.rated_movie_ids))
    passed = counts == expected and unknown.fallback and not known.fallback
    detail = f"{counts[0]} movies for a known user, {counts[1]} for an unknown one."
    return Check("answers_everybody", passed, detail)


def leaves_out_rated(model: Model, training: pd.DataFrame) -> Check:
    """Look in every known user's list for movies that the user had rated."""
    lists = model.listed(model.user_ids)
    rated = among(pair_keys(model.user_ids[:, np.newaxis], lists), keys_of(training))
    detail = (
        f"{int(rated.sum())} of {int((lists >= 0).sum())} recommendations had been rated by their "
        "user."
    )
    return Check("leaves_out_rated", not rated.any(), detail)


def behaviour(model: Model, training: pd.DataFrame, genres: pd.Series[str]) -> Iterator[Check]:
    """Look at how the model reacts to what made-up users have rated."""
    for name, look in (
        ("same_in_any_order", partial(same_in_any_order, model, training)),
        ("more_stars_raise_similar", partial(more_stars_raise_similar, model, training)),
        ("genre_finds_its_kind", partial(genre_finds_its_kind, model, training, genres)),
    ):
        try:
            seen = look()
        except np.linalg.LinAlgError as error:
            seen = Observed(passed=False, detail=f"Ratings can't be folded in: {error}.")
        yield Check(name, seen.passed, seen.detail)
