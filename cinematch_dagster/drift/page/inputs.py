"""What a report page is made from, beside the reports themselves."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from cinematch_dagster.drift.activity import Activity
from cinematch_dagster.drift.histogram import Histogram
from cinematch_dagster.drift.performance import WeekPerformance
from cinematch_dagster.drift.secondary_metrics import SecondaryMetrics, SecondaryThresholds
from cinematch_dagster.drift.verdict import DriftPolicy, DriftReport

SLICES: Mapping[str, str] = {
    "warm_user": "Known users",
    "new_user": "New users",
    "new_movie": "New movies",
}
"""Key of a slice to its name."""


@dataclass(frozen=True)
class WeekReport:
    """A week and its report.

    Attributes:
        week: its Monday.
        batch_id: name of its batch.
        injected: label of drift injected on purpose; None for real ratings.
        report: its drift report, as it was decided.
        performance: how it was predicted; None if no model was in production yet.
        policy: under which the report was decided; None where that is not known.
        secondary: the marks of the secondary metrics on that day; None likewise.
    """

    week: datetime.date
    batch_id: str
    injected: str | None
    report: DriftReport
    performance: WeekPerformance | None = None
    policy: DriftPolicy | None = None
    secondary: SecondaryThresholds | None = None

    @property
    def file_name(self) -> str:
        """The name that the index and the week after it link to."""
        return f"{self.week.isoformat()}.html"


@dataclass(frozen=True)
class Side:
    """What is known of one side of the comparison: the baseline, or a view.

    Attributes:
        histogram: of its ratings.
        genres: its ratings by genre; a rating counts in each genre of its movie.
        activity: of its users.
        secondary: how a view was measured against the baseline in other ways.
    """

    histogram: Histogram
    genres: Mapping[str, int] = field(default_factory=dict)
    activity: Activity | None = None
    secondary: SecondaryMetrics | None = None


@dataclass(frozen=True)
class Decided:
    """Something that was decided after a look at the report.

    Attributes:
        at: when.
        what: a headline, such as "Retraining triggered" or "Version 2 promoted".
        reason: one readable sentence.
    """

    at: datetime.datetime
    what: str
    reason: str
