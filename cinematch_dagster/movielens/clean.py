"""Cleaning: every row that can't be used is set aside with its reason."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from cinematch_dagster.batches.frame import (
    COLUMNS,
    as_ratings,
    is_id,
    is_plausible_time,
    pair_keys,
    repeated,
)
from cinematch_dagster.movielens.errors import TooManyRejectsError
from serving.base.scale import is_on_scale

DUPLICATE: Final = "duplicate"
_VALID: Final = {
    "userId": is_id,
    "movieId": is_id,
    "rating": is_on_scale,
    "timestamp": is_plausible_time,
}


def clean(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Separate the usable ratings from the others.

    A row has one reason, the first that holds: `missing_field` (null or not a number), `bad_id`
    (not a whole number from 0 to 2³¹ - 1), `rating_off_scale`, `bad_timestamp` (negative, before
    1995, in the future), `duplicate` (the pair was rated again: the latest wins, at the same
    second the higher rating). The result does not depend on the order of the rows.

    Args:
        frame: columns userId, movieId, rating, timestamp of any type, and any others.

    Returns:
        The ratings frame, which may share the memory of `frame`, and the rejected rows as they
        came, with a column `reason`.
    """
    values = {c: pd.to_numeric(frame[c], errors="coerce").to_numpy() for c in COLUMNS}
    is_bad = ~np.logical_and.reduce([is_valid(values[c]) for c, is_valid in _VALID.items()])
    is_rejected = is_bad | _is_superseded(values, is_bad)
    if not is_rejected.any():
        return as_ratings(values), frame[:0].assign(reason=pd.Series(dtype=object))
    reasons = _reasons({c: column[is_rejected] for c, column in values.items()})
    kept = as_ratings({c: column[~is_rejected] for c, column in values.items()})
    return kept, frame[is_rejected].assign(reason=reasons)


def refuse_if_bad(rejects: pd.DataFrame, n_rows: int, max_bad_share: float) -> None:
    """Check that at most `max_bad_share` (0 … 1) of `n_rows` raw rows can't be used.

    A duplicate is not bad: the latest rating of its pair is used.

    Raises:
        TooManyRejectsError: naming the reasons and how many rows each took.
    """
    bad = rejects[rejects["reason"] != DUPLICATE]
    if len(bad) <= max_bad_share * n_rows:
        return
    counts = bad["reason"].value_counts().items()
    reasons = ", ".join(f"{reason} {count}" for reason, count in counts)
    raise TooManyRejectsError(
        f"{len(bad)} of {n_rows} ratings can't be used ({reasons}), "
        f"expected at most {max_bad_share:.2%}; the first is {_described(bad.iloc[0])}",
        rejects,
    )


def _described(reject: pd.Series) -> str:
    """Say what is wrong with a rejected row, with its value."""
    if isinstance(reject.get("fault"), str):
        return f"line {reject['line']:.0f}, {reject['fault']}"
    values = ", ".join(f"{column} {reject[column]}" for column in COLUMNS)
    return f"{values}: {reject['reason']}"


def _reasons(values: dict[str, np.ndarray]) -> np.ndarray:
    """Return the reason of each rejected row, shape (n,) of str."""
    reasons = {
        "missing_field": np.logical_or.reduce([pd.isna(column) for column in values.values()]),
        "bad_id": ~(is_id(values["userId"]) & is_id(values["movieId"])),
        "rating_off_scale": ~is_on_scale(values["rating"]),
        "bad_timestamp": ~is_plausible_time(values["timestamp"]),
    }
    return np.select(list(reasons.values()), list(reasons), default=DUPLICATE).astype(object)


def _is_superseded(values: dict[str, np.ndarray], is_bad: np.ndarray) -> np.ndarray:
    """Tell which usable ratings were followed by one of the same pair, shape (n,)."""
    superseded = np.zeros(len(is_bad), bool)
    keys = pair_keys(values["userId"][~is_bad], values["movieId"][~is_bad])
    again = repeated(keys)
    if not len(again):
        return superseded
    among = np.isin(keys, again)
    rows, keys = np.flatnonzero(~is_bad)[among], keys[among]
    order = np.lexsort((values["rating"][rows], values["timestamp"][rows], keys))
    is_followed = keys[order][1:] == keys[order][:-1]
    superseded[rows[order[:-1][is_followed]]] = True
    return superseded
