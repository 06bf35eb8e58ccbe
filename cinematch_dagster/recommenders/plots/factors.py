"""How far the rating head's factors reach."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.plots.style import BLUE, ORANGE, Floats, boxes, new_figure, note
from serving.model.heads import FactorRating

COUNT_EDGES = (0, 1, 5, 20, 100, 500)

Counts = npt.NDArray[np.integer]


def factor_norms(head: FactorRating, counts: Interactions) -> Figure:
    """Draw the norms of the rating head's factors by the number of training ratings."""
    figure, (left, right) = new_figure(2)
    users = by_count(np.linalg.norm(head.user_factors, axis=1), counts.user_counts)
    movies = by_count(np.linalg.norm(head.movie_factors, axis=1), counts.movie_counts)
    boxes(left, users, BLUE)
    boxes(right, movies, ORANGE)
    left.set(title="Users", ylabel="Length of the factor vector", xlabel="Ratings given (n: users)")
    right.set(title="Movies", xlabel="Ratings received (n: movies)")
    figure.suptitle("How much the rating head has learned of users and movies")
    note(
        figure,
        "Longer: predictions move further from the plain averages. "
        "Box: middle half, line: median, whiskers: 5 % to 95 %.",
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
