from typing import Any

import numba
import numpy as np
import pandas as pd
import pytest
import surprise

from cinematch_dagster.recommenders.errors import DivergedError
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.rating.compiled_svd import descend
from cinematch_dagster.recommenders.rating.svd import fit_svd
from cinematch_dagster.recommenders.rating.trainset import ArrayTrainset

OPTIONS: dict[str, Any] = {
    "factors": 4,
    "epochs": 20,
    "learning_rate": 0.01,
    "regularization": 0.05,
    "init_std": 0.1,
    "seed": 11,
}


def test_double_precision_gives_the_bits_of_surprise(ratings: pd.DataFrame) -> None:
    trainset = ArrayTrainset.of(Interactions.from_frame(ratings))
    expected = surprise.SVD(
        n_factors=4, n_epochs=20, lr_all=0.01, reg_all=0.05, init_std_dev=0.1, random_state=11
    ).fit(trainset)
    found = descend(trainset, **OPTIONS, precision="float64")
    for name, values in zip(("bu", "bi", "pu", "qi"), found, strict=True):
        np.testing.assert_array_equal(values, getattr(expected, name))


def test_single_precision_predicts_the_same_to_a_thousandth(ratings: pd.DataFrame) -> None:
    interactions = Interactions.from_frame(ratings, np.array([9001]))
    users, movies = np.divmod(np.arange(30 * 26), 26)
    slow, fast = (
        fit_svd(interactions, **OPTIONS, engine=engine).predict(
            interactions.profiles, users, movies
        )
        for engine in ("surprise", "compiled")
    )
    np.testing.assert_allclose(fast, slow, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("ratings_needed", "compiled"), [(350, True), (351, False)])
def test_large_data_is_fitted_by_the_compiled_engine(
    ratings: pd.DataFrame, ratings_needed: int, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinematch_dagster.recommenders.rating.svd.COMPILED_FROM", ratings_needed)
    interactions = Interactions.from_frame(ratings)
    head = fit_svd(interactions, **OPTIONS, engine="auto")
    engine = fit_svd(interactions, **OPTIONS, engine="compiled" if compiled else "surprise")
    np.testing.assert_array_equal(head.user_factors, engine.user_factors)


def test_divergence_is_an_error(ratings: pd.DataFrame) -> None:
    options = OPTIONS | {"learning_rate": 10, "epochs": 60}
    with pytest.raises(DivergedError, match="a smaller learning rate was expected"):
        fit_svd(Interactions.from_frame(ratings), **options, engine="compiled")


def test_without_a_folder_for_its_cache_it_compiles_all_the_same(
    ratings: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    njit = numba.njit

    def refuse(**options: Any) -> Any:
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

    monkeypatch.setattr(numba, "njit", refuse)
    trainset = ArrayTrainset.of(Interactions.from_frame(ratings))
    found = descend(trainset, **OPTIONS, precision="float64")
    assert all(np.isfinite(values).all() for values in found)
