import psycopg
import pytest

from tests.docs.support import GUIDES, blocks, name

QUERIES = [(name(path), sql) for path in GUIDES for sql in blocks(path, "sql")]


@pytest.mark.parametrize(("guide", "sql"), QUERIES)
def test_a_query_of_the_docs_finds_something(
    guide: str, sql: str, told_warehouse: psycopg.Connection
) -> None:
    assert told_warehouse.execute(sql.encode()).fetchall(), guide


@pytest.mark.parametrize("guide", ["ingestion", "drift", "retraining", "models", "operations"])
def test_a_guide_says_how_to_verify(guide: str) -> None:
    assert f"docs/{guide}.md" in {found for found, _ in QUERIES}


def test_the_warehouse_tells_the_story_that_the_queries_are_about(
    told_warehouse: psycopg.Connection,
) -> None:
    found = told_warehouse.execute(
        "SELECT array_agg(decision ORDER BY id) FROM retraining_decisions"
    ).fetchone()
    assert found == (["no_action", "trigger_actual"],)
