from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cinematch_dagster.drift import verdict
from cinematch_dagster.drift.histogram import Histogram, histogram
from cinematch_dagster.drift.statistics import ks_p_value, ks_statistic, mean, std
from cinematch_dagster.drift.verdict import DriftPolicy, DriftReport, Level, assess

KS, MEAN, STD = "rating_distribution_ks", "rating_mean", "rating_std"
EMPTY = np.zeros(10, dtype=np.int64)
FAR = 0.99


def counts(by_star: dict[float, int]) -> Histogram:
    return histogram(np.repeat(list(by_star), list(by_star.values())))


def policy(**changes: Any) -> DriftPolicy:
    return DriftPolicy(**{"count_threshold": 2} | changes)


def only(test: str) -> DriftPolicy:
    far = {"ks_threshold": FAR, "mean_threshold": FAR, "std_threshold": FAR}
    own = {KS: {"ks_threshold": 0.05}, MEAN: {"mean_threshold": 0.1}, STD: {"std_threshold": 0.15}}
    return policy(**far | own[test])


def cumulative(baseline: Histogram, buffer: Histogram, rules: DriftPolicy) -> DriftReport:
    return assess(baseline, EMPTY, buffer, rules)


BASE = counts({2.0: 50, 4.0: 50})
QUIET = BASE * 3
LOUD = counts({2.0: 20, 4.0: 80})  # KS 0.3, mean +0.2, std -0.2: all three above their thresholds


def test_the_contract_of_names_texts_and_defaults() -> None:
    assert list(verdict.TESTS) == [KS, MEAN, STD]
    assert list(verdict.REASONS.values()) == [
        "Distribution shift",
        "Mean change",
        "Variance change",
    ]
    assert Level.NO_DRIFT.value == "NO DRIFT - CONTINUE MONITORING"
    assert Level.EARLY.value == "EARLY DRIFT SIGNALS - CONTINUE MONITORING"
    assert Level.DRIFT.value == "DRIFT DETECTED - RETRAINING RECOMMENDED"
    assert "INSUFFICIENT DATA" in Level.INSUFFICIENT
    assert DriftPolicy().thresholds == {KS: 0.05, MEAN: 0.1, STD: 0.15}
    assert DriftPolicy().count_threshold == 10_000
    assert DriftPolicy().alerting_views == ("cumulative",)


@pytest.mark.parametrize(
    ("test", "before", "after", "change", "level"),
    [
        (KS, {2.0: 50, 4.0: 50}, {2.0: 539, 4.0: 461}, 0.039, Level.NO_DRIFT),
        (KS, {2.0: 50, 4.0: 50}, {2.0: 54, 4.0: 46}, 0.04, Level.EARLY),
        (KS, {2.0: 50, 4.0: 50}, {2.0: 55, 4.0: 45}, 0.05, Level.EARLY),
        (KS, {2.0: 50, 4.0: 50}, {2.0: 45, 4.0: 55}, 0.05, Level.EARLY),
        (KS, {2.0: 50, 4.0: 50}, {2.0: 551, 4.0: 449}, 0.051, Level.DRIFT),
        (MEAN, {2.0: 1, 3.0: 1}, {2.0: 301, 3.0: 699}, 0.0796, Level.NO_DRIFT),
        (MEAN, {2.0: 1, 3.0: 1}, {2.0: 3, 3.0: 7}, 0.08, Level.EARLY),
        (MEAN, {2.0: 1, 3.0: 1}, {2.0: 7, 3.0: 3}, -0.08, Level.EARLY),
        (MEAN, {2.0: 1, 3.0: 1}, {2.0: 1, 3.0: 3}, 0.1, Level.EARLY),
        (MEAN, {2.0: 1, 3.0: 1}, {2.0: 3, 3.0: 1}, -0.1, Level.EARLY),
        (MEAN, {2.0: 1, 3.0: 1}, {2.0: 249, 3.0: 751}, 0.1004, Level.DRIFT),
        (MEAN, {2.0: 1, 3.0: 1}, {2.0: 751, 3.0: 249}, -0.1004, Level.DRIFT),
        (STD, {0.5: 5, 3.0: 2}, {0.5: 15, 4.5: 2}, 0.08898, Level.NO_DRIFT),
        (STD, {0.5: 5, 3.0: 2}, {0.5: 14, 4.5: 2}, 0.12, Level.EARLY),
        (STD, {0.5: 11, 4.5: 6}, {0.5: 33, 4.0: 17}, -0.15, Level.EARLY),
        (STD, {0.5: 16, 3.0: 7}, {0.5: 46, 4.0: 10}, 0.15, Level.EARLY),
        (STD, {0.5: 16, 3.0: 7}, {0.5: 45, 4.0: 10}, 0.1583, Level.DRIFT),
        (STD, {0.5: 11, 4.5: 6}, {0.5: 34, 4.0: 17}, -0.1543, Level.DRIFT),
    ],
)
def test_each_test_at_its_boundaries(
    test: str, before: dict[float, int], after: dict[float, int], change: float, level: Level
) -> None:
    report = cumulative(counts(before), counts(after), only(test))
    result = next(t for t in report.cumulative.tests if t.feature_name == test)
    assert result.change == pytest.approx(change, abs=5e-5)
    assert result.score == abs(result.change)
    assert result.triggered == (level is Level.DRIFT)
    assert report.level == report.cumulative.level == level
    assert report.reasons == (() if level is Level.NO_DRIFT else (verdict.REASONS[test],))
    assert [t.feature_name for t in report.alerts] == ([test] if level is Level.DRIFT else [])


