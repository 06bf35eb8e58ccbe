"""The weekly partitions: a partition key is the ISO date of the week's Monday."""

import datetime
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

import dagster as dg

from cinematch_dagster.batches.weeks import WEEK, week_zero
from cinematch_dagster.defs.dagster_internals import RANGE_END_TAG, RANGE_START_TAG
from cinematch_dagster.defs.definition_settings import FIRST_WEEK, WEEKS

T = TypeVar("T")


def weekly(start: datetime.date, count: int) -> dg.WeeklyPartitionsDefinition:
    """Return so many weeks from a Monday on, those to come included: a batch may be early.

    The Monday itself may be to come.
    """
    ahead = max(start - datetime.datetime.now(datetime.UTC).date(), datetime.timedelta()) // WEEK
    # Dagster's week starts on Sunday unless the offset says otherwise: 1 is Monday. The end offset
    # counts from today; no week is behind the end date, so that it may be larger than need be.
    return dg.WeeklyPartitionsDefinition(
        start_date=start.isoformat(),
        end_date=(start + count * WEEK).isoformat(),
        day_offset=1,
        end_offset=count + ahead + 1,
    )


#: The weeks in which a batch can arrive.
weeks = weekly(FIRST_WEEK, WEEKS)

#: The same weeks and, before them, week zero: the model trained on the baseline alone.
model_weeks = weekly(week_zero(FIRST_WEEK), WEEKS + 1)

#: A model's week depends on the same week's drift report; week zero has none.
drift_of_model_week = dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)

#: A report comes after the one of the week before, so that a range is computed in order.
previous_week = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)


def to_week(partition_key: str) -> datetime.date:
    """Return the Monday that a partition key names."""
    return datetime.date.fromisoformat(partition_key)


def consecutive(found: Sequence[T], week_of: Callable[[T], datetime.date]) -> list[list[T]]:
    """Cut what is in the order of its weeks into unbroken runs of the same or the next week."""
    result = [[found[0]]] if found else []
    for before, after in pairwise(found):
        if week_of(after) - week_of(before) <= WEEK:
            result[-1].append(after)
        else:
            result.append([after])
    return result


def range_tags(first: datetime.date, last: datetime.date) -> dict[str, str]:
    """Return the tags with which one run computes all weeks from the first to the last."""
    return {
        RANGE_START_TAG: first.isoformat(),
        RANGE_END_TAG: last.isoformat(),
    }
