"""The tests on the real weeks of ml-1m in the year 2000, as they are."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from cinematch_dagster.drift import DriftPolicy, DriftReport, assess, histogram
from cinematch_dagster.movielens import clean
from cinematch_dagster.movielens.sources.raw_files import read_ratings

YEAR: Final = 2000
BASELINE_WEEKS: Final = 13
DAY: Final = 86_400
MONDAY: Final = 4 * DAY  # 1970-01-05, unix seconds


@dataclass(frozen=True)
class RealWeek:
    """A week's report; `new_users` is the share of its ratings by users without an earlier one."""

    week: datetime.date
    report: DriftReport
    new_users: float


def load_year(folder: Path) -> pd.DataFrame:
    """Read the ratings of 2000 from a folder with ml-1m's ratings.dat."""
    ratings, _ = clean(read_ratings(folder)[0])
    start, end = (
        datetime.datetime(year, 1, 1, tzinfo=datetime.UTC).timestamp() for year in (YEAR, YEAR + 1)
    )
    return ratings[(ratings["timestamp"] >= start) & (ratings["timestamp"] < end)]


def compare_weeks(ratings: pd.DataFrame, policy: DriftPolicy) -> list[RealWeek]:
    """Compare each calendar week with the first `BASELINE_WEEKS`, alone and cumulated.

    Every rating of the first weeks is in the baseline, and nothing is retrained afterwards.
    """
    monday = (ratings["timestamp"] - MONDAY) // (7 * DAY)
    week = (monday - monday.min()).to_numpy()
    first_week = pd.Series(week, index=ratings["userId"]).groupby(level=0).min()
    is_new = first_week[ratings["userId"]].to_numpy() == week
    stars = ratings["rating"].to_numpy()
    baseline = histogram(stars[week < BASELINE_WEEKS])
    cumulative = np.zeros_like(baseline)
    start = datetime.date(1970, 1, 5) + datetime.timedelta(weeks=int(monday.min()))
    results = []
    for number in range(BASELINE_WEEKS, int(week.max()) + 1):
        batch = histogram(stars[week == number])
        cumulative = cumulative + batch
        results.append(
            RealWeek(
                week=start + datetime.timedelta(weeks=number),
                report=assess(baseline, batch, cumulative, policy),
                new_users=float(is_new[week == number].mean()) if batch.sum() else 0.0,
            )
        )
    return results
