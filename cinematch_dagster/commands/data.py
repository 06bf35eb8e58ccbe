"""`cinematch data`: bring a dataset here and prepare it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from cinematch_dagster.settings import load_settings

app = typer.Typer(help="Datasets: bring one here, prepare it.", no_args_is_help=True)


@app.callback()
def data() -> None:
    """Datasets: bring one here, prepare it."""


@app.command()
def prepare(
    dataset: Annotated[
        str | None,
        typer.Option(
            help="sample, ml-latest-small, ml-1m, ml-25m, ml-32m or synthetic; else the profile's."
        ),
    ] = None,
    source: Annotated[
        Path | None, typer.Option(help="A zip or folder to take it from, instead of GroupLens.")
    ] = None,
) -> None:
    """Write the baseline, the weekly batch files and the movie features of a dataset."""
    from cinematch_dagster.pipeline.preparation.prepare import (
        fetch_dataset,
        prepare_features,
        prepare_ratings,
    )

    settings = load_settings()
    if dataset is not None:
        settings = settings.with_dataset(dataset)
    console = Console()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(settings.data.dataset)
        folder = fetch_dataset(
            settings, source, lambda done, total: bar.update(task, completed=done, total=total)
        )
    with console.status("cleaning and cutting the ratings …"):
        prepared = prepare_ratings(settings)
    with console.status("reducing the genres …"):
        features = prepare_features(settings)
    console.print(f"{settings.data.dataset} in {folder}, prepared in {settings.prepared_dir}:")
    console.print(f"  {len(prepared.baseline):>12,} ratings in the baseline")
    console.print(f"  {sum(len(b.ratings) for b in prepared.batches):>12,} in weekly batches")
    console.print(f"  {len(prepared.rejects):>12,} rejected (see rejects.csv)")
    console.print(f"  {len(features.frame):>12,} movies")
