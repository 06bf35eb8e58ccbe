import threading
import time
from pathlib import Path

import psycopg
import pytest

from cinematch_dagster.postgres import embedded
from cinematch_dagster.postgres.connection import connect, ensure_database
from cinematch_dagster.postgres.dsn import with_database
from cinematch_dagster.warehouse.schema import migrate
from tests.warehouse.support import child, outputs, value

MIGRATE = """
import sys
from cinematch_dagster.postgres.connection import connect, ensure_database
from cinematch_dagster.warehouse.schema import migrate
with connect(ensure_database(sys.argv[1], sys.argv[2])) as connection:
    migrate(connection)
"""


def test_a_block_commits_at_its_end_and_rolls_back_on_an_exception(warehouse_dsn: str) -> None:
    with connect(warehouse_dsn) as connection:
        connection.execute("CREATE TABLE kept ()")
    with pytest.raises(ZeroDivisionError), connect(warehouse_dsn) as connection:
        assert connection.execute("CREATE TABLE lost ()").rowcount / 0
    assert connection.closed
    with connect(warehouse_dsn) as connection:
        assert value(connection, "SELECT to_regclass('kept') IS NOT NULL")
        assert value(connection, "SELECT to_regclass('lost') IS NULL")


def test_a_server_that_restarts_is_waited_for(open_folder: Path) -> None:
    dsn = embedded.start(open_folder)
    embedded.stop(open_folder)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn)

    def restart() -> None:
        time.sleep(0.3)
        embedded.start(open_folder)

    restarting = threading.Thread(target=restart)
    restarting.start()
    with connect(dsn) as connection:
        assert value(connection, "SELECT 1") == 1
    restarting.join()


def test_an_unknown_database_is_not_tried_again(
    postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def counted(*args: object, **kwargs: object) -> psycopg.Connection:
        tries.append(args)
        return psycopg.Connection.connect(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(psycopg, "connect", counted)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(with_database(postgres_server, "nowhere"))
    assert len(tries) == 1


def test_ensure_database_makes_it_once_and_keeps_what_is_in_it(postgres_server: str) -> None:
    first = ensure_database(postgres_server, "made here")
    with connect(first) as connection:
        connection.execute("CREATE TABLE kept ()")
    assert ensure_database(postgres_server, "made here") == first
    with connect(first) as connection:
        assert value(connection, "SELECT current_database()") == "made here"
        assert value(connection, "SELECT to_regclass('kept') IS NOT NULL")


def test_four_processes_can_make_and_migrate_one_database_at_once(postgres_server: str) -> None:
    outputs([child(MIGRATE, postgres_server, "shared") for _ in range(4)])
    with connect(with_database(postgres_server, "shared")) as connection:
        assert value(connection, "SELECT count(*) FROM ratings") == 0


def test_migrating_again_keeps_tables_and_rows(connection: psycopg.Connection) -> None:
    connection.execute("INSERT INTO movies VALUES (1, 'Heat', 'Crime', '[1,2,3,4,5,6,7,8,9,10]')")
    migrate(connection)
    migrate(connection)
    assert value(connection, "SELECT title FROM movies") == "Heat"
