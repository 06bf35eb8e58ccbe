"""The profile of a dataset: its size, stars, users and movies in numbers."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from cinematch_dagster.batches.frame import COLUMNS, has_half_stars, is_plausible_time
from cinematch_dagster.drift.histogram import histogram
from serving.base.scale import is_on_scale

QUANTILES: Final = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
MOST_RATED: Final = 10


@dataclass(frozen=True)
class Distribution:
    """How ratings are spread over users or over movies that have any.

    Attributes:
        n: users or movies.
        mean: ratings of one, on average.
        quantiles: ratings at each of `QUANTILES`; the first is the fewest, the last the most.
        gini: 0 when all have the same number, towards 1 when one has all.
        top_1_percent: share of the ratings that the hundredth part with the most have.
        top_10_percent: the same for the tenth part.
        by_doubling: how many have 1, 2-3, 4-7, 8-15, … ratings.
    """

    n: int
    mean: float
    quantiles: tuple[float, ...]
    gini: float
    top_1_percent: float
    top_10_percent: float
    by_doubling: tuple[int, ...]


@dataclass(frozen=True)
class Profile:
    """What `profile` found.

    Attributes:
        n_ratings: rows, whether they can be used or not.
        missing: nulls by column of the ratings, then of the movies.
        implausible: complete rows off the scale, from before 1995 or from the future.
        histogram: ratings of 0.5, 1.0, … 5.0 stars.
        half_stars: whether there are half stars at all.
        mean: of the stars.
        std: of the stars, with n - 1.
        first: day of the first rating (UTC).
        last: day of the last.
        by_month: ratings in each calendar month from that of `first` to that of `last`.
        users: activity of the users.
        movies: popularity of the movies that were rated.
        n_movies_listed: movies with a title.
        most_rated: title and ratings of the ten movies with the most.
        sparsity: share of the pairs of a user and a rated movie without a rating, 0 … 1.
    """

    n_ratings: int
    missing: dict[str, int]
    implausible: int
    histogram: tuple[int, ...]
    half_stars: bool
    mean: float
    std: float
    first: datetime.date
    last: datetime.date
    by_month: tuple[int, ...]
    users: Distribution
    movies: Distribution
    n_movies_listed: int
    most_rated: tuple[tuple[str, int], ...]
    sparsity: float

    @property
    def months(self) -> list[datetime.date]:
        """The first day of each month of `by_month`."""
        first = self.first.year * 12 + self.first.month - 1
        numbers = range(first, first + len(self.by_month))
        return [datetime.date(number // 12, number % 12 + 1, 1) for number in numbers]


def profile(ratings: pd.DataFrame, movies: pd.DataFrame) -> Profile:
    """Count and measure raw or cleaned ratings.

    Rows with a missing value, a rating off the scale or a time before 1995 or in the future only
    count as such.

    Args:
        ratings: columns userId, movieId, rating, timestamp.
        movies: columns movieId, title, genres.

    Raises:
        ValueError: no row is complete and plausible.
    """
    missing = {c: int(ratings[c].isna().sum()) for c in COLUMNS}
    whole = ratings.dropna(subset=COLUMNS) if any(missing.values()) else ratings
    missing |= {f"{c} (movies)": int(movies[c].isna().sum()) for c in ("title", "genres")}
    stars, times = whole["rating"].to_numpy(np.float64), whole["timestamp"].to_numpy()
    is_plausible = is_on_scale(stars) & is_plausible_time(times)
    if not is_plausible.any():
        raise ValueError(
            f"{len(ratings)} ratings, none complete with stars on the scale and a plausible time: "
            "expected at least one"
        )
    usable = whole if is_plausible.all() else whole[is_plausible]
    stars, times = stars[is_plausible], times[is_plausible].astype(np.int64)
    per_user, per_movie = (usable[column].value_counts() for column in ("userId", "movieId"))
    return Profile(
        n_ratings=len(ratings),
        missing=missing,
        implausible=len(whole) - len(usable),
        histogram=_histogram(stars),
        half_stars=has_half_stars(usable),
        mean=float(stars.mean()),
        std=float(stars.std(ddof=1)) if len(stars) > 1 else 0.0,
        first=_day(int(times.min())),
        last=_day(int(times.max())),
        by_month=_by_month(times),
        users=distribution(per_user.to_numpy()),
        movies=distribution(per_movie.to_numpy()),
        n_movies_listed=len(movies),
        most_rated=_most_rated(per_movie, movies),
        sparsity=1 - len(usable) / (len(per_user) * len(per_movie)),
    )


def distribution(counts: np.ndarray) -> Distribution:
    """Measure numbers of ratings, each at least 1.

    The Gini coefficient of counts c₁ ≤ … ≤ cₙ is Σ (2i - n - 1) cᵢ / (n Σ cᵢ).
    """
    ordered = np.sort(counts).astype(np.float64)
    n, total = len(ordered), ordered.sum()
    rank = np.arange(1, n + 1)
    top = [float(ordered[n - max(1, round(n * share)) :].sum() / total) for share in (0.01, 0.1)]
    return Distribution(
        n=n,
        mean=float(total / n),
        quantiles=tuple(np.quantile(ordered, QUANTILES).tolist()),
        gini=float((2 * rank - n - 1) @ ordered / (n * total)),
        top_1_percent=top[0],
        top_10_percent=top[1],
        by_doubling=tuple(np.bincount(np.log2(ordered).astype(int)).tolist()),
    )


def _histogram(stars: np.ndarray) -> tuple[int, ...]:
    return tuple(histogram(stars).tolist())


def _by_month(times: np.ndarray) -> tuple[int, ...]:
    months = times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return tuple(np.bincount(months - months.min()).tolist())


def _most_rated(per_movie: pd.Series, movies: pd.DataFrame) -> tuple[tuple[str, int], ...]:
    titles = movies.drop_duplicates("movieId").set_index("movieId")["title"]
    most = per_movie.sort_index().sort_values(ascending=False, kind="stable").head(MOST_RATED)
    names = titles.reindex(most.index).fillna("(no title)")
    return tuple(zip(names.tolist(), most.tolist(), strict=True))


def _day(timestamp: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(timestamp, datetime.UTC).date()
