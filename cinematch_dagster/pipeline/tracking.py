"""What an MLflow run and an asset say of a training: every figure by its name, and the memory."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from cinematch_dagster.recommenders.evaluation import FoldScores, SliceScores

_FIGURES = ("rmse", "mae", "ndcg_at_10", "precision_at_10", "recall_at_10", "hit_rate")


def metrics(name: str, found: FoldScores) -> dict[str, float]:
    """Return every figure of a protocol under the name of the rows it was measured on.

    `NAME_rmse` and so on are of everything, `NAME/SLICE/rmse` of a slice, with `_low` and `_high`
    for its interval; what a slice doesn't have is left out.
    """
    ranking = found.ranking
    whole = {"coverage": ranking.coverage, "novelty": ranking.novelty, **found.figures}
    logged = {f"{name}_{key}": value for key, value in whole.items()}
    for of, scores in found.slices.items():
        start = f"{name}_" if of == "all" else f"{name}/{of}/"
        logged |= {start + key: value for key, value in slice_figures(scores)}
    return logged


def slice_figures(scores: SliceScores) -> Iterator[tuple[str, float]]:
    """Yield the counts, figures and bounds of a slice."""
    yield "rows", float(scores.rows)
    yield "users", float(scores.users)
    for name in _FIGURES:
        if (value := getattr(scores, name)) is not None:
            yield name, value
            yield f"{name}_low", scores.intervals[name].low
            yield f"{name}_high", scores.intervals[name].high


def slice_table(slices: Mapping[str, SliceScores]) -> str:
    """Return the slices as a table in Markdown."""
    lines = ["| slice | ratings | RMSE | MAE | users | NDCG@10 | Precision@10 | hit rate |"]
    lines.append("| --- " * 8 + "|")
    for name, s in slices.items():
        stars = (_digits(s.rmse), _digits(s.mae))
        order = (_digits(s.ndcg_at_10), _digits(s.precision_at_10), _digits(s.hit_rate))
        cells = (name.replace("_", " "), f"{s.rows:,}", *stars, f"{s.users:,}", *order)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def peak_memory_mb() -> float | None:
    """Return the most memory that this process has had, in MB (2**20); None where nobody counts.

    The kernel's high-water mark (VmHWM) since the process began, on Linux.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(text for text in status.read_text().splitlines() if text.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
