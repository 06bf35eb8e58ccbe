"""What the dashboard shows of the warehouse: counts, and the newest loads, models and decisions."""

from typing import Any

import psycopg

from cinematch_dagster.warehouse.statements import query, scalar

MOST_ROWS = 1000
"""Rows of a table, the newest; nineteen years of weeks fit."""


def dashboard(connection: psycopg.Connection) -> dict[str, Any]:
    """Return `written_at`, `overview` and `tables`, ready for JSON."""
    found: dict[str, Any] = scalar(connection, query("operations/dashboard"), {"most": MOST_ROWS})
    return found
