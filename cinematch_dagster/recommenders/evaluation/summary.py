"""From predictions and lists to scores, whole and in slices, with intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from cinematch_dagster.recommenders.evaluation.bootstrap import percentile_interval, resampled_sums
from cinematch_dagster.recommenders.evaluation.pairs import keys_of
from cinematch_dagster.recommenders.evaluation.ranking import Ranked
from cinematch_dagster.recommenders.evaluation.scores import (
    Interval,
    RatingScores,
    SliceScores,
)
from cinematch_dagster.recommenders.metrics import hit, ndcg, precision, recall

Floats = npt.NDArray[np.float64]

#: Figures of a slice: what is summed over users, and what that is divided by.
RATIOS = {
    "rmse": ("squared", "rows"),
    "mae": ("absolute", "rows"),
    "ndcg_at_10": ("ndcg_at_10", "users"),
    "precision_at_10": ("precision_at_10", "users"),
    "recall_at_10": ("recall_at_10", "users"),
    "hit_rate": ("hit", "users"),
}


def rating_scores(target: pd.DataFrame, errors: Floats) -> RatingScores:
    """Return the errors (n,) of the rows of a ratings frame, whole and by user."""
    users, codes = np.unique(target["userId"].to_numpy(), return_inverse=True)
    squared = errors**2
    return RatingScores(
        rmse=float(np.sqrt(squared.mean())),
        mae=float(np.abs(errors).mean()),
        rows=len(errors),
        squared=np.bincount(codes, squared, len(users)).astype(np.float64),
        counts=np.bincount(codes, minlength=len(users)).astype(np.float64),
    )


def by_user(ranked: Ranked) -> dict[str, Floats]:
    """Return the ranking figures of each user, (n_users,)."""
    return {
        "ndcg_at_10": ndcg(ranked.hits, ranked.relevant),
        "precision_at_10": precision(ranked.hits),
        "recall_at_10": recall(ranked.hits, ranked.relevant),
        "hit": hit(ranked.hits),
    }


def slice_scores(
    target: pd.DataFrame,
    errors: Floats,
    ranked: Ranked,
    masks: Mapping[str, npt.NDArray[np.bool_]],
    seed: int,
) -> dict[str, SliceScores]:
    """Score every slice, all on the same draws of users.

    In a slice only its own rows are relevant: the lists stay those of the whole catalogue.

    Args:
        target: the rows that were predicted, in a ratings frame.
        errors: predicted minus given stars, (n,).
        ranked: the lists of the users who have something to find in `target`.
        masks: the rows of each slice, (n,).
        seed: of the bootstrap.
    """
    users, codes = np.unique(target["userId"].to_numpy(), return_inverse=True)
    sums = {
        name: _sums(target[mask], errors[mask], codes[mask], users, ranked)
        for name, mask in masks.items()
    }
    replicates = resampled_sums(np.column_stack([s.to_numpy() for s in sums.values()]), seed=seed)
    drawn = dict(zip(sums, np.split(replicates, len(sums), axis=1), strict=True))
    return {name: _slice(sums[name], drawn[name]) for name in sums}


def _sums(
    rows: pd.DataFrame,
    errors: Floats,
    codes: npt.NDArray[np.intp],
    users: npt.NDArray[np.int32],
    ranked: Ranked,
) -> pd.DataFrame:
    """Return what a slice's figures are made of, a row a user."""
    size = len(users)
    sums = pd.DataFrame(
        {
            "squared": np.bincount(codes, errors**2, size),
            "absolute": np.bincount(codes, np.abs(errors), size),
            "rows": np.bincount(codes, minlength=size).astype(float),
        }
    )
    found = ranked.finding(keys_of(rows))
    places = np.searchsorted(users, found.users)
    for name, values in {**by_user(found), "users": np.ones(len(places))}.items():
        sums[name] = np.bincount(places, values, size)
    return sums


def _slice(sums: pd.DataFrame, replicates: Floats) -> SliceScores:
    figures = _figures(dict(zip(sums.columns, sums.sum().to_numpy()[:, np.newaxis], strict=True)))
    drawn = _figures(dict(zip(sums.columns, replicates.T, strict=True)))
    known = {name: float(value[0]) for name, value in figures.items() if np.isfinite(value[0])}
    return SliceScores(
        rows=int(sums["rows"].sum()),
        users=int(sums["users"].sum()),
        intervals={name: Interval(*percentile_interval(drawn[name])) for name in known},
        **{name: known.get(name) for name in RATIOS},
    )


def _figures(sums: Mapping[str, Floats]) -> dict[str, Floats]:
    """Divide sums, (m,) each; NaN where a resampled test has none of the slice's users."""
    with np.errstate(invalid="ignore"):
        figures = {name: sums[above] / sums[below] for name, (above, below) in RATIOS.items()}
    return figures | {"rmse": np.sqrt(figures["rmse"])}
