"""Figures for Prometheus, the same from whichever worker is asked.

With the variable `PROMETHEUS_MULTIPROC_DIR` set before this module is imported (as
`python -m serving` does), workers count in files of that folder and an answer adds them up.
Counting changes no answer: what prevents it is logged.
"""

from __future__ import annotations

import datetime
import logging
import os
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.registry import Collector

from serving.telemetry import count_files
from serving.telemetry.run_folder import FOLDER

count_files.install()

KINDS = ("counter", "histogram", "gauge_liveall", "gauge_livemin")
"""Of the figures below, as the library names their files."""
CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

REQUESTS = Counter("cinematch_requests", "Requests answered.", ["method", "route", "status"])
LATENCY = Histogram(
    "cinematch_request_seconds", "From request to answer.", ["route"], buckets=SECONDS
)
ANSWERS = Counter(
    "cinematch_recommendations", "Recommendations by strategy, which may be a fallback.",
    ["strategy", "fallback", "arm"],
)  # fmt: skip
RELOADS = Counter("cinematch_reloads", "Attempts to load a model.", ["alias", "result"])
VERSION = Gauge(
    "cinematch_model_version",
    "Version in a worker.",
    ["alias"],
    multiprocess_mode="liveall",
)
TRAINED = Gauge(
    "cinematch_model_trained_timestamp_seconds", "When the model was trained (unix time).",
    ["alias"], multiprocess_mode="livemin",
)  # fmt: skip
RATINGS = Counter("cinematch_ratings", "Ratings stored, changed or taken back.", ["kind"])


logger = logging.getLogger(__name__)


def take_space() -> None:
    """Take the space for this worker's figures before a request needs it."""
    if folder := os.environ.get(FOLDER):
        count_files.reserve(Path(folder), KINDS)


def page(others: Collector) -> bytes:
    """Return all figures as Prometheus reads them, and those of another collector.

    If the files of this worker have been removed, only its own figures are returned.
    """
    more = CollectorRegistry()
    more.register(others)
    folder = os.environ.get(FOLDER)
    if folder is not None and Path(folder, f"counter_{os.getpid()}.db").exists():
        count_files.forget_the_dead(Path(folder))
        count_files.WholeFiles(more, folder)  # type: ignore[no-untyped-call]  # the library
        return generate_latest(more)
    if folder is not None:
        logger.warning("%s has lost its files: the figures are of one worker", folder)
    return generate_latest(REGISTRY) + generate_latest(more)


def count(counter: Counter, *labels: str) -> None:
    """Count one."""
    try:
        counter.labels(*labels).inc()
    except Exception:
        logger.exception("%s is not counted", counter)


class Observer:
    """Count requests; children are looked up once."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, int], Counter] = {}
        self._latencies: dict[str, Histogram] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        try:
            self._count(method, route, status, seconds)
        except Exception:
            logger.exception("a request is not counted")

    def _count(self, method: str, route: str, status: int, seconds: float) -> None:
        key = (method, route, status)
        counter = self._requests.get(key)
        if counter is None:
            counter = self._requests[key] = REQUESTS.labels(method, route, str(status))
        counter.inc()
        latency = self._latencies.get(route)
        if latency is None:
            latency = self._latencies[route] = LATENCY.labels(route)
        latency.observe(seconds)


def model_loaded(alias: str, version: str, trained_at: str) -> None:
    """Tell which model this worker serves now."""
    RELOADS.labels(alias, "loaded").inc()
    VERSION.labels(alias).set(float(version))
    TRAINED.labels(alias).set(datetime.datetime.fromisoformat(trained_at).timestamp())


def model_refused(alias: str) -> None:
    """Count a model that could not be loaded."""
    RELOADS.labels(alias, "failed").inc()
