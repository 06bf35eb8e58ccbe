import numpy as np
import pytest

from benchmarks.drift import false_positives
from benchmarks.drift.false_positives import (
    design_effect,
    measure,
    smallest_sufficient_batch,
    sufficient_ks_threshold,
)
from benchmarks.drift.scores import KS, MEAN, STD
from tests.benchmarks.drift.populations import lovers_and_haters

CROWD = lovers_and_haters(n_users=40, n_ratings=25)


def test_ratings_drawn_alone_keep_the_promise_and_whole_users_break_it() -> None:
    (by_rating,) = measure(CROWD, "by rating", 100_000, [5_000], 400, seed=1)
    (by_user,) = measure(CROWD, "by whole users", 100_000, [5_000], 400, seed=1)
    assert by_rating.any_rate == 0
    # 200 users: the share of haters has the standard deviation 0.5 / sqrt(200) = 0.035
    assert by_user.rates[KS] == pytest.approx(0.16, abs=0.05)  # above 0.05 = 1.41 of them
    assert by_user.any_rate >= max(by_user.rates[name] for name in (KS, MEAN, STD))
    assert by_user.two_rate <= by_user.any_rate
    assert by_user.quantiles[KS] == pytest.approx(1.96 * 0.0354, rel=0.15)


def test_every_size_gets_a_result_and_larger_batches_alert_less() -> None:
    found = measure(CROWD, "by whole users", 100_000, [500, 5_000, 50_000], 200, seed=1)
    assert [row.n for row in found] == [500, 5_000, 50_000]
    assert found[0].any_rate > found[1].any_rate > found[2].any_rate == 0


def test_the_design_effect_of_users_who_give_all_the_same_is_their_number_of_ratings() -> None:
    by_rating, by_user = (
        measure(CROWD, way, 10_000, [2_000], 2_000, seed=2)[0]
        for way in ("by rating", "by whole users")
    )
    assert design_effect(by_user, by_rating) == pytest.approx(25, rel=0.15)


def test_the_ks_threshold_that_keeps_the_promise() -> None:
    scores = {KS: np.arange(1, 101) / 1000, MEAN: np.zeros(100), STD: np.zeros(100)}
    threshold = sufficient_ks_threshold(scores)
    assert threshold is not None
    assert (scores[KS] > threshold).mean() <= 0.05
    assert (scores[KS] >= threshold).mean() > 0.05  # no lower one does


def test_what_the_other_tests_find_counts_against_the_ks_threshold() -> None:
    scores = {KS: np.arange(1, 101) / 1000, MEAN: np.zeros(100), STD: np.zeros(100)}
    scores[MEAN][:3] = 0.2  # three trials alert whatever the KS threshold is, so two are left
    threshold = sufficient_ks_threshold(scores)
    assert threshold == 0.098
    alerts = (scores[KS] > threshold) | (scores[MEAN] > 0.1)
    assert alerts.mean() == 0.05
    scores[STD][10:13] = 0.3
    assert sufficient_ks_threshold(scores) is None


def test_the_smallest_batch_that_keeps_the_promise_is_near_the_one_on_paper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # 5 % of normal values are above 1.96 deviations: 0.05 = 1.96 * 0.5 / sqrt(users), 384 users
    monkeypatch.setattr(false_positives, "LARGEST", 40_000)
    found = smallest_sufficient_batch(CROWD, 400_000, 400, seed=3)
    assert found == pytest.approx(384 * 25, rel=0.25)


def test_a_small_baseline_is_never_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(false_positives, "LARGEST", 20_000)
    assert smallest_sufficient_batch(CROWD, 1_000, 100, seed=3) is None
