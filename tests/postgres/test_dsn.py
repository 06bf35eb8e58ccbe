import psycopg.conninfo
import pytest
import sqlalchemy

from cinematch_dagster.postgres.dsn import DsnError, normalise, sqlalchemy_url, with_database


@pytest.mark.parametrize(
    "local",
    [
        "postgresql://localhost/cinematch",
        "postgresql://me:secret@127.0.0.1:5433/cinematch",
        "postgresql://[::1]/cinematch",
        "postgresql:///cinematch",
        "postgresql://me@/cinematch?host=/var/run/postgresql",
        "postgresql:///cinematch?hostaddr=127.0.0.1",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/cinematch",
    ],
)
def test_a_local_address_stays_as_it_is(local: str) -> None:
    assert normalise(local) == local


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgresql://me@db.example.org/x", "postgresql://me@db.example.org/x?sslmode=require"),
        ("postgresql://h/x?a=", None),
        (
            " postgresql://h/x?connect_timeout=5\n",
            "postgresql://h/x?connect_timeout=5&sslmode=require",
        ),
        ("postgresql://localhost,remote/x", "postgresql://localhost,remote/x?sslmode=require"),
        (
            "postgresql:///x?hostaddr=203.0.113.7",
            "postgresql:///x?hostaddr=203.0.113.7&sslmode=require",
        ),
        (
            "postgresql://localhost/x?hostaddr=::1,203.0.113.7",
            "postgresql://localhost/x?hostaddr=::1,203.0.113.7&sslmode=require",
        ),
        ("postgresql://h/x?sslmode=verify-full", "postgresql://h/x?sslmode=verify-full"),
    ],
)
def test_a_remote_address_is_encrypted_unless_it_says_otherwise(
    given: str, expected: str | None
) -> None:
    if expected is None:
        with pytest.raises(DsnError, match="can't be read"):
            normalise(given)
    else:
        assert normalise(given) == expected
        assert "sslmode" in psycopg.conninfo.conninfo_to_dict(normalise(given))


@pytest.mark.parametrize(
    ("wrong", "scheme"),
    [
        ("postgres://me:hunter2@h/x", "'postgres'"),
        ("postgresql+psycopg2://me:hunter2@h/x", "'postgresql+psycopg2'"),
        ("mysql://me:hunter2@h/x", "'mysql'"),
        ("host=h password=hunter2", "''"),
        ("", "''"),
    ],
)
def test_another_scheme_is_refused_by_its_name_without_the_password(
    wrong: str, scheme: str
) -> None:
    with pytest.raises(DsnError, match="must begin with 'postgresql://'") as error:
        normalise(wrong)
    assert scheme in str(error.value)
    assert "hunter2" not in str(error.value)


def test_an_unreadable_address_is_refused_without_the_password() -> None:
    with pytest.raises(DsnError) as error:
        normalise("postgresql://me:hunter2@h/x?nonsense=1")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgresql://me:pw@h:1/a?sslmode=require", "postgresql://me:pw@h:1/b?sslmode=require"),
        ("postgresql:///a", "postgresql:///b"),
        ("postgresql://h", "postgresql://h/b"),
        ("postgresql://me@/a?host=/run/pg&port=5432", "postgresql://me@/b?host=/run/pg&port=5432"),
    ],
)
def test_another_database_of_the_same_server(given: str, expected: str) -> None:
    assert with_database(given, "b") == expected


def test_the_name_of_a_database_is_quoted() -> None:
    dsn = with_database("postgresql://h/a", "so/me?")
    assert psycopg.conninfo.conninfo_to_dict(dsn)["dbname"] == "so/me?"


def test_sqlalchemy_reaches_the_same_database_through_psycopg2(warehouse_dsn: str) -> None:
    url = sqlalchemy_url(warehouse_dsn)
    assert url.startswith("postgresql+psycopg2://")
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        name = connection.execute(sqlalchemy.text("SELECT current_database()")).scalar()
    engine.dispose()
    assert name == psycopg.conninfo.conninfo_to_dict(warehouse_dsn)["dbname"]
