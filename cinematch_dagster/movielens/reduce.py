"""Reduction of a large history to the part that is used."""

from __future__ import annotations

import datetime

import pandas as pd

from cinematch_dagster.movielens.ratings import in_order, renumbered


def reduce(frame: pd.DataFrame, start: datetime.date | None, most_recent: int) -> pd.DataFrame:
    """Keep the latest ratings.

    Args:
        frame: ratings.
        start: first day kept, from 00:00 UTC; None keeps all days.
        most_recent: at most this many of the latest rows by (timestamp, userId, movieId), so
            that ties in time are always cut at the same row.
    """
    if start is not None:
        midnight = datetime.datetime.combine(start, datetime.time(), datetime.UTC)
        frame = frame[frame["timestamp"] >= int(midnight.timestamp())]
    return renumbered(in_order(frame).tail(most_recent))
