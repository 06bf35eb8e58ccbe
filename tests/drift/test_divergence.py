from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from cinematch_dagster.drift.divergence import (
    SMALLEST_SHARE,
    ChiSquare,
    Counts,
    chi_square,
    jensen_shannon_distance,
    psi,
    wasserstein_distance,
)
from cinematch_dagster.drift.histogram import histogram
from cinematch_dagster.drift.statistics import mean
from serving.base.scale import STARS


@st.composite
def pairs(draw: st.DrawFn, k: int | None = 10, most: int = 5_000) -> tuple[Counts, Counts]:
    size = k or draw(st.integers(1, 25))
    count = st.one_of(st.just(0), st.integers(0, 5), st.integers(0, most))
    sides = [draw(st.lists(count, min_size=size, max_size=size)) for _ in range(2)]
    assume(all(map(sum, sides)))
    return np.array(sides[0], dtype=np.int64), np.array(sides[1], dtype=np.int64)


def counts(by_star: dict[float, int]) -> Counts:
    return histogram(np.repeat(list(by_star), list(by_star.values())))


@given(pairs(k=None))
def test_psi_is_the_sum_of_both_relative_entropies_of_scipy(sides: tuple[Counts, Counts]) -> None:
    p, q = (np.maximum(side / side.sum(), SMALLEST_SHARE) for side in sides)
    # scipy.stats.entropy rescales to a sum of 1, rel_entr does not
    expected = np.sum(p * np.log(p / q)) + np.sum(q * np.log(q / p))
    assert psi(*sides) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    raw = [side / side.sum() for side in sides]
    if min(map(np.min, raw)) >= SMALLEST_SHARE:
        expected = stats.entropy(*raw) + stats.entropy(*raw[::-1])
        assert psi(*sides) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(pairs(k=None))
def test_jensen_shannon_is_scipys(sides: tuple[Counts, Counts]) -> None:
    distance = jensen_shannon_distance(*sides)
    p, q = sides[0] / sides[0].sum(), sides[1] / sides[1].sum()
    middle = (p + q) / 2
    divergence = (stats.entropy(p, middle, base=2) + stats.entropy(q, middle, base=2)) / 2
    assert distance**2 == pytest.approx(divergence, abs=1e-12)
    if distance > 1e-3:  # below, scipy takes the root of rounding errors
        assert distance == pytest.approx(jensenshannon(*sides, base=2), abs=1e-12)


@given(pairs())
def test_wasserstein_is_scipys(sides: tuple[Counts, Counts]) -> None:
    expected = stats.wasserstein_distance(STARS, STARS, *sides)
    assert wasserstein_distance(*sides) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(pairs(k=None))
def test_chi_square_is_scipys(sides: tuple[Counts, Counts]) -> None:
    table = np.stack(sides)[:, sides[0] + sides[1] > 0]
    expected = stats.chi2_contingency(table, correction=False)
    found = chi_square(*sides)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12, abs=1e-12)
    assert found.degrees_of_freedom == expected.dof
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-12)


@given(pairs())
def test_all_are_symmetric_zero_against_themselves_and_never_negative(
    sides: tuple[Counts, Counts],
) -> None:
    baseline, buffer = sides
    for distance in (psi, jensen_shannon_distance, wasserstein_distance):
        assert distance(baseline, baseline) == 0
        assert distance(baseline, buffer) >= 0
        assert distance(baseline, buffer) == pytest.approx(distance(buffer, baseline), rel=1e-12)
    assert chi_square(baseline, baseline * 3).statistic == 0
    assert jensen_shannon_distance(baseline, buffer) <= 1 + 1e-15
    assert chi_square(baseline, buffer) == chi_square(buffer, baseline)


@given(pairs(), st.integers(2, 1_000))
def test_distances_do_not_depend_on_the_number_of_ratings_and_chi_square_does(
    sides: tuple[Counts, Counts], times: int
) -> None:
    baseline, buffer = sides
    for distance in (psi, jensen_shannon_distance, wasserstein_distance):
        grown = distance(baseline * times, buffer)
        assert grown == pytest.approx(distance(baseline, buffer), rel=1e-12, abs=1e-15)
    grown = chi_square(baseline * times, buffer * times).statistic
    assert grown == pytest.approx(times * chi_square(baseline, buffer).statistic, rel=1e-12)


