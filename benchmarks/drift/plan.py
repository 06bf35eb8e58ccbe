"""What is drawn, and how much is measured."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from benchmarks.drift.real_weeks import load_year
from benchmarks.drift.resampling import WAYS, Population, count_population
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


def sample_population() -> Population:
    """Count the shipped sample's ratings from the time of half stars."""
    data = load("sample", ROOT / "data")
    ratings = reduce(data.ratings, HALF_STARS_FROM, len(data.ratings))
    return count_population(SAMPLE, ratings, data.movies)


def synthetic_population(plan: Plan, folder: Path) -> Population:
    """Make synthetic ratings in an empty folder, and count them."""
    write_synthetic(folder, Synthetic(ratings=plan.synthetic_ratings, seed=plan.seed))
    ratings, movies = (pd.read_parquet(folder / f"{n}.parquet") for n in ("ratings", "movies"))
    return count_population("synthetic", ratings, movies)


def ml_1m_population(folder: Path) -> Population:
    """Count ml-1m's ratings of 2000; the folder holds ratings.dat and movies.dat."""
    return count_population("ml-1m, 2000", load_year(folder), read_movies(folder))
