"""Whether a week's drift hurts the model, in words, tests and slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from cinematch_dagster.drift.page.inputs import SLICES, Performance, Slice, WeekReport
from cinematch_dagster.drift.page.panels import Mark, mark_of
from cinematch_dagster.drift.page.progression import progression
from cinematch_dagster.drift.performance import PERFORMANCE_TESTS
from cinematch_dagster.drift.verdict import DriftPolicy, Level, TestResult
from serving.kit import charts
from serving.kit.charts import Series
from serving.kit.formats import number, percent

NO_MODEL = "No model was in production yet when this week came in."
ANSWERS: Mapping[Level, str] = {
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
    slices: list[tuple[str, Slice | None]]
    progressions: list[tuple[str, float, Markup]]


def answer(found: Performance | None) -> str:
    """Say whether the drift hurts, and by how much."""
    if found is None:
        return NO_MODEL
    changes = " and ".join(_change(test) for test in found.verdict.tests)
    return f"{ANSWERS[found.verdict.level]} {changes} than on version {found.version}'s own test."


def _change(test: TestResult) -> str:
    direction = "higher" if test.change >= 0 else "lower"
    return f"{PERFORMANCE_TESTS[test.feature_name]} is {percent(abs(test.change), 1)} {direction}"


def performance_panel(weeks: Sequence[WeekReport], policy: DriftPolicy) -> PerformancePanel | None:
    """Return the last week's performance with the progression up to it; None without a model."""
    found = weeks[-1].performance
    if found is None:
        return None
    return PerformancePanel(
        version=found.version,
        sentences=_sentences(found),
        errors=_errors(found, policy),
        slices=[
            ("All", found.overall),
            *((name, found.slices.get(key)) for key, name in SLICES.items()),
        ],
        progressions=_progressions(weeks, policy),
    )


def _sentences(found: Performance) -> list[str]:
    overall, own = found.overall, found.own
    return [
        f"Version {found.version} was in production when the week came in. It predicted the "
        f"week's {number(overall.rows)} ratings before anything was trained on them.",
        f"It was {number(overall.mae, 2)} stars off on average (MAE), against "
        f"{number(own.mae, 2)} on the test rows that it was promoted with. With large misses "
        f"counted more (RMSE): {number(overall.rmse, 2)} against {number(own.rmse, 2)}.",
        _hits(overall),
    ]


def _hits(overall: Slice) -> str:
    if overall.hit_rate_at_10 is None:
        return "Nobody liked a movie that was new to them, so there is no hit rate."
    return (
        f"Of the {number(overall.users)} users who liked a movie that was new to them, "
        f"{percent(overall.hit_rate_at_10, 1)} had one among their ten recommendations (hit rate)."
    )


def _errors(found: Performance, policy: DriftPolicy) -> list[ErrorRow]:
    pairs = ((found.overall.rmse, found.own.rmse), (found.overall.mae, found.own.mae))
    rows = []
    for test, (week, own) in zip(found.verdict.tests, pairs, strict=True):
        early = policy.early_threshold(test.threshold)
        gauge = charts.gauge(test.score, test.threshold, early, "alone")
        mark = mark_of(test, found.verdict.level, early)
        rows.append(ErrorRow(PERFORMANCE_TESTS[test.feature_name], week, own, test, mark, gauge))
    return rows


def _progressions(
    weeks: Sequence[WeekReport], policy: DriftPolicy
) -> list[tuple[str, float, Markup]]:
    """Draw by how much each error was worse, week by week; return name, threshold and chart."""
    return [
        (
            name,
            policy.performance_threshold,
            progression(
                weeks,
                [Series("alone", [_score(each.performance, place) for each in weeks])],
                policy.performance_threshold,
                policy,
                f"{name}: by how much it was worse than on the own test, week by week",
            ),
        )
        for place, name in enumerate(PERFORMANCE_TESTS.values())
    ]


def _score(found: Performance | None, place: int) -> float | None:
    return found.verdict.tests[place].score if found else None
