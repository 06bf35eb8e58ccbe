"""`cinematch history` and `cinematch rollback`: what served when, and the way back."""

import datetime
import getpass
import json
import os
from dataclasses import asdict
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cinematch_dagster.local.databases import running_warehouse
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.registry.production import Period, periods

DAY = datetime.timedelta(days=1)
COLUMNS = ("version", "week", "since", "until", "by", "why")


def history(
    at: Annotated[
        str | None,
        typer.Option(help="A day (2024-02-05) or a moment (2024-02-05T12:00), in UTC."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Say what was in production, when and why."""
    first, last = _asked(at) if at else (None, None)
    with connect(running_warehouse(load_settings())) as connection:
        found = periods(connection, first, last)
    if as_json:
        typer.echo(json.dumps([asdict(p) for p in found], default=_text, indent=2))
    elif found:
        _show(found, Console())
    else:
        typer.echo("Nothing was in production.")


def rollback(
    to: Annotated[
        str | None,
        typer.Option(help="A version that served; without it, the one that the present replaced."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept with the rollback.")] = "no reason given",
) -> None:
    """Take production back to a version that served before; the API follows by itself."""
    from cinematch_dagster.pipeline.registry.rollback import roll_back

    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # a person waits
    settings = load_settings()
    done = roll_back(running_warehouse(settings), settings, to, why=reason, who=getpass.getuser())
    typer.echo(f"{done.reason}. Version {done.version}, of week {done.week}, is in production.")


def _asked(text: str) -> tuple[datetime.datetime, datetime.datetime]:
    """Return the first and the last moment of a day, or the same moment twice.

    Raises:
        typer.BadParameter: neither.
    """
    try:
        first = datetime.datetime.fromisoformat(text)
        first = first if first.tzinfo else first.replace(tzinfo=datetime.UTC)
        return first, first + _length(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} (expected a day such as 2024-02-05 or a moment such as 2024-02-05T12:00)",
            param_hint="--at",
        ) from None


def _length(text: str) -> datetime.timedelta:
    """Return how long a day lasts up to its last moment, or no time at all for a moment."""
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return datetime.timedelta()
    return DAY - datetime.timedelta.resolution


def _show(found: list[Period], console: Console) -> None:
    table = Table(*COLUMNS, box=SIMPLE_HEAD)
    for period in found:
        until = _text(period.until) if period.until else "now"
        by = period.rolled_back_by or "the gate"
        row = (period.version, _text(period.week), _text(period.since), until, by, period.reason)
        table.add_row(*map(Text, row))
    console.print(table)


def _text(moment: datetime.date) -> str:
    if isinstance(moment, datetime.datetime):
        return moment.astimezone(datetime.UTC).isoformat(timespec="seconds")
    return moment.isoformat()
