"""What the report pages show as tables, and over the weeks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from cinematch_dagster.drift.activity import Activity
from cinematch_dagster.drift.histogram import Histogram
from cinematch_dagster.drift.page import words
from cinematch_dagster.drift.page.inputs import Side, WeekReport
from cinematch_dagster.drift.page.panels import Panel, early_score, shares_of
from cinematch_dagster.drift.page.progression import progression
from cinematch_dagster.drift.secondary_metrics import SecondaryMetrics
from cinematch_dagster.drift.verdict import TestResult, ViewResult
from serving.base.scale import STARS
from serving.kit import charts, formats
from serving.kit.charts import Series

ACTIVITY: Sequence[tuple[str, Callable[[Activity], str]]] = (
    ("Ratings", lambda it: formats.number(it.ratings)),
    ("Active users", lambda it: formats.number(it.users)),
    ("Ratings per active user", lambda it: formats.number(it.ratings_per_user, 1)),
    ("Share of ratings by new users", lambda it: formats.percent(it.new_user_share, 1)),
    ("Share of ratings of new movies", lambda it: formats.percent(it.new_movie_share, 1)),
)


class SecondaryRow(NamedTuple):
    """One measure: its name and meaning, and a result a view; None where there is none."""

    name: str
    meaning: str
    tests: list[TestResult | None]


def star_rows(sides: Sequence[Side]) -> list[tuple[str, list[str]]]:
    """Return each star with its number of ratings a side."""
    counts = np.stack([side.histogram for side in sides], axis=1).tolist()
    return [
        (f"{star:g}", [formats.number(count) for count in row])
        for star, row in zip(STARS, counts, strict=True)
    ]


def distributions(baseline: Histogram, per_batch: Histogram, cumulative: Histogram) -> Markup:
    """Draw the shares by stars of the baseline and both views side by side."""
    styles = {"base": baseline, "alone": per_batch, "total": cumulative}
    series = [Series(style, shares_of(histogram)) for style, histogram in styles.items()]
    return charts.columns(
        [f"{star:g}" for star in STARS],
        series,
        "Share of the ratings by stars: baseline, this week, all weeks",
        axis="stars",
    )


def secondary_rows(shown: Sequence[Panel]) -> list[SecondaryRow]:
    """Return each measure that some view has, with a result a view."""
    found = [_by_name(panel.side.secondary) for panel in shown]
    return [
        SecondaryRow(*words.SECONDARY[name], [results.get(name) for results in found])
        for name in words.SECONDARY
        if any(name in results for results in found)
    ]


def _by_name(secondary: SecondaryMetrics | None) -> dict[str, TestResult]:
    tests = (*secondary.ratings, *secondary.genres) if secondary else ()
    return {test.feature_name: test for test in tests}


def activity_rows(sides: Sequence[Side]) -> list[tuple[str, list[str]]]:
    """Return each figure of activity with its text a side, if some side has any."""
    if not any(side.activity for side in sides):
        return []
    return [
        (name, [text(side.activity) if side.activity else formats.DASH for side in sides])
        for name, text in ACTIVITY
    ]


def progressions(weeks: Sequence[WeekReport]) -> list[tuple[str, float | None, Markup]]:
    """Draw each test's scores over the weeks; return its name, newest threshold and chart."""
    return [_progression(weeks, name) for name in words.TESTS]


def _progression(weeks: Sequence[WeekReport], name: str) -> tuple[str, float | None, Markup]:
    thresholds = [_threshold(each, name) for each in weeks]
    chart = progression(
        weeks,
        [
            Series("alone", [_score(each.report.per_batch, name) for each in weeks]),
            Series("total", [_score(each.report.cumulative, name) for each in weeks]),
        ],
        threshold=thresholds,
        early=[
            early_score(each.policy, threshold)
            for each, threshold in zip(weeks, thresholds, strict=True)
        ],
        title=f"{words.TESTS[name]}: scores over the weeks and the threshold",
    )
    return words.TESTS[name], thresholds[-1], chart


def _threshold(known: WeekReport, name: str) -> float | None:
    """Return the threshold that a week was judged by, if that is known."""
    if known.policy:
        return known.policy.thresholds[name]
    test = _test(known.report.cumulative, name) or _test(known.report.per_batch, name)
    return test.threshold if test else None


def score_text(view: ViewResult, name: str) -> str:
    """Return a test's signed change (the KS statistic has no sign), or a dash without one.

    Where the sign is not known any more, only the score.
    """
    test = _test(view, name)
    if test is None or math.isnan(test.change) or name == "rating_distribution_ks":
        return formats.percent(test.score if test else None)
    return formats.change(test.change)


def _test(view: ViewResult, name: str) -> TestResult | None:
    return next((test for test in view.tests if test.feature_name == name), None)


def _score(view: ViewResult, name: str) -> float | None:
    test = _test(view, name)
    return test.score if test else None
