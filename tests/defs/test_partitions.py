import datetime

import pytest

from cinematch_dagster.defs.partitions import consecutive, weekly

FIRST = datetime.date(2024, 1, 1)


def test_weeks_are_cut_into_stretches_where_one_is_missing() -> None:
    found = [FIRST + datetime.timedelta(weeks=n) for n in (0, 1, 3, 5, 6, 7)]
    assert consecutive(found, lambda week: week) == [found[:2], found[2:3], found[3:]]
    assert consecutive([], lambda week: week) == []


def test_two_batches_of_a_week_are_in_one_stretch() -> None:
    found = [FIRST + datetime.timedelta(weeks=n) for n in (0, 1, 1, 2, 4)]
    assert consecutive(found, lambda week: week) == [found[:4], found[4:]]


def test_weeks_to_come_are_there_since_a_batch_may_be_early() -> None:
    today = datetime.date.today()
    monday = today - datetime.timedelta(days=today.weekday())
    keys = weekly(monday, 12).get_partition_keys()
    assert keys == [str(monday + datetime.timedelta(weeks=n)) for n in range(12)]
    keys = weekly(FIRST, 2).get_partition_keys()
    assert keys == ["2024-01-01", "2024-01-08"]


@pytest.mark.parametrize("ahead", [1, 10, 53, 3_000])
def test_all_weeks_are_there_when_the_first_is_to_come(ahead: int) -> None:
    today = datetime.date.today()
    first = today + datetime.timedelta(weeks=ahead, days=-today.weekday())
    keys = weekly(first, 12).get_partition_keys()
    assert keys == [str(first + datetime.timedelta(weeks=n)) for n in range(12)]
