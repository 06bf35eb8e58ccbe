"""MLflow runs: how they end, and what they say of a training: every figure by its name."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from cinematch_dagster.recommenders.evaluation import FoldScores, SliceScores

DAGSTER_RUN = "dagster_run_id"
"""Tag of an MLflow run, given by dagster-mlflow."""

SERVER_FAILS = "MLflow's server has an error of its own, and its log says which: is its disk full?"

_FIGURES = ("rmse", "mae", "ndcg_at_10", "precision_at_10", "recall_at_10", "hit_rate")


@contextmanager
def ended(mlflow: Any) -> Iterator[None]:
    """End MLflow's active run with the block: as FAILED when anything raises, else as FINISHED.

    A server that is away can't be told; `end_abandoned` does that later. MLflow's client repeats
    a request and then hides what the server said, so the exception gets a note of where to look.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, MlflowException) and "500 error responses" in str(error):
            error.add_note(SERVER_FAILS)
        with contextlib.suppress(MlflowException):
            mlflow.end_run("FAILED")
        raise
    mlflow.end_run()


def end_abandoned(
    client: MlflowClient, experiment: str, is_over: Callable[[str], bool]
) -> list[str]:
    """End as FAILED what still counts as running though its Dagster run is over.

    Args:
        client: of the tracking server.
        experiment: the name of the experiment to look through.
        is_over: whether the Dagster run with this id has ended; runs without an id are left alone.

    Returns:
        the ids of the MLflow runs that were ended.
    """
    known = client.get_experiment_by_name(experiment)
    if known is None:
        return []
    running = client.search_runs([known.experiment_id], "attributes.status = 'RUNNING'")
    abandoned = [
        run.info.run_id
        for run in running
        if (owner := run.data.tags.get(DAGSTER_RUN)) and is_over(owner)
    ]
    for run_id in abandoned:
        client.set_terminated(run_id, "FAILED")
    return abandoned


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
    """Return the most memory that this process has had, in MB (2**20); None where unknown.

    The kernel's high-water mark (VmHWM) since the process began, on Linux.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(text for text in status.read_text().splitlines() if text.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
