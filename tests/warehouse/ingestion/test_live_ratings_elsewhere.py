import datetime

import psycopg

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.warehouse.ingestion.live_ratings import take_over
from serving.live import Event


def ids(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM live_ratings ORDER BY id")]


def test_only_what_is_new_is_taken_over_in_its_order(warehouse_dsn: str) -> None:
    begin = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    events = [Event(1, movie, 4.5, given_at=begin) for movie in range(1, 3001)]
    events.append(Event(1, 1, None, given_at=begin))
    for told in (events[:2000], events, events, [*events, events[0]]):
        with connect(warehouse_dsn) as connection:
            take_over(connection, told)
    assert ids(warehouse_dsn) == list(range(1, 3002))  # no number was used up in vain
    with psycopg.connect(warehouse_dsn) as connection:
        rows = connection.execute(
            'SELECT key, "movieId", rating, given_at FROM live_ratings ORDER BY id'
        ).fetchall()
    assert rows == [(e.key, e.movie_id, e.rating, e.given_at) for e in events]