@given(pairs())
def test_ratings_move_at_least_as_far_as_their_mean(sides: tuple[Counts, Counts]) -> None:
    difference = abs(mean(sides[0]) - mean(sides[1]))
    assert wasserstein_distance(*sides) >= difference - 1e-12


@given(pairs(k=6, most=50), pairs(k=6, most=50))
def test_jensen_shannon_is_a_metric(
    first: tuple[Counts, Counts], second: tuple[Counts, Counts]
) -> None:
    a, b, c = *first, second[0]
    direct = jensen_shannon_distance(a, c)
    assert direct <= jensen_shannon_distance(a, b) + jensen_shannon_distance(b, c) + 1e-12


def test_two_stars_against_two_stars_worked_by_hand() -> None:
    baseline, buffer = counts({2.0: 50, 4.0: 50}), counts({2.0: 20, 4.0: 80})
    # -0.3 ln(0.4) + 0.3 ln(1.6) = 0.3 ln(4)
    assert psi(baseline, buffer) == pytest.approx(0.3 * math.log(4), rel=1e-15)
    assert wasserstein_distance(baseline, buffer) == 0.6  # 30 % of the ratings, two stars each
    # expected 35 and 65 on either side: 2 * 225 / 35 + 2 * 225 / 65
    assert chi_square(baseline, buffer).statistic == 450 / 35 + 450 / 65
    assert chi_square(baseline, buffer).degrees_of_freedom == 1
    half, most = counts({1.0: 1}), counts({1.0: 1, 5.0: 1})
    # 1 bit of log2(4/3), half a bit of log2(2/3), half a bit of log2(2): halved, then the root
    bits = (math.log2(4 / 3) + 0.5 * math.log2(2 / 3) + 0.5 * math.log2(2)) / 2
    assert jensen_shannon_distance(half, most) == pytest.approx(math.sqrt(bits), rel=1e-15)


def test_sides_without_overlap() -> None:
    baseline, buffer = counts({0.5: 3}), counts({5.0: 8})
    assert jensen_shannon_distance(baseline, buffer) == pytest.approx(1, rel=1e-15)
    assert wasserstein_distance(baseline, buffer) == 4.5
    assert psi(baseline, buffer) == pytest.approx(2 * (1 - 1e-4) * math.log(1e4), rel=1e-15)
    assert chi_square(baseline, buffer).statistic == 11


def test_an_empty_bin_counts_as_the_smallest_share_and_so_does_a_smaller_one() -> None:
    baseline = np.array([100_000, 0])
    by_hand = (0.01 - 1e-4) * math.log(0.01 / 1e-4) + (0.99 - 1) * math.log(0.99)
    assert psi(baseline, np.array([99, 1])) == pytest.approx(by_hand, rel=1e-12)
    assert psi(baseline, np.array([100_000, 0])) == 0
    almost = np.array([99_999, 1])  # a share of 1e-5
    assert psi(baseline, almost) == pytest.approx(1e-10, rel=1e-4)  # of the other bin alone


def test_categories_empty_in_both_do_not_matter() -> None:
    few, many = (np.array([3, 5]), np.array([4, 4])), (np.array([3, 0, 5]), np.array([4, 0, 4]))
    assert chi_square(*few) == chi_square(*many)
    assert psi(*few) == psi(*many)
    assert jensen_shannon_distance(*few) == jensen_shannon_distance(*many)


def test_one_category_has_nothing_to_differ_in() -> None:
    assert chi_square(counts({3.0: 4}), counts({3.0: 9})) == ChiSquare(0.0, 0, 1.0)


def test_a_distance_too_small_for_floating_point_sums_is_still_right() -> None:
    baseline = np.array([10**12, 10**12])
    buffer = baseline + np.array([1_000, -1_000])
    # close to itself, the distance is the difference of shares d = 5e-10 over sqrt(2 ln 2)
    expected = 5e-10 / math.sqrt(2 * math.log(2))
    assert jensen_shannon_distance(baseline, buffer) == pytest.approx(expected, rel=1e-4)
