"""Models beside each other, on the very same rows."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from cinematch_dagster.recommenders.evaluation import FoldScores, SliceScores
from cinematch_dagster.recommenders.plots.slices import words
from cinematch_dagster.recommenders.plots.style import (
    BLUE,
    GREY,
    ORANGE,
    PALE,
    bar,
    new_figure,
    note,
)


def ndcg_of_algorithms(scores: Mapping[str, FoldScores], popularity: str) -> Figure:
    """Draw the NDCG@10 of each algorithm, best first, and the line of popularity.

    Args:
        scores: name to scores, all on the same rows.
        popularity: the name of the one that everybody has to beat.
    """
    whole = {name: found.slices["all"] for name, found in scores.items()}
    order = sorted(whole, key=lambda name: -(whole[name].ndcg_at_10 or 0.0))
    figure, (axes,) = new_figure(1, height=1.8 + 0.55 * len(order))
    for row, name in enumerate(order):
        color = GREY if name == popularity else BLUE
        bar(axes, row, whole[name].ndcg_at_10, whole[name].intervals.get("ndcg_at_10"), color)
    axes.axvline(whole[popularity].ndcg_at_10 or 0.0, color=GREY, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(order)), order)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set(
        title=f"Order of the list against {popularity}, {whole[popularity].users:,} users",
        xlabel="NDCG@10 (0 to 1; higher is better)",
    )
    note(figure, f"Black: 95 % bootstrap interval over users. Dashed: {popularity}.")
    return figure


def champion_against_challenger(challenger: FoldScores, champion: FoldScores) -> Figure:
    """Draw RMSE and NDCG@10 of both models, slice by slice, with intervals."""
    figure, (stars, order) = new_figure(2, height=6.5, width=11)
    names = list(challenger.slices)
    for model, shift, color, marker in (
        (champion, -0.15, ORANGE, "s"),
        (challenger, 0.15, BLUE, "o"),
    ):
        who = "champion" if model is champion else "challenger"
        for axes, figure_name in ((stars, "rmse"), (order, "ndcg_at_10")):
            points = [_point(model.slices[name], figure_name) for name in names]
            found = [(row, p) for row, p in enumerate(points) if p is not None]
            rows = [row + shift for row, _ in found]
            values = [p[0] for _, p in found]
            spread = [[p[0] - p[1] for _, p in found], [p[2] - p[0] for _, p in found]]
            axes.errorbar(values, rows, xerr=spread, color=color, marker=marker, linestyle="none",
                          capsize=3, label=who)  # fmt: skip
    labels = [f"{words(n)}\n{s.rows:,} ratings" for n, s in challenger.slices.items()]
    stars.set_yticks(range(len(names)), labels, fontsize="small")
    stars.invert_yaxis()
    stars.set_xlabel("RMSE (stars; lower is better)")
    order.set_xlabel("NDCG@10 (0 to 1; higher is better)")
    for axes in (stars, order):
        axes.grid(axis="x", color=PALE)
    order.legend(loc="best", frameon=False)
    figure.suptitle("Champion and challenger on the same held-out ratings, at the same cut")
    note(figure, "Bars: 95 % bootstrap intervals over users. A slice without a mark has nothing.")
    return figure


def _point(scores: SliceScores, name: str) -> tuple[float, float, float] | None:
    """Return a figure and the bounds of its interval."""
    value = getattr(scores, name)
    return None if value is None else (value, *scores.intervals[name])
