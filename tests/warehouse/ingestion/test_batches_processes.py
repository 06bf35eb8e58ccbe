import signal
from pathlib import Path

import psycopg
import pytest

from cinematch_dagster.warehouse.ingestion.batches import load_batch
from tests.warehouse.support import batch, child, many, outputs, value

LOAD = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.warehouse.support import batch, many
from cinematch_dagster.warehouse.ingestion.batches import load_batch
dsn, number, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
print(load_batch(dsn, batch(number, many(rows))).outcome)
"""


def rows(connection: psycopg.Connection) -> list[int]:
    """Rows of each batch in the buffer."""
    found = connection.execute(
        "SELECT count(*) FROM ratings_buffer GROUP BY batch_id ORDER BY batch_id"
    )
    return [row[0] for row in found]


def test_four_processes_loading_one_batch_leave_one_copy(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    children = [child(LOAD, warehouse_dsn, 1, 20_000) for _ in range(4)]
    assert sorted(outputs(children)) == ["loaded", "unchanged", "unchanged", "unchanged"]
    assert rows(connection) == [20_000]
    assert value(connection, "SELECT sum(n)::int FROM rating_histogram") == 20_000


def test_four_processes_loading_four_batches_leave_one_of_each(
    warehouse_dsn: str, connection: psycopg.Connection
) -> None:
    children = [child(LOAD, warehouse_dsn, number, 5_000) for number in (1, 2, 3, 4)]
    assert outputs(children) == ["loaded"] * 4
    assert rows(connection) == [5_000] * 4


@pytest.mark.parametrize("loaded_before", [False, True])
def test_a_load_killed_in_the_middle_of_the_copy_leaves_what_was_there(
    warehouse_dsn: str, connection: psycopg.Connection, loaded_before: bool
) -> None:
    connection.autocommit = True
    if loaded_before:
        load_batch(warehouse_dsn, batch(1, many(1_000), "old"))
    process = child(LOAD, warehouse_dsn, 1, 3_000_000)
    copied = "SELECT coalesce(max(tuples_processed), 0) FROM pg_stat_progress_copy"
    while value(connection, copied) < 1_000:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate()
    assert output == ""
    outcome = load_batch(warehouse_dsn, batch(2, many(10))).outcome  # waits for the killed one
    assert outcome == "loaded"
    assert rows(connection) == ([1_000, 10] if loaded_before else [10])
    known = "SELECT string_agg(batch_id || ' ' || status, ', ' ORDER BY week)"
    assert value(connection, f"{known} FROM ingestion_metadata") == (
        "batch_w1 completed, batch_w2 completed" if loaded_before else "batch_w2 completed"
    )

    again = load_batch(warehouse_dsn, batch(1, many(500)))
    assert again.outcome == ("replaced" if loaded_before else "loaded")
    assert rows(connection) == [500, 10]
    assert value(connection, "SELECT sum(n)::int FROM rating_histogram") == 510
