"""How far training has come."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from cinematch_dagster.recommenders.plots.style import BLUE, ORANGE, PALE, new_figure, note


def learning_curve(train: Mapping[int, float], test: Mapping[int, float]) -> Figure:
    """Draw the rating head's RMSE by the number of passes over the ratings.

    Args:
        train: passes to RMSE on the ratings trained on.
        test: the same on ratings not trained on.
    """
    figure, (axes,) = new_figure(1)
    for curve, color, marker, label in (
        (train, BLUE, "o", "ratings trained on"),
        (test, ORANGE, "s", "test ratings"),
    ):
        axes.plot(list(curve), list(curve.values()), color=color, marker=marker, label=label)
    axes.grid(axis="y", color=PALE)
    axes.legend(frameon=False)
    axes.set(
        title="Learning curve of the predicted stars",
        xlabel="Passes over the training ratings (epochs)",
        ylabel="RMSE (stars; lower is better)",
    )
    note(
        figure,
        "Where the upper line turns upwards, further passes learn the training ratings by heart.",
    )
    return figure
