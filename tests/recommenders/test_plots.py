import io

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from cinematch_dagster.recommenders import Trained
from cinematch_dagster.recommenders.metrics import rmse
from cinematch_dagster.recommenders.plots import (
    by_count,
    errors_by_star,
    factor_norms,
    rmse_by_slice,
    training_plots,
)
from serving import Model
from serving.heads import FactorRating
from tests.recommenders.frames import ratings_frame

NEW_USER, NEW_MOVIE, UNRATED_MOVIE = 500, 12_345, 9001


@pytest.fixture
def rows(ratings: pd.DataFrame) -> pd.DataFrame:
    known = list(zip(ratings["userId"], ratings["movieId"], strict=True))
    new_user = [(NEW_USER, ratings["movieId"][0], 2.0), (NEW_USER, NEW_MOVIE, 5.0)]
    tests = [(*known[0], 4.0), (*known[1], 0.5), (*known[2], 4.0), *new_user]
    return ratings_frame(*tests, (known[0][0], UNRATED_MOVIE, 3.5))


def test_all_three_are_drawn_labelled_and_small(
    model: Model, trained: Trained, rows: pd.DataFrame
) -> None:
    figures = training_plots(model, trained, rows)
    assert list(figures) == ["errors_by_star", "rmse_by_slice", "factor_norms"]
    for figure in figures.values():
        assert figure.axes[0].get_title()
        assert all(axes.get_xlabel() for axes in figure.axes)
        png = io.BytesIO()
        figure.savefig(png, format="png")
        assert png.getvalue().startswith(b"\x89PNG")
        assert len(png.getvalue()) < 100_000


def test_each_slice_has_its_rmse_and_count(
    model: Model, trained: Trained, rows: pd.DataFrame
) -> None:
    axes = training_plots(model, trained, rows)["rmse_by_slice"].axes[0]
    predicted = model.predict(rows["userId"].to_numpy(), rows["movieId"].to_numpy())
    given = rows["rating"].to_numpy()
    for chosen, text, bar in zip(
        ([0, 1, 2, 3, 4, 5], [0, 1, 2], [3, 4], [4, 5]), axes.texts, axes.patches, strict=True
    ):
        error = rmse(given[chosen], predicted[chosen])
        assert text.get_text() == f"{error:.3f}  ({len(chosen)} ratings)"
        assert bar.get_width() == error  # type: ignore[attr-defined]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [
        "All test ratings",
        "Known user and movie",
        "New user",
        "New movie",
    ]


def test_an_empty_slice_says_so() -> None:
    stars = np.array([3.0, 4.0])
    slices = {"all": np.array([True, True]), "none": np.array([False, False])}
    axes = rmse_by_slice(stars, stars + 0.5, slices).axes[0]
    assert [text.get_text() for text in axes.texts] == ["0.500  (2 ratings)", "no ratings"]


def test_an_error_is_positive_where_the_model_promised_too_much() -> None:
    given = np.array([1.0, 1.0, 1.0, 5.0])
    axes = errors_by_star(given, np.array([2.0, 3.0, 4.0, 4.5])).axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1\nn=3", "5\nn=1"]
    medians = [
        float(line.get_ydata()[0])  # type: ignore[index, arg-type]
        for line in axes.lines
        if line.get_linewidth() == 2
    ]
    assert medians == [2.0, -0.5]


def test_norms_are_grouped_by_ranges_of_counts() -> None:
    counts = np.array([0, 1, 4, 5, 19, 20, 99, 100, 500, 9_000])
    groups = by_count(np.arange(10.0), counts)
    assert {name: group.tolist() for name, group in groups.items()} == {
        "0": [0.0],
        "1 to 4": [1.0, 2.0],
        "5 to 19": [3.0, 4.0],
        "20 to 99": [5.0, 6.0],
        "100 to 499": [7.0],
        "500+": [8.0, 9.0],
    }


def test_every_user_and_every_movie_is_in_a_box(trained: Trained) -> None:
    assert isinstance(trained.rating, FactorRating)
    users, movies = factor_norms(trained.rating, trained.interactions).axes
    for axes, size in (
        (users, len(trained.interactions.user_ids)),
        (movies, len(trained.interactions.movie_ids)),
    ):
        ticks = [tick.get_text() for tick in axes.get_xticklabels()]
        assert sum(int(tick.partition("n=")[2]) for tick in ticks) == size
    assert movies.get_xticklabels()[0].get_text() == "0\nn=2"


def test_no_global_state_of_matplotlib_is_touched(
    model: Model, trained: Trained, rows: pd.DataFrame
) -> None:
    options = dict(matplotlib.rcParams)
    training_plots(model, trained, rows)
    assert pyplot.get_fignums() == []
    assert dict(matplotlib.rcParams) == options
