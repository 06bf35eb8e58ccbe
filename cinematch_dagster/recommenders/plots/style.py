"""What all figures share: colours, sizes, boxes, bars with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cinematch_dagster.recommenders.evaluation import Interval

# Blue and orange of Okabe and Ito's palette, and a grey: apart in every common colour blindness.
BLUE, ORANGE, GREY, PALE = "#0072B2", "#E69F00", "#595959", "#DDDDDD"

Floats = npt.NDArray[np.floating]


def new_figure(
    panels: int, *, height: float = 5, same: str = "y", width: float = 9
) -> tuple[Figure, Sequence[Axes]]:
    """Return a figure of its own (no pyplot, no global state) with panels side by side.

    Args:
        panels: how many.
        height: in inches.
        same: the axis that the panels share, `x` or `y`.
        width: in inches.
    """
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    axes = figure.subplots(1, panels, sharey=same == "y", sharex=same == "x", squeeze=False)[0]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.set_axisbelow(True)
    return figure, list(axes)


def note(figure: Figure, text: str) -> None:
    """Write how to read a figure below it."""
    figure.supxlabel(text, fontsize="small")


def boxes(axes: Axes, groups: Mapping[str, Floats], color: str) -> None:
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
    axes.grid(axis="y", color=PALE)


def bar(axes: Axes, row: int, value: float | None, interval: Interval | None, color: str) -> None:
    """Draw one horizontal bar with its interval and its value; a missing one says so."""
    if value is None or interval is None:
        axes.annotate("nothing to measure", (0, row), (6, 0), textcoords="offset points",
                      va="center", color=GREY, fontsize="small")  # fmt: skip
        return
    axes.barh(row, value, color=color, height=0.6, alpha=0.85)
    axes.plot(interval, (row, row), color="black", linewidth=1.5, marker="|", markersize=7)
    axes.annotate(f"{value:.3f}", (max(value, interval.high), row), (6, 0),
                  textcoords="offset points", va="center", fontsize="small")  # fmt: skip
