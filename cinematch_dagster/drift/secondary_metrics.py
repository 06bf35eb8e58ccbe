"""Second opinions on drift, with thresholds of their own; shown beside the verdict, never in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cinematch_dagster.drift.activity import aligned
from cinematch_dagster.drift.divergence import (
    ChiSquare,
    Counts,
    chi_square,
    jensen_shannon_distance,
    psi,
    wasserstein_distance,
)
from cinematch_dagster.drift.histogram import Histogram
from cinematch_dagster.drift.verdict import TestResult

Positive = Annotated[float, Field(gt=0)]
Measure = Callable[[Counts, Counts], float]

RATING_MEASURES: Mapping[str, Measure] = {
    "rating_psi": psi,
    "rating_jensen_shannon": jensen_shannon_distance,
    "rating_wasserstein": wasserstein_distance,
}
GENRE_MEASURES: Mapping[str, Measure] = {
    "genre_psi": psi,
    "genre_jensen_shannon": jensen_shannon_distance,
}


class SecondaryThresholds(BaseModel):
    """From where (strictly above) a measure is marked as high; no alert follows from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rating_psi: Positive = 0.25
    rating_jensen_shannon: Positive = 0.1
    rating_wasserstein: Positive = 0.25
    genre_psi: Positive = 0.25
    genre_jensen_shannon: Positive = 0.1


@dataclass(frozen=True)
class SecondaryMetrics:
    """One view against the baseline, measured in other ways.

    Attributes:
        ratings: the `RATING_MEASURES` in their order; none where a side has no ratings.
        chi_square: on ratings, without a threshold: it grows with their number.
        genres: the `GENRE_MEASURES` in their order; none where a side has no genre counts.
    """

    ratings: tuple[TestResult, ...]
    chi_square: ChiSquare | None
    genres: tuple[TestResult, ...]


def measure(
    baseline: Histogram,
    buffer: Histogram,
    thresholds: SecondaryThresholds,
    genres: tuple[Mapping[str, int], Mapping[str, int]] = ({}, {}),
) -> SecondaryMetrics:
    """Measure one view against the baseline.

    Args:
        baseline: of ratings.
        buffer: of ratings.
        thresholds: to mark what is high.
        genres: ratings by genre in the baseline and in the view.
    """
    measurable = min(baseline.sum(), buffer.sum()) > 0
    return SecondaryMetrics(
        ratings=_results(RATING_MEASURES, baseline, buffer, thresholds),
        chi_square=chi_square(baseline, buffer) if measurable else None,
        genres=_results(GENRE_MEASURES, *aligned(*genres), thresholds),
    )


def _results(
    measures: Mapping[str, Measure], before: Counts, after: Counts, limits: SecondaryThresholds
) -> tuple[TestResult, ...]:
    if min(before.sum(), after.sum()) == 0:
        return ()
    scores = {name: function(before, after) for name, function in measures.items()}
    return tuple(TestResult(n, score, score, getattr(limits, n)) for n, score in scores.items())