def test_the_first_share_of_a_threshold_is_the_product_of_the_decimals() -> None:
    assert 0.8 * 0.05 != 0.04
    assert DriftPolicy().early_threshold(0.05) == 0.04
    assert DriftPolicy(early_share=0.7).early_threshold(0.1) == 0.07


@pytest.mark.parametrize(
    ("buffer", "baseline", "level"),
    [
        (0, 10, Level.EMPTY),
        (0, 0, Level.EMPTY),
        (1, 10, Level.INSUFFICIENT),
        (9, 10, Level.INSUFFICIENT),
        (10, 10, Level.DRIFT),
        (10, 9, Level.INSUFFICIENT),
        (10, 1, Level.INSUFFICIENT),
        (10, 0, Level.INSUFFICIENT),
    ],
)
def test_a_side_below_the_count_threshold_is_insufficient(
    buffer: int, baseline: int, level: Level
) -> None:
    report = cumulative(counts({1.0: baseline}), counts({5.0: buffer}), policy(count_threshold=10))
    assert report.level == level
    assert bool(report.alerts) == (level is Level.DRIFT)
    assert report.reasons
    assert bool(report.cumulative.tests) == (min(buffer, baseline) >= 2)


def test_the_reasons_for_no_verdict_name_the_side_and_its_size() -> None:
    rules = policy(count_threshold=10_000)
    short = cumulative(counts({3.0: 12}), counts({3.0: 9_999}), rules)
    assert short.reasons == (
        "Buffer holds 9,999 ratings, 10,000 needed",
        "Baseline holds 12 ratings, 10,000 needed",
    )
    assert cumulative(BASE, EMPTY, rules).reasons == ("The buffer holds no ratings",)


def test_scores_below_the_count_threshold_are_shown_but_do_not_count() -> None:
    report = cumulative(BASE, LOUD, policy(count_threshold=101))
    assert report.level is Level.INSUFFICIENT
    assert all(t.exceeded and not t.triggered for t in report.cumulative.tests)


@pytest.mark.parametrize(
    ("minimum", "level", "alerts"),
    [(1, Level.DRIFT, [KS, STD]), (2, Level.DRIFT, [KS, STD]), (3, Level.EARLY, [])],
)
def test_k_of_n(minimum: int, level: Level, alerts: list[str]) -> None:
    wider = counts({1.0: 50, 5.0: 50})  # the mean stays
    report = cumulative(BASE, wider, policy(minimum_tests=minimum))
    assert report.level is level
    assert [t.feature_name for t in report.alerts] == alerts
    assert report.reasons == ("Distribution shift", "Variance change")


BOTH = ("cumulative", "per_batch")


@pytest.mark.parametrize(
    ("views", "per_batch", "buffer", "expected"),
    [
        (("cumulative",), LOUD, QUIET, (Level.EARLY, Level.NO_DRIFT, Level.EARLY, 0)),
        (("cumulative",), QUIET, LOUD, (Level.NO_DRIFT, Level.DRIFT, Level.DRIFT, 3)),
        (("cumulative",), LOUD, LOUD, (Level.EARLY, Level.DRIFT, Level.DRIFT, 3)),
        (("per_batch",), LOUD, QUIET, (Level.DRIFT, Level.NO_DRIFT, Level.DRIFT, 3)),
        (("per_batch",), QUIET, LOUD, (Level.NO_DRIFT, Level.EARLY, Level.EARLY, 0)),
        (("per_batch",), EMPTY, QUIET, (Level.EMPTY, Level.NO_DRIFT, Level.NO_DRIFT, 0)),
        (BOTH, LOUD, LOUD, (Level.DRIFT, Level.DRIFT, Level.DRIFT, 6)),
        ((), LOUD, LOUD, (Level.EARLY, Level.EARLY, Level.EARLY, 0)),
        (BOTH, EMPTY, EMPTY, (Level.EMPTY, Level.EMPTY, Level.EMPTY, 0)),
    ],
)
def test_a_view_that_may_not_alert_is_an_early_signal_only(
    views: tuple[str, ...],
    per_batch: Histogram,
    buffer: Histogram,
    expected: tuple[Level, Level, Level, int],
) -> None:
    report = assess(BASE, per_batch, buffer, policy(alerting_views=views))
    levels = (report.per_batch.level, report.cumulative.level, report.level)
    assert (*levels, len(report.alerts)) == expected


