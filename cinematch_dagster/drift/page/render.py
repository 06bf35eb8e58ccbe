"""The report pages: one file each, with style and SVG in it, no script and nothing to load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

import jinja2

from cinematch_dagster.drift.histogram import Histogram
from cinematch_dagster.drift.page import words
from cinematch_dagster.drift.page.inputs import Decided, Side, WeekReport
from cinematch_dagster.drift.page.panels import MARKS, panels
from cinematch_dagster.drift.page.performance_panel import answer, performance_panel
from cinematch_dagster.drift.page.tables import (
    activity_rows,
    distributions,
    progressions,
    score_text,
    secondary_rows,
    star_rows,
)
from cinematch_dagster.drift.verdict import Level
from serving.kit import formats
from serving.kit.render import document, environment

WEEKS_ON_A_PAGE = 52
WEEKS_ON_THE_INDEX = 520


def week_page(
    weeks: Sequence[WeekReport],
    baseline: Side,
    per_batch: Side,
    cumulative: Side,
    decisions: Sequence[Decided] = (),
) -> str:
    """Write the page of the last of some weeks.

    Args:
        weeks: in order, up to and including the one that the page is about; the progression shows
            the last `WEEKS_ON_A_PAGE`.
        baseline: what was compared with.
        per_batch: the week alone.
        cumulative: all weeks since the last promotion.
        decisions: what followed from the report.
    """
    shown = weeks[-WEEKS_ON_A_PAGE:]
    sides = (per_batch, cumulative, baseline)
    views = panels(weeks[-1].report, baseline, per_batch, cumulative, weeks[-1].policy)
    return (
        _environment()
        .get_template("week.html")
        .render(
            current=weeks[-1],
            previous=weeks[-2] if len(weeks) > 1 else None,
            weeks=shown,
            panels=views,
            secondary=secondary_rows(views),
            activity=activity_rows(sides),
            stars=star_rows(sides),
            answer=answer(weeks[-1].performance),
            performance=performance_panel(shown),
            progressions=progressions(shown),
            decisions=decisions,
        )
    )


def week_picture(
    weeks: Sequence[WeekReport],
    baseline: Histogram,
    per_batch: Histogram,
    cumulative: Histogram,
) -> str:
    """Draw the charts of the last of some weeks as one SVG document: shares by stars, and scores.

    The arguments are those of `week_page`.
    """
    scores = [
        (f"{name} over the weeks, threshold {formats.percent(threshold, 0)}", chart)
        for name, threshold, chart in progressions(weeks[-WEEKS_ON_A_PAGE:])
    ]
    stars = ("Shares of the ratings by stars", distributions(baseline, per_batch, cumulative))
    title = f"Drift in the week of {formats.day(weeks[-1].week)}"
    return document(title, [stars, *scores], key=True)


def index_page(weeks: Sequence[WeekReport]) -> str:
    """Write the index over some weeks, in order and at least one.

    It counts all of them, and shows the last `WEEKS_ON_THE_INDEX`.
    """
    counted = Counter(each.report.level for each in weeks)
    shown = weeks[-WEEKS_ON_THE_INDEX:]
    return (
        _environment()
        .get_template("index.html")
        .render(
            weeks=shown,
            total=len(weeks),
            levels=[(level, counted[level]) for level in reversed(Level) if counted[level]],
            progressions=progressions(shown),
        )
    )


@cache
def _environment() -> jinja2.Environment:
    found = environment("cinematch_dagster.drift.page")
    found.globals |= {
        "score_text": score_text,
        "MARKS": MARKS,
        "TESTS": words.TESTS,
        "MEANINGS": words.MEANINGS,
    }
    return found
