"""How long a week's drift takes from counts, and from the ratings themselves."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import pandas as pd
import psycopg
import sqlalchemy
from scipy.stats import ks_2samp

from benchmarks.common.timing import medians, seconds
from benchmarks.drift.scores import KS, MEAN, STD
from cinematch_dagster.batches import make_batches
from cinematch_dagster.drift import DriftPolicy, DriftReport, Histogram
from cinematch_dagster.movielens import Synthetic, write_synthetic
from cinematch_dagster.pipeline.drift.report import week_report
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.dsn import sqlalchemy_url
from cinematch_dagster.warehouse.drift.histograms import compared_histograms
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import Batch, load_batch

FIRST_WEEK: Final = datetime.date(2024, 1, 1)
TRAIN_SHARE: Final = 0.7  # of all ratings; the others are the weeks
POLICY: Final = DriftPolicy()
TRAIN: Final = "SELECT rating FROM ratings WHERE data_split = 'train'"
BUFFER: Final = (
    "SELECT rating FROM ratings_buffer JOIN ingestion_metadata USING (batch_id) WHERE week <= %s"
)


def measure(
    dsn: str, folder: Path, rows: int, weeks: Sequence[int], rounds: int, seed: int
) -> dict[str, Any]:
    """Load synthetic ratings into an empty warehouse, and time the drift.

    Args:
        dsn: of the warehouse.
        folder: where the ratings are made; it is not there yet.
        rows: ratings in all.
        weeks: numbers of weeks that are in the database when all of them are reported on.
        rounds: how often a week is timed each way, in turns, and all weeks from counts.
        seed: of the ratings.

    Returns:
        Medians of seconds: one week's report, the last (`week`), the part of it that reads the
        counts (`reading`), the same week's cumulative figures from the ratings in pandas
        (`from_rows`), the reports of all weeks that were there, by their number (`all_weeks`).
        `all_from_rows` are all weeks from the ratings: their number times the mean of the first,
        the middle and the last, which is exact for a time that grows evenly with the buffer. The
        ratios say how many times faster the counts are, and how the time of all weeks grows
        against the fewest.
    """
    write_synthetic(folder, Synthetic(ratings=rows, seed=seed))
    ratings = pd.read_parquet(folder / "ratings.parquet")
    n_train, last = int(rows * TRAIN_SHARE), max(weeks)
    with connect(dsn) as connection:
        load_baseline(connection, ratings[:n_train].assign(data_split="train"), "0", _week(0))
    all_weeks = _grow(dsn, make_batches(ratings[n_train:], last), sorted(weeks), rounds)
    with connect(dsn) as connection:
        compared = [_compare(connection, dsn, _week(n)) for n in (1, (1 + last) // 2, last)]
        cases: dict[str, Callable[[], object]] = {
            "week": lambda: week_report(connection, _week(last), POLICY),
            "reading": lambda: _counts(connection, _week(last)),
            "from_rows": lambda: from_ratings(dsn, _week(last)),
        }
        times = medians({name: partial(seconds, work) for name, work in cases.items()}, rounds)
    return {"rounds": rounds, **times, **ratios(times, all_weeks, last * fmean(compared))}


def ratios(
    times: Mapping[str, float], all_weeks: Mapping[int, float], all_from_rows: float
) -> dict[str, Any]:
    """Return the times of all weeks, and what `measure` says of them in ratios."""
    few, last = min(all_weeks), max(all_weeks)
    return {
        "ratio": times["from_rows"] / times["week"],
        "all_weeks": {str(count): taken for count, taken in all_weeks.items()},
        "all_from_rows": all_from_rows,
        "all_ratio": all_from_rows / all_weeks[last],
        "growth": [
            {"weeks": count / few, "time": taken / all_weeks[few]}
            for count, taken in all_weeks.items()
            if count > few
        ],
    }


def _grow(
    dsn: str, batches: Sequence[pd.DataFrame], counts: Sequence[int], rounds: int
) -> dict[int, float]:
    """Load batches up to each count in turn, and time the reports of all weeks there then."""
    times: dict[int, float] = {}
    loaded = 0
    for count in counts:
        for number in range(loaded + 1, count + 1):
            load_batch(dsn, _batch(number, batches[number - 1]))
        loaded = count
        _analyze(dsn)
        with connect(dsn) as connection:
            work = partial(seconds, partial(_reports, connection, count))
            times |= medians({count: work}, rounds)
    return times


def _compare(connection: psycopg.Connection, dsn: str, week: datetime.date) -> float:
    """Return the seconds that a week's figures take from the ratings, once both ways agree."""
    figures: dict[str, float] = {}
    took = seconds(lambda: figures.update(from_ratings(dsn, week)))
    assert_same(week_report(connection, week, POLICY), figures)
    return took


def from_ratings(dsn: str, week: datetime.date) -> dict[str, float]:
    """Compute a week's cumulative figures the usual way: read both sides, and compare them.

    Only the column that is needed is read. Holds before any promotion.
    """
    engine = sqlalchemy.create_engine(sqlalchemy_url(dsn), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        train = pd.read_sql(TRAIN, connection)["rating"]
        buffer = pd.read_sql(BUFFER, connection, params=(week,))["rating"]
    test = ks_2samp(train, buffer)
    return {
        KS: float(test.statistic),
        "ks_p_value": float(test.pvalue),
        MEAN: float(buffer.mean() / train.mean() - 1),
        STD: float(buffer.std() / train.std() - 1),
    }


def assert_same(report: DriftReport, expected: dict[str, float]) -> None:
    """Compare a report's cumulative view with figures from the ratings.

    Raises:
        AssertionError: a statistic differs by more than 1e-12, or the p-value by more than 1e-4.
    """
    view = report.cumulative
    found = {test.feature_name: test.change for test in view.tests}
    for name, value in found.items():
        assert abs(value - expected[name]) <= 1e-12, (name, value, expected[name])
    assert view.ks_p_value is not None
    assert abs(view.ks_p_value - expected["ks_p_value"]) <= 1e-4


def _counts(connection: psycopg.Connection, week: datetime.date) -> list[Histogram]:
    return list(compared_histograms(connection, [week])[week])


def _reports(connection: psycopg.Connection, count: int) -> list[DriftReport]:
    return [week_report(connection, _week(number), POLICY) for number in range(1, count + 1)]


def _week(number: int) -> datetime.date:
    return FIRST_WEEK + datetime.timedelta(weeks=number - 1)


def _batch(number: int, ratings: pd.DataFrame) -> Batch:
    return Batch(f"batch_w{number}", _week(number), ratings, str(number), None, 0.2)


def _analyze(dsn: str) -> None:
    """Bring the planner's figures up to date, as the server does by itself after a minute."""
    with closing(connect(dsn, autocommit=True)) as connection:
        connection.execute("ANALYZE")
