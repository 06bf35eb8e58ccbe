"""All that is measured, in one value."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from benchmarks.drift import delay, false_positives, power, real_weeks
from benchmarks.drift.delay import Delay
from benchmarks.drift.false_positives import THRESHOLDS, NoDrift
from benchmarks.drift.power import Caught, Thresholds
from benchmarks.drift.real_weeks import RealWeek
from benchmarks.drift.resampling import WAYS, Population, count_population
from benchmarks.drift.scores import KS
from cinematch_dagster.drift import DriftPolicy
from cinematch_dagster.movielens import Synthetic, load, reduce, write_synthetic
from cinematch_dagster.movielens.sources.raw_files import read_movies
from cinematch_dagster.settings import ROOT

SIZES: Final = (1_000, 10_000, 43_000, 100_000)
REFERENCE_BASELINE: Final = 700_000  # 70 % of the latest million, as the full data set is prepared
SAMPLE_BASELINE: Final = 25_179  # the train part of the profile `sample`,
SAMPLE_SIZES: Final = (4_796, 23_982)  # one of its weeks, and all five
HALF_STARS_FROM: Final = datetime.date(2003, 2, 19)
DELAY_SIZE: Final = 43_000
QUIET_WEEKS: Final = (4, 26)
LARGE: Final = 5_000_000  # ratings; reading more of them once takes minutes
GENRES: Final = ("Drama", "Comedy", "Horror")
SAMPLE: Final = "half-star sample"
BY_RATING, BY_USER = WAYS


@dataclass(frozen=True)
class Plan:
    """How much to measure.

    Attributes:
        trials: for false alarms and power.
        histories: of weeks, for the delays.
        synthetic_ratings: that batches are drawn from.
        weeks: numbers of weeks in the database for the speed.
        rounds: how often each piece of the speed is timed, up to `LARGE` ratings; above, once.
        seed: of every draw.
    """

    trials: int = 4_000
    histories: int = 1_000
    synthetic_ratings: int = 1_000_000
    weeks: tuple[int, ...] = (52, 104, 520)
    rounds: int = 3
    seed: int = 42

    def rounds_at(self, rows: int) -> int:
        """Return how often the speed at this many ratings is timed."""
        return self.rounds if rows <= LARGE else 1


@dataclass(frozen=True)
class Sufficient:
    """From how many ratings on whole users keep the promise; None: see `LARGEST`."""

    population: str
    baseline_size: int
    n: int | None


@dataclass(frozen=True)
class Results:
    """Everything but the speed.

    Attributes:
        populations: what was drawn from.
        no_drift: by population, baseline size, way and n.
        sufficient: by population and baseline size.
        rating_power: by a title that names way and thresholds.
        genre_power: by way.
        delays: in synthetic ratings.
        weeks: of ml-1m; None where the data was not given.
    """

    populations: list[Population]
    no_drift: list[NoDrift]
    sufficient: list[Sufficient]
    rating_power: dict[str, list[Caught]]
    genre_power: dict[str, list[Caught]]
    delays: list[Delay]
    weeks: list[RealWeek] | None


def measure_all(plan: Plan, ml_1m: Path | None, scratch: Path) -> Results:
    """Measure everything but the speed; synthetic ratings are made in the folder `scratch`."""
    sample, synthetic = sample_population(), synthetic_population(plan, scratch)
    year = None if ml_1m is None else real_weeks.load_year(ml_1m)
    populations = [sample, synthetic]
    if ml_1m is not None and year is not None:
        populations.append(count_population("ml-1m, 2000", year, read_movies(ml_1m)))
    no_drift = [found for population in populations for found in false_alarms(population, plan)]
    return Results(
        populations=populations,
        no_drift=no_drift,
        sufficient=[
            Sufficient(
                population.name,
                size,
                false_positives.smallest_sufficient_batch(population, size, plan.trials, plan.seed),
            )
            for population in populations
            for size in (REFERENCE_BASELINE, SAMPLE_BASELINE)
        ],
        rating_power=rating_power(sample, no_drift, plan),
        genre_power={
            way: power.genre_power(
                sample, way, REFERENCE_BASELINE, SIZES, GENRES, plan.trials, plan.seed
            )
            for way in WAYS
        },
        delays=delay.measure(
            synthetic, REFERENCE_BASELINE, DELAY_SIZE, QUIET_WEEKS, plan.histories, plan.seed
        ),
        weeks=None if year is None else real_weeks.compare_weeks(year, DriftPolicy()),
    )


def sample_population() -> Population:
    """Count the shipped sample's ratings from the time of half stars."""
    data = load("sample", ROOT / "data")
    ratings = reduce(data.ratings, HALF_STARS_FROM, len(data.ratings))
    return count_population(SAMPLE, ratings, data.movies)


def synthetic_population(plan: Plan, scratch: Path) -> Population:
    """Make and count synthetic ratings."""
    spec = Synthetic(ratings=plan.synthetic_ratings, seed=plan.seed)
    write_synthetic(scratch / "synthetic", spec)
    ratings, movies = (
        pd.read_parquet(scratch / "synthetic" / f"{name}.parquet") for name in ("ratings", "movies")
    )
    return count_population("synthetic", ratings, movies)


def false_alarms(population: Population, plan: Plan) -> list[NoDrift]:
    """Measure both ways of drawing against both baselines; the sample in its own sizes too."""
    own = SAMPLE_SIZES if population.name == SAMPLE else ()
    sizes = {REFERENCE_BASELINE: SIZES, SAMPLE_BASELINE: sorted((*SIZES, *own))}
    return [
        found
        for baseline_size, batch_sizes in sizes.items()
        for way in WAYS
        for found in false_positives.measure(
            population, way, baseline_size, batch_sizes, plan.trials, plan.seed
        )
    ]


def rating_power(
    sample: Population, no_drift: Sequence[NoDrift], plan: Plan
) -> dict[str, list[Caught]]:
    """Measure power by rating and by whole users, the latter also at thresholds that keep 5 %."""
    kept: dict[int, float | None] = {
        found.n: found.ks_threshold
        for found in no_drift
        if found.population == sample.name
        and found.way == BY_USER
        and found.baseline_size == REFERENCE_BASELINE
    }
    honest: dict[int, Thresholds | None] = {
        n: None if ks is None else {**THRESHOLDS, KS: ks} for n, ks in kept.items()
    }
    default: dict[int, Thresholds | None] = dict.fromkeys(SIZES, THRESHOLDS)
    cases = {
        "By rating, default thresholds": (BY_RATING, default),
        "By whole users, default thresholds": (BY_USER, default),
        "By whole users, KS threshold that keeps 5 %": (BY_USER, honest),
    }
    return {
        title: power.rating_power(
            sample, way, REFERENCE_BASELINE, thresholds, plan.trials, plan.seed
        )
        for title, (way, thresholds) in cases.items()
    }
