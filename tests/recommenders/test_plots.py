import io

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

from cinematch_dagster.recommenders import plots
from cinematch_dagster.recommenders.evaluation import FoldScores, evaluate_fold, evaluate_static
from cinematch_dagster.recommenders.fit import Trained
from cinematch_dagster.recommenders.plots.factors import by_count
from serving.model import Model
from serving.model.heads import FactorRating
from tests.recommenders.frames import random_ratings


@pytest.fixture(scope="module")
def test_rows() -> pd.DataFrame:
    return random_ratings(seed=8, users=40, movies=27, n=300)


@pytest.fixture(scope="module")
def scores(model: Model, ratings: pd.DataFrame, test_rows: pd.DataFrame) -> FoldScores:
    return evaluate_fold(model, test_rows, ratings)


@pytest.fixture(scope="module")
def floor(trained: Trained, ratings: pd.DataFrame, test_rows: pd.DataFrame) -> FoldScores:
    return evaluate_fold(trained.baseline, test_rows, ratings)


@pytest.fixture(scope="module")
def figures(trained: Trained, scores: FoldScores, floor: FoldScores) -> dict[str, Figure]:
    assert isinstance(trained.rating, FactorRating)
    stars = np.array([1.0, 1.0, 4.5, 5.0])
    return {
        "errors": plots.errors_by_star(stars, stars[::-1]),
        "slices": plots.metrics_by_slice(scores.slices, "Slices"),
        "contenders": plots.champion_against_challenger(scores, floor),
        "norms": plots.factor_norms(trained.rating, trained.interactions),
    }


def test_every_figure_has_a_title_units_and_a_note(figures: dict[str, Figure]) -> None:
    for figure in figures.values():
        assert figure.get_suptitle() or figure.axes[0].get_title()
        assert all(axes.get_xlabel() for axes in figure.axes)
        assert figure.get_supxlabel()
        png = io.BytesIO()
        figure.savefig(png, format="png")
        assert png.getvalue().startswith(b"\x89PNG")
        assert len(png.getvalue()) < 200_000


def test_each_slice_shows_its_figures_and_counts(
    figures: dict[str, Figure], scores: FoldScores
) -> None:
    stars, order = figures["slices"].axes
    for axes, name in ((stars, "rmse"), (order, "ndcg_at_10")):
        values = [getattr(found, name) for found in scores.slices.values()]
        expected = ["nothing to measure" if v is None else f"{v:.3f}" for v in values]
        assert [text.get_text() for text in axes.texts] == expected
        assert "nothing to measure" in expected
    first = stars.get_yticklabels()[0].get_text()
    assert first == f"Everything\n{scores.rating.rows} ratings, {len(scores.ranking.users)} users"


def test_both_contenders_are_named(figures: dict[str, Figure]) -> None:
    legend = figures["contenders"].axes[1].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["champion", "challenger"]


def test_a_test_without_a_relevant_movie_can_be_drawn(model: Model, ratings: pd.DataFrame) -> None:
    disliked = random_ratings(seed=9, users=5, movies=5, n=20).assign(rating=np.float32(1.0))
    found = evaluate_static(model, disliked, ratings)
    plots.metrics_by_slice(found.slices, "Nothing to find")
    plots.champion_against_challenger(found, found)


def test_an_error_is_positive_where_the_model_promised_too_much() -> None:
    given = np.array([1.0, 1.0, 1.0, 5.0])
    axes = plots.errors_by_star(given, np.array([2.0, 3.0, 4.0, 4.5])).axes[0]
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


def test_every_user_and_every_movie_is_in_a_box(
    figures: dict[str, Figure], trained: Trained
) -> None:
    users, movies = figures["norms"].axes
    for axes, size in (
        (users, len(trained.interactions.user_ids)),
        (movies, len(trained.interactions.movie_ids)),
    ):
        ticks = [tick.get_text() for tick in axes.get_xticklabels()]
        assert sum(int(tick.partition("n=")[2]) for tick in ticks) == size
    assert movies.get_xticklabels()[0].get_text() == "0\nn=2"


def test_no_global_state_of_matplotlib_is_touched(scores: FoldScores) -> None:
    options = dict(matplotlib.rcParams)
    plots.metrics_by_slice(scores.slices, "Slices")
    assert pyplot.get_fignums() == []
    assert dict(matplotlib.rcParams) == options
