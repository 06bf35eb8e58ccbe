"""The whole preparation of the ratings in one call."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import pandas as pd

from cinematch_dagster.batches.files import make_batches
from cinematch_dagster.movielens.clean import clean, refuse_if_bad
from cinematch_dagster.movielens.errors import BadDatasetError
from cinematch_dagster.movielens.injection import Injection, inject
from cinematch_dagster.movielens.reduce import reduce
from cinematch_dagster.movielens.split import cut_by_time, split_by_time


class WeeklyBatch(NamedTuple):
    """One week's ratings; the arguments of `write_batch` after the folder.

    injected: label of the drift injected on purpose, None for real ratings.
    """

    batch_id: str
    ratings: pd.DataFrame
    injected: str | None


class Prepared(NamedTuple):
    """What the platform starts from.

    baseline: ratings frame with a column `data_split`.
    batches: batch_w1, batch_w2, … in time order.
    rejects: rows that were not usable, with a column `reason`; unparsable lines first.
    """

    baseline: pd.DataFrame
    batches: list[WeeklyBatch]
    rejects: pd.DataFrame


def prepare(
    ratings: pd.DataFrame,
    *,
    start: datetime.date | None,
    most_recent: int,
    baseline_share: float,
    train_share: float,
    batches: int,
    injected_shift: float = 0.0,
    injection: Injection | None = None,
    movies: pd.DataFrame | None = None,
    unparsable: pd.DataFrame | None = None,
    max_bad_share: float = 0.01,
    end: datetime.date | None = None,
) -> Prepared:
    """Clean and reduce raw ratings, then cut them into a baseline and weekly batches.

    Args:
        ratings: columns userId, movieId, rating, timestamp.
        start: see `reduce`.
        most_recent: see `reduce`.
        baseline_share: oldest share that becomes the baseline.
        train_share: oldest share of the baseline that is train.
        batches: number of batches cut from what follows the baseline.
        injected_shift: short for an `injection` that only shifts.
        injection: done to the last batch to make one more; one that does nothing makes none.
        movies: columns movieId, genres, where the injection swaps genres.
        unparsable: lines that never became rows, as `load` returns them; they count as rejects.
        max_bad_share: share of bad rows, 0 … 1, above which nothing is used; see `refuse_if_bad`.
        end: see `reduce`.

    Raises:
        TooManyRejectsError: there are more bad rows.
        BadDatasetError: too few ratings are left for the batches.
    """
    usable, rejects = clean(ratings)
    if unparsable is not None and len(unparsable):
        rejects = pd.concat([unparsable, rejects], ignore_index=True)
    refuse_if_bad(rejects, len(usable) + len(rejects), max_bad_share)
    baseline, rest = cut_by_time(reduce(usable, start, most_recent, end), baseline_share)
    try:
        real = make_batches(rest, batches)
    except ValueError as error:
        raise BadDatasetError(
            f"{error}, but data.start is {start or 'none'}, data.end is {end or 'none'} "
            f"and the usable ratings are {_days(usable)}"
        ) from None
    weeks: list[tuple[pd.DataFrame, str | None]] = [(week, None) for week in real]
    injection = injection or Injection(shift=injected_shift)
    if injection.label:
        first_new_user = int(usable["userId"].max()) + 1
        changed = inject(weeks[-1][0], injection, movies, first_new_user)
        weeks.append((changed, injection.label))
    return Prepared(
        baseline=split_by_time(baseline, train_share),
        batches=[WeeklyBatch(f"batch_w{n}", *week) for n, week in enumerate(weeks, start=1)],
        rejects=rejects,
    )


def _days(ratings: pd.DataFrame) -> str:
    """Return from which day to which a ratings frame reaches (UTC)."""
    if ratings.empty:
        return "none"
    ends = ratings["timestamp"].iloc[[0, -1]]
    first, last = (datetime.datetime.fromtimestamp(end, datetime.UTC).date() for end in ends)
    return f"from {first} to {last}"
