"""Loads and promotions that are killed at random moments, or lose their server to a kill."""

import contextlib
import itertools
import multiprocessing
import random
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import psycopg
import pytest

from cinematch_dagster.postgres import cluster as clusters
from cinematch_dagster.postgres import embedded
from cinematch_dagster.postgres.connection import connect, ensure_database
from cinematch_dagster.warehouse.ingestion.baseline import load_baseline
from cinematch_dagster.warehouse.ingestion.batches import load_batch
from cinematch_dagster.warehouse.registry.promotions import (
    in_production,
    merge_buffer,
    record_promotion,
)
from cinematch_dagster.warehouse.schema import lock_ratings, migrate
from tests.examples import more
from tests.warehouse.support import batch, many, promotion, value, week

BASELINE_ROWS = 1_000
BATCH_ROWS = 4_000
HELD_OUT = BATCH_ROWS // 5
PROCESS_KILLS = more(18)
SERVER_KILLS = more(8)

pytestmark = pytest.mark.lifecycle  # once more, with more kills

# Of each load: is it whole in one place and counted, or absent everywhere?
LOADS = """
SELECT
    i.batch_id, i.status, i.merged_at IS NOT NULL, i.record_count,
    CASE WHEN i.batch_id = 'baseline'
        THEN (SELECT count(*) FROM ratings AS r WHERE r.batch_id IS NULL)
        ELSE (SELECT count(*) FROM ratings AS r WHERE r.batch_id = i.batch_id)
    END,
    (SELECT count(*) FROM ratings_buffer AS b WHERE b.batch_id = i.batch_id),
    ARRAY[
        (SELECT coalesce(sum(n), 0) FROM rating_histogram AS h WHERE h.batch_id = i.batch_id),
        (SELECT coalesce(sum(n), 0) FROM user_counts AS u WHERE u.batch_id = i.batch_id),
        (SELECT coalesce(sum(n), 0) FROM movie_counts AS m WHERE m.batch_id = i.batch_id)
    ]::bigint[]
FROM ingestion_metadata AS i
"""


def work(dsn: str, first: int) -> None:
    """Load week after week and promote a model of each, whatever happens to the server."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    for number in itertools.count(first):
        done = False
        while not done and parent.is_alive():
            with contextlib.suppress(psycopg.Error):
                load_batch(dsn, batch(number, many(BATCH_ROWS, seed=number)))
                promote(dsn, number)
                done = True


def promote(dsn: str, number: int) -> None:
    with connect(dsn) as connection:
        champion = in_production(connection)
        before = champion.version if champion else None
        record_promotion(connection, promotion(str(number), number, from_version=before))
        merge_buffer(connection, week(number), str(number), "merge")


@contextlib.contextmanager
def working(dsn: str, first: int) -> Iterator[BaseProcess]:
    """Our own child process, which is killed and waited for at the end of the block."""
    worker = multiprocessing.get_context("fork").Process(target=work, args=(dsn, first))
    worker.start()
    try:
        yield worker
    finally:
        worker.kill()
        worker.join()
        worker.close()


def check(dsn: str) -> int:
    """Check what must hold after any kill; return the newest week that is there."""
    with connect(dsn) as connection:
        lock_ratings(connection)  # until the server has given up what was killed
        loads = connection.execute(LOADS.encode()).fetchall()
        for name, status, merged, count, in_ratings, in_buffer, counted in loads:
            size = BASELINE_ROWS if name == "baseline" else BATCH_ROWS
            whole = size if status == "completed" else 0
            assert status in ("completed", "failed"), name
            assert count == in_ratings + in_buffer == whole, name
            assert in_buffer == (0 if merged or name == "baseline" else whole), name
            assert counted == [whole] * 3, name
        batches = [row for row in loads if row[0] != "baseline"]
        total = sum(row[3] for row in loads)
        stored = "(SELECT count(*) FROM ratings) + (SELECT count(*) FROM ratings_buffer)"
        assert value(connection, f"SELECT {stored}") == total
        held_out = "SELECT count(*) FROM ratings WHERE data_split = 'test' AND batch_id IS NOT NULL"
        assert value(connection, held_out) == HELD_OUT * sum(row[2] for row in batches)
        check_production(connection, merged={row[0] for row in batches if row[2]})
        return max((int(row[0].removeprefix("batch_w")) for row in batches), default=1)


def check_production(connection: psycopg.Connection, merged: set[str]) -> None:
    """One model is in production, the last of an unbroken chain; it has merged its batches."""
    chain = connection.execute(
        "SELECT version, from_version FROM promotions WHERE promoted ORDER BY id"
    ).fetchall()
    versions = [version for version, _ in chain]
    assert [before for _, before in chain] == [None, *versions][:-1]
    assert merged == {f"batch_w{version}" for version in versions}
    champion = in_production(connection)
    assert (champion.version if champion else None) == (versions[-1] if versions else None)


@pytest.fixture
def server(open_folder: Path) -> str:
    """A server of our own, which may be killed, with a baseline; returns the warehouse's DSN."""
    maintenance = embedded.start(open_folder)
    with connect(maintenance, autocommit=True) as connection:
        # A kill leaves the system's cache alone; only a power cut would need the disk.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    dsn = ensure_database(maintenance, "cinematch")
    with connect(dsn) as connection:
        migrate(connection)
        baseline = many(BASELINE_ROWS).assign(data_split="train")
        load_baseline(connection, baseline, "a", week(0))
    return dsn


def test_a_killed_load_or_promotion_leaves_the_old_or_the_new_state(server: str) -> None:
    moments = random.Random(1)
    newest = 1
    for _ in range(PROCESS_KILLS):
        with working(server, newest):
            time.sleep(moments.uniform(0.0, 0.3))
        newest = check(server)
    promote_all(server, newest)


def test_a_killed_server_comes_back_with_the_old_or_the_new_state(
    server: str, open_folder: Path
) -> None:
    moments = random.Random(2)
    newest = 1
    for _ in range(SERVER_KILLS):
        with working(server, newest):
            time.sleep(moments.uniform(0.02, 0.3))
            cluster = clusters.find(open_folder)
            postmaster = cluster.postmaster() if cluster else None
            assert postmaster is not None
            postmaster.kill()
            embedded.start(open_folder)
            newest = check(server)
        check(server)
    promote_all(server, newest)


def promote_all(dsn: str, newest: int) -> None:
    """What was cut off can be done again, and is whole then."""
    for number in range(1, newest + 1):
        assert load_batch(dsn, batch(number, many(BATCH_ROWS, seed=number))).rows == BATCH_ROWS
        promote(dsn, number)
    assert check(dsn) == newest
    with connect(dsn) as connection:
        assert value(connection, "SELECT count(*) FROM ratings_buffer") == 0
        total = BASELINE_ROWS + newest * BATCH_ROWS
        assert value(connection, "SELECT count(*) FROM ratings") == total
