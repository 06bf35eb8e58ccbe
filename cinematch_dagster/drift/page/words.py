"""A drift report in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cinematch_dagster.drift.histogram import Histogram
from cinematch_dagster.drift.statistics import ks_statistic
from cinematch_dagster.drift.verdict import (
    REASONS,
    DriftPolicy,
    DriftReport,
    Level,
    TestResult,
    View,
    ViewResult,
)
from serving.base.scale import STARS
from serving.kit.formats import number, of_threshold, percent

Shares = NDArray[np.float64]

VIEWS: Mapping[View, str] = {
    "per_batch": "This week alone",
    "cumulative": "All weeks since the last promotion",
}
SHORT_VIEWS: Mapping[View, str] = {"per_batch": "This week", "cumulative": "All weeks"}
TESTS: Mapping[str, str] = {
    "rating_distribution_ks": "Distribution",
    "rating_mean": "Mean",
    "rating_std": "Spread",
}
MEANINGS: Mapping[str, str] = {
    "rating_distribution_ks": "Kolmogorov-Smirnov: widest gap between the shares of ratings up to "
    "any star",
    "rating_mean": "average rating, relative to the baseline's",
    "rating_std": "standard deviation, relative to the baseline's",
}
SECONDARY: Mapping[str, tuple[str, str]] = {
    "rating_psi": ("Ratings: PSI", "population stability index, 0 for no difference"),
    "rating_jensen_shannon": ("Ratings: Jensen-Shannon", "distance, from 0 to 1"),
    "rating_wasserstein": ("Ratings: Wasserstein-1", "how far ratings have to move, in stars"),
    "genre_psi": ("Genres: PSI", "population stability index, 0 for no difference"),
    "genre_jensen_shannon": ("Genres: Jensen-Shannon", "distance, from 0 to 1"),
}


def status(view: ViewResult, policy: DriftPolicy | None) -> str:
    """Say what a view's level is, what it rests on, and why it does not alert where it does not."""
    if view.level is Level.UNKNOWN:
        return "What was decided on this view is not known: no verdicts were kept at that time."
    if view.level in (Level.EMPTY, Level.INSUFFICIENT):
        why = "; ".join(view.reasons) or "Too few ratings"
        return f"{why}. No verdict."
    highest = max(view.tests, key=lambda test: test.score / test.threshold)
    if view.level is Level.NO_DRIFT:
        return f"Nothing near a threshold: {_reach(highest)} is the highest."
    if view.level is Level.DRIFT:
        return f"Alert: {', '.join(_reach(test) for test in view.tests if test.triggered)}."
    return f"Early signal: {_reach(highest)}. {_why_no_alert(view, policy)}"


def _reach(test: TestResult) -> str:
    return f"{REASONS[test.feature_name]} at {of_threshold(test.score, test.threshold)}"


def _why_no_alert(view: ViewResult, policy: DriftPolicy | None) -> str:
    exceeded = sum(test.exceeded for test in view.tests)
    if not exceeded:
        return "No alert: below the threshold."
    if policy is None:
        return "No alert; the settings of that day are not known."
    if view.view not in policy.alerting_views:
        return "No alert: this view is for early signals only."
    return f"No alert: {exceeded} above a threshold, {policy.minimum_tests} needed."


def changes(
    view: ViewResult, report: DriftReport, baseline: Histogram, buffer: Histogram
) -> list[str]:
    """Say what changed from the baseline to a view, and by how much."""
    if view.n == 0:
        return ["No ratings came in."]
    if view.mean is None:  # a verdict of which no more than the tests was kept
        if min(baseline.sum(), buffer.sum()) == 0:
            return []
        return [_widest_gap(baseline, buffer), _most_changed(baseline, buffer)]
    size = f"{number(view.n)} ratings, {number(view.mean, 2)} stars on average"
    if not view.tests:
        return [f"{size}; too few to compare."]
    _, mean, std = view.tests
    return [
        f"{size}: {_more(mean.change)} than the baseline's {number(report.baseline_mean, 2)}.",
        f"Opinions are spread {_more(std.change)}: a standard deviation of "
        f"{number(view.std, 2)} stars against {number(report.baseline_std, 2)}.",
        _widest_gap(baseline, buffer),
        _most_changed(baseline, buffer),
    ]


def _more(change: float) -> str:
    return f"{percent(abs(change))} {'more' if change >= 0 else 'less'}"


def _widest_gap(baseline: Histogram, buffer: Histogram) -> str:
    """Say in words what the KS statistic is, and where."""
    before, after = (np.cumsum(side) / side.sum() for side in (baseline, buffer))
    at = _furthest(before, after)
    gap = ks_statistic(baseline, buffer)
    return (
        f"Widest gap, {percent(gap)}: {percent(after[at])} of these ratings are {_stars(at)} "
        f"or lower, against {percent(before[at])} in the baseline."
    )


def _most_changed(baseline: Histogram, buffer: Histogram) -> str:
    before, after = (side / side.sum() for side in (baseline, buffer))
    at = _furthest(before, after)
    return (
        f"Most changed: ratings of {_stars(at)}, from {percent(before[at])} "
        f"to {percent(after[at])} of all."
    )


def _furthest(before: Shares, after: Shares) -> int:
    """Return where two arrays differ most; the first place where they do, to 12 digits."""
    return int(np.abs(before - after).round(12).argmax())


def _stars(at: int) -> str:
    return f"{STARS[at]:g} {'star' if STARS[at] == 1 else 'stars'}"


def most_changed(before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    """Order categories by how much their shares differ, the most changed first."""
    changed = {name: abs(after.get(name, 0) - before.get(name, 0)) for name in {*before, *after}}
    return sorted(changed, key=lambda name: (-changed[name], name))


def genre_changes(before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    """Say which three genres changed most, given each one's share; nothing without both sides."""
    if not (before and after):
        return []
    return [
        f"{genre} from {percent(before.get(genre, 0), 1)} to {percent(after.get(genre, 0), 1)}"
        for genre in most_changed(before, after)[:3]
    ]
