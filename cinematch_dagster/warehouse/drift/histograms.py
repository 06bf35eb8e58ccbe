"""What a week is compared with, from counts of the ten possible ratings.

A histogram is an int64 array of shape (10,): how many ratings have 0.5, 1.0, ... 5.0 stars. All
of them are functions of history, so that any week can be computed again at any time.
"""

import datetime
from collections.abc import Mapping
from typing import Any

import numpy as np
import psycopg

from cinematch_dagster.drift import Histogram
from cinematch_dagster.warehouse.statements import query, scalar
from serving.base.scale import STARS, half_stars


def since(connection: psycopg.Connection, week: datetime.date) -> datetime.date | None:
    """Return the last week before this one whose model was promoted; None before the first."""
    last: datetime.date | None = scalar(
        connection, b"SELECT max(week) FROM promotions WHERE promoted AND week < %s", [week]
    )
    return last


def baseline_histogram(connection: psycopg.Connection, week: datetime.date) -> Histogram:
    """Count what the model before this week was trained on: train and the batches merged by then.

    Of each batch up to `since(week)` that a promotion up to then with the policy 'merge' moved into
    `ratings`, the part that became 'train'. A batch that arrived later than that joins with the
    promotion that merged it.
    """
    last = since(connection, week)
    return _histogram(connection, "drift/histogram_baseline", {"since": last})


def batch_histogram(connection: psycopg.Connection, week: datetime.date) -> Histogram:
    """Count all ratings of one week's batch, the held-out ones included."""
    day = datetime.timedelta(days=1)
    return _histogram(connection, "drift/histogram_batches", {"after": week - day, "through": week})


def cumulative_histogram(connection: psycopg.Connection, week: datetime.date) -> Histogram:
    """Count all ratings of the batches after `since(week)` up to this week."""
    after = since(connection, week)
    return _histogram(connection, "drift/histogram_batches", {"after": after, "through": week})


def loaded_weeks(connection: psycopg.Connection) -> list[datetime.date]:
    """Return the weeks whose batch was loaded, merged ones included, in order."""
    found = connection.execute(
        "SELECT DISTINCT week FROM ingestion_metadata"
        " WHERE status = 'completed' AND batch_id <> 'baseline' ORDER BY week"
    )
    return [row[0] for row in found]


def _histogram(
    connection: psycopg.Connection, name: str, parameters: Mapping[str, Any]
) -> Histogram:
    counts = np.zeros(len(STARS), np.int64)
    for rating, n in connection.execute(query(name), parameters):
        counts[half_stars(rating) - 1] = n
    return counts
