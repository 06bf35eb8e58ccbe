"""Who rated what on each side of a week's comparison, from counts made at the loads.

Functions of history, like the histograms. New on a side is who (or what movie) has no rating in
the baseline's train part nor in a batch of a week before the side begins; a week that arrives
late counts from then on, whatever the order of arrival.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import psycopg
from psycopg import sql

from cinematch_dagster.drift.activity import Activity
from cinematch_dagster.warehouse.drift.histograms import Sides
from cinematch_dagster.warehouse.statements import query, template


@dataclass(frozen=True)
class Audience(Activity):
    """Counts of the ratings of one side.

    Attributes:
        new_users: users who are new on this side; none in the baseline.
        new_movies: movies that are; none in the baseline.
    """

    new_users: int
    new_movies: int


NO_RATINGS = Audience(0, 0, 0, 0, 0, 0)


def genre_counts(connection: psycopg.Connection, week: datetime.date) -> Sides[dict[str, int]]:
    """Count the ratings by genre; a rating counts in each genre of its movie.

    Genres are those of the catalogue as it was loaded last.
    """
    counts: dict[str, dict[str, int]] = {side: {} for side in Sides._fields}
    for side, genre, n in connection.execute(query("drift/genres_compared"), {"week": week}):
        counts[side][genre] = n
    return Sides(**counts)


def population(
    connection: psycopg.Connection, weeks: Sequence[datetime.date]
) -> dict[datetime.date, Sides[Audience]]:
    """Count users, and ratings by new users and of new movies, for each of some weeks.

    Weeks since the same promotion are counted together, so that many cost little more than one.
    """
    found = {week: dict.fromkeys(Sides._fields, NO_RATINGS) for week in weeks}
    with connection.transaction():
        connection.execute("SET LOCAL work_mem = '64MB'")  # the counts of all users stay in memory
        for week, side, ratings, users, by_new, new in _compared(connection, "user", weeks):
            found[week][side] = Audience(ratings, users, by_new, 0, new, 0)
        for week, side, _, _, of_new, new in _compared(connection, "movie", weeks):
            found[week][side] = replace(found[week][side], of_new_movies=of_new, new_movies=new)
    return {week: Sides(**sides) for week, sides in found.items()}


def _compared(
    connection: psycopg.Connection, what: Literal["user", "movie"], weeks: Sequence[datetime.date]
) -> Iterator[tuple[datetime.date, str, int, int, int, int]]:
    statement = template("drift/audience_compared").format(
        counts=sql.Identifier(f"{what}_counts"), who=sql.Identifier(f"{what}Id")
    )
    yield from connection.execute(statement, {"weeks": list(weeks)})
