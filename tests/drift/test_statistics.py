from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import kstwo

from cinematch_dagster.drift.histogram import Histogram, histogram
from cinematch_dagster.drift.statistics import (
    ks_p_value,
    ks_statistic,
    mean,
    mean_change,
    std,
    std_change,
)
from serving.base.scale import STARS


def exactly(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


@st.composite
def histograms(draw: st.DrawFn, at_least: int = 2, most: int = 3_000) -> Histogram:
    count = st.one_of(st.just(0), st.integers(0, 5), st.integers(0, most))
    counts = draw(st.lists(count, min_size=10, max_size=10))
    assume(sum(counts) >= at_least)
    return np.array(counts, dtype=np.int64)


def ratings(counts: Histogram) -> pd.Series[float]:
    return pd.Series(np.repeat(STARS, counts))


def counts(by_star: dict[float, int]) -> Histogram:
    return histogram(np.repeat(list(by_star), list(by_star.values())))


@given(histograms(1), histograms(1))
def test_ks_is_scipys(baseline: Histogram, buffer: Histogram) -> None:
    with np.errstate(divide="ignore", invalid="ignore"):  # its p-value of one rating a side
        expected = stats.ks_2samp(ratings(baseline), ratings(buffer), method="asymp")
    statistic = ks_statistic(baseline, buffer)
    assert statistic == exactly(expected.statistic)
    n, m = int(baseline.sum()), int(buffer.sum())
    if n * m / (n + m) > 0.5:  # scipy rounds smaller effective sizes to 0 and answers NaN
        assert ks_p_value(statistic, n, m) == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-12)


@given(histograms(), histograms())
def test_moments_and_their_changes_are_pandas(baseline: Histogram, buffer: Histogram) -> None:
    before, after = ratings(baseline), ratings(buffer)
    assert mean(baseline) == exactly(before.mean())
    assert std(baseline) == exactly(before.std())
    expected = (after.mean() - before.mean()) / before.mean()
    assert mean_change(baseline, buffer) == exactly(expected)
    assume(before.std() > 0)
    expected = (after.std() - before.std()) / before.std()
    assert std_change(baseline, buffer) == exactly(expected)


@given(histograms(), histograms(), st.integers(2, 10_000))
def test_ks_and_mean_do_not_depend_on_the_number_of_ratings(
    baseline: Histogram, buffer: Histogram, times: int
) -> None:
    assert ks_statistic(baseline * times, buffer) == ks_statistic(baseline, buffer)
    assert mean_change(baseline, buffer * times) == mean_change(baseline, buffer)


@given(histograms(), histograms())
def test_ks_is_symmetric_and_the_changes_are_within_their_bounds(
    baseline: Histogram, buffer: Histogram
) -> None:
    assert ks_statistic(baseline, buffer) == ks_statistic(buffer, baseline)
    assert 0 <= ks_statistic(baseline, buffer) <= 1
    assert -0.9 <= mean_change(baseline, buffer) <= 9
    assert std_change(baseline, buffer) >= -1


@given(histograms())
def test_nothing_changes_against_itself(side: Histogram) -> None:
    assert ks_statistic(side, side) == 0
    assert mean_change(side, side) == 0
    assert std_change(side, side) == 0


def test_four_ratings_against_five_worked_by_hand() -> None:
    baseline = counts({2.0: 1, 3.0: 2, 4.0: 1})
    buffer = counts({3.0: 1, 4.0: 2, 5.0: 2})
    assert ks_statistic(baseline, buffer) == 0.55  # at 3 stars: 3/4 against 1/5
    assert mean(baseline) == 3.0
    assert mean(buffer) == 4.2
    assert mean_change(baseline, buffer) == 0.4
    assert std(baseline) == math.sqrt(2 / 3)
    assert std(buffer) == math.sqrt(0.7)  # (1.44 + 2 * 0.04 + 2 * 0.64) / 4
    assert std_change(baseline, buffer) == pytest.approx(math.sqrt(1.05) - 1, rel=1e-15)


