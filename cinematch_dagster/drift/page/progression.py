"""Scores over the weeks, with the threshold and the mark where early signals start."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cinematch_dagster.drift.page.inputs import WeekReport
from cinematch_dagster.drift.verdict import DriftPolicy
from serving.kit import charts
from serving.kit.charts import Series


def progression(
    weeks: Sequence[WeekReport],
    series: Sequence[Series],
    threshold: float,
    policy: DriftPolicy,
    title: str,
) -> Markup:
    """Draw scores (one a week, None where there is none); weeks of injected drift are shaded."""
    return charts.lines(
        charts.week_labels([each.week for each in weeks]),
        series,
        title,
        axis="week",
        levels={
            "early-line": policy.early_threshold(threshold),
            "threshold-line": threshold,
        },
        marked=[each.injected is not None for each in weeks],
        note="shaded: injected drift",
    )
