"""Events in the warehouse's table `live_ratings`, through one pooled connection a process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from serving.base.dsn import encrypted
from serving.live.events import Event, StoredEvent, StoreError
from serving.live.places import Places

SECONDS = 5.0
"""How long a caller waits for the database before it hears that nothing was stored."""

WRITERS_TURN = 2_301_002
"""Key of an advisory lock that nothing else takes. Writers take turns, so that places are given in
the order of the commits: a reader that has seen a place has seen every place below."""

# The same event again keeps its first place.
_ADD = """
INSERT INTO live_ratings (key, "userId", "movieId", rating, given_at)
VALUES (%s, %s, %s, %s, clock_timestamp())
ON CONFLICT (key) DO NOTHING
"""

_PLACE = "SELECT id FROM live_ratings WHERE key = %s"

_AFTER = """
SELECT id, "userId", "movieId", rating, key, given_at
FROM live_ratings
WHERE id >= %s
ORDER BY id
"""

logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # its warnings name the server


class PostgresStore:
    """Starts without a database, and comes back by itself once it answers again."""

    def __init__(self, dsn: str) -> None:
        self._pool = ConnectionPool(
            _address(dsn),
            min_size=1,
            max_size=2,
            open=False,
            timeout=SECONDS,
            reconnect_timeout=SECONDS,  # the pool's own patience doubles its pauses for minutes
            kwargs={
                "autocommit": True,
                "connect_timeout": int(SECONDS),
                "prepare_threshold": None,  # a pooler may give each transaction another session
            },
            check=ConnectionPool.check_connection,
            name="live ratings",
        )
        self._pool.open()
        self._places = Places()

    def add(self, event: Event) -> StoredEvent:
        """Insert the event; a connection that is lost on the way is replaced, and asked again."""
        with _translated():
            try:
                return self._add(event)
            except PoolTimeout:
                raise
            except psycopg.OperationalError:  # the key makes a second insert harmless
                return self._add(event)

    def after(self, place: int) -> list[StoredEvent]:
        """Select the events beyond a place; a table that was restored or emptied, from its start.

        The last event that was seen is selected once more: it tells that the table is the same.
        """
        places = self._places
        with _translated(), self._pool.connection() as connection:
            begin = min(places.seen, places.position(place))
            rows = connection.execute(_AFTER, [begin]).fetchall()
            with places.lock:
                if places.seen and (places.seen, places.mark) not in ((r[0], r[4]) for r in rows):
                    places.restart()
                    rows = connection.execute(_AFTER, [0]).fetchall()
                if rows:
                    places.seen, places.mark = rows[-1][0], rows[-1][4]
                found = [
                    StoredEvent(places.place(at), Event(user, movie, stars, key, given_at))
                    for at, user, movie, stars, key, given_at in rows
                ]
        return [stored for stored in found if stored.place > place]

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _add(self, event: Event) -> StoredEvent:
        values = [event.key, event.user_id, event.movie_id, event.rating]
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [WRITERS_TURN])
            connection.execute(_ADD, values)
            ((at,),) = connection.execute(_PLACE, [event.key]).fetchall()
        with self._places.lock:
            return StoredEvent(self._places.place(at), event)


def _address(dsn: str) -> str:
    try:
        return encrypted(dsn)
    except psycopg.ProgrammingError:  # nothing answers there, which is told as any other outage
        return dsn


@contextmanager
def _translated() -> Iterator[None]:
    """Put Postgres' errors in our words: theirs hold names of servers and users."""
    try:
        yield
    except (psycopg.OperationalError, PoolTimeout) as error:
        raise StoreError("the database does not answer") from error
    except psycopg.Error as error:
        raise StoreError(f"the database refuses ({error.sqlstate})") from error
