"""The command line: `cinematch demo | up | down | status`."""

import json
import signal
import threading
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cinematch_dagster.local import platform
from cinematch_dagster.local.processes import ProcessError, Service
from cinematch_dagster.settings import SettingsError, load_settings

app = typer.Typer(
    help="CineMatch: movie recommendations whose retraining loop closes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()


def _ready(service: Service) -> None:
    console.print(f"  [green]{service.name:<8}[/green] {service.url}")


@app.command()
def up() -> None:
    """Run Dagster, MLflow and the API until Ctrl-C or `cinematch down`."""
    settings = load_settings()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    starting = console.status("Starting Postgres, MLflow, Dagster and the API …")
    with starting, platform.running(settings, _ready):
        starting.stop()
        console.print("Ctrl-C stops them.")
        while not stopped.wait(1.0) and platform.is_running(settings):
            pass


@app.command()
def down() -> None:
    """Stop what `cinematch up` started."""
    stopped = platform.stop(load_settings())
    console.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


@app.command()
def demo() -> None:
    """Run the story of the weeks on the shipped sample and print what was measured."""
    from cinematch_dagster.demo.run import run_demo

    run_demo(console)


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
    for key, value in found.items():
        table.add_row(key, value if isinstance(value, str) else json.dumps(value, default=str))
    console.print(table)


def main() -> None:
    """Run the command line; a known error is one sentence and exit status 1."""
    try:
        app()
    except (SettingsError, ProcessError) as error:
        Console(stderr=True).print(f"[red]error:[/red] {error}")
        raise SystemExit(1) from None
