"""What the API shows of the platform, as files: pages of the weeks, and the dashboard's data."""

import datetime
import json
from collections.abc import Sequence

import psycopg

from cinematch_dagster.batches.weeks import WEEK
from cinematch_dagster.drift import Histogram
from cinematch_dagster.drift.evidence import measure
from cinematch_dagster.drift.page import (
    Decided,
    Side,
    WeekReport,
    index_page,
    week_page,
    week_picture,
)
from cinematch_dagster.pipeline.drift.recorded import recorded_weeks
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.drift.histograms import Sides, compared_histograms
from cinematch_dagster.warehouse.drift.population import Audience, genre_counts, population
from cinematch_dagster.warehouse.operations.dashboard import dashboard
from cinematch_dagster.warehouse.operations.week_history import decided_on
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
    folder = settings.reports_dir
    history = recorded_weeks(connection)
    folder.mkdir(parents=True, exist_ok=True)
    shown = [known.week for known in history if min(weeks) - WEEK <= known.week <= max(weeks)]
    audiences = population(connection, shown)
    charts = {}
    for number, known in enumerate(history, start=1):
        if known.week in audiences:
            histograms = compared_histograms(connection, [known.week])[known.week]
            page = _page(connection, history[:number], histograms, audiences[known.week], settings)
            replace_text(folder / known.file_name, page)
            charts[known.week] = week_picture(history[:number], *histograms)
    if history:
        replace_text(folder / INDEX, index_page(history))
    replace_text(folder / DASHBOARD, json.dumps(dashboard(connection)))
    return charts


def _page(
    connection: psycopg.Connection,
    history: Sequence[WeekReport],
    histograms: Sides[Histogram],
    audiences: Sides[Audience],
    settings: Settings,
) -> str:
    week = history[-1].week
    marks = history[-1].secondary or settings.evidence
    genres = genre_counts(connection, week)
    baseline, alone, so_far = [
        Side(
            histogram,
            counted,
            audience,
            measure(histograms.baseline, histogram, marks, (genres.baseline, counted)),
        )
        for histogram, counted, audience in zip(histograms, genres, audiences, strict=True)
    ]
    decided = [Decided(*row) for row in decided_on(connection, week)]
    return week_page(history, baseline, alone, so_far, decided)
