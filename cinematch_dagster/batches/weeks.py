"""Batch N is `batch_wN` is the Monday first_week + 7 (N - 1) days; N is 1 … 9999.

A week may have a second batch, `live_wN`: what users rated through the API.
"""

from __future__ import annotations

import datetime
import re

from cinematch_dagster.batches.errors import BadWeekError

WEEK = datetime.timedelta(weeks=1)
_BATCH_ID = re.compile(r"(batch|live)_w([1-9][0-9]{0,3})")


def batch_id(week: datetime.date, first_week: datetime.date) -> str:
    """Return the batch id of a week.

    Raises:
        BadWeekError: the week is before the first, or not a whole number of weeks after it.
    """
    since_first, rest = divmod(week - first_week, WEEK)
    if since_first < 0 or rest:
        raise BadWeekError(f"week {week}: expected {first_week} or whole weeks after it")
    return f"batch_w{since_first + 1}"


def live_id(week: datetime.date, first_week: datetime.date) -> str:
    """Return the id of the batch of a week's live ratings.

    Raises:
        BadWeekError: as `batch_id` does.
    """
    return batch_id(week, first_week).replace("batch", "live")


def is_batch_id(name: str) -> bool:
    """Whether a name is `batch_wN` or `live_wN`."""
    return _BATCH_ID.fullmatch(name) is not None


def is_live(name: str) -> bool:
    """Whether a batch is one of live ratings."""
    return name.startswith("live_")


def week_of(batch_id: str, first_week: datetime.date) -> datetime.date:
    """Return the week of a batch.

    Raises:
        BadWeekError: the id is neither `batch_wN` nor `live_wN`.
    """
    match = _BATCH_ID.fullmatch(batch_id)
    if match is None:
        raise BadWeekError(
            f"batch id {batch_id!r}: expected batch_wN with N from 1 to 9999, or live_wN"
        )
    return first_week + (int(match[2]) - 1) * WEEK


def week_zero(first_week: datetime.date) -> datetime.date:
    """Return the week that stands for the baseline, before any batch."""
    return first_week - WEEK


def monday_of(text: str, first_week: datetime.date) -> datetime.date:
    """Return the week that a text names: a Monday (2024-01-01) or a batch (batch_w1, live_w1)."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return week_of(text, first_week)
