import datetime
import math
import socket
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from cinematch_dagster.drift import Histogram, histogram
from cinematch_dagster.drift.divergence import (
    chi_square,
    jensen_shannon_distance,
    psi,
    wasserstein_distance,
)
from cinematch_dagster.drift.statistics import ks_p_value, ks_statistic, std
from cinematch_dagster.movielens import load, reduce
from cinematch_dagster.settings import ROOT

N_TRAIN, N_WEEK = 25_179, 4_796
HALF_STARS_FROM = datetime.date(2003, 2, 19)

Score = Callable[[str], float]


@pytest.fixture(scope="module")
def half_stars() -> pd.Series:
    """All half-star ratings of the sample, by time."""
    return reduce(load("sample", ROOT / "data").ratings, HALF_STARS_FROM, 1_000_000)["rating"]


@pytest.fixture(params=["the next week", "the week one star up", "shuffled"])
def sides(request: pytest.FixtureRequest, half_stars: pd.Series) -> tuple[pd.Series, pd.Series]:
    if request.param == "shuffled":
        half_stars = half_stars.sample(frac=1, random_state=5)
    train, week = half_stars[:N_TRAIN], half_stars[N_TRAIN : N_TRAIN + N_WEEK]
    return train, (week + 1).clip(upper=5.0) if request.param == "the week one star up" else week


@pytest.fixture
def counts(sides: tuple[pd.Series, pd.Series]) -> tuple[Histogram, Histogram]:
    return histogram(sides[0]), histogram(sides[1])


@pytest.fixture
def evidently(monkeypatch: pytest.MonkeyPatch, sides: tuple[pd.Series, pd.Series]) -> Score:
    """The score that Evidently's report gives a method, without telemetry and network."""
    monkeypatch.setenv("DO_NOT_TRACK", "1")

    def refuse(*_: Any) -> None:
        raise AssertionError("Evidently opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies, at import
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import ValueDrift

    def score(method: str) -> float:
        columns = ["rating"]
        definition = (
            DataDefinition(categorical_columns=columns)
            if method == "chisquare"
            else DataDefinition(numerical_columns=columns)
        )
        train, week = (
            Dataset.from_pandas(pd.DataFrame({"rating": side.to_numpy(np.float64)}), definition)
            for side in sides
        )
        result = Report([ValueDrift(column="rating", method=method)]).run(week, train)
        return float(result.dict()["metrics"][0]["value"])

    return score


def test_psi_is_evidentlys(counts: tuple[Histogram, Histogram], evidently: Score) -> None:
    # both replace an empty bin by 1e-4; ours also raises a smaller share to it, and here is none
    smallest = min((side[side > 0] / side.sum()).min() for side in counts)
    assert smallest > 1e-4
    assert psi(*counts) == pytest.approx(evidently("psi"), rel=1e-12)


def test_jensen_shannon_is_evidentlys_to_another_base(
    counts: tuple[Histogram, Histogram], evidently: Score
) -> None:
    to_base_e = jensen_shannon_distance(*counts) * math.sqrt(math.log(2))
    assert to_base_e == pytest.approx(evidently("jensenshannon"), rel=1e-9)


def test_wasserstein_is_evidentlys_in_stars(
    counts: tuple[Histogram, Histogram], evidently: Score
) -> None:
    n = int(counts[0].sum())
    population_std = std(counts[0]) * math.sqrt((n - 1) / n)  # Evidently divides by this one
    expected = evidently("wasserstein") * population_std
    assert wasserstein_distance(*counts) == pytest.approx(expected, rel=1e-9)


def test_the_p_value_of_ks_is_evidentlys_and_the_statistic_that_of_its_test(
    sides: tuple[pd.Series, pd.Series], counts: tuple[Histogram, Histogram], evidently: Score
) -> None:
    statistic = ks_statistic(*counts)
    # Evidently shows the p-value alone; the statistic is that of the function it calls
    assert statistic == pytest.approx(float(ks_2samp(*sides).statistic), abs=1e-12)
    found = ks_p_value(statistic, int(counts[0].sum()), int(counts[1].sum()))
    assert found == pytest.approx(evidently("ks"), rel=1e-9, abs=1e-300)


def test_chi_square_is_evidentlys_when_the_baseline_is_taken_as_exact(
    counts: tuple[Histogram, Histogram], evidently: Score
) -> None:
    baseline, week = counts
    # Evidently takes the baseline for the truth, ours for a sample: the same once it is large
    exact = chi_square(baseline * 10**9, week)
    assert exact.p_value == pytest.approx(evidently("chisquare"), rel=1e-5)
    assert chi_square(baseline, week).statistic < exact.statistic
