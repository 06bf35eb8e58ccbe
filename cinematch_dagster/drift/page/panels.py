"""What the report pages show of a view, ready for the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from cinematch_dagster.drift.activity import shares
from cinematch_dagster.drift.histogram import Histogram
from cinematch_dagster.drift.page import words
from cinematch_dagster.drift.page.inputs import Side
from cinematch_dagster.drift.verdict import (
    DriftPolicy,
    DriftReport,
    Level,
    TestResult,
    View,
    ViewResult,
)
from serving.base.scale import STARS
from serving.kit import charts
from serving.kit.charts import Series

STYLES: Mapping[View, str] = {"per_batch": "alone", "cumulative": "total"}
MOST_GENRES = 10


class Mark(NamedTuple):
    """How a level or a test is shown: never by colour alone."""

    style: str
    sign: str
    name: str


CIRCLE, DOT, DIAMOND, TRIANGLE = (
    "\N{WHITE CIRCLE}",
    "\N{BLACK CIRCLE}",
    "\N{BLACK DIAMOND}",
    "\N{BLACK UP-POINTING TRIANGLE}",
)

MARKS: Mapping[Level, Mark] = {
    Level.UNKNOWN: Mark("none", CIRCLE, "Unknown"),
    Level.EMPTY: Mark("none", CIRCLE, "No ratings"),
    Level.INSUFFICIENT: Mark("none", CIRCLE, "Too few ratings"),
    Level.NO_DRIFT: Mark("fine", DOT, "No drift"),
    Level.EARLY: Mark("early", DIAMOND, "Early signal"),
    Level.DRIFT: Mark("drift", TRIANGLE, "Drift"),
}


class ScoreRow(NamedTuple):
    """One test of a view."""

    test: TestResult
    mark: Mark
    gauge: Markup


@dataclass(frozen=True)
class Panel:
    """One view, ready to be shown."""

    result: ViewResult
    side: Side
    name: str
    short: str
    style: str
    status: str
    changes: list[str]
    tests: list[ScoreRow]
    distribution: Markup
    genres: Markup | None
    genre_changes: list[str]


def panels(
    report: DriftReport,
    baseline: Side,
    per_batch: Side,
    cumulative: Side,
    policy: DriftPolicy | None,
) -> list[Panel]:
    """Return both views, judged under `policy` if that is known; their charts have one scale."""
    sides = (baseline, per_batch, cumulative)
    top = max(share for side in sides for share in shares_of(side.histogram))
    pairs = ((report.per_batch, per_batch), (report.cumulative, cumulative))
    return [
        Panel(
            result=view,
            side=side,
            name=words.VIEWS[view.view],
            short=words.SHORT_VIEWS[view.view],
            style=STYLES[view.view],
            status=words.status(view, policy),
            changes=words.changes(view, report, baseline.histogram, side.histogram),
            tests=[_score_row(test, view, policy) for test in view.tests],
            distribution=_distribution(baseline.histogram, side.histogram, view.view, top),
            genres=_genres(baseline.genres, side.genres, view.view),
            genre_changes=words.genre_changes(shares(baseline.genres), shares(side.genres)),
        )
        for view, side in pairs
    ]


def early_score(policy: DriftPolicy | None, threshold: float | None) -> float | None:
    """Return the score from which there was an early signal, where that is known."""
    return None if policy is None or threshold is None else policy.early_threshold(threshold)


def _score_row(test: TestResult, view: ViewResult, policy: DriftPolicy | None) -> ScoreRow:
    early = early_score(policy, test.threshold)
    gauge = charts.gauge(test.score, test.threshold, early, STYLES[view.view])
    return ScoreRow(test, mark_of(test, view.level, early), gauge)


def mark_of(test: TestResult, level: Level, early: float | None) -> Mark:
    """Return how a test is marked, given the level it led to and where early signals started."""
    if level is Level.INSUFFICIENT:
        return Mark("none", CIRCLE, "not counted")
    if test.triggered:
        return Mark("drift", TRIANGLE, "alert")
    if test.exceeded:
        return Mark("early", DIAMOND, "above")
    if early is None:
        return Mark("fine", DOT, "below")
    return Mark("early", DIAMOND, "close") if test.score >= early else Mark("fine", DOT, "within")


def shares_of(histogram: Histogram) -> list[float]:
    """Return the share of each star; zeros without ratings."""
    shared: list[float] = (histogram / max(1, histogram.sum())).tolist()
    return shared


def _distribution(baseline: Histogram, buffer: Histogram, view: View, top: float) -> Markup:
    return charts.columns(
        [f"{star:g}" for star in STARS],
        [Series("base", shares_of(baseline)), Series(STYLES[view], shares_of(buffer))],
        f"Share of the ratings by stars: {words.VIEWS[view]} beside the baseline",
        axis="stars",
        top=top,
    )


def _genres(baseline: Mapping[str, int], view: Mapping[str, int], name: View) -> Markup | None:
    before, after = shares(baseline), shares(view)
    if not (before and after):
        return None
    genres = words.most_changed(before, after)[:MOST_GENRES]
    sides = (("base", before), (STYLES[name], after))
    return charts.rows(
        genres,
        [Series(style, [side.get(genre, 0.0) for genre in genres]) for style, side in sides],
        title=f"Share of the genres: {words.VIEWS[name]} beside the baseline",
    )
