"""Models beside each other, on the very same rows."""

from __future__ import annotations

from matplotlib.figure import Figure

from cinematch_dagster.recommenders.evaluation import FoldScores, SliceScores
from cinematch_dagster.recommenders.plots.slices import words
from cinematch_dagster.recommenders.plots.style import (
    BLUE,
    ORANGE,
    PALE,
    new_figure,
    note,
)


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
