"""What the report pages show of a view, of a test and of the weeks, ready for the templates."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from markupsafe import Markup

from cinematch_dagster.drift import charts, formats, words
from cinematch_dagster.drift.charts import Series
from cinematch_dagster.drift.evidence import Evidence
from cinematch_dagster.drift.histogram import STARS, Histogram
from cinematch_dagster.drift.population import Activity, shares
from cinematch_dagster.drift.verdict import (
    DriftPolicy,
    DriftReport,
    Level,
    TestResult,
    View,
    ViewResult,
)

STYLES: Mapping[View, str] = {"per_batch": "alone", "cumulative": "total"}
MOST_GENRES = 10
ACTIVITY: Sequence[tuple[str, Callable[[Activity], str]]] = (
    ("Ratings", lambda it: formats.number(it.ratings)),
    ("Active users", lambda it: formats.number(it.users)),
    ("Ratings per active user", lambda it: formats.number(it.ratings_per_user, 1)),
    ("Share of ratings by new users", lambda it: formats.percent(it.new_user_share, 1)),
    ("Share of ratings of new movies", lambda it: formats.percent(it.new_movie_share, 1)),
)


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
    Level.EMPTY: Mark("none", CIRCLE, "No ratings"),
    Level.INSUFFICIENT: Mark("none", CIRCLE, "Too few ratings"),
    Level.NO_DRIFT: Mark("fine", DOT, "No drift"),
    Level.EARLY: Mark("early", DIAMOND, "Early signal"),
    Level.DRIFT: Mark("drift", TRIANGLE, "Drift"),
}


@dataclass(frozen=True)
class WeekReport:
    """A week and its report.

    Attributes:
        week: its Monday.
        batch_id: name of its batch.
        injected: label of drift injected on purpose; None for real ratings.
        report: its drift report.
    """

    week: datetime.date
    batch_id: str
    injected: str | None
    report: DriftReport

    @property
    def file_name(self) -> str:
        """The name that the index and the week after it link to."""
        return f"{self.week.isoformat()}.html"


@dataclass(frozen=True)
class Side:
    """What is known of one side of the comparison: the baseline, or a view.

    Attributes:
        histogram: of its ratings.
        genres: its ratings by genre; a rating counts in each genre of its movie.
        activity: of its users.
        evidence: how a view was measured against the baseline in other ways.
    """

    histogram: Histogram
    genres: Mapping[str, int] = field(default_factory=dict)
    activity: Activity | None = None
    evidence: Evidence | None = None


class TestRow(NamedTuple):
    """One test of a view."""

    test: TestResult
    mark: Mark
    gauge: Markup


class EvidenceRow(NamedTuple):
    """One measure: its name and meaning, and a result a view; None where there is none."""

    name: str
    meaning: str
    tests: list[TestResult | None]


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
    tests: list[TestRow]
    distribution: Markup
    genres: Markup | None
    genre_changes: list[str]


def panels(
    report: DriftReport, baseline: Side, per_batch: Side, cumulative: Side, policy: DriftPolicy
) -> list[Panel]:
    """Return both views; their charts have one scale."""
    sides = (baseline, per_batch, cumulative)
    top = max(share for side in sides for share in _shares(side.histogram))
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
            tests=[_test_row(test, view, policy) for test in view.tests],
            distribution=_distribution(baseline.histogram, side.histogram, view.view, top),
            genres=_genres(baseline.genres, side.genres, view.view),
            genre_changes=words.genre_changes(shares(baseline.genres), shares(side.genres)),
        )
        for view, side in pairs
    ]


def _test_row(test: TestResult, view: ViewResult, policy: DriftPolicy) -> TestRow:
    early = policy.early_threshold(test.threshold)
    gauge = charts.gauge(test.score, test.threshold, early, STYLES[view.view])
    return TestRow(test, _mark(test, view, early), gauge)


def _mark(test: TestResult, view: ViewResult, early: float) -> Mark:
    if view.level is Level.INSUFFICIENT:
        return Mark("none", CIRCLE, "not counted")
    if test.triggered:
        return Mark("drift", TRIANGLE, "alert")
    if test.exceeded:
        return Mark("early", DIAMOND, "above")
    return Mark("early", DIAMOND, "close") if test.score >= early else Mark("fine", DOT, "within")


def _shares(histogram: Histogram) -> list[float]:
    shared: list[float] = (histogram / max(1, histogram.sum())).tolist()
    return shared


def _distribution(baseline: Histogram, buffer: Histogram, view: View, top: float) -> Markup:
    return charts.columns(
        [f"{star:g}" for star in STARS],
        [Series("base", _shares(baseline)), Series(STYLES[view], _shares(buffer))],
        top,
        title=f"Share of the ratings by stars: {words.VIEWS[view]} beside the baseline",
        axis="stars",
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


def progressions(
    weeks: Sequence[WeekReport], policy: DriftPolicy
) -> list[tuple[str, float, Markup]]:
    """Draw each test's scores over the weeks; return its name and threshold with its chart."""
    return [
        (
            words.TESTS[name],
            threshold,
            charts.progression(
                [each.week for each in weeks],
                [
                    Series("alone", [_score(each.report.per_batch, name) for each in weeks]),
                    Series("total", [_score(each.report.cumulative, name) for each in weeks]),
                ],
                threshold=threshold,
                early=policy.early_threshold(threshold),
                injected=[each.injected is not None for each in weeks],
                title=f"{words.TESTS[name]}: scores over the weeks and the threshold",
            ),
        )
        for name, threshold in policy.thresholds.items()
    ]


def evidence_rows(shown: Sequence[Panel]) -> list[EvidenceRow]:
    """Return each measure that some view has, with a result a view."""
    found = [_by_name(panel.side.evidence) for panel in shown]
    return [
        EvidenceRow(*words.EVIDENCE[name], [results.get(name) for results in found])
        for name in words.EVIDENCE
        if any(name in results for results in found)
    ]


def _by_name(evidence: Evidence | None) -> dict[str, TestResult]:
    tests = (*evidence.ratings, *evidence.genres) if evidence else ()
    return {test.feature_name: test for test in tests}


def activity_rows(sides: Sequence[Side]) -> list[tuple[str, list[str]]]:
    """Return each figure of activity with its text a side, if some side has any."""
    if not any(side.activity for side in sides):
        return []
    return [
        (name, [text(side.activity) if side.activity else formats.DASH for side in sides])
        for name, text in ACTIVITY
    ]


def score_text(view: ViewResult, name: str) -> str:
    """Return a test's signed change (the KS statistic has no sign), or a dash without one."""
    test = _test(view, name)
    signed = name != "rating_distribution_ks"
    return (formats.change if signed else formats.percent)(test.change if test else None)


def _test(view: ViewResult, name: str) -> TestResult | None:
    return next((test for test in view.tests if test.feature_name == name), None)


def _score(view: ViewResult, name: str) -> float | None:
    test = _test(view, name)
    return test.score if test else None
