import numpy as np
import pandas as pd
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cinematch_dagster.postgres import copy
from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.postgres.copy import copy_in, copy_out, rating_arrays
from tests.warehouse.support import frame, many, value

RATINGS = b'SELECT "userId", "movieId", rating, "timestamp" FROM ratings ORDER BY ctid'


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), rows=st.integers(0, 20))
def test_every_value_of_every_type_arrives_as_it_was(
    connection: psycopg.Connection, data: st.DataObject, rows: int
) -> None:
    columns = {
        "i4": data.draw(arrays(np.int32, rows)),
        "i8": data.draw(arrays(np.int64, rows)),
        "f4": data.draw(arrays(np.float32, rows)),
        "yes": data.draw(arrays(np.bool_, rows)),
    }
    text = data.draw(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1))
    connection.execute("DROP TABLE IF EXISTS t")
    connection.execute(
        'CREATE TEMP TABLE t (n serial, i4 int, i8 bigint, f4 real, yes boolean, "te""xt" text)'
    )
    assert copy_in(connection, "t", columns, {'te"xt': text}) == rows
    found = connection.execute("SELECT * FROM t ORDER BY n").fetchall()
    assert [row[0] for row in found] == list(range(1, rows + 1))
    for i, array in enumerate(columns.values()):
        np.testing.assert_array_equal(np.array([row[i + 1] for row in found], array.dtype), array)
    assert {row[5] for row in found} <= {text}


def test_ratings_go_in_and_come_out_the_same(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy, "_ROWS_AT_ONCE", 7)
    ratings = many(50)
    assert copy_in(connection, "ratings", rating_arrays(ratings), {"data_split": "train"}) == 50
    pd.testing.assert_frame_equal(copy_out(connection, RATINGS), ratings)


def test_frozen_rows_are_older_than_every_snapshot(
    connection: psycopg.Connection, warehouse_dsn: str
) -> None:
    with connect(warehouse_dsn) as earlier:
        earlier.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        earlier.execute("SELECT 1")  # from here on it sees nothing that is written later
        connection.execute("TRUNCATE ratings")
        columns = rating_arrays(many(50))
        copy_in(connection, "ratings", columns, {"data_split": "train"}, frozen=True)
        connection.commit()
        assert value(earlier, "SELECT count(*) FROM ratings") == 50


def test_rows_beside_others_cannot_be_frozen(connection: psycopg.Connection) -> None:
    columns = rating_arrays(many(50))
    copy_in(connection, "ratings", columns, {"data_split": "train"})
    connection.commit()
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        copy_in(connection, "ratings", columns, {"data_split": "train"}, frozen=True)


@pytest.mark.parametrize("rows", [1, 6, 7, 8, 14, 49])
def test_rows_come_out_whole_wherever_a_block_ends(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    copy_in(connection, "ratings", rating_arrays(many(rows)), {"data_split": "train"})
    monkeypatch.setattr(copy, "_ROWS_AT_ONCE", 7)
    pd.testing.assert_frame_equal(copy_out(connection, RATINGS), many(rows))
    assert value(connection, "SELECT 1") == 1


def test_a_copy_that_the_server_breaks_off_says_why_and_leaves_the_connection_usable(
    connection: psycopg.Connection,
) -> None:
    rows = 100_000
    copy_in(connection, "ratings", rating_arrays(many(rows)), {"data_split": "train"})
    connection.commit()
    for broken in (0, 1, 400, rows - 1):
        select = (
            'SELECT "userId", "movieId", (1 / ("timestamp" - %(broken)s))::real, "timestamp"'
            ' FROM ratings ORDER BY "timestamp"'
        )
        with pytest.raises(psycopg.errors.DivisionByZero, match="division by zero"):
            copy_out(connection, select.encode(), {"broken": broken})
        connection.rollback()
        assert len(copy_out(connection, RATINGS)) == rows


def test_a_connection_that_is_cut_off_while_copying_is_an_operational_error(
    connection: psycopg.Connection,
) -> None:
    copy_in(connection, "ratings", rating_arrays(many(20_000)), {"data_split": "train"})
    connection.commit()
    select = (
        'SELECT "userId", "movieId", rating, CASE WHEN "timestamp" = 19000'
        " THEN pg_terminate_backend(pg_backend_pid())::int::bigint ELSE"
        ' "timestamp" END FROM ratings ORDER BY ctid'
    )
    with pytest.raises(psycopg.OperationalError):
        copy_out(connection, select.encode())


def test_no_rows_come_out_as_an_empty_ratings_frame(connection: psycopg.Connection) -> None:
    assert copy_in(connection, "ratings", rating_arrays(frame([])), {"data_split": "test"}) == 0
    found = copy_out(connection, RATINGS)
    assert len(found) == 0
    assert found.dtypes.astype(str).to_dict() == {
        "userId": "int32",
        "movieId": "int32",
        "rating": "float32",
        "timestamp": "int64",
    }


def test_a_query_can_have_parameters(connection: psycopg.Connection) -> None:
    copy_in(connection, "ratings", rating_arrays(many(10)), {"data_split": "train"})
    select = b'SELECT "userId", "movieId", rating, "timestamp" FROM ratings WHERE "movieId" = %(m)s'
    assert copy_out(connection, select, {"m": 3})["movieId"].tolist() == [3]


def test_copied_rows_belong_to_the_callers_transaction(connection: psycopg.Connection) -> None:
    copy_in(connection, "ratings", rating_arrays(many(10)), {"data_split": "train"})
    connection.rollback()
    assert value(connection, "SELECT count(*) FROM ratings") == 0


def test_wider_whole_numbers_are_narrowed_but_fractions_are_never_cut() -> None:
    wide = many(3).astype({"userId": "int64", "rating": "float64"})
    assert {n: str(a.dtype) for n, a in rating_arrays(wide).items()} == {
        "userId": "int32",
        "movieId": "int32",
        "rating": "float32",
        "timestamp": "int64",
    }
    with pytest.raises(TypeError, match="Cannot cast"):
        rating_arrays(many(3).astype({"movieId": "float64"}))
