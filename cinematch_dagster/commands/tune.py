"""`cinematch tune`: search for better hyperparameters and print them for a profile."""

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cinematch_dagster.local.databases import warehouse_dsn
from cinematch_dagster.settings import load_settings

if TYPE_CHECKING:  # MLflow takes seconds to import
    from cinematch_dagster.pipeline.training.tuning import Proposal


def tune(
    head: Annotated[
        Literal["rating", "ranking"],
        typer.Argument(help="rating (by RMSE) or ranking (by NDCG@10): the profile's head."),
    ],
    trials: Annotated[int, typer.Option(min=1, help="How many more of this data's study.")] = 20,
    mlflow: Annotated[bool, typer.Option(help="Log the result to MLflow, which must run.")] = True,
) -> None:
    """Search hyperparameters on the training ratings; prints a proposal and changes nothing."""
    from cinematch_dagster.pipeline.training.tuning import TuningError
    from cinematch_dagster.pipeline.training.tuning import tune as search

    settings = load_settings()
    console = Console()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(f"tuning the {head} head", total=trials)

        def show(done: int, of: int, best: float) -> None:
            text = f"tuning the {head} head, best so far {best:.4f}"
            bar.update(task, completed=done, total=of, description=text)

        try:
            found = search(warehouse_dsn(settings), settings.training, head, trials, show)
        except TuningError as error:
            raise typer.BadParameter(str(error), param_hint="HEAD") from None
    present = "" if found.current is None else f" (present settings: {found.current:.4f})"
    console.print(f"{found.study}: {found.complete} trials, {found.pruned} given up early.")
    console.print(f"Best {found.metric} {found.value:.4f}{present}. For a profile:\n")
    typer.echo(found.toml)
    if mlflow:
        _log(found, settings.tracking_uri)


def _log(found: "Proposal", tracking_uri: str) -> None:
    """Log to MLflow, whose own lines go to stderr: stdout ends with the profile's."""
    from cinematch_dagster.pipeline.training.tuning import log_to

    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # a person waits
    with contextlib.redirect_stdout(sys.stderr):
        is_logged = log_to(tracking_uri, found)
    if not is_logged:
        typer.echo(f"Not logged: MLflow does not answer at {tracking_uri}.", err=True)
        raise typer.Exit(1)
