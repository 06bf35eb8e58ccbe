"""The platform's figures for Prometheus: what its last weekly report says, as the dashboard has it.

Read when Prometheus asks, from the file that the platform writes beside its reports: whichever
worker is asked, the figures are the same, and they need no database.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from serving.platform.snapshot import Row, Snapshot, SnapshotError

logger = logging.getLogger(__name__)


class PlatformFigures(Collector):
    """Gauges of the newest week's drift tests, the ratings and the file's age; none without it.

    Args:
        folder: of the reports.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the file."""
        try:
            found = Snapshot.read(self.folder)
        except SnapshotError as error:
            logger.warning("%s", error)
            return
        if found is None:
            return
        yield _gauge(
            "cinematch_dashboard_written_timestamp_seconds",
            "When the platform wrote its figures (unix time).",
            found.written_at.timestamp(),
        )
        yield _gauge(
            "cinematch_platform_ratings",
            "Ratings that the platform has.",
            found.overview["ratings"],
        )
        yield from _drift(found.tables["drift"])


def _drift(rows: Sequence[Row]) -> Iterator[GaugeMetricFamily]:
    """Give what the newest week's tests say."""
    if not rows:
        return
    newest = max(str(row["week"]) for row in rows)
    tests = [row for row in rows if row["week"] == newest]
    labels = ("view", "test")
    scores = GaugeMetricFamily("cinematch_drift_score", "Of the newest week.", labels=labels)
    limits = GaugeMetricFamily("cinematch_drift_threshold", "It alerts beyond.", labels=labels)
    alerts = GaugeMetricFamily("cinematch_drift_alert", "1 if it alerts.", labels=labels)
    for row in tests:
        names = (row["view"], row["test"])
        scores.add_metric(names, row["score"])
        limits.add_metric(names, row["threshold"])
        alerts.add_metric(names, float(row["alert"]))
    monday = datetime.datetime.fromisoformat(newest).replace(tzinfo=datetime.UTC)
    yield _gauge(
        "cinematch_drift_week_timestamp_seconds",
        "The Monday of the newest week that was tested (unix time).",
        monday.timestamp(),
    )
    yield from (scores, limits, alerts)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)
