"""The dashboard: what the platform's snapshot says, in three parts, and each table as CSV."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from serving.http.schemas.operations import ServedModel
from serving.kit import charts
from serving.kit.charts import Series
from serving.kit.formats import number, percent
from serving.pages.render import page
from serving.platform.snapshot import COLUMNS, Row, Snapshot, SnapshotError, by_week

SHOWN = 12
"""Rows of a table on the page; the CSV has all."""
WEEKS = 52
"""Weeks in a chart."""
TESTS = {
    "rating_distribution_ks": "Kolmogorov-Smirnov distance",
    "rating_mean": "Change of the mean",
    "rating_std": "Change of the standard deviation",
}
PERFORMANCE = {
    "performance_rmse": "Predictions worse by RMSE",
    "performance_mae": "Predictions worse by MAE",
}
NAMES = TESTS | PERFORMANCE
VIEWS = {
    "cumulative": ("total", "all weeks since the last promotion"),
    "per_batch": ("alone", "the week alone"),
}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Figure:
    """A chart with its words.

    Attributes:
        title: what it shows.
        description: what it says, in a sentence.
        picture: SVG.
        key: style and meaning of each thing in it that needs a word.
    """

    title: str
    description: str
    picture: Markup
    key: Sequence[tuple[str, str]] = ()


@router.get("/dashboard")
async def dashboard(request: Request) -> HTMLResponse:
    """Overview, drift monitoring, pipeline status."""
    served = request.app.state.loader.served
    problem, found = None, None
    try:
        found = Snapshot.read(request.app.state.settings.reports_dir)
    except SnapshotError as error:
        problem = str(error)
    return page(
        "dashboard.html",
        model=ServedModel.of(served) if served else None,
        problem=problem,
        snapshot=found,
        shown=SHOWN,
        **(views(found) if found else {}),
    )


@router.get("/dashboard/{table}.csv")
async def table(request: Request, table: str) -> Response:
    """All rows of one table."""
    if table not in COLUMNS:
        raise HTTPException(404, f"no table {table}: one of {', '.join(COLUMNS)} was expected")
    try:
        found = Snapshot.read(request.app.state.settings.reports_dir)
    except SnapshotError as error:
        raise HTTPException(503, str(error)) from error
    if found is None:
        raise HTTPException(404, "the platform has not written anything yet")
    headers = {
        "Content-Disposition": f'attachment; filename="cinematch-{table}.csv"',
        "Cache-Control": "no-cache",
    }
    return Response(found.csv(table), media_type="text/csv", headers=headers)


def views(snapshot: Snapshot) -> dict[str, Any]:
    """Return what the template shows of a snapshot beside its tables."""
    tables = snapshot.tables
    production = next((row for row in tables["promotions"] if row["promoted"]), None)
    latest = tables["drift"][0]["week"] if tables["drift"] else None
    alerts = [row for row in tables["drift"] if row["week"] == latest and row["alert"]]
    return {
        "production": production,
        "trained": _of_version(tables["models"], production),
        "latest": latest,
        "alerts": [NAMES.get(row["test"], row["test"]) for row in alerts],
        "volume": volume(tables["batches"]),
        "stars": stars(tables["stars"]),
        "errors": errors(tables["performance"]),
        "drift": [figure for test in TESTS if (figure := scores(tables, test))],
        "tests": NAMES,
    }


def _of_version(models: Sequence[Row], production: Row | None) -> Row | None:
    if production is None:
        return None
    return next((row for row in models if row["version"] == production["version"]), None)


def volume(batches: Sequence[Row]) -> Figure | None:
    """Draw the ratings of each loaded week."""
    rows = list(by_week(batches, status="completed").values())[-WEEKS:]
    rows = [row for row in rows if row["batch_id"] != "baseline"]
    if not rows:
        return None
    title, marked = "Ratings by week", [row["injected"] is not None for row in rows]
    return Figure(
        title,
        f"{number(rows[-1]['ratings'])} ratings in the week of {rows[-1]['week']}.",
        charts.columns(
            charts.few(_labels(row["week"] for row in rows)),
            [Series("total", [row["ratings"] for row in rows])],
            title,
            percent=False,
            marked=marked,
        ),
        _injected(marked),
    )


def _labels(weeks: Iterable[str]) -> list[str]:
    return charts.week_labels([datetime.date.fromisoformat(week) for week in weeks])


def _injected(marked: Sequence[bool]) -> list[tuple[str, str]]:
    return [("marked", "drift injected on purpose")] if any(marked) else []


def stars(rows: Sequence[Row]) -> Figure | None:
    """Draw how many ratings have how many stars, as shares."""
    total = sum(row["ratings"] for row in rows)
    if not total:
        return None
    title, most = "Ratings by stars", max(rows, key=lambda row: row["ratings"])
    return Figure(
        title,
        f"Most often given: {most['stars']:g} stars, by {percent(most['ratings'] / total, 0)}.",
        charts.columns(
            [f"{row['stars']:g}" for row in rows],
            [Series("total", [row["ratings"] / total for row in rows])],
            title,
        ),
    )


def errors(performance: Sequence[Row]) -> Figure | None:
    """Draw how well each week was predicted before anything was trained on it."""
    rows = list(by_week(performance).values())[-WEEKS:]
    if not rows:
        return None
    title = "Error of predictions by week (RMSE, in stars)"
    return Figure(
        title,
        f"{number(rows[-1]['rmse'], 3)} in the week of {rows[-1]['week']}, predicted by version "
        f"{rows[-1]['version']}.",
        charts.lines(
            _labels(row["week"] for row in rows),
            [
                Series("total", [row["rmse"] for row in rows]),
                Series("alone", [row["own_rmse"] for row in rows]),
            ],
            title,
            percent=False,
        ),
        [("total", "the week"), ("alone", "the version's own test")],
    )


def scores(tables: Any, test: str) -> Figure | None:
    """Draw a test's scores over the weeks, with its threshold."""
    found = {view: by_week(tables["drift"], test=test, view=view) for view in VIEWS}
    weeks = sorted(set[str]().union(*found.values()))[-WEEKS:]
    if not weeks:
        return None
    injected = {row["week"] for row in tables["batches"] if row["injected"] is not None}
    marked = [week in injected for week in weeks]
    last = found["cumulative"].get(weeks[-1]) or found["per_batch"][weeks[-1]]
    side = "above" if last["score"] > last["threshold"] else "not above"
    return Figure(
        TESTS[test],
        f"{percent(last['score'], 1)} in the week of {weeks[-1]}, {side} the threshold of "
        f"{percent(last['threshold'], 0)}.",
        charts.lines(
            _labels(weeks),
            [
                Series(style, [_score(found[view].get(week)) for week in weeks])
                for view, (style, _) in VIEWS.items()
            ],
            TESTS[test],
            levels={"threshold-line": last["threshold"]},
            marked=marked,
        ),
        [*VIEWS.values(), ("threshold-line", "threshold"), *_injected(marked)],
    )


def _score(row: Row | None) -> float | None:
    return None if row is None else abs(row["score"])
