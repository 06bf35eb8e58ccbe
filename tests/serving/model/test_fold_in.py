import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from implicit.cpu.als import AlternatingLeastSquares
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from serving.model.scoring.fold_in import (
    FULL_PROFILE,
    PRIOR,
    blend_with_popularity,
    fold_in_ranking,
    fold_in_rating,
    ranking_weights,
)
from tests.serving.hand_made import floats

SEEDS = st.integers(0, 10_000)


def test_one_rating_worked_by_hand() -> None:
    # (1 + 0.5 + 2) b + 2 p = 3 and 2 b + (4 + 2.5) p = 6: Cramer's rule.
    bias, factors = fold_in_rating(floats(3.0), floats([2.0]), 0.5)
    determinant = 3.5 * 6.5 - 2 * 2
    assert bias == pytest.approx((3 * 6.5 - 2 * 6) / determinant)
    assert factors.tolist() == pytest.approx([(3.5 * 6 - 2 * 3) / determinant])
    assert factors.dtype == np.float32


def test_no_rating_is_the_mean_user() -> None:
    bias, factors = fold_in_rating(floats(), np.empty((0, 3), np.float32), 0.5)
    assert (bias, factors.tolist()) == (0.0, [0.0, 0.0, 0.0])


@given(SEEDS, st.integers(1, 30), st.floats(0.01, 1.0))
def test_stars_are_a_ridge_regression(seed: int, n: int, regularization: float) -> None:
    random = np.random.default_rng(seed)
    factors = random.normal(size=(n, 4)).astype(np.float32)
    residuals = random.normal(size=n).astype(np.float32)
    bias, vector = fold_in_rating(residuals, factors, regularization)
    design = np.column_stack((np.ones(n), factors.astype(np.float64)))
    ridge = Ridge(alpha=regularization * n + PRIOR, fit_intercept=False, solver="cholesky")
    expected = ridge.fit(design, residuals.astype(np.float64)).coef_
    np.testing.assert_allclose([bias, *vector], expected, rtol=0, atol=1e-6)


def test_many_ratings_recover_the_user() -> None:
    random = np.random.default_rng(0)
    factors = random.normal(size=(5000, 3)).astype(np.float32)
    truth = np.array([0.3, -0.2, 0.5])
    bias, vector = fold_in_rating((0.4 + factors @ truth).astype(np.float32), factors, 0.0)
    np.testing.assert_allclose([bias, *vector], [0.4, *truth], atol=1e-3)


def test_weights_start_above_two_stars() -> None:
    weights = ranking_weights(np.array([0.5, 2.0, 2.5, 4.0, 5.0]), 2.0)
    assert weights.tolist() == [0.0, 0.0, 1.0, 4.0, 6.0]
    assert weights.dtype == np.float32


def test_one_liked_movie_worked_by_hand() -> None:
    # (2 + 1 + (4 - 1) * 1) x = 4; the second movie has no confidence and says nothing.
    vector = fold_in_ranking(floats(4.0, 0.0), floats([1.0], [7.0]), floats([2.0]), 1.0)
    assert vector.tolist() == pytest.approx([4 / 6])


def test_nothing_liked_is_the_zero_vector() -> None:
    vector = fold_in_ranking(floats(0.0), floats([1.0]), floats([2.0]), 1.0)
    assert vector.tolist() == [0.0]


@given(SEEDS, st.integers(1, 20))
def test_order_is_a_half_step_of_als(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    movies = random.normal(size=(30, 5)).astype(np.float32)
    rated = random.choice(30, size=n, replace=False)
    stars = random.integers(1, 11, size=n) / 2
    weights = ranking_weights(stars, 2.0)
    row = sp.csr_matrix((weights, (np.zeros(n, int), rated)), shape=(1, 30))
    row.eliminate_zeros()
    with threadpool_limits(1, "blas"):
        als = AlternatingLeastSquares(factors=5, regularization=3.0, alpha=1.0, num_threads=1)
        als.item_factors = movies
        expected = als.recalculate_user(np.array([0]), row)[0]
    found = fold_in_ranking(weights, movies[rated], movies.T @ movies, 3.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_blend_goes_from_the_mean_to_the_own_vector() -> None:
    vectors = floats(*[[1.0, 0.0]] * 4)
    mean = floats(0.0, 1.0)
    blended = blend_with_popularity(vectors, mean, np.array([0, 5, FULL_PROFILE, 200]))
    expected = floats([0, 1], [0.5, 0.5], [1, 0], [1, 0])
    np.testing.assert_allclose(blended, expected, atol=1e-7)
    assert blended.dtype == np.float32
