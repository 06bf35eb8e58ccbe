"""What a server may refuse: each is one sentence with the right, or the SQL, that is missing."""

from collections.abc import Iterator

import psycopg
import pytest

from cinematch_dagster.postgres.connection import DatabaseSetupError, connect, ensure_database
from cinematch_dagster.warehouse.schema import migrate
from tests.external_postgres import PASSWORD, SUPERUSER_PASSWORD, ExternalServer


@pytest.fixture
def owner(external: ExternalServer) -> Iterator[psycopg.Connection]:
    """A superuser who has made the database `shop`, and a role that may do little."""
    dsn = external.dsn("owner", SUPERUSER_PASSWORD, "postgres")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")
        connection.execute(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'".encode())
        yield connection
        connection.execute("DROP DATABASE shop WITH (FORCE)")
        connection.execute("DROP ROLE guest")


def in_shop(external: ExternalServer, statement: str) -> None:
    dsn = external.dsn("owner", SUPERUSER_PASSWORD, "shop")
    with psycopg.connect(dsn) as connection:
        connection.execute(statement.encode())


def refusal(dsn: str) -> str:
    """What making the tables says; nothing is left in the database."""
    with pytest.raises(DatabaseSetupError) as refused, connect(dsn) as connection:
        migrate(connection)
    assert "\n" not in str(refused.value)
    assert PASSWORD not in str(refused.value)
    return str(refused.value)


@pytest.mark.usefixtures("owner")
def test_a_role_that_may_not_create_databases(external: ExternalServer) -> None:
    with pytest.raises(DatabaseSetupError) as refused:
        ensure_database(external.dsn("guest", name="shop"), "shop_mlflow")
    assert "no database 'shop_mlflow', and the role 'guest' may not create it" in str(refused.value)
    assert "CREATE DATABASE \"shop_mlflow\" ENCODING 'UTF8'" in str(refused.value)


def test_it_needs_no_such_right_where_the_database_is_there(
    external: ExternalServer, owner: psycopg.Connection
) -> None:
    owner.execute("CREATE DATABASE shop_mlflow")
    dsn = ensure_database(external.dsn("guest", name="shop"), "shop_mlflow")
    with connect(dsn) as connection:
        assert connection.info.dbname == "shop_mlflow"
    owner.execute("DROP DATABASE shop_mlflow WITH (FORCE)")


@pytest.mark.usefixtures("owner")
def test_a_schema_of_somebody_else(external: ExternalServer) -> None:
    said = refusal(external.dsn("guest", name="shop"))
    assert said.startswith("the role 'guest' may not make tables in the database 'shop'")
    assert "GRANT USAGE, CREATE ON SCHEMA public TO guest;" in said
    in_shop(external, "GRANT USAGE, CREATE ON SCHEMA public TO guest")
    with connect(external.dsn("guest", name="shop")) as connection:
        assert migrate(connection) > 0


@pytest.mark.usefixtures("owner")
def test_tables_of_another_role(external: ExternalServer) -> None:
    with connect(external.dsn("owner", SUPERUSER_PASSWORD, "shop")) as connection:
        migrate(connection)
        connection.execute("DELETE FROM schema_version WHERE version > 1")
    in_shop(external, "GRANT USAGE, CREATE ON SCHEMA public TO guest")
    in_shop(external, "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO guest")
    assert "no tables there that are another role's" in refusal(external.dsn("guest", name="shop"))


def test_a_database_that_only_reads(external: ExternalServer, owner: psycopg.Connection) -> None:
    owner.execute("ALTER DATABASE shop SET default_transaction_read_only = on")
    dsn = external.dsn("owner", SUPERUSER_PASSWORD, "shop")
    said = refusal(dsn)
    assert said.startswith("the database 'shop' only reads")
    assert "ALTER DATABASE shop SET default_transaction_read_only = off;" in said
    with pytest.raises(DatabaseSetupError, match="no database 'more', and the server only reads"):
        ensure_database(dsn, "more")


@pytest.mark.usefixtures("owner")
def test_a_table_ratings_of_something_else(external: ExternalServer) -> None:
    in_shop(external, 'CREATE TABLE ratings (id int, "movieId" int, rating real)')
    said = refusal(external.dsn("owner", SUPERUSER_PASSWORD, "shop"))
    assert "a table ratings that is not CineMatch's: it has no column data_split" in said
    in_shop(external, "DROP TABLE ratings")  # nothing depends on it: nothing was made


@pytest.mark.usefixtures("owner")
def test_a_search_path_that_names_no_schema(external: ExternalServer) -> None:
    dsn = external.dsn("owner", SUPERUSER_PASSWORD, "shop") + "?options=-csearch_path%3Dapp"
    assert refusal(dsn).startswith("no schema of the search_path exists in the database 'shop'")
    in_shop(external, "CREATE SCHEMA app")
    with connect(dsn) as connection:
        migrate(connection)
        found = connection.execute("SELECT to_regclass('app.ratings') IS NOT NULL").fetchone()
        assert found == (True,)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_an_encoding_without_all_letters(
    encoding: str, external: ExternalServer, owner: psycopg.Connection
) -> None:
    create = f"CREATE DATABASE old ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    owner.execute(create.encode())
    try:
        said = refusal(external.dsn("owner", SUPERUSER_PASSWORD, "old"))
        assert said.startswith(f"the database 'old' has the encoding {encoding} (expected UTF8")
        with pytest.raises(DatabaseSetupError, match=f"has the encoding {encoding}"):
            ensure_database(external.dsn("owner", SUPERUSER_PASSWORD, "shop"), "old")
    finally:
        owner.execute("DROP DATABASE old WITH (FORCE)")


def test_a_new_database_has_all_letters_whatever_the_server_prefers(
    external: ExternalServer, owner: psycopg.Connection
) -> None:
    owner.execute("CREATE DATABASE ascii_only ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    dsn = external.dsn("owner", SUPERUSER_PASSWORD, "ascii_only")
    with connect(ensure_database(dsn, "letters")) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
    for name in ("letters", "ascii_only"):
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
