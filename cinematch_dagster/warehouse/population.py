"""Who rated what on each side of a week's comparison, from counts made at the loads.

Functions of history, like the histograms. New on a side is who (or what movie) has no rating in
the baseline's train part nor in a batch of a week before the side begins; a week that arrives
late counts from then on, whatever the order of arrival.
"""

import datetime
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import psycopg
from psycopg.rows import dict_row

from cinematch_dagster.drift.population import Activity
from cinematch_dagster.warehouse.sql import query

T = TypeVar("T")


class Sides(NamedTuple, Generic[T]):
    """What is known of the three sides of a week's comparison.

    The baseline is what the model before this week was trained on; `per_batch` is the week's
    batch, `cumulative` every batch since the last promotion, both with their held-out rows.
    """

    baseline: T
    per_batch: T
    cumulative: T


@dataclass(frozen=True)
class Audience(Activity):
    """Counts of the ratings of one side.

    Attributes:
        new_users: users who are new on this side; none in the baseline.
        new_movies: movies that are; none in the baseline.
    """

    new_users: int
    new_movies: int


def genre_counts(connection: psycopg.Connection, week: datetime.date) -> Sides[dict[str, int]]:
    """Count the ratings by genre; a rating counts in each genre of its movie.

    Genres are those of the catalogue as it was loaded last.
    """
    counts: dict[str, dict[str, int]] = {side: {} for side in Sides._fields}
    for side, genre, n in connection.execute(query("genres_compared"), {"week": week}):
        counts[side][genre] = n
    return Sides(**counts)


def population(connection: psycopg.Connection, week: datetime.date) -> Sides[Audience]:
    """Count users, and ratings by new users and of new movies."""
    counts = {side: dict.fromkeys(Audience.__dataclass_fields__, 0) for side in Sides._fields}
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")  # everybody's counts are added up in memory
        for name in ("users_compared", "movies_compared"):
            for row in cursor.execute(query(name), {"week": week}):
                counts[row.pop("side")] |= row
    return Sides(**{side: Audience(**values) for side, values in counts.items()})
