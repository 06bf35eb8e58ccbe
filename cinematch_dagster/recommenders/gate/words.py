"""A decision in words, as plain values and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cinematch_dagster.recommenders.evaluation.scores import Floats, FoldScores, Interval
from cinematch_dagster.recommenders.gate.rules import Rule

FIGURES = {
    "rmse": "RMSE",
    "mae": "MAE",
    "ndcg_at_10": "NDCG@10",
    "precision_at_10": "Precision@10",
    "recall_at_10": "Recall@10",
    "hit_rate": "hit rate",
    "coverage": "coverage",
    "novelty": "novelty",
}
"""Names of the figures in `plain` and for a person."""


def mean(figures: Floats) -> float:
    """Return the mean over users; 0 when there are none."""
    return float(figures.mean()) if len(figures) else 0.0


def compared(
    new: FoldScores,
    old: FoldScores,
    interval: Interval | None,
    rmse_gain: Interval | None,
    needed_users: int | None,
) -> str:
    """Say what was compared, with the figures.

    Args:
        new: the challenger's, on the held-out rows.
        old: the champion's.
        interval: of the difference in NDCG@10.
        rmse_gain: interval of the gain in RMSE.
        needed_users: ranked users that would have been needed, when there are too few.
    """
    gain = f"gain {old.rating.rmse - new.rating.rmse:+.4f}{_sure(rmse_gain)}"
    stars = (
        f"RMSE {new.rating.rmse:.4f} against {old.rating.rmse:.4f} on {new.rating.rows:,} "
        f"held-out rows ({gain})"
    )
    users = len(new.ranking.users)
    if needed_users is not None:
        return (
            f"{stars}; fewer ranked users ({users:,}) than the {needed_users:,} that comparing "
            "the order needs, so RMSE and the floors decided"
        )
    one, other = mean(new.ranking.ndcg_at_10), mean(old.ranking.ndcg_at_10)
    order = f"NDCG@10 {one:.4f} against {other:.4f} for {users:,} users"
    return f"{order} (difference {one - other:+.4f}{_sure(interval)}), {stars}"


def _sure(interval: Interval | None) -> str:
    return f", 95 % interval {interval.low:+.4f} to {interval.high:+.4f}" if interval else ""


def reason(promoted: bool, compared: str, rules: Sequence[Rule]) -> str:
    """Return the decision in two sentences: what was compared, and which rules decided."""
    if promoted:
        return f"Promoted: {compared}. All {len(rules)} rules passed."
    broken = "; ".join(str(rule) for rule in rules if not rule.passed)
    return f"Kept: {compared}. Broken: {broken}."


def plain(scores: FoldScores) -> dict[str, Any]:
    """Return scores ready for JSON: the totals by the names of `FIGURES`, and the slices."""
    rating, ranking = scores.rating, scores.ranking
    return {
        "rows": rating.rows,
        "users": len(ranking.users),
        "rmse": rating.rmse,
        "mae": rating.mae,
        "ndcg_at_10": mean(ranking.ndcg_at_10),
        "precision_at_10": mean(ranking.precision_at_10),
        "recall_at_10": mean(ranking.recall_at_10),
        "hit_rate": mean(ranking.hit),
        "coverage": ranking.coverage,
        "novelty": ranking.novelty,
        "slices": {
            name: {
                "rows": part.rows,
                "users": part.users,
                "rmse": part.rmse,
                "ndcg_at_10": part.ndcg_at_10,
            }
            for name, part in scores.slices.items()
        },
    }


def markdown(decision: Mapping[str, Any]) -> str:
    """Return the tables of a stored decision: the contenders' figures, and every rule."""
    contenders = [
        (f"{name}, {rows.replace('_', '-')}", scores)
        for rows in ("held_out", "standing")
        for name, scores in sorted(decision[rows].items(), reverse=True)
    ]
    figures = [
        [name, *(_cell(scores.get(figure)) for figure in FIGURES), f"{scores['rows']:,}"]
        for name, scores in contenders
    ]
    rules = [
        [
            rule["name"].replace("_", " "),
            _cell(rule["value"]),
            f"{rule['needs']} {_cell(rule['limit'])}",
            "pass" if rule["passed"] else "**fail**",
        ]
        for rule in decision["rules"]
    ]
    return "\n\n".join(
        (
            _table(["model, rows", *FIGURES.values(), "ratings"], figures),
            _table(["rule", "value", "needed", ""], rules),
        )
    )


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
