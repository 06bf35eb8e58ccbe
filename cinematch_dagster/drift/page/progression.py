"""Scores over the weeks, with the thresholds and the marks where early signals start."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cinematch_dagster.drift.page.inputs import WeekReport
from serving.kit import charts
from serving.kit.charts import Series


def progression(
    weeks: Sequence[WeekReport],
    series: Sequence[Series],
    threshold: Sequence[float | None],
    early: Sequence[float | None],
    title: str,
) -> Markup:
    """Draw scores over the weeks; weeks of injected drift are shaded.

    Args:
        weeks: in order, at least one.
        series: scores, one a week, None where there is none.
        threshold: of the scores, one a week, as it was when the week was judged.
        early: score from which there was an early signal, likewise.
        title: what is read out in place of the picture.
    """
    return charts.lines(
        charts.week_labels([each.week for each in weeks]),
        series,
        title,
        axis="week",
        levels={"early-line": early, "threshold-line": threshold},
        marked=[each.injected is not None for each in weeks],
        note="shaded: injected drift",
    )
