"""`cinematch drift`: the drift reports in the terminal."""

import datetime
import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cinematch_dagster.batches.weeks import monday_of
from cinematch_dagster.drift import DriftReport
from cinematch_dagster.local.databases import running_warehouse
from cinematch_dagster.pipeline.drift.report import week_report
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings

app = typer.Typer(help="Drift of the ratings, week by week.", no_args_is_help=True)


@app.callback()
def drift() -> None:
    """Drift of the ratings, week by week."""


@app.command()
def report(
    week: Annotated[str, typer.Option(help="A Monday (2024-01-01) or a batch (batch_w1).")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Compare a week, alone and cumulated, with what the model before it was trained on."""
    settings = load_settings()
    monday = monday_of(week, settings.data.first_week)
    with connect(running_warehouse(settings)) as connection:
        found = week_report(connection, monday, settings.drift)
    if as_json:
        typer.echo(json.dumps(as_plain(monday, found), indent=2))
    else:
        _show(monday, found, Console())


def as_plain(week: datetime.date, report: DriftReport) -> dict[str, Any]:
    """Return a report, its verdict, reasons and alerts included, ready for JSON."""
    return {
        "week": week.isoformat(),
        "verdict": report.level.value,
        "reasons": report.reasons,
        "alerts": [alert.feature_name for alert in report.alerts],
        **asdict(report),
    }


def _show(week: datetime.date, report: DriftReport, console: Console) -> None:
    table = Table("view", "ratings", "test", "change", "threshold", "alert", box=SIMPLE_HEAD)
    for view in (report.cumulative, report.per_batch):
        for test in view.tests:
            alert = "yes" if test.triggered else "no"
            row = (test.feature_name, f"{test.change:+.4f}", f"{test.threshold:g}", alert)
            table.add_row(view.view, f"{view.n:,}", *row)
    console.print(f"Week {week}: {report.level.value}")
    reasons = ", ".join(report.reasons) or "nothing near a threshold"
    console.print(f"{report.baseline_n:,} ratings in the baseline; {reasons}")
    console.print(table)
