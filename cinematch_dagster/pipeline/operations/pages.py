"""What the API shows of the platform, as files: pages of the weeks, and the dashboard's data."""

import datetime
import json
from collections.abc import Sequence

import psycopg

from cinematch_dagster.batches.weeks import WEEK
from cinematch_dagster.drift import DriftPolicy, Errors, Histogram, judge_errors
from cinematch_dagster.drift.evidence import measure
from cinematch_dagster.drift.page import (
    SLICES,
    Decided,
    Performance,
    Side,
    Slice,
    WeekReport,
    index_page,
    week_page,
    week_picture,
)
from cinematch_dagster.pipeline.drift.report import week_report
from cinematch_dagster.pipeline.operations.dashboard import snapshot
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.drift.histograms import (
    baseline_histogram,
    batch_histogram,
    cumulative_histogram,
)
from cinematch_dagster.warehouse.drift.performance import Measured, recorded_performance
from cinematch_dagster.warehouse.drift.population import Audience, Sides, genre_counts, population
from cinematch_dagster.warehouse.operations.week_history import decided_on, loaded_batches
from serving.base.files import replace_text

INDEX = "index.html"
DASHBOARD = "dashboard.json"


def write_pages(
    connection: psycopg.Connection, weeks: Sequence[datetime.date], settings: Settings
) -> dict[datetime.date, str]:
    """Write the pages of some weeks and of the one before, the index, and the dashboard's data.

    The week before gets its page again because meanwhile something was decided on it. A page is
    replaced at once, so that a reader never sees half of one.

    Returns:
        The charts of each page's week, as one SVG document.
    """
    policy, folder = settings.drift, settings.reports_dir
    history = report_history(connection, policy)
    folder.mkdir(parents=True, exist_ok=True)
    shown = [known.week for known in history if min(weeks) - WEEK <= known.week <= max(weeks)]
    audiences = population(connection, shown)
    charts = {}
    for number, known in enumerate(history, start=1):
        if known.week in audiences:
            histograms = _histograms(connection, known.week)
            page = _page(connection, history[:number], histograms, audiences[known.week], settings)
            replace_text(folder / known.file_name, page)
            charts[known.week] = week_picture(history[:number], *histograms, policy)
    if history:
        replace_text(folder / INDEX, index_page(history, policy))
    replace_text(folder / DASHBOARD, json.dumps(snapshot(connection, history)))
    return charts


def report_history(connection: psycopg.Connection, policy: DriftPolicy) -> list[WeekReport]:
    """Return the report of every loaded week, in order, with how it was predicted."""
    measured = recorded_performance(connection)
    return [
        WeekReport(
            batch.week,
            batch.batch_id,
            batch.injected,
            week_report(connection, batch.week, policy),
            judged(measured[batch.week], policy) if batch.week in measured else None,
        )
        for batch in loaded_batches(connection)
    ]


def judged(measured: Measured, policy: DriftPolicy) -> Performance:
    """Judge what was measured on a week; nothing is predicted again."""
    scores = measured.scores
    own, overall = Errors(**scores["own"]), Slice(**scores["overall"])
    return Performance(
        version=measured.version,
        own=own,
        overall=overall,
        slices={name: Slice(**scores[name]) for name in SLICES if scores[name]},
        verdict=judge_errors(Errors(overall.rmse, overall.mae), own, overall.rows, policy),
    )


def _histograms(
    connection: psycopg.Connection, week: datetime.date
) -> tuple[Histogram, Histogram, Histogram]:
    """Return the baseline, the week alone, and all weeks since the last promotion."""
    return (
        baseline_histogram(connection, week),
        batch_histogram(connection, week),
        cumulative_histogram(connection, week),
    )


def _page(
    connection: psycopg.Connection,
    history: Sequence[WeekReport],
    histograms: tuple[Histogram, Histogram, Histogram],
    audiences: Sides[Audience],
    settings: Settings,
) -> str:
    week = history[-1].week
    genres = genre_counts(connection, week)
    baseline, alone, so_far = [
        Side(
            histogram,
            counted,
            audience,
            measure(histograms[0], histogram, settings.evidence, (genres.baseline, counted)),
        )
        for histogram, counted, audience in zip(histograms, genres, audiences, strict=True)
    ]
    decided = [Decided(*row) for row in decided_on(connection, week)]
    return week_page(history, baseline, alone, so_far, settings.drift, decided)
