import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.drift.scores import (
    KS,
    MEAN,
    STD,
    Floats,
    genre_metrics,
    rating_metrics,
    rating_scores,
    severity,
)
from cinematch_dagster.drift import DriftPolicy, assess
from cinematch_dagster.drift.secondary_metrics import SecondaryThresholds, measure

COUNTS = st.lists(st.integers(0, 2_000), min_size=10, max_size=10)


def several_pairs(pairs: list[tuple[list[int], list[int]]]) -> tuple[Floats, Floats]:
    baseline, buffer = np.array(pairs, dtype=np.float64).swapaxes(0, 1)
    return baseline, buffer


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=4))
def test_the_scores_of_many_pairs_are_the_platforms(
    pairs: list[tuple[list[int], list[int]]],
) -> None:
    assume(all(sum(side) > 1 and sum(n > 0 for n in side) > 1 for pair in pairs for side in pair))
    scores = rating_scores(*several_pairs(pairs)) | rating_metrics(*several_pairs(pairs))
    for i, (before, after) in enumerate(pairs):
        baseline, buffer = np.array(before), np.array(after)
        report = assess(baseline, buffer, buffer, DriftPolicy())
        evidence = measure(baseline, buffer, SecondaryThresholds())
        expected = {t.feature_name: t.score for t in (*report.per_batch.tests, *evidence.ratings)}
        assert {name: score[i] for name, score in scores.items()} == pytest.approx(
            expected, rel=1e-9, abs=1e-7
        )


@given(st.tuples(COUNTS, COUNTS))
def test_the_scores_of_genres_are_the_platforms(pair: tuple[list[int], list[int]]) -> None:
    assume(all(sum(side) for side in pair))
    scores = genre_metrics(*several_pairs([pair]))
    names = [f"genre {i}" for i in range(10)]
    counts = [dict(zip(names, side, strict=True)) for side in pair]
    nothing = np.zeros(10, np.int64)
    evidence = measure(nothing, nothing, SecondaryThresholds(), (counts[0], counts[1]))
    expected = {test.feature_name: test.score for test in evidence.genres}
    assert {name: score[0] for name, score in scores.items()} == pytest.approx(
        expected, rel=1e-9, abs=1e-7
    )


def test_one_baseline_serves_the_weeks_of_a_history() -> None:
    rng = np.random.default_rng(1)
    baseline, weeks = rng.random((3, 1, 10)), rng.random((3, 5, 10))
    together = rating_scores(baseline, weeks)
    for week in range(5):
        alone = rating_scores(baseline[:, 0], weeks[:, week])
        for name in (KS, MEAN, STD):
            assert together[name].shape == (3, 5)
            assert together[name][:, week] == pytest.approx(alone[name])


def test_severity_is_the_kth_largest_ratio_to_the_threshold() -> None:
    scores = {KS: np.array([0.10, 0.01]), MEAN: np.array([0.15, 0.20]), STD: np.array([0.0, 0.3])}
    thresholds = {KS: 0.05, MEAN: 0.10, STD: 0.15}
    assert severity(scores, thresholds) == pytest.approx([2.0, 2.0])
    assert severity(scores, thresholds, 2) == pytest.approx([1.5, 2.0])
    assert severity(scores, thresholds, 3) == pytest.approx([0.0, 0.2])


@given(COUNTS, COUNTS, st.integers(1, 3))
def test_a_severity_above_one_is_an_alert_of_the_policy(
    before: list[int], after: list[int], minimum_tests: int
) -> None:
    baseline, buffer = np.array(before), np.array(after)
    policy = DriftPolicy(count_threshold=2, minimum_tests=minimum_tests)
    assume(min(baseline.sum(), buffer.sum()) > 1)
    assume((baseline > 0).sum() > 1)
    scores = rating_scores(*several_pairs([(before, after)]))
    ratio = severity(scores, policy.thresholds, minimum_tests)[0]
    assume(abs(ratio - 1) > 1e-9)
    assert (ratio > 1) == bool(assess(baseline, buffer, buffer, policy).alerts)
