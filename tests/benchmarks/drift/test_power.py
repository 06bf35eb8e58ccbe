import numpy as np
import pytest

from benchmarks.drift.false_positives import THRESHOLDS
from benchmarks.drift.power import EFFECTS, Caught, genre_power, rating_power
from benchmarks.drift.scores import KS, MEAN, mean, rating_scores
from benchmarks.drift.tilt import mean_factors
from tests.benchmarks.drift.populations import mixed_crowd

TRIALS = 100
CROWD = mixed_crowd(n_users=40)
MODERATES = mixed_crowd(n_users=40, apart=1.0)
HUGE = 40_000_000  # ratings, so many that chance plays no part


def by_name(rows: list[Caught]) -> dict[tuple[str, str], dict[int, float | None]]:
    return {(row.what, row.test): row.smallest for row in rows}


def test_without_chance_a_change_is_caught_from_the_threshold_on() -> None:
    rows = by_name(
        rating_power(CROWD, "by rating", HUGE, {HUGE: THRESHOLDS}, trials=TRIALS, seed=1)
    )
    for what, effect in EFFECTS.items():
        own = rows[what, effect.test][HUGE]
        assert own == pytest.approx(THRESHOLDS[effect.test], abs=0.001)
        by_ks = rows[what, KS][HUGE]
        assert by_ks is not None
        shifted = CROWD.shares * effect.factors(CROWD.shares, effect.sign * by_ks)
        score = rating_scores(CROWD.shares * HUGE, shifted * HUGE)[KS]
        assert score == pytest.approx(0.05, abs=0.0005)
        assert own is not None
        assert rows[what, "any"][HUGE] == pytest.approx(min(own, by_ks), abs=0.001)


def test_smaller_batches_need_larger_changes() -> None:
    sizes = dict.fromkeys((1_000, 10_000, 100_000), THRESHOLDS)
    rows = by_name(rating_power(CROWD, "by rating", HUGE, sizes, TRIALS, seed=1))
    for what in ("mean up", "mean down"):
        small, middle, large = (rows[what, MEAN][n] or 0.0 for n in sizes)
        assert small > middle > large > 0.1


def test_what_is_called_caught_is_caught_in_95_of_100_fresh_batches() -> None:
    n = 2_000
    rows = by_name(rating_power(CROWD, "by rating", HUGE, {n: THRESHOLDS}, 2_000, seed=1))
    smallest = rows["mean up", MEAN][n]
    assert smallest is not None
    shares = CROWD.shares * mean_factors(CROWD.shares, smallest)
    fresh = np.random.default_rng(99).multinomial(n, shares, 20_000).astype(np.float64)
    assert (mean(fresh) / 2.75 - 1 > 0.1).mean() == pytest.approx(0.95, abs=0.02)


def test_whole_users_hide_more_than_ratings_drawn_alone() -> None:
    sizes = {450: THRESHOLDS}  # thirty users
    alone, users = (
        by_name(rating_power(MODERATES, way, 60_000, sizes, 300, seed=1))["mean up", MEAN][450]
        for way in ("by rating", "by whole users")
    )
    assert alone is not None
    assert users is not None
    assert users > alone + 0.02


def test_a_size_without_thresholds_is_left_out() -> None:
    rows = rating_power(CROWD, "by rating", HUGE, {100: None}, TRIALS, seed=1)
    assert all(row.smallest == {100: None} for row in rows)


def test_without_chance_a_genre_is_marked_from_the_threshold_on() -> None:
    # a third each of Drama, Comedy|Drama and Horror: pairs 8 : 4 : 4 of 16 in a dozen ratings
    rows = genre_power(CROWD, "by rating", HUGE, [HUGE], ["Horror"], TRIALS, seed=1)
    assert [row.test for row in rows] == ["genre_psi", "genre_jensen_shannon"]
    assert rows[0].before == pytest.approx(0.25, abs=0.01)
    psi, jensen_shannon = (row.smallest[HUGE] for row in rows)
    assert psi is not None
    # Horror takes from the two others in proportion: (q - p) ln(q / p) and the same for the rest
    p, q = rows[0].before, psi
    score = (q - p) * np.log(q / p) + (p - q) * np.log((1 - q) / (1 - p))
    assert score == pytest.approx(0.25, abs=0.002)
    assert jensen_shannon is not None
    assert p < jensen_shannon < psi
