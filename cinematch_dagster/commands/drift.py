"""`cinematch drift`: the drift reports in the terminal."""

import datetime
import json
import math
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cinematch_dagster.batches.weeks import monday_of
from cinematch_dagster.drift import DriftReport, TestResult
from cinematch_dagster.local.databases import running_warehouse
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import load_settings
from cinematch_dagster.warehouse.drift.verdicts import (
    Verdict,
    Verdicts,
    latest_verdicts,
    recorded_report,
)

app = typer.Typer(help="Drift of the ratings, week by week.", no_args_is_help=True)


@app.callback()
def drift() -> None:
    """Drift of the ratings, week by week."""


@app.command()
def report(
    week: Annotated[str, typer.Option(help="A Monday (2024-01-01) or a batch (batch_w1).")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Say what was decided on a week, alone and cumulated, when its report was made last."""
    settings = load_settings()
    monday = monday_of(week, settings.data.first_week)
    with connect(running_warehouse(settings)) as connection:
        verdicts = latest_verdicts(connection, monday, monday).get(monday, {})
    found = recorded_report(verdicts)
    if found is None:
        typer.echo(
            f"Week {monday} has no verdict: materialize drift_report of that week.", err=True
        )
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(as_plain(monday, found, verdicts), indent=2))
    else:
        _show(monday, found, verdicts["cumulative"].decided_at, Console())


def as_plain(week: datetime.date, report: DriftReport, verdicts: Verdicts) -> dict[str, Any]:
    """Return a recorded report, its verdict, reasons, alerts and policy included, for JSON."""
    decided = verdicts["cumulative"]
    return {
        "week": week.isoformat(),
        "verdict": report.level.value,
        "reasons": report.reasons,
        "alerts": [alert.feature_name for alert in report.alerts],
        "decided_at": decided.decided_at.isoformat() if decided.decided_at else None,
        "policy": decided.policy,
        **asdict(report),
        **{view: _plain_view(verdicts[view]) for view in ("per_batch", "cumulative")},
    }


def _plain_view(verdict: Verdict) -> dict[str, Any]:
    """Return a view with its tests as they were written down: what is not known is null."""
    return asdict(verdict.as_view()) | {"tests": verdict.tests or []}


def _show(
    week: datetime.date, report: DriftReport, at: datetime.datetime | None, console: Console
) -> None:
    table = Table("view", "ratings", "test", "change", "threshold", "alert", box=SIMPLE_HEAD)
    for view in (report.cumulative, report.per_batch):
        for test in view.tests:
            alert = "yes" if test.triggered else "no"
            row = (test.feature_name, _change(test), f"{test.threshold:g}", alert)
            table.add_row(view.view, f"{view.n:,}", *row)
    console.print(f"Week {week}: {report.level.value}")
    size = "unknown" if report.baseline_n is None else f"{report.baseline_n:,}"
    reasons = ", ".join(report.reasons) or "nothing near a threshold"
    decided = f"; decided {at.astimezone(datetime.UTC):%Y-%m-%d %H:%M UTC}" if at else ""
    console.print(f"{size} ratings in the baseline; {reasons}{decided}")
    console.print(table)


def _change(test: TestResult) -> str:
    """Write a change with its sign; a score of which the sign is not known without one."""
    return f"{test.score:.4f}" if math.isnan(test.change) else f"{test.change:+.4f}"
