import os
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.als import fit_als
from serving.model.arrays import Floats
from serving.model.heads import FactorRanking
from serving.model.scoring.fold_in import FULL_PROFILE, ranking_weights
from tests.recommenders.frames import ratings_frame

OPTIONS: dict[str, Any] = {
    "factors": 5,
    "iterations": 4,
    "regularization": 3.0,
    "alpha": 2.0,
    "seed": 11,
}
ONE_FIT = """
import numpy as np
from threadpoolctl import threadpool_info
from cinematch_dagster.recommenders.ranking.als import fit_als
from cinematch_dagster.recommenders.interactions import Interactions
blas = [api["num_threads"] for api in threadpool_info() if api["user_api"] == "blas"]
one = np.array([0])
stars = np.array([4.0], dtype=np.float32)
interactions = Interactions(one + 1, one + 2, one, one, stars, one)
fit_als(interactions, factors=2, iterations=1, regularization=1.0, alpha=1.0, seed=0)
print(max(blas))
"""


@pytest.fixture(scope="module")
def interactions(ratings: pd.DataFrame) -> Interactions:
    return Interactions.from_frame(ratings, np.array([9001]))


def test_a_user_with_many_ratings_is_what_the_library_makes_of_them(
    interactions: Interactions,
) -> None:
    head = fit_als(interactions, **OPTIONS)
    full = interactions.profiles.telling >= FULL_PROFILE
    assert 3 < full.sum() < len(full)
    own = library_vectors(interactions, head)
    found = head.vectors(interactions.profiles)
    np.testing.assert_allclose(found[full], own[full], rtol=0, atol=1e-6)
    np.testing.assert_allclose(head.mean, own.mean(axis=0), rtol=0, atol=1e-6)


def test_a_user_with_few_ratings_is_mixed_with_the_mean(interactions: Interactions) -> None:
    head = fit_als(interactions, **OPTIONS)
    above = interactions.matrix.copy()
    above.data = above.data > 2
    counts = above.sum(axis=1)
    user = int(np.argmin(counts))
    share = counts[user] / FULL_PROFILE
    assert share < 1
    expected = share * library_vectors(interactions, head)[user] + (1 - share) * head.mean
    found = head.vectors(interactions.profiles)[user]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def library_vectors(interactions: Interactions, head: FactorRanking) -> Floats:
    """Return the users' vectors by `implicit` itself, (n_users, g)."""
    weights = sp.csr_matrix(interactions.matrix, copy=True)
    weights.data = ranking_weights(weights.data, 2.0)
    weights.eliminate_zeros()
    with threadpool_limits(1, "blas"):
        als = AlternatingLeastSquares(factors=5, regularization=3.0, alpha=1.0, num_threads=1)
        als.item_factors = head.movie_factors
        found: Floats = als.recalculate_user(np.arange(weights.shape[0]), weights)
    return found


def test_two_tastes_are_told_apart() -> None:
    rows = [(u, m, 5.0) for u in range(1, 6) for m in range(1, 6) if u != m]
    rows += [(u, m, 5.0) for u in range(11, 16) for m in range(11, 16) if u - 10 != m - 10]
    interactions = Interactions.from_frame(ratings_frame(*rows))
    head = fit_als(interactions, **OPTIONS)
    scores = head.scores(interactions.profiles)
    assert scores[:5, :5].min() > scores[:5, 5:].max()
    assert scores[5:, 5:].min() > scores[5:, :5].max()


def test_ratings_of_two_stars_or_less_say_nothing() -> None:
    liked = [(1, 1, 4.0), (2, 1, 5.0), (2, 2, 3.0)]
    with_dislikes = ratings_frame(*liked, (1, 2, 2.0), (2, 3, 0.5))
    head = fit_als(Interactions.from_frame(with_dislikes), **OPTIONS)
    assert not head.movie_factors[2].any()
    alone = fit_als(Interactions.from_frame(ratings_frame(*liked), np.array([3])), **OPTIONS)
    np.testing.assert_array_equal(head.movie_factors, alone.movie_factors)


def test_a_seed_determines_the_head(interactions: Interactions) -> None:
    first, second = (fit_als(interactions, **OPTIONS) for _ in range(2))
    np.testing.assert_array_equal(first.mean, second.mean)
    np.testing.assert_array_equal(first.movie_factors, second.movie_factors)
    other = fit_als(interactions, **OPTIONS | {"seed": 12})
    assert not np.array_equal(first.movie_factors, other.movie_factors)


def test_the_interactions_stay_as_they_are(ratings: pd.DataFrame) -> None:
    interactions = Interactions.from_frame(ratings)
    before = interactions.matrix.copy()
    assert before.data.min() <= 2
    fit_als(interactions, **OPTIONS)
    np.testing.assert_array_equal(interactions.matrix.indptr, before.indptr)
    np.testing.assert_array_equal(interactions.matrix.indices, before.indices)
    np.testing.assert_array_equal(interactions.matrix.data, before.data)


def test_several_blas_threads_cause_no_warning() -> None:
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", ONE_FIT],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == ["2"]
