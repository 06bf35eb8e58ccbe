"""Whether a week's drift hurts the model, in words, tests and slices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from cinematch_dagster.drift.page.inputs import SLICES, WeekReport
from cinematch_dagster.drift.page.panels import Mark, early_score, mark_of
from cinematch_dagster.drift.page.progression import progression
from cinematch_dagster.drift.performance import (
    PERFORMANCE_TESTS,
    WeekPerformance,
    WeekSlice,
)
from cinematch_dagster.drift.verdict import Level, TestResult
from serving.kit import charts
from serving.kit.charts import Series
from serving.kit.formats import number, percent

NO_MODEL = "No model was in production yet when this week came in."
ANSWERS: Mapping[Level, str] = {
    Level.UNKNOWN: "What was decided is not known.",
    Level.INSUFFICIENT: "Too few ratings to say.",
    Level.NO_DRIFT: "No.",
    Level.EARLY: "Not yet, but it is close.",
    Level.DRIFT: "Yes.",
}


class ErrorRow(NamedTuple):
    """One error: of the week, of the version's own test, and the test of the difference."""

    name: str
    week: float
    own: float
    test: TestResult
    mark: Mark
    gauge: Markup


@dataclass(frozen=True)
class PerformancePanel:
    """A week's performance, ready to be shown."""

    version: str
    sentences: list[str]
    errors: list[ErrorRow]
    slices: list[tuple[str, WeekSlice | None]]
    progressions: list[tuple[str, float | None, Markup]]


def answer(found: WeekPerformance | None) -> str:
    """Say whether the drift hurts, and by how much."""
    if found is None:
        return NO_MODEL
    changes = " and ".join(_change(test) for test in found.verdict.tests)
    return f"{ANSWERS[found.verdict.level]} {changes} than on version {found.version}'s own test."


def _change(test: TestResult) -> str:
    name = PERFORMANCE_TESTS[test.feature_name]
    if math.isnan(test.change):  # of a recorded test: only gains lack their size
        return f"{name} is not higher"
    direction = "higher" if test.change >= 0 else "lower"
    return f"{name} is {percent(abs(test.change), 1)} {direction}"


def performance_panel(weeks: Sequence[WeekReport]) -> PerformancePanel | None:
    """Return the last week's performance with the progression up to it; None without a model."""
    found = weeks[-1].performance
    if found is None:
        return None
    return PerformancePanel(
        version=found.version,
        sentences=_sentences(found),
        errors=_errors(found),
        slices=[
            ("All", found.scores.overall),
            *((name, getattr(found.scores, key)) for key, name in SLICES.items()),
        ],
        progressions=_progressions(weeks),
    )


def _sentences(found: WeekPerformance) -> list[str]:
    overall, own = found.scores.overall, found.own
    return [
        f"Version {found.version} was in production when the week came in. It predicted the "
        f"week's {number(overall.rows)} ratings before anything was trained on them.",
        f"It was {number(overall.mae, 2)} stars off on average (MAE), against "
        f"{number(own.mae, 2)} on the test rows that it was promoted with. With large misses "
        f"counted more (RMSE): {number(overall.rmse, 2)} against {number(own.rmse, 2)}.",
        _hits(overall),
    ]


def _hits(overall: WeekSlice) -> str:
    if overall.hit_rate_at_10 is None:
        return "No user liked a movie that was new to them, so there is no hit rate."
    return (
        f"Of the {number(overall.users)} users who liked a movie that was new to them, "
        f"{percent(overall.hit_rate_at_10, 1)} had one among their ten recommendations (hit rate)."
    )


def _errors(found: WeekPerformance) -> list[ErrorRow]:
    pairs = ((found.scores.overall.rmse, found.own.rmse), (found.scores.overall.mae, found.own.mae))
    rows = []
    for test, (week, own) in zip(found.verdict.tests, pairs, strict=True):
        early = early_score(found.policy, test.threshold)
        gauge = charts.gauge(test.score, test.threshold, early, "alone")
        mark = mark_of(test, found.verdict.level, early)
        rows.append(ErrorRow(PERFORMANCE_TESTS[test.feature_name], week, own, test, mark, gauge))
    return rows


def _progressions(weeks: Sequence[WeekReport]) -> list[tuple[str, float | None, Markup]]:
    """Draw by how much each error was worse, week by week; return name, threshold and chart."""
    return [
        _progression(weeks, place, name) for place, name in enumerate(PERFORMANCE_TESTS.values())
    ]


def _progression(
    weeks: Sequence[WeekReport], place: int, name: str
) -> tuple[str, float | None, Markup]:
    tests = [each.performance and each.performance.verdict.tests[place] for each in weeks]
    thresholds = [test.threshold if test else None for test in tests]
    policies = [each.performance.policy if each.performance else None for each in weeks]
    chart = progression(
        weeks,
        [Series("alone", [test.score if test else None for test in tests])],
        threshold=thresholds,
        early=list(map(early_score, policies, thresholds)),
        title=f"{name}: by how much it was worse than on the own test, week by week",
    )
    return name, thresholds[-1], chart
