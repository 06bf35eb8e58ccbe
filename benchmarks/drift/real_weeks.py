"""The tests on the real weeks of ml-1m in the year 2000, as they are."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from cinematch_dagster.drift import DriftPolicy, DriftReport, Level, ViewResult, assess, histogram
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


def summary(ratings: pd.DataFrame, policy: DriftPolicy) -> dict[str, Any]:
    """Return each week's signed changes and levels in both views, and what a view's tests found."""
    weeks = compare_weeks(ratings, policy)
    views = {name: [getattr(w.report, name) for w in weeks] for name in ("per_batch", "cumulative")}
    return {
        "baseline": weeks[0].report.baseline_n,
        "insufficient": sum(v.level is Level.INSUFFICIENT for v in views["per_batch"]),
        "tests": [_test(name, i, found) for name, found in views.items() for i in range(3)],
        "weeks": [
            {
                "week": week.week.isoformat(),
                "ratings": week.report.per_batch.n,
                "new_users": week.new_users,
                **{name: _view(getattr(week.report, name)) for name in views},
            }
            for week in weeks
        ],
    }


def _view(view: ViewResult) -> dict[str, Any]:
    ks, mean, std = view.tests
    level = view.level.value.partition(" - ")[0].lower()
    return {"ks": ks.score, "mean": mean.change, "std": std.change, "level": level}


def _test(name: str, number: int, found: list[ViewResult]) -> dict[str, Any]:
    """Count one test's alerts and scores above its threshold; `judged` had enough ratings."""
    judged = [view.tests[number] for view in found if view.level is not Level.INSUFFICIENT]
    everywhere = [view.tests[number] for view in found]
    return {
        "view": name,
        "test": everywhere[0].feature_name,
        "alerts": sum(test.triggered for test in everywhere),
        "above": sum(test.exceeded for test in judged),
        "judged": len(judged),
        "largest": max((test.score for test in judged), default=None),
        "above_anywhere": sum(test.exceeded for test in everywhere),
    }
