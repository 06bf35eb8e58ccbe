"""Figures of a training: where the rating head errs, for whom, and how far its factors reach."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cinematch_dagster.recommenders.fit import Trained
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.metrics import rmse
from serving.heads import FactorRating
from serving.lookup import find_all
from serving.model import Model

# Blue and orange of Okabe and Ito's palette, and a grey: apart in every common colour blindness.
BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#595959"
COUNT_EDGES = (0, 1, 5, 20, 100, 500)

Floats = npt.NDArray[np.floating]
Counts = npt.NDArray[np.integer]


def training_plots(model: Model, trained: Trained, test: pd.DataFrame) -> dict[str, Figure]:
    """Draw `errors_by_star`, `rmse_by_slice`, and `factor_norms` of a head that has factors.

    Args:
        model: as it will be served.
        trained: what it was exported from.
        test: ratings frame that it was not trained on, with at least one row.
    """
    users, movies = test["userId"].to_numpy(), test["movieId"].to_numpy()
    given, predicted = test["rating"].to_numpy(), model.predict(users, movies)
    interactions = trained.interactions
    rated = interactions.movie_ids[interactions.movie_counts > 0]
    cold_user = find_all(interactions.user_ids, users) < 0
    cold_movie = find_all(rated, movies) < 0
    slices = {
        "All test ratings": np.full(len(test), True),
        "Known user and movie": ~cold_user & ~cold_movie,
        "New user": cold_user,
        "New movie": cold_movie,
    }
    figures = {
        "errors_by_star": errors_by_star(given, predicted),
        "rmse_by_slice": rmse_by_slice(given, predicted, slices),
    }
    if isinstance(trained.rating, FactorRating):
        figures["factor_norms"] = factor_norms(trained.rating, interactions)
    return figures


def errors_by_star(given: Floats, predicted: Floats) -> Figure:
    """Draw the distribution of predicted minus given stars for each star value that was given."""
    errors = pd.Series(predicted - given).groupby(given)
    figure, (axes,) = _figure(1)
    groups = {f"{star:g}": group.to_numpy() for star, group in errors}
    _boxes(axes, groups, BLUE)
    axes.axhline(0, color=GREY, linewidth=1, linestyle="--")
    axes.set(
        title="Prediction error by the stars that were given",
        xlabel="Stars given by the user (n: test ratings)",
        ylabel="Predicted minus given (stars)",
    )
    figure.supxlabel(
        "Box: middle half, line: median, whiskers: 5 % to 95 %. "
        "Above zero the model promised too much, below too little.",
        fontsize="small",
    )
    return figure


def rmse_by_slice(
    given: Floats, predicted: Floats, slices: dict[str, npt.NDArray[np.bool_]]
) -> Figure:
    """Draw the RMSE of each slice, a mask over the rows, with its number of ratings."""
    figure, (axes,) = _figure(1)
    for row, mask in enumerate(slices.values()):
        n = int(mask.sum())
        error = rmse(given[mask], predicted[mask]) if n else 0.0
        axes.barh(row, error, color=BLUE if row == 0 else ORANGE, height=0.6)
        text = f"{error:.3f}  ({n:,} ratings)" if n else "no ratings"
        axes.annotate(text, (error, row), (6, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(slices)), list(slices))
    axes.invert_yaxis()
    axes.margins(x=0.35)
    axes.set(
        title="Typical error of the predicted stars, by what the model knew",
        xlabel="RMSE (stars; lower is better)",
    )
    figure.supxlabel(
        "New: without any training rating. A new user's rating of a new movie is in both rows.",
        fontsize="small",
    )
    return figure


def factor_norms(head: FactorRating, counts: Interactions) -> Figure:
    """Draw the norms of the rating head's factors by the number of training ratings."""
    figure, (left, right) = _figure(2)
    users = by_count(np.linalg.norm(head.user_factors, axis=1), counts.user_counts)
    movies = by_count(np.linalg.norm(head.movie_factors, axis=1), counts.movie_counts)
    _boxes(left, users, BLUE)
    _boxes(right, movies, ORANGE)
    left.set(title="Users", ylabel="Length of the factor vector", xlabel="Ratings given (n: users)")
    right.set(title="Movies", xlabel="Ratings received (n: movies)")
    figure.suptitle("How much the rating head has learned of users and movies")
    figure.supxlabel(
        "Longer: predictions move further from the plain averages. "
        "Box: middle half, line: median, whiskers: 5 % to 95 %.",
        fontsize="small",
    )
    return figure


def by_count(norms: Floats, counts: Counts) -> dict[str, Floats]:
    """Group norms by count into the ranges that start at `COUNT_EDGES`, empty ones left out."""
    found = np.searchsorted(COUNT_EDGES, counts, side="right") - 1
    return {_range(edge): norms[found == edge] for edge in np.unique(found).tolist()}


def _range(edge: int) -> str:
    """Name the range of counts that starts at an edge."""
    if edge == len(COUNT_EDGES) - 1:
        return f"{COUNT_EDGES[edge]}+"
    first, last = COUNT_EDGES[edge], COUNT_EDGES[edge + 1] - 1
    return f"{first}" if first == last else f"{first} to {last}"


def _figure(panels: int) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure of its own (no pyplot, no global state) with panels that share the y axis."""
    figure = Figure(figsize=(9, 5), dpi=120, layout="constrained")
    axes = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.set_axisbelow(True)
    return figure, list(axes)


def _boxes(axes: Axes, groups: dict[str, Floats], color: str) -> None:
    """Draw a box a group, labelled with its name and size."""
    axes.boxplot(
        list(groups.values()),
        tick_labels=[f"{name}\nn={len(values):,}" for name, values in groups.items()],
        whis=(5, 95),
        showfliers=False,
        widths=0.6,
        patch_artist=True,
        boxprops={"facecolor": color, "edgecolor": GREY, "alpha": 0.7},
        medianprops={"color": "black", "linewidth": 2},
    )
    axes.grid(axis="y", color="#DDDDDD")
