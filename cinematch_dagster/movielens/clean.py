"""Cleaning: every row that can't be used is set aside with its reason."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cinematch_dagster.movielens.errors import TooManyRejectsError
from cinematch_dagster.movielens.ratings import (
    COLUMNS,
    PAIR,
    as_ratings,
    is_id,
    is_on_scale,
    is_plausible_time,
)


def clean(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Separate the usable ratings from the others.

    A row has one reason, the first that holds: `missing_field` (null or not a number), `bad_id`
    (not a whole number from 0 to 2³¹ - 1), `rating_off_scale`, `bad_timestamp` (negative, before
    1995, in the future), `duplicate` (the pair was rated again: the latest wins, at the same
    second the higher rating). The result does not depend on the order of the rows.

    Args:
        frame: columns userId, movieId, rating, timestamp of any type, and any others.

    Returns:
        The ratings frame, and the rejected rows as they came, with a column `reason`.
    """
    values = pd.DataFrame({c: pd.to_numeric(frame[c], errors="coerce") for c in COLUMNS})
    values = values.reset_index(drop=True)
    reason = _unusable(values)
    reason[_superseded(values[reason == ""])] = "duplicate"
    rejected = reason != ""
    return as_ratings(values[~rejected]), frame[rejected].assign(reason=reason[rejected])


def refuse_if_bad(rejects: pd.DataFrame, n_rows: int, max_bad_share: float) -> None:
    """Check that at most `max_bad_share` (0 … 1) of `n_rows` raw rows were rejected.

    Raises:
        TooManyRejectsError: naming the reasons and how many rows each took.
    """
    if len(rejects) <= max_bad_share * n_rows:
        return
    counts = rejects["reason"].value_counts()
    reasons = ", ".join(f"{reason} {count}" for reason, count in counts.items())
    raise TooManyRejectsError(
        f"{len(rejects)} of {n_rows} ratings can't be used ({reasons}), "
        f"expected at most {max_bad_share:.2%}",
        rejects,
    )


def _unusable(values: pd.DataFrame) -> np.ndarray:
    """Return each row's reason, shape (n,) of str; empty where the row alone is fine."""
    reasons = {
        "missing_field": values.isna().any(axis=1),
        "bad_id": ~(is_id(values["userId"]) & is_id(values["movieId"])),
        "rating_off_scale": ~is_on_scale(values["rating"]),
        "bad_timestamp": ~is_plausible_time(values["timestamp"]),
    }
    conditions = [condition.to_numpy(dtype=bool) for condition in reasons.values()]
    return np.select(conditions, list(reasons), default="").astype(object)


def _superseded(values: pd.DataFrame) -> np.ndarray:
    """Return the positions of ratings whose user rated the movie again later."""
    again = values.sort_values(["timestamp", "rating"]).duplicated(PAIR, keep="last")
    return again.index[again].to_numpy()
