"""A pooler that gives each transaction another session, as Neon's and Supabase's do: pgbouncer."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from cinematch_dagster.postgres.connection import connect, ensure_database
from cinematch_dagster.postgres.dsn import with_database
from cinematch_dagster.postgres.os_user import server_account
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import buffer_status, load_batch
from cinematch_dagster.warehouse.operations.maintenance import maintain
from cinematch_dagster.warehouse.schema import migrate
from serving.live.postgres_store import PostgresStore
from tests.external_postgres import PASSWORD, ExternalServer
from tests.needs import missing
from tests.ports import free_port
from tests.serving.live.stores import event
from tests.warehouse.support import batch, many, value, week

CONFIG = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = 2
min_pool_size = 2
ignore_startup_parameters = extra_float_digits,options
"""


@pytest.fixture(scope="module")
def pooled(external: ExternalServer) -> Iterator[str]:
    """The address of a warehouse behind a pooler with two sessions."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if program is None:
        missing("pgbouncer", "apt install pgbouncer")
    folder = external.folder / "pooler"
    folder.mkdir()
    port = free_port()
    users, config = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"app" "{PASSWORD}"\n')
    config.write_text(CONFIG.format(server=external.port, port=port, users=users))
    account = server_account()
    for path in (folder, users, config):
        account.own(path)
    process = subprocess.Popen(
        [program, config], user=account.uid, group=account.gid, extra_groups=[]
    )
    try:
        dsn = external.dsn().replace(f":{external.port}/", f":{port}/")
        _wait(with_database(dsn, "postgres"), process)
        yield ensure_database(with_database(dsn, "postgres"), "cinematch")
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(dsn: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(dsn).close()
        except psycopg.OperationalError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_it_is_a_pooler_that_changes_sessions(pooled: str) -> None:
    with connect(pooled, autocommit=True) as one, connect(pooled, autocommit=True) as other:
        with one.transaction():
            first = value(one, "SELECT pg_backend_pid()")
            second = value(other, "SELECT pg_backend_pid()")
        assert first != second  # of the two, each transaction gets whichever is free


def test_the_whole_way_of_the_data(pooled: str) -> None:
    with connect(pooled) as connection:
        migrate(connection)
        load_baseline(connection, many(500).assign(data_split="train"), "a", week(0))
    with ThreadPoolExecutor(4) as workers:
        batches = [batch(n, many(200, seed=n)) for n in range(1, 5)]
        done = workers.map(lambda one: load_batch(pooled, one).outcome, batches)
        assert set(done) == {"loaded"}
    with connect(pooled, autocommit=True) as one, connect(pooled, autocommit=True) as other:
        for _ in range(20):  # psycopg would prepare a statement at its fifth use, by a number
            for connection in (one, other):
                assert buffer_status(connection)["total"] == 800
    assert maintain(pooled).total_bytes > 0


@pytest.mark.usefixtures("external")
def test_ratings_given_now_are_stored_through_it(pooled: str) -> None:
    with connect(pooled) as connection:
        migrate(connection)
    stores = [PostgresStore(pooled), PostgresStore(pooled)]
    try:
        for number in range(40):
            stores[number % 2].add(event(1, 10 + number))
        assert len(stores[0].after(0)) == 40
    finally:
        for store in stores:
            store.close()
