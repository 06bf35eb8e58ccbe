"""What a report page is made from, beside the reports themselves."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from cinematch_dagster.drift.evidence import Evidence
from cinematch_dagster.drift.histogram import Histogram
from cinematch_dagster.drift.population import Activity
from cinematch_dagster.drift.verdict import DriftReport


@dataclass(frozen=True)
class WeekReport:
    """A week and its report.

    Attributes:
        week: its Monday.
        batch_id: name of its batch.
        injected: label of drift injected on purpose; None for real ratings.
        report: its drift report.
    """

    week: datetime.date
    batch_id: str
    injected: str | None
    report: DriftReport

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
        evidence: how a view was measured against the baseline in other ways.
    """

    histogram: Histogram
    genres: Mapping[str, int] = field(default_factory=dict)
    activity: Activity | None = None
    evidence: Evidence | None = None


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
