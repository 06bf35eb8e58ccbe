import re

import psycopg

from cinematch_dagster.postgres.connection import connect
from cinematch_dagster.settings import ROOT
from cinematch_dagster.warehouse.statements import reference_queries
from tests.docs.support import rows, section

SHORT: dict[str, str] = {"timestamp with time zone": "timestamptz"}
COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN 'no' ELSE 'yes' END
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0
    AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""
Columns = dict[str, tuple[str, str]]


def documented() -> dict[str, Columns]:
    parts = re.split(r"^### `(\w+)`$", (ROOT / "docs" / "schema.md").read_text(), flags=re.M)
    return {
        table: {column: (kind, null) for column, kind, null, _ in rows(text.split("\n## ")[0])}
        for table, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def live(connection: psycopg.Connection) -> dict[str, Columns]:
    found: dict[str, Columns] = {}
    for table, column, kind, null in connection.execute(COLUMNS):
        found.setdefault(table, {})[column] = (SHORT.get(kind, str(kind)), null)
    return found


def test_the_page_has_every_table_and_column_of_the_database(warehouse_dsn: str) -> None:
    with connect(warehouse_dsn) as connection:
        tables = live(connection)
    assert documented() == tables
    assert {name: list(columns) for name, columns in documented().items()} == {
        name: list(columns) for name, columns in tables.items()
    }


def test_every_reference_query_is_listed_and_finds_something(
    told_warehouse: psycopg.Connection,
) -> None:
    queries = reference_queries()
    table = rows(section(ROOT / "docs" / "schema.md", "Reference queries"))
    assert {row[0].removesuffix(".sql") for row in table} == set(queries)
    for name, statement in queries.items():
        assert told_warehouse.execute(statement).fetchall(), name