def test_scores_that_are_round_on_paper_are_round_here() -> None:
    half, most = counts({2.0: 50, 4.0: 50}), counts({2.0: 55, 4.0: 45})
    assert ks_statistic(half, most) == 0.05
    assert 0.55 - 0.5 > 0.05  # what floating-point distribution functions would have compared
    assert mean_change(counts({2.0: 1, 3.0: 1}), counts({2.0: 1, 3.0: 3})) == 0.1
    wider = counts({0.5: 46, 4.0: 10})  # variance ratio 529 / 400
    assert std_change(counts({0.5: 16, 3.0: 7}), wider) == 0.15


def test_sides_without_overlap_are_at_distance_one() -> None:
    assert ks_statistic(counts({0.5: 3}), counts({5.0: 8})) == 1
    assert mean_change(counts({0.5: 3}), counts({5.0: 8})) == 9
    assert mean_change(counts({5.0: 8}), counts({0.5: 3})) == -0.9


def test_the_spread_of_a_constant_side() -> None:
    constant, other, varied = counts({3.0: 9}), counts({4.5: 2}), counts({3.0: 8, 3.5: 1})
    assert std(constant) == 0
    assert std_change(constant, other) == 0
    assert std_change(constant, varied) == 1
    assert std_change(varied, constant) == -1


def test_billions_of_ratings_lose_no_digit() -> None:
    baseline = counts({3.0: 1, 4.0: 1}) * 4_000_000_000
    buffer = baseline.copy()
    buffer[9] += 1
    assert mean_change(baseline, buffer) == pytest.approx(1.5 / 3.5 / 8e9, rel=1e-9)
    assert ks_statistic(baseline, buffer) == pytest.approx(1 / 8e9, rel=1e-9)


@pytest.mark.parametrize(("statistic", "needed"), [(mean, 1), (std, 2)])
def test_too_few_ratings_are_one_clear_error(
    statistic: Callable[[Histogram], float], needed: int
) -> None:
    too_few = counts({3.0: needed - 1})
    with pytest.raises(ValueError, match=f"holds {needed - 1} ratings: at least {needed} expected"):
        statistic(too_few)


def test_an_empty_side_has_no_distribution() -> None:
    with pytest.raises(ValueError, match="holds 0 ratings"):
        ks_statistic(counts({3.0: 1}), counts({}))


@pytest.mark.parametrize(("n", "m"), [(2_000, 2_000), (2_000, 4_000), (4_796, 25_179)])
@pytest.mark.parametrize("scaled", [0.5, 0.8, 1.0, 1.36, 1.63])
def test_the_p_value_is_within_its_stated_error_of_the_exact_one(
    n: int, m: int, scaled: float
) -> None:
    ahead = round(scaled / math.sqrt(n * m / (n + m)) * n)  # ratings of n that come before all of m
    first = np.concatenate([np.full(ahead, -1.0), np.linspace(0, 1, n - ahead, endpoint=False)])
    exact = stats.ks_2samp(first, np.linspace(0, 1, m), method="exact")
    assert ks_p_value(float(exact.statistic), n, m) == pytest.approx(exact.pvalue, abs=0.01)


def test_the_p_value_is_an_upper_bound_for_ratings() -> None:
    random = np.random.default_rng(7)
    shares = np.array([1, 2, 2, 6, 5, 20, 12, 27, 9, 16]) / 100
    sides = random.multinomial(3_000, shares, size=(400, 2))
    p_values = [ks_p_value(ks_statistic(a, b), 3_000, 3_000) for a, b in sides]
    assert np.mean(np.array(p_values) < 0.05) < 0.05


@pytest.mark.parametrize(("n", "m"), [(20_000, 20_000), (700_000, 10_200), (1_000_000, 100_000)])
@pytest.mark.parametrize("scaled", [0.2, 0.5, 0.8, 1.0, 1.36, 1.6, 2.0, 3.0])
def test_the_limit_of_large_samples_is_within_its_stated_error(
    n: int, m: int, scaled: float
) -> None:
    size = round(n * m / (n + m))
    statistic = scaled / size**0.5
    assert ks_p_value(statistic, n, m) == pytest.approx(kstwo.sf(statistic, size), abs=5e-5)


def test_the_p_value_at_its_ends() -> None:
    assert ks_p_value(0.0, 5_000, 7_000) == 1
    assert ks_p_value(0.3, 1_000_000, 25_000_000) == 0
    assert ks_p_value(1.0, 1, 1) <= 1
