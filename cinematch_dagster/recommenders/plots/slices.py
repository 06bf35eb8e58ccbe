"""For whom, and for which movies, a model is good."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from cinematch_dagster.recommenders.evaluation import SliceScores
from cinematch_dagster.recommenders.plots.style import BLUE, GREY, ORANGE, bar, new_figure, note

_WORDS = {
    "all": "Everything",
    "warm": "Known user and movie",
    "cold_user": "New user",
    "cold_movie": "New movie",
    "popularity_head": "Most rated movies",
    "popularity_middle": "Movies in between",
    "popularity_tail": "Seldom rated movies",
}


def metrics_by_slice(slices: Mapping[str, SliceScores], title: str) -> Figure:
    """Draw RMSE and NDCG@10 of each slice with their intervals and counts."""
    figure, (stars, order) = new_figure(2, height=6.5, width=11)
    for row, scores in enumerate(slices.values()):
        bar(stars, row, scores.rmse, scores.intervals.get("rmse"), BLUE)
        bar(order, row, scores.ndcg_at_10, scores.intervals.get("ndcg_at_10"), ORANGE)
    labels = [f"{words(n)}\n{s.rows:,} ratings, {s.users:,} users" for n, s in slices.items()]
    stars.set_yticks(range(len(slices)), labels, fontsize="small")
    stars.invert_yaxis()
    for axes, name, text in (
        (stars, "rmse", "RMSE (stars; lower is better)"),
        (order, "ndcg_at_10", "NDCG@10 (0 to 1; higher is better)"),
    ):
        whole = getattr(slices["all"], name)
        if whole is not None:
            axes.axvline(whole, color=GREY, linewidth=1, linestyle="--")
        axes.margins(x=0.2)
        axes.set_xlabel(text)
    figure.suptitle(title)
    note(
        figure,
        "Black: 95 % bootstrap interval over users. Dashed: everything. New: without a training "
        "rating. Users: those with a movie to find.",
    )
    return figure


def words(name: str) -> str:
    """Return a slice's name as a person would say it."""
    if name.startswith("activity_"):
        return f"Users with {name.removeprefix('activity_').replace('_', ' ')} ratings"
    return _WORDS.get(name, name)