def test_the_report_gives_the_reasons_of_the_views_that_set_its_level() -> None:
    shifted = counts({2.0: 44, 4.0: 56})  # KS 0.06, mean +0.04, std -0.008
    report = assess(BASE, LOUD, shifted, policy())
    assert report.reasons == ("Distribution shift",)
    assert report.per_batch.reasons == ("Distribution shift", "Mean change", "Variance change")
    report = assess(BASE, LOUD, shifted, policy(alerting_views=()))
    assert report.reasons == ("Distribution shift", "Mean change", "Variance change")


@pytest.mark.parametrize(
    ("before", "after", "change", "level"),
    [
        ({3.0: 9}, {3.0: 4}, 0.0, Level.NO_DRIFT),
        ({3.0: 9}, {3.0: 99, 3.5: 1}, 1.0, Level.DRIFT),
        ({3.0: 99, 3.5: 1}, {3.0: 9}, -1.0, Level.DRIFT),
        ({3.0: 9}, {3.5: 9}, 0.0, Level.DRIFT),
    ],
)
def test_a_constant_side(
    before: dict[float, int], after: dict[float, int], change: float, level: Level
) -> None:
    report = cumulative(counts(before), counts(after), policy())
    assert report.cumulative.tests[2].change == change
    assert report.level is level


def test_a_view_carries_its_figures() -> None:
    report = assess(BASE, QUIET, LOUD, policy())
    assert (report.baseline_n, report.per_batch.n, report.cumulative.n) == (100, 300, 100)
    assert (report.baseline_mean, report.baseline_std) == (3.0, std(BASE))
    assert (report.cumulative.mean, report.cumulative.std) == (mean(LOUD), std(LOUD))
    assert report.cumulative.ks_p_value == ks_p_value(ks_statistic(BASE, LOUD), 100, 100)
    empty = assess(EMPTY, EMPTY, counts({3.0: 1}), policy())
    assert (empty.baseline_mean, empty.baseline_std, empty.per_batch.ks_p_value) == (None,) * 3
    assert (empty.cumulative.mean, empty.cumulative.std) == (3.0, None)


def test_evidence_is_the_sha256_of_baseline_and_buffer() -> None:
    report = assess(BASE, QUIET, LOUD, policy())
    packed = struct.pack("<20q", *BASE.tolist(), *LOUD.tolist())
    assert report.input_digest == hashlib.sha256(packed).hexdigest()
    assert assess(BASE, LOUD, LOUD, policy(ks_threshold=0.5)).input_digest == report.input_digest
    assert assess(LOUD, QUIET, BASE, policy()).input_digest != report.input_digest


def plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(plain, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(plain, value))
    return value is None or type(value) in (str, int, float, bool, Level)


counted = st.lists(st.integers(0, 300), min_size=10, max_size=10).map(
    lambda c: np.array(c, dtype=np.int64)
)


@given(counted, counted, counted, st.integers(1, 3), st.sampled_from([(), *[(v,) for v in BOTH]]))
def test_any_report_is_plain_and_consistent(
    baseline: Histogram,
    per_batch: Histogram,
    others: Histogram,
    minimum: int,
    views: tuple[str, ...],
) -> None:
    rules = policy(count_threshold=100, minimum_tests=minimum, alerting_views=views)
    report = assess(baseline, per_batch, per_batch + others, rules)
    assert plain(asdict(report))
    json.dumps(asdict(report), allow_nan=False)
    assert (report.level is Level.DRIFT) == bool(report.alerts)
    assert all(alert.score > alert.threshold for alert in report.alerts)
    assert len(report.alerts) == 0 or len(report.alerts) >= minimum
    for view in (report.per_batch, report.cumulative):
        assert (view.level is Level.DRIFT) <= (view.view in views)
        assert (view.level is Level.NO_DRIFT) == (view.reasons == ())
        if min(view.n, report.baseline_n or 0) < 100:
            assert view.level in (Level.EMPTY, Level.INSUFFICIENT)


@pytest.mark.parametrize(
    "bad",
    [
        {"ks_threshold": 0.0},
        {"mean_threshold": 1.0},
        {"count_threshold": 1},
        {"minimum_tests": 4},
        {"alerting_views": ("weekly",)},
        {"psi_threshold": 0.2},
    ],
)
def test_a_policy_out_of_range_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(bad))):
        DriftPolicy(**bad)
