"""Checks of a model before it may be registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cinematch_dagster.recommenders.behaviour import (
    genre_finds_its_kind,
    more_stars_raise_similar,
    same_in_any_order,
)
from cinematch_dagster.recommenders.evaluation import Scores
from cinematch_dagster.recommenders.trainset import RATING_SCALE
from serving.model import Model


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
    """Predict every training pair, and each user and movie beside an unknown one."""
    users, movies = training["userId"].to_numpy(), training["movieId"].to_numpy()
    unknown = np.full_like(users, -1)
    stars = np.concatenate(
        [model.predict(u, m) for u, m in ((users, movies), (users, unknown), (unknown, movies))]
    )
    lowest, highest = RATING_SCALE
    good = np.isfinite(stars) & (stars >= lowest) & (stars <= highest)
    detail = f"{int((~good).sum())} of {len(stars)} predictions are outside {lowest} to {highest}."
    return Check("predictions_in_range", bool(good.all()), detail)


def beats_baseline(scores: Scores, baseline: Scores) -> Check:
    """Compare RMSE with the sanity floor's."""
    detail = f"RMSE {scores.rmse:.4f}, the baseline predictor's {baseline.rmse:.4f}."
    return Check("beats_baseline", scores.rmse < baseline.rmse, detail)


def answers_everybody(model: Model) -> Check:
    """Ask for a known user and for one that no model knows."""
    known, unknown = model.recommend(int(model.user_ids[0]), 10), model.recommend(-1, 10)
    counts = len(known.recommendations), len(unknown.recommendations)
    passed = min(counts) > 0 and unknown.fallback and not known.fallback
    detail = f"{counts[0]} movies for a known user, {counts[1]} for an unknown one."
    return Check("answers_everybody", passed, detail)


def leaves_out_rated(model: Model, training: pd.DataFrame) -> Check:
    """Ask for every known user's list and look for movies that the user had rated."""
    answers = (model.recommend(user, model.top_n) for user in model.user_ids.tolist())
    listed = pd.DataFrame(
        [(answer.user_id, r.movie_id) for answer in answers for r in answer.recommendations],
        columns=["userId", "movieId"],
    )
    rated = listed.merge(training[["userId", "movieId"]], on=["userId", "movieId"])
    detail = f"{len(rated)} of {len(listed)} recommendations had been rated by their user."
    return Check("leaves_out_rated", rated.empty, detail)


def behaviour(model: Model, training: pd.DataFrame, genres: pd.Series[str]) -> Iterator[Check]:
    """Look at how the model reacts to what made-up people have rated."""
    for name, seen in (
        ("same_in_any_order", same_in_any_order(model, training)),
        ("more_stars_raise_similar", more_stars_raise_similar(model, training)),
        ("genre_finds_its_kind", genre_finds_its_kind(model, training, genres)),
    ):
        yield Check(name, seen.passed, seen.detail)
