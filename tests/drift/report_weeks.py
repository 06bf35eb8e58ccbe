from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np

from cinematch_dagster.drift.activity import Activity
from cinematch_dagster.drift.histogram import Histogram, histogram
from cinematch_dagster.drift.page import Side, WeekReport
from cinematch_dagster.drift.performance import (
    Errors,
    WeekPerformance,
    WeekScores,
    WeekSlice,
    judge_errors,
)
from cinematch_dagster.drift.secondary_metrics import SecondaryThresholds, measure
from cinematch_dagster.drift.verdict import DriftPolicy, assess
from tests.builders import FIRST_WEEK

POLICY = DriftPolicy(count_threshold=10)
BASE_GENRES = {"Drama": 60, "Comedy": 40}
GENRES = {"Drama": 30, "Comedy": 60, "War": 10}


def counts(by_star: dict[float, int]) -> Histogram:
    return histogram(np.repeat(list(by_star), list(by_star.values())))


BASE = counts({2.0: 50, 4.0: 50})
QUIET = counts({2.0: 149, 4.0: 151})
LOUD = counts({2.0: 20, 4.0: 80})  # KS 0.3, mean +20 %, std -20 %
EMPTY = counts({})


def performance(rmse: float, mae: float, rows: int = 300) -> WeekPerformance:
    """Version 7, tested with an RMSE of 1 and an MAE of 0.8, on a week of new users."""
    own = Errors(rmse=1.0, mae=0.8)
    overall = WeekSlice(rows, rmse, mae, users=40, hit_rate_at_10=0.125)
    return WeekPerformance(
        version="7",
        own=own,
        scores=WeekScores(overall, None, overall, WeekSlice(12, 1.5, 1.25, 0, None)),
        verdict=judge_errors(Errors(rmse, mae), own, rows, POLICY),
        policy=POLICY,
    )


def week_report(
    n: int,
    per_batch: Histogram = QUIET,
    cumulative: Histogram = QUIET,
    *,
    baseline: Histogram = BASE,
    policy: DriftPolicy = POLICY,
    injected: str | None = None,
    performance: WeekPerformance | None = None,
) -> WeekReport:
    week = FIRST_WEEK + datetime.timedelta(weeks=n - 1)
    report = assess(baseline, per_batch, cumulative, policy)
    return WeekReport(week, f"batch_w{n}", injected, report, performance, policy=policy)


def rich(side: Histogram) -> Side:
    """A side of which everything is known."""
    return Side(
        side,
        GENRES,
        Activity(ratings=200, users=8, by_new_users=50, of_new_movies=21),
        measure(BASE, side, SecondaryThresholds(), (BASE_GENRES, GENRES)),
    )


BASELINE = Side(BASE, BASE_GENRES, Activity(100, 10, 0, 0))


def history(n: int, last: Sequence[Histogram] = (LOUD, QUIET)) -> list[WeekReport]:
    return [*(week_report(week) for week in range(1, n)), week_report(n, *last)]
