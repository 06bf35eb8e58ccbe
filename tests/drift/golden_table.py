"""The reference figures on ml-25m, computed by the platform's own functions from ratings.csv."""

import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cinematch_dagster.batches.frame import in_order
from cinematch_dagster.drift import DriftPolicy, DriftReport, Histogram, assess, histogram
from cinematch_dagster.movielens import shift, split_by_time
from cinematch_dagster.movielens.sources.raw_files import read_ratings

FIRST_DAY = datetime.date(2005, 1, 1)
LAST_DAY = datetime.date(2019, 11, 21)
YEARS = (2005, 2008, 2011, 2014, 2017, 2019)
POLICY = DriftPolicy()
TRAIN_MEAN = 3.4211885714
TRAIN_STD = 1.037  # to three digits
# buffer rows, KS, mean change, std change, tests that fire
TABLE = [
    (100_000, 0.0139200000, 0.0106794548, 0.0283243263, []),
    (200_000, 0.0275200000, 0.0176171022, 0.0164639684, []),
    (300_000, 0.0352433333, 0.0251369059, 0.0250914482, []),
    (400_000, 0.0365282143, 0.0260008844, 0.0128655497, []),
    (500_000, 0.0381937143, 0.0235042375, 0.0115427553, []),
    (600_000, 0.0431657143, 0.0283487526, 0.0067301109, []),
    (700_000, 0.0974557143, 0.0653617874, 0.0231531910, ["rating_distribution_ks"]),
]


@dataclass(frozen=True)
class Golden:
    """The train part's histogram, and a report after each of the seven batches."""

    train: Histogram
    reports: list[DriftReport]


def golden(folder: Path, n_baseline: int, n_batch: int, policy: DriftPolicy = POLICY) -> Golden:
    """Compare the last ratings of some years, and the last again one star up, with those of 2005.

    Baseline: the first `n_baseline` ratings from `FIRST_DAY` on, the oldest 70 % of them train.
    Batches: the last `n_batch` ratings of each year up to `LAST_DAY`; the sixth is shifted to make
    the seventh.
    """
    ratings = read_ratings(folder)[0]
    years = {year: in_order(_of_year(ratings, year)) for year in YEARS}
    baseline = split_by_time(years[2005].head(n_baseline), 0.7)
    train = histogram(baseline.loc[baseline["data_split"] == "train", "rating"])
    batches = [year.tail(n_batch) for year in years.values()]
    batches.append(shift(batches[-1], 1.0))
    counts = np.stack([histogram(batch["rating"]) for batch in batches])
    return Golden(
        train,
        [
            assess(train, batch, buffer, policy)
            for batch, buffer in zip(counts, np.cumsum(counts, axis=0), strict=True)
        ],
    )


def _of_year(ratings: pd.DataFrame, year: int) -> pd.DataFrame:
    start = max(FIRST_DAY, datetime.date(year, 1, 1))
    end = min(LAST_DAY + datetime.timedelta(days=1), datetime.date(year + 1, 1, 1))
    time = ratings["timestamp"]
    return ratings[(time >= _seconds(start)) & (time < _seconds(end))]


def _seconds(day: datetime.date) -> int:
    return int(datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp())
