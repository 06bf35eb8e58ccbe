"""The command line: `cinematch demo | up | down | status | history | …`; `--help` lists all."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import psycopg
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cinematch_dagster.batches.errors import DataError
from cinematch_dagster.commands import data, drift, production, retrain, tune
from cinematch_dagster.demo.orchestrator import OrchestrationError
from cinematch_dagster.local import platform
from cinematch_dagster.local.databases import NO_TABLES
from cinematch_dagster.local.processes import ProcessError, Service
from cinematch_dagster.local.signals import raise_on_signals
from cinematch_dagster.postgres.connection import DatabaseSetupError
from cinematch_dagster.postgres.dsn import DsnError
from cinematch_dagster.postgres.os_user import EmbeddedPostgresError
from cinematch_dagster.settings import SettingsError, load_settings, variables_of_others
from cinematch_dagster.warehouse.registry.production import RollbackError
from cinematch_dagster.warehouse.schema import SchemaError

KNOWN_ERRORS = (
    SettingsError,
    ProcessError,
    DsnError,
    DatabaseSetupError,
    EmbeddedPostgresError,
    OrchestrationError,
    DataError,
    RollbackError,
    retrain.RetrainingError,
    SchemaError,
    psycopg.OperationalError,
    OSError,
)

app = typer.Typer(
    help="CineMatch: movie recommendations whose retraining loop closes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(drift.app, name="drift")
app.command()(production.history)
app.command()(production.rollback)
app.command()(retrain.retrain)
app.command()(tune.tune)
console = Console()


def _ready(service: Service) -> None:
    console.print(f"  [green]{service.name:<8}[/green] {service.url}")


@app.command()
def up() -> None:
    """Run Dagster, MLflow and the API until Ctrl-C or `cinematch down`."""
    settings = load_settings()
    raise_on_signals()
    starting = console.status("Starting Postgres, MLflow, Dagster and the API …")
    with suppress(KeyboardInterrupt), starting, platform.running(settings, _ready) as check:
        starting.stop()
        with suppress(KeyboardInterrupt):
            console.print("Ctrl-C stops them.")
            while True:
                check()
                time.sleep(1.0)
        console.print("Stopping …")


@app.command()
def down() -> None:
    """Stop what `cinematch up` started."""
    stopped = platform.stop(load_settings())
    console.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


@app.command()
def demo(
    profile: Annotated[
        str, typer.Option(help="Whose weeks: a file in workflow_config/profiles/.")
    ] = "sample",
    source: Annotated[
        Path | None,
        typer.Option(help="A zip or folder of the profile's dataset, instead of GroupLens."),
    ] = None,
) -> None:
    """Run the story of the weeks, on the shipped sample by default, and print the measurements."""
    from cinematch_dagster.demo.run import run_demo

    raise_on_signals()
    run_demo(console, profile, source)


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Say what is running, what lies in the buffer and what is in production."""
    from cinematch_dagster.local.status import platform_status

    found = platform_status(load_settings())
    if as_json:
        typer.echo(json.dumps(found, default=str, indent=2))
        return
    table = Table(show_header=False)
    for finding in found.pop("freshness", []):
        told = finding["text"] if finding["passed"] else f"FAILED: {finding['text']}"
        table.add_row(finding["check"], Text(told))
    for key, value in found.items():
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        table.add_row(key, Text(text))
    console.print(table)


def main() -> None:
    """Run the command line; a known error is one sentence and exit status 1."""
    os.environ.update(variables_of_others())  # MLflow's client reads its user from there
    try:
        app()
    except psycopg.errors.UndefinedTable:
        _end(NO_TABLES)
    except KNOWN_ERRORS as error:
        _end(" ".join(str(error).split()))


def _end(why: str) -> NoReturn:
    typer.secho(f"error: {why}", err=True, fg=typer.colors.RED)
    raise SystemExit(1) from None
