"""How often the tests alert when nothing has changed, and which threshold keeps it at 5 %."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from benchmarks.drift.resampling import WAYS, Draw, Population
from benchmarks.drift.scores import (
    KS,
    Scores,
    genre_metrics,
    mean,
    rating_metrics,
    rating_scores,
    severity,
)
from cinematch_dagster.drift import DriftPolicy
from cinematch_dagster.drift.secondary_metrics import SecondaryThresholds

PROMISE: Final = 0.05
THRESHOLDS: Final[Mapping[str, float]] = DriftPolicy().thresholds
SECONDARY: Final[Mapping[str, float]] = SecondaryThresholds().model_dump()
DESIGN_SIZE: Final = 10_000  # at which the design effect is measured
LARGEST: Final = 400_000  # up to which the smallest sufficient batch is looked for


@dataclass(frozen=True)
class NoDrift:
    """What the tests say of batches that have not drifted.

    Attributes:
        population: name of the data.
        way: how batches were drawn, a key of `WAYS`.
        baseline_size: ratings of each trial's own baseline, drawn the same way.
        n: ratings of each batch.
        rates: share of the trials above the default threshold, by test and measure.
        quantiles: 95th percentile of the score, by test and measure.
        any_rate: share of the trials in which the policy `any` alerts.
        two_rate: the same for 2-of-3.
        ks_threshold: the lowest of the KS test that keeps `any` at 5 % while the others stay as
            they are; None where these break the promise alone.
        mean_spread: standard deviation of the batches' means, in stars.
    """

    population: str
    way: str
    baseline_size: int
    n: int
    rates: dict[str, float]
    quantiles: dict[str, float]
    any_rate: float
    two_rate: float
    ks_threshold: float | None
    mean_spread: float


def false_alarms(
    population: Population, baselines: Mapping[int, Sequence[int]], trials: int, seed: int
) -> dict[str, Any]:
    """Measure both ways of drawing, and from how many ratings on whole users keep the promise.

    Args:
        population: what is drawn from.
        baselines: by their size the sizes of the batches, `DESIGN_SIZE` among those of the first.
        trials: pairs of baseline and batch.
        seed: of the draws.
    """
    found = {
        size: {way: measure(population, way, size, batches, trials, seed) for way in WAYS}
        for size, batches in baselines.items()
    }
    by_rating, by_user = (
        next(row for row in rows if row.n == DESIGN_SIZE)
        for rows in next(iter(found.values())).values()
    )
    alone = [row for ways in found.values() for row in ways["by rating"]]
    return {
        "name": population.name,
        "ratings": population.size,
        "users": len(population.stars),
        "within_week": population.within_week,
        "design_effect": design_effect(by_user, by_rating),
        "evidence_by_rating": max(row.rates[name] for row in alone for name in SECONDARY),
        "baselines": {
            str(size): {
                "sufficient": smallest_sufficient_batch(population, size, trials, seed),
                "ways": {way: [asdict(row) for row in rows] for way, rows in ways.items()},
            }
            for size, ways in found.items()
        },
    }


def measure(
    population: Population,
    way: str,
    baseline_size: int,
    sizes: Sequence[int],
    trials: int,
    seed: int,
) -> list[NoDrift]:
    """Draw `trials` baselines, and for each size as many batches; one result a size."""
    rng = np.random.default_rng(seed)
    baseline = WAYS[way](population, baseline_size, trials, rng)
    return [
        judge(population.name, way, baseline_size, n, baseline, draw)
        for n in sizes
        for draw in [WAYS[way](population, n, trials, rng)]
    ]


def judge(
    population: str, way: str, baseline_size: int, n: int, baseline: Draw, batch: Draw
) -> NoDrift:
    """Summarise the scores of drawn pairs."""
    tests = rating_scores(baseline.stars, batch.stars)
    secondary = rating_metrics(baseline.stars, batch.stars)
    scores = tests | secondary | genre_metrics(baseline.genres, batch.genres)
    limits = {**THRESHOLDS, **SECONDARY}
    return NoDrift(
        population,
        way,
        baseline_size,
        n,
        rates={name: float((score > limits[name]).mean()) for name, score in scores.items()},
        quantiles={name: float(np.quantile(s, 1 - PROMISE)) for name, s in scores.items()},
        any_rate=float((severity(tests, THRESHOLDS) > 1).mean()),
        two_rate=float((severity(tests, THRESHOLDS, 2) > 1).mean()),
        ks_threshold=sufficient_ks_threshold(tests),
        mean_spread=float(mean(batch.stars).std()),
    )


def sufficient_ks_threshold(tests: Scores) -> float | None:
    """Return the lowest KS threshold at which the policy `any` alerts in at most 5 % of trials."""
    others = {name: threshold for name, threshold in THRESHOLDS.items() if name != KS}
    needed = np.where(severity(tests, others) > 1, np.inf, tests[KS])
    threshold = float(np.quantile(needed, 1 - PROMISE, method="inverted_cdf"))
    return threshold if np.isfinite(threshold) else None


def smallest_sufficient_batch(
    population: Population, baseline_size: int, trials: int, seed: int
) -> int | None:
    """Return from how many ratings on, whole users drawn, `any` alerts in at most 5 % of trials.

    By bisection between a thousand and `LARGEST`, to two digits, at the default thresholds; None
    where even `LARGEST` are not enough.
    """

    def is_enough(n: int) -> bool:
        found = measure(population, "by whole users", baseline_size, [n], trials, seed)
        return found[0].any_rate <= PROMISE

    low, high = 1_000, LARGEST
    if not is_enough(high):
        return None
    while high - low > max(500, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def design_effect(by_user: NoDrift, by_rating: NoDrift) -> float:
    """Return how many ratings of whole users say as much of the mean as one drawn alone.

    The ratio of the variances of a batch's mean (Kish, Survey Sampling, 1965).
    """
    return (by_user.mean_spread / by_rating.mean_spread) ** 2
