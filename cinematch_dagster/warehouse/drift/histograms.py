"""What weeks are compared with, from counts of the ten possible ratings.

A histogram is an int64 array of shape (10,): how many ratings have 0.5, 1.0, ... 5.0 stars. All
of them are functions of history, so that any week can be computed again at any time. The rule is
the SQL function `compared_loads`: the baseline is the initial train rows and, of each batch up to
the last promotion before the week that a promotion up to then merged, the part that became 'train'.
"""

import datetime
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import psycopg

from cinematch_dagster.drift import Histogram
from cinematch_dagster.warehouse.statements import query
from serving.base.scale import STARS, half_stars

T = TypeVar("T")


class Sides(NamedTuple, Generic[T]):
    """What is known of the three sides of a week's comparison.

    The baseline is what the model before this week was trained on; `per_batch` is the week's
    batch, `cumulative` every batch since the last promotion, both with their held-out rows.
    """

    baseline: T
    per_batch: T
    cumulative: T


def compared_histograms(
    connection: psycopg.Connection, weeks: Sequence[datetime.date]
) -> dict[datetime.date, Sides[Histogram]]:
    """Count the ratings on each side of the comparison of some weeks, in one query."""
    found = {
        week: Sides(*(np.zeros(len(STARS), np.int64) for _ in Sides._fields)) for week in weeks
    }
    counted = connection.execute(query("drift/histograms_compared"), {"weeks": list(weeks)})
    for week, side, rating, n in counted:
        getattr(found[week], side)[half_stars(rating) - 1] = n
    return found


def loaded_weeks(connection: psycopg.Connection) -> list[datetime.date]:
    """Return the weeks whose batch was loaded, merged ones included, in order."""
    found = connection.execute(
        "SELECT DISTINCT week FROM ingestion_metadata"
        " WHERE status = 'completed' AND batch_id <> 'baseline' ORDER BY week"
    )
    return [row[0] for row in found]
