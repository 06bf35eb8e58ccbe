from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
import surprise

from cinematch_dagster.recommenders.errors import DivergedError
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.rating.svd import fit_svd
from tests.recommenders.frames import ratings_frame

OPTIONS: dict[str, Any] = {
    "factors": 4,
    "epochs": 6,
    "learning_rate": 0.01,
    "regularization": 0.05,
    "init_std": 0.1,
    "seed": 11,
}


def test_predictions_are_those_of_surprise(ratings: pd.DataFrame) -> None:
    reader = surprise.Reader(rating_scale=(0.5, 5.0))
    columns = ratings[["userId", "movieId", "rating"]]
    algorithm = surprise.SVD(
        n_factors=4, n_epochs=6, lr_all=0.01, reg_all=0.05, init_std_dev=0.1, random_state=11
    ).fit(surprise.Dataset.load_from_df(columns, reader).build_full_trainset())
    interactions = Interactions.from_frame(ratings)
    head = fit_svd(interactions, **OPTIONS)
    found = (
        head.global_mean
        + head.user_bias[:, np.newaxis]
        + head.movie_bias
        + head.user_factors @ head.movie_factors.T
    )
    expected = [
        [algorithm.predict(user, movie, clip=False).est for movie in interactions.movie_ids]
        for user in interactions.user_ids
    ]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_one_step_worked_by_hand() -> None:
    # mu = 3; one pass, no factors at the start: each error is +-1, each bias moves by 0.1.
    interactions = Interactions.from_frame(ratings_frame((1, 1, 4.0), (2, 2, 2.0)), np.array([3]))
    options = OPTIONS | {"epochs": 1, "learning_rate": 0.1, "init_std": 0.0}
    head = fit_svd(interactions, **options)
    assert head.global_mean == 3.0
    np.testing.assert_allclose(head.user_bias, [0.1, -0.1], rtol=1e-15)
    np.testing.assert_allclose(head.movie_bias, [0.1, -0.1, 0.0], rtol=1e-15)
    assert not head.user_factors.any()


def test_a_movie_without_ratings_has_zeros(ratings: pd.DataFrame) -> None:
    head = fit_svd(Interactions.from_frame(ratings, np.array([9001])), **OPTIONS)
    assert head.movie_bias[-1] == 0
    assert not head.movie_factors[-1].any()


def test_a_seed_determines_the_head(ratings: pd.DataFrame) -> None:
    interactions = Interactions.from_frame(ratings)
    first, second = (asdict(fit_svd(interactions, **OPTIONS)) for _ in range(2))
    other = asdict(fit_svd(interactions, **OPTIONS | {"seed": 12}))
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])
    assert not np.array_equal(first["user_factors"], other["user_factors"])


def test_divergence_is_an_error(ratings: pd.DataFrame) -> None:
    with pytest.raises(DivergedError, match="a smaller learning rate was expected"):
        fit_svd(Interactions.from_frame(ratings), **OPTIONS | {"learning_rate": 10, "epochs": 60})
