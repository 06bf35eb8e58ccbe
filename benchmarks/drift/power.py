"""The smallest change that is caught in 95 of 100 batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.drift.false_positives import SECONDARY, THRESHOLDS, measure
from benchmarks.drift.resampling import WAYS, Draw, Population
from benchmarks.drift.scores import (
    KS,
    MEAN,
    STD,
    Floats,
    genre_metrics,
    rating_scores,
    severity,
)
from benchmarks.drift.tilt import mean_factors, std_factors

CAUGHT: Final = 0.95
STEPS: Final = 11  # halvings of the interval that is searched

Thresholds = Mapping[str, float]


class Effect(NamedTuple):
    """A way to change a distribution of ratings: how, in which direction, and at most how far."""

    factors: Callable[[Floats, float], Floats]
    sign: int
    most: float
    test: str


EFFECTS: Final[Mapping[str, Effect]] = {
    "mean up": Effect(mean_factors, 1, 0.4, MEAN),
    "mean down": Effect(mean_factors, -1, 0.5, MEAN),
    "std up": Effect(std_factors, 1, 0.6, STD),
    "std down": Effect(std_factors, -1, 0.6, STD),
}


@dataclass(frozen=True)
class Caught:
    """The smallest change caught, by size of the batch.

    Attributes:
        what: the effect or the genre.
        test: that catches it; `any` for the policy.
        smallest: relative change, or share of the genre, by batch size; None where not even the
            largest one tried is caught, or where there are no thresholds for the size.
        before: share of the genre without a change; 0 for an effect.
    """

    what: str
    test: str
    smallest: dict[int, float | None]
    before: float = 0.0


def by_thresholds(
    population: Population, baseline_size: int, sizes: Sequence[int], trials: int, seed: int
) -> dict[str, list[dict[str, Any]]]:
    """Measure power by rating and by whole users, the latter also at thresholds that keep 5 %."""
    by_rating, by_user = WAYS
    kept = measure(population, by_user, baseline_size, sizes, trials, seed)
    honest: dict[int, Thresholds | None] = {
        row.n: None if row.ks_threshold is None else {**THRESHOLDS, KS: row.ks_threshold}
        for row in kept
    }
    default: dict[int, Thresholds | None] = dict.fromkeys(sizes, THRESHOLDS)
    cases = {
        "By rating, default thresholds": (by_rating, default),
        "By whole users, default thresholds": (by_user, default),
        "By whole users, KS threshold that keeps 5 %": (by_user, honest),
    }
    return {
        title: [
            asdict(row)
            for row in rating_power(population, way, baseline_size, thresholds, trials, seed)
        ]
        for title, (way, thresholds) in cases.items()
    }


def rating_power(
    population: Population,
    way: str,
    baseline_size: int,
    thresholds: Mapping[int, Thresholds | None],
    trials: int,
    seed: int,
) -> list[Caught]:
    """Search the smallest change of mean and standard deviation that is caught.

    By rating, batches are drawn from the tilted distribution. By whole users, a drawn rating
    counts as often as the factor of its stars says. Baselines are drawn the same way.

    Args:
        population: what is drawn from.
        way: key of `WAYS`.
        baseline_size: ratings of each trial's baseline.
        thresholds: of the three tests, by size of the batch; None leaves the size out.
        trials: pairs of baseline and batch.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    baseline = WAYS[way](population, baseline_size, trials, rng).stars
    drawn = {n: WAYS[way](population, n, trials, rng).stars for n in thresholds}

    def search(effect: Effect, n: int, limits: Thresholds) -> float | None:
        def is_caught(change: float) -> bool:
            factors = effect.factors(population.shares, effect.sign * change)
            batch = drawn[n] * factors
            if way == "by rating":
                again = np.random.default_rng([seed, n])
                batch = again.multinomial(n, population.shares * factors, trials).astype(np.float64)
            return bool((severity(rating_scores(baseline, batch), limits) > 1).mean() >= CAUGHT)

        return _smallest(is_caught, effect.most)

    return [
        Caught(
            what,
            test,
            {
                n: None if limits is None else search(effect, n, _only(test, limits))
                for n, limits in thresholds.items()
            },
        )
        for what, effect in EFFECTS.items()
        for test in ("any", KS, effect.test)
    ]


def genre_power(
    population: Population,
    way: str,
    baseline_size: int,
    sizes: Sequence[int],
    genres: Sequence[str],
    trials: int,
    seed: int,
) -> list[Caught]:
    """Search the smallest share of a genre that the genre measures mark as high.

    A mixture: a part of each drawn batch is replaced by ratings of that genre's movies in their
    usual proportions. Shares are of the (rating, genre) pairs, as on the report.
    """
    rng = np.random.default_rng(seed)
    baseline = WAYS[way](population, baseline_size, trials, rng).genres
    drawn = {n: WAYS[way](population, n, trials, rng) for n in sizes}
    usual = population.genres.sum(axis=0) / population.size  # pairs of each genre a rating

    def search(genre: int, measure: str, n: int) -> float | None:
        replacement = _pairs_a_rating(population, genre)

        def is_caught(part: float) -> bool:
            batch = _mix(drawn[n], replacement, part)
            score = genre_metrics(baseline, batch)[measure]
            return bool((score > SECONDARY[measure]).mean() >= CAUGHT)

        part = _smallest(is_caught, 1.0)
        if part is None:
            return None
        mixed = (1 - part) * usual + part * replacement
        return float(mixed[genre] / mixed.sum())

    columns = {genre: population.genre_names.index(genre) for genre in genres}
    return [
        Caught(
            genre,
            measure,
            {n: search(column, measure, n) for n in sizes},
            before=float(usual[column] / usual.sum()),
        )
        for genre, column in columns.items()
        for measure in ("genre_psi", "genre_jensen_shannon")
    ]


def _pairs_a_rating(population: Population, genre: int) -> Floats:
    """Return how many pairs of each genre a rating of this genre's movies makes, (genres,)."""
    of_genre = population.mixes * population.mix_genres[:, genre]
    return np.asarray(of_genre @ population.mix_genres / of_genre.sum())


def _mix(drawn: Draw, replacement: Floats, part: float) -> Floats:
    n = drawn.stars.sum(axis=1, keepdims=True)
    return np.asarray((1 - part) * drawn.genres + part * n * replacement)


def _only(test: str, limits: Thresholds) -> Thresholds:
    return limits if test == "any" else {test: limits[test]}


def _smallest(is_caught: Callable[[float], bool], most: float) -> float | None:
    """Return the smallest change in [0, most] that is caught, by bisection; None if none is."""
    if not is_caught(most):
        return None
    low, high = 0.0, most
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_caught(middle) else (middle, high)
    return high
