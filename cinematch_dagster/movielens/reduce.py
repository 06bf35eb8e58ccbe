"""Reduction of a large history to the part that is used."""

from __future__ import annotations

import datetime

import pandas as pd

from cinematch_dagster.batches.frame import in_order, renumbered


def reduce(
    frame: pd.DataFrame,
    start: datetime.date | None,
    most_recent: int,
    end: datetime.date | None = None,
) -> pd.DataFrame:
    """Keep the latest ratings of a window of days.

    Args:
        frame: ratings.
        start: first day kept, from 00:00 UTC; None keeps all days before `end`.
        most_recent: at most this many of the latest rows by (timestamp, userId, movieId), so
            that ties in time are always cut at the same row.
        end: last day kept, until 24:00 UTC; None keeps all days after `start`.
    """
    if start is not None:
        frame = frame[frame["timestamp"] >= _midnight(start)]
    if end is not None:
        frame = frame[frame["timestamp"] < _midnight(end + datetime.timedelta(days=1))]
    return renumbered(in_order(frame).tail(most_recent))


def _midnight(day: datetime.date) -> int:
    """Return when a day begins, in unix seconds."""
    return int(datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp())
