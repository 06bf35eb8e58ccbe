import re

import psycopg.conninfo
import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st

from cinematch_dagster.postgres.dsn import (
    DsnError,
    neighbour,
    normalise,
    sqlalchemy_url,
    with_database,
)

conninfo = psycopg.conninfo.conninfo_to_dict
SECRET = "hunter2"


@pytest.mark.parametrize(
    "local",
    [
        "postgresql://localhost/cinematch",
        "postgresql://me:secret@127.0.0.1:5433/cinematch",
        "postgresql://[::1]/cinematch",
        "postgresql:///cinematch",
        "postgresql://me@/cinematch?host=/var/run/postgresql",
        "postgresql:///cinematch?hostaddr=127.0.0.1",
    ],
)
def test_a_local_address_stays_as_it_is(local: str) -> None:
    assert normalise(local) == local


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://me@db.example.org/x", "postgresql://me@db.example.org/x?sslmode=require"),
        (
            " postgresql://h/x?connect_timeout=5\n",
            "postgresql://h/x?connect_timeout=5&sslmode=require",
        ),
        (
            "postgresql://localhost,remote/x",
            "postgresql:///x?host=localhost,remote&sslmode=require",
        ),
        (
            "postgresql:///x?hostaddr=203.0.113.7",
            "postgresql:///x?hostaddr=203.0.113.7&sslmode=require",
        ),
        (
            "postgresql://localhost/x?hostaddr=::1,203.0.113.7",
            "postgresql://localhost/x?hostaddr=::1,203.0.113.7&sslmode=require",
        ),
        ("postgresql://h/x?sslmode=verify-full", "postgresql://h/x?sslmode=verify-full"),
        ("postgres://me@h/x", "postgresql://me@h/x?sslmode=require"),
        ("host=h user=me dbname=x", "postgresql://me@h/x?sslmode=require"),
        ("postgresql://h/x?", "postgresql://h/x?sslmode=require"),
        ("postgresql://h/a?dbname=x", "postgresql://h/x?sslmode=require"),
        (
            "postgresql://h1:5432,h2:5433/x",
            "postgresql:///x?host=h1,h2&port=5432,5433&sslmode=require",
        ),
        ("postgresql://u:a?b#c@h/x", "postgresql://u:a%3Fb%23c@h/x?sslmode=require"),
        (
            "postgresql://h/x?options=-csearch_path%3Dapp",
            "postgresql://h/x?options=-csearch_path%3Dapp&sslmode=require",
        ),
    ],
)
def test_what_libpq_takes_is_rebuilt_and_encrypted(address: str, expected: str) -> None:
    found = normalise(address)
    assert found == expected
    meant = {name: value for name, value in conninfo(address.strip()).items() if value != ","}
    assert conninfo(found) == {"sslmode": "require"} | meant
    assert normalise(found) == found


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        (f"postgresql+psycopg2://me:{SECRET}@h/x", "scheme .* is 'postgresql[+]psycopg2'"),
        (f"mysql://me:{SECRET}@h/x", "scheme .* is 'mysql'"),
        (f"postgresql://me:{SECRET}@h/x?nonsense=1", "can't be read"),
        (f"postgresql://me:{SECRET}/@h/x", "can't be read"),
        (f"host=h password={SECRET} what", "can't be read"),
        (f"host=h password={SECRET}", "names no database"),
        ("postgresql://h/x?a=", "can't be read"),
        ("cinematch", "can't be read"),
        ("", "names no database"),
    ],
)
def test_what_it_does_not_take_is_refused_in_one_sentence_without_the_password(
    address: str, problem: str
) -> None:
    with pytest.raises(DsnError, match=problem) as error:
        normalise(address)
    assert SECRET not in str(error.value)
    assert "\n" not in str(error.value)
    assert "expected" in str(error.value)


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("postgresql://me:pw@h:1/a?sslmode=require", "postgresql://me:pw@h:1/b?sslmode=require"),
        ("postgresql:///a", "postgresql:///b"),
        ("postgresql://h/a?dbname=c", "postgresql://h/b"),
        ("postgresql://me@/a?host=/run/pg&port=5432", "postgresql://me@/b?host=/run/pg&port=5432"),
        ("postgresql://h/a?options=-csearch_path%3Dapp", "postgresql://h/b"),
        (
            "postgresql://h/a?options=endpoint%3Dx%20-c%20search_path%3Dapp%20-cjit%3Doff",
            "postgresql://h/b?options=endpoint%3Dx%20-cjit%3Doff",
        ),
    ],
)
def test_another_database_of_the_same_server(dsn: str, expected: str) -> None:
    assert with_database(dsn, "b") == expected


def test_the_name_of_a_database_is_quoted() -> None:
    assert conninfo(with_database("postgresql://h/a", "so/me?"))["dbname"] == "so/me?"


def test_two_warehouses_of_one_server_share_no_database() -> None:
    assert neighbour("postgresql://h/cinematch", "mlflow") == "mlflow"
    assert neighbour("postgresql://h/shop", "mlflow") == "shop_mlflow"
    assert neighbour("host=h dbname=shop", "dagster") == "shop_dagster"


def test_sqlalchemy_reaches_the_same_database_through_psycopg2(warehouse_dsn: str) -> None:
    url = sqlalchemy_url(warehouse_dsn)
    assert url.startswith("postgresql+psycopg2://")
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        name = connection.execute(sqlalchemy.text("SELECT current_database()")).scalar()
    engine.dispose()
    assert name == conninfo(warehouse_dsn)["dbname"]


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
HOSTS = ["h", "db.example.org", "::1", "/run/pg", "203.0.113.7"]
places: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.fixed_dictionaries({"host": st.sampled_from(HOSTS)}, optional={"port": st.just("5432")}),
    st.just({"host": "h1,h2"}),
    st.just({"host": "h1,h2", "port": "5432,6543"}),
    st.just({}),
)


@given(
    st.fixed_dictionaries(
        {"dbname": names.filter(str.strip)},
        optional={
            "user": names,
            "password": names,
            "options": st.sampled_from(["-csearch_path=app", "-c jit=off", "endpoint=x"]),
            "application_name": names,
        },
    ),
    places,
)
def test_every_client_gets_what_was_meant(options: dict[str, str], place: dict[str, str]) -> None:
    options = options | place
    found = normalise(psycopg.conninfo.make_conninfo("", **options))
    assert {k: v for k, v in conninfo(found).items() if k != "sslmode"} == options
    url = sqlalchemy.make_url(sqlalchemy_url(found))
    _, arguments = url.get_dialect()().create_connect_args(url)
    arguments = {{"database": "dbname"}.get(k, k): str(v) for k, v in arguments.items()}
    assert {k: v for k, v in arguments.items() if k != "sslmode" and v != ","} == options
    assert re.fullmatch(r"[!-~]+", found)
