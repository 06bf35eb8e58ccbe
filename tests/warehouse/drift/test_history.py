"""Any week can be reported again at any time: random histories against a model of them."""

from __future__ import annotations

import contextlib
import datetime
import uuid
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import psycopg
import pytest
from hypothesis import HealthCheck, event, given, settings

from cinematch_dagster.drift import DriftPolicy, RetrainingCriteria
from cinematch_dagster.pipeline.drift.report import check_week, week_report
from cinematch_dagster.pipeline.retraining.decide import evaluate
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.drift.audience import genre_counts, population
from cinematch_dagster.warehouse.drift.histograms import (
    compared_histograms,
)
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline, load_movies
from cinematch_dagster.warehouse.ingestion.batches import load_batch
from cinematch_dagster.warehouse.ingestion.metadata import IngestionError
from cinematch_dagster.warehouse.registry.promotions import Policy, merge_buffer, record_promotion
from tests.examples import more
from tests.warehouse.support import batch, many, promotion, value, week

WEEKS = range(1, 6)
POLICY = DriftPolicy(count_threshold=5, alerting_views=("cumulative", "per_batch"))
CRITERIA = RetrainingCriteria(minimum_buffer=0)
TABLES = (
    "ratings", "ratings_buffer", "ratings_archive", "ingestion_metadata", "rating_histogram",
    "user_counts", "movie_counts", "genre_counts", "promotions",
)  # fmt: skip
BAD = 3  # a file that the database refuses


@dataclass(frozen=True)
class Load:
    """A week's file arrives; there are three good ones and a bad one."""

    number: int
    file: int


@dataclass(frozen=True)
class Check:
    """A week is checked: its alerts are written, and those that are open are decided on."""

    number: int


@dataclass(frozen=True)
class Decide:
    """A model of the baseline (week 0) or a week is promoted, or the champion kept."""

    number: int
    promoted: bool
    policy: Policy


actions = st.lists(
    st.one_of(
        st.builds(Load, st.sampled_from(WEEKS), st.sampled_from((0, 0, 0, 1, 2, BAD))),
        st.builds(Check, st.sampled_from(WEEKS)),
        st.builds(
            Decide,
            st.integers(0, WEEKS[-1]),
            st.booleans(),
            st.sampled_from(("merge", "merge", "clear", "archive")),
        ),
    ),
    min_size=6,
    max_size=14,
)


