import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinematch_dagster.recommenders.evaluation import RatingScores
from cinematch_dagster.recommenders.gate.interval import paired_interval, rmse_interval


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


def errors(seed: int, scale: float, users: int = 300) -> list[np.ndarray]:
    """Each user's errors, 1 to 9 of them; the same draws for a seed, so they are paired."""
    random = np.random.default_rng(seed)
    return [scale * random.normal(0, 0.9, random.integers(1, 10)) for _ in range(users)]


def rated(wrong: list[np.ndarray]) -> RatingScores:
    flat = np.concatenate(wrong)
    squared = np.array([float((e**2).sum()) for e in wrong])
    counts = np.array([float(len(e)) for e in wrong])
    return RatingScores(float(np.sqrt((flat**2).mean())), 0.0, len(flat), squared, counts)


def test_the_gain_in_rmse_agrees_with_drawing_users_by_hand() -> None:
    new, old = errors(1, 0.95), errors(1, 1.0)
    random = np.random.default_rng(7)
    gains = []
    for _ in range(2_000):
        drawn = random.integers(0, 300, 300)
        before, after = (np.concatenate([e[user] for user in drawn]) for e in (old, new))
        gains.append(np.sqrt((before**2).mean()) - np.sqrt((after**2).mean()))
    found = rmse_interval(rated(new), rated(old))
    assert found == pytest.approx(np.quantile(gains, [0.025, 0.975]), abs=0.001)
    assert found is not None
    assert found.low > 0


def test_the_gain_in_rmse_is_mirrored_the_other_way_round() -> None:
    new, old = rated(errors(1, 0.95)), rated(errors(1, 1.0))
    one, other = rmse_interval(new, old), rmse_interval(old, new)
    assert one is not None
    assert other is not None
    assert one == pytest.approx((-other.high, -other.low), abs=1e-12)
    assert rmse_interval(old, old) == (0.0, 0.0)


def test_of_one_user_there_is_no_gain_and_of_no_number_none_that_is_sure() -> None:
    one = rated(errors(1, 1.0, users=1))
    assert rmse_interval(one, one) is None
    two = rated(errors(1, 1.0, users=2))
    broken = RatingScores(np.nan, 0.0, two.rows, two.squared * np.nan, two.counts)
    found = rmse_interval(broken, two)
    assert found is not None
    assert np.isnan(found).all()
