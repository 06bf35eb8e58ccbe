"""What the API shows of the platform, as files: pages of the weeks, and the dashboard's data."""

import contextlib
import datetime
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import psycopg

from cinematch_dagster.drift.page import (
    WEEKS_ON_A_PAGE,
    Decided,
    Side,
    index_page,
    week_page,
    week_picture,
)
from cinematch_dagster.drift.secondary_metrics import measure
from cinematch_dagster.pipeline.drift.recorded import recorded_weeks
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse.drift.audience import genre_counts, population
from cinematch_dagster.warehouse.drift.histograms import compared_histograms
from cinematch_dagster.warehouse.operations.dashboard import dashboard
from cinematch_dagster.warehouse.operations.week_history import decided_on, shown_weeks
from serving.base.files import replace_text

INDEX = "index.html"
DASHBOARD = "dashboard.json"
WRITTEN = "written.json"
"""Of which state the pages are: the fingerprint of each week when its page was written."""
MOST_AT_ONCE = 52
"""Pages that are written in one transaction, so that a reader of many weeks sees them come."""


def write_pages(
    connection: psycopg.Connection, settings: Settings, most: int | None = None
) -> list[datetime.date]:
    """Write the pages of the weeks that changed, the index with them, and the dashboard's data.

    Nothing is written that shows what is written already: it costs as much as has changed. A file
    is replaced at once, so that a reader never sees half of one.

    Args:
        connection: used within its current transaction.
        settings: where pages lie, and the marks of weeks judged before these were recorded.
        most: pages to write, the oldest weeks first; None for all that changed.

    Returns:
        The weeks whose pages were written.
    """
    folder = settings.reports_dir
    changed = dict(list(outdated(connection, folder).items())[:most])
    for week in changed:
        replace_text(_path(folder, week), _page(connection, week, settings))
    if changed:
        written = _written(folder) | {str(week): state for week, state in changed.items()}
        replace_text(folder / INDEX, index_page(recorded_weeks(connection)))
        replace_text(folder / WRITTEN, json.dumps(written))
    _write_dashboard(connection, folder / DASHBOARD)
    return list(changed)


def outdated(connection: psycopg.Connection, folder: Path) -> dict[datetime.date, str]:
    """Return the weeks whose pages show less than is known, with the fingerprint of today.

    Pages that another version of the platform wrote are outdated, too: they may look different.
    """
    written, program = _written(folder), version("cinematch")
    return {
        week: f"{program} {fingerprint}"
        for week, fingerprint in shown_weeks(connection).items()
        if written.get(str(week)) != f"{program} {fingerprint}" or not _path(folder, week).exists()
    }


def pictures(
    connection: psycopg.Connection, weeks: Sequence[datetime.date]
) -> dict[datetime.date, str]:
    """Return the charts of some weeks with a verdict, each as one SVG document."""
    compared = compared_histograms(connection, weeks)
    return {
        week: week_picture(recorded_weeks(connection, week, WEEKS_ON_A_PAGE), *compared[week])
        for week in weeks
    }


def _path(folder: Path, week: datetime.date) -> Path:
    return folder / f"{week}.html"


def _written(folder: Path) -> dict[str, str]:
    """Return the fingerprints of the pages; none where the file is missing or broken."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((folder / WRITTEN).read_text())
        return found if isinstance(found, dict) else {}
    return {}


def _write_dashboard(connection: psycopg.Connection, path: Path) -> None:
    """Write the dashboard's data unless the file says the same already, but for when."""
    now, before = dashboard(connection), None
    with contextlib.suppress(OSError, ValueError):
        before = json.loads(path.read_text())
    if not isinstance(before, dict) or before | {"written_at": now["written_at"]} != now:
        replace_text(path, json.dumps(now))


def _page(connection: psycopg.Connection, week: datetime.date, settings: Settings) -> str:
    history = recorded_weeks(connection, week, WEEKS_ON_A_PAGE)
    histograms = compared_histograms(connection, [week])[week]
    audiences, genres = population(connection, [week])[week], genre_counts(connection, week)
    marks = history[-1].secondary or settings.evidence
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
