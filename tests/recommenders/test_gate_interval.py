import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinematch_dagster.recommenders.gate.interval import paired_interval


def noisy(seed: int, gain: float, users: int = 400) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    old = random.uniform(0, 1, users)
    return old + random.normal(gain, 0.1, users), old


def test_it_agrees_with_drawing_users_by_hand() -> None:
    new, old = noisy(1, 0.02)
    drawn = (new - old)[np.random.default_rng(7).integers(0, 400, (4_000, 400))].mean(axis=1)
    found = paired_interval(new, old)
    assert found == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.002)


def test_pairs_stay_together() -> None:
    """The models' figures differ much between users, and the same for each user: no doubt."""
    old = np.linspace(0, 1, 50)
    assert paired_interval(old + 0.25, old) == pytest.approx((0.25, 0.25))


def test_it_holds_the_truth_about_as_often_as_it_says() -> None:
    intervals = [paired_interval(*noisy(seed, 0.01)) for seed in range(25)]
    hits = sum(i is not None and i.low <= 0.01 <= i.high for i in intervals)
    assert hits >= 22  # 24 are expected


def test_below_two_users_there_is_none() -> None:
    one = np.ones(1)
    assert paired_interval(one, one) is None
    assert paired_interval(one[:0], one[:0]) is None


@settings(max_examples=20)
@given(st.integers(0, 99), st.integers(2, 50))
def test_the_other_way_round_it_is_mirrored(seed: int, users: int) -> None:
    new, old = noisy(seed, 0.0, users)
    one, other = paired_interval(new, old), paired_interval(old, new)
    assert one is not None
    assert other is not None
    assert one == pytest.approx((-other.high, -other.low), abs=1e-12)
    assert one == paired_interval(new, old)
