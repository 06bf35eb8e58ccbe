"""The learning curve ends where the trained head is."""

import numpy as np
import pandas as pd
import pytest

from cinematch_dagster.recommenders.fit import Trained, fit
from cinematch_dagster.recommenders.metrics import rmse
from cinematch_dagster.recommenders.tuning.learning_curve import learning_curve
from serving.model import Model
from tests.recommenders.frames import ratings_frame, small

TEST = ratings_frame((1, 7, 4.0), (4, 12, 2.5), (9999, 7, 3.0), (1, 9001, 5.0))


def test_its_last_point_is_what_is_served(
    trained: Trained, model: Model, ratings: pd.DataFrame
) -> None:
    curve = learning_curve(trained, TEST)
    assert curve
    assert list(curve.train) == list(curve.test) == [1, 2, 5, 10]
    for side, frame in ((curve.train, ratings), (curve.test, TEST)):
        predicted = model.predict(frame["userId"].to_numpy(), frame["movieId"].to_numpy())
        expected = rmse(frame["rating"].to_numpy(), predicted)
        assert side[10] == pytest.approx(expected, abs=1e-6)
    assert np.all(np.diff(list(curve.train.values())) < 0)


def test_a_head_without_passes_has_none(ratings: pd.DataFrame, movies: pd.DataFrame) -> None:
    assert learning_curve(fit(ratings, movies, small("baseline")), TEST) is None
