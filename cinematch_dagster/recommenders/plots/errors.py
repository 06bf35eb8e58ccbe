"""Where the predicted stars err."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from cinematch_dagster.recommenders.plots.style import BLUE, GREY, Floats, boxes, new_figure, note


def errors_by_star(given: Floats, predicted: Floats) -> Figure:
    """Draw the distribution of predicted minus given stars for each star value that was given."""
    errors = pd.Series(predicted - given).groupby(given)
    figure, (axes,) = new_figure(1)
    boxes(axes, {f"{star:g}": group.to_numpy() for star, group in errors}, BLUE)
    axes.axhline(0, color=GREY, linewidth=1, linestyle="--")
    axes.set(
        title="Prediction error by the stars that were given",
        xlabel="Stars given by the user (n: test ratings)",
        ylabel="Predicted minus given (stars)",
    )
    note(
        figure,
        "Box: middle half, line: median, whiskers: 5 % to 95 %. "
        "Above zero the model promised too much, below too little.",
    )
    return figure