def ratings(number: int, file: int) -> pd.DataFrame:
    """A few ratings; users and movies come and go over the weeks."""
    random = np.random.default_rng(10 * number + file)
    rows = int(random.integers(1, 25))
    pairs = random.choice(40, rows, replace=False)
    data = pd.DataFrame(
        {
            "userId": (pairs // 8 + number).astype(np.int32),
            "movieId": (pairs % 8 + number).astype(np.int32),
            "rating": (random.integers(1, 11, rows) / 2).astype(np.float32),
            "timestamp": np.arange(rows, dtype=np.int64) + 1_000 * number,
        }
    )
    if file == BAD:
        data.loc[rows // 2, "rating"] = 9.0
    return data


@dataclass
class History:
    """What must hold in the database: the rows of each week, and the reports that still count."""

    dsn: str
    connection: psycopg.Connection
    rows: dict[int, int] = field(default_factory=dict)
    files: dict[int, int] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    cleared: int = 0
    champion: int = -1
    versions: int = 0
    reports: dict[int, Any] = field(default_factory=dict)

    def apply(self, action: Load | Check | Decide) -> None:
        if isinstance(action, Load):
            self._load(action)
        elif isinstance(action, Check):
            self._check(action)
        else:
            self._decide(action)
        self.connection.commit()

    def _load(self, load: Load) -> None:
        sent = batch(load.number, ratings(load.number, load.file), f"file {load.file}")
        same = self.files.get(load.number) == load.file
        if load.number in self.moved and not same:
            with pytest.raises(IngestionError):
                load_batch(self.dsn, sent)
            return
        with contextlib.suppress(psycopg.errors.CheckViolation):
            load_batch(self.dsn, sent)
        if not same:
            self.rows[load.number] = 0 if load.file == BAD else len(sent.ratings)
            self.files[load.number] = load.file
            self._forget(load.number)

    def _check(self, check: Check) -> None:
        at = week(check.number)
        assert check_week(self.connection, at, POLICY) == week_report(self.connection, at, POLICY)
        now = datetime.datetime.now(datetime.UTC)
        key = f"{at}:{uuid.uuid4().int}"
        made = evaluate(self.connection, [at], key, now, CRITERIA, POLICY)
        event(f"a check led to {made.decision} on {'some' if made.alert_ids else 'no'} alerts")

    def _decide(self, decided: Decide) -> None:
        self.versions += 1
        version = str(self.versions)
        promoted = decided.promoted and decided.number >= self.champion
        policy = decided.policy if promoted else None
        made = promotion(version, decided.number, promoted, buffer_policy=policy)
        record_promotion(self.connection, made)
        if not promoted:
            return
        leaving = {n for n in self.rows if n <= decided.number and self.files[n] != BAD}
        leaving -= self.moved
        moved = merge_buffer(self.connection, week(decided.number), version, decided.policy)
        assert moved == sum(self.rows[n] for n in leaving)
        self.cleared += moved if decided.policy == "clear" else 0
        self.moved |= leaving
        self.champion = decided.number
        self._forget(decided.number + 1)

    def _forget(self, number: int) -> None:
        """What a week was compared with changed: reports from this week on are made anew."""
        self.reports = {n: found for n, found in self.reports.items() if n < number}

    def check_reports(self) -> None:
        for number in WEEKS:
            found = self._report(number)
            event(f"compared again: {number in self.reports}")
            assert self.reports.setdefault(number, found) == found
        at_once = population(self.connection, [week(number) for number in WEEKS])
        assert list(at_once.values()) == [self.reports[number][4] for number in WEEKS]

    def _report(self, number: int) -> list[Any]:
        at = week(number)
        return [
            week_report(self.connection, at, POLICY),
            *(side.tolist() for side in compared_histograms(self.connection, [at])[at]),
            population(self.connection, [at])[at],
            genre_counts(self.connection, at),
        ]

    def check_rows(self) -> None:
        loaded = sum(self.rows.values()) + BASELINE_ROWS
        tables = ("ratings", "ratings_buffer", "ratings_archive")
        kept = sum(value(self.connection, f"SELECT count(*) FROM {table}") for table in tables)
        assert kept + self.cleared == loaded
        for counts in ("rating_histogram", "user_counts", "movie_counts"):
            total = f"SELECT coalesce(sum(n), 0)::int FROM {counts}"
            assert value(self.connection, total) == loaded


BASELINE_ROWS = 20


@pytest.fixture
def baseline(connection: psycopg.Connection) -> psycopg.Connection:
    movies = {
        "movieId": list(range(20)),
        "title": ["A film"] * 20,
        "genres": [("Drama", "Comedy|War", "War")[i % 3] for i in range(20)],
        "pca_features": [[0.0] * 10] * 20,
    }
    load_movies(connection, pd.DataFrame(movies))
    connection.commit()
    return connection


def start_over(connection: psycopg.Connection) -> None:
    connection.execute(f"TRUNCATE {', '.join(TABLES)}".encode())
    rows = many(BASELINE_ROWS).assign(data_split=["train"] * 14 + ["test"] * 6)
    load_baseline(connection, rows, "a", week(0))
    connection.commit()


@pytest.mark.lifecycle  # once more, with more examples
@settings(max_examples=more(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=actions)
def test_a_report_is_the_same_at_any_later_time_and_rows_are_conserved(
    warehouse_dsn: str, baseline: psycopg.Connection, history: list[Load | Check | Decide]
) -> None:
    start_over(baseline)
    state = History(warehouse_dsn, baseline)
    for action in history:
        state.apply(action)
        state.check_rows()
        state.check_reports()
        baseline.commit()


def test_a_late_week_joins_the_baseline_with_the_promotion_that_merged_it_not_before(
    warehouse_dsn: str, baseline: psycopg.Connection
) -> None:
    start_over(baseline)
    with connect(warehouse_dsn) as connection:
        state = History(warehouse_dsn, connection)
        for action in (Load(3, 0), Decide(3, True, "merge"), Load(1, 0)):
            state.apply(action)
        before = compared_histograms(connection, [week(4)])[week(4)].baseline.tolist()
        state.apply(Decide(5, True, "merge"))
        assert compared_histograms(connection, [week(4)])[week(4)].baseline.tolist() == before
        later = compared_histograms(connection, [week(6)])[week(6)].baseline.sum()
    kept = len(ratings(1, 0)) - len(ratings(1, 0)) // 5
    assert later == sum(before) + kept
