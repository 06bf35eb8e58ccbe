"""What is running, what lies in the buffer and what is in production, as plain values."""

from typing import Any

import psycopg

from cinematch_dagster.local import platform
from cinematch_dagster.local.databases import warehouse_dsn
from cinematch_dagster.settings import Settings
from cinematch_dagster.warehouse import embedded
from cinematch_dagster.warehouse.batches import buffer_status
from cinematch_dagster.warehouse.connection import connect
from cinematch_dagster.warehouse.promotions import in_production


def platform_status(settings: Settings) -> dict[str, Any]:
    """Return the status, ready for JSON; nothing is started to find it out."""
    memory = platform.memory_megabytes(settings)
    found: dict[str, Any] = {
        "running": {name: f"{megabytes:.0f} MB" for name, megabytes in memory.items()}
    }
    if settings.database_url is None and not embedded.running(settings.state_dir / "postgres"):
        return found | {"warehouse": "the embedded Postgres is not running: start with `make up`"}
    try:
        with connect(warehouse_dsn(settings)) as connection:
            promotion = in_production(connection)
            status = buffer_status(connection)
    except psycopg.errors.UndefinedTable:
        return found | {"warehouse": "the warehouse has no tables yet: start with `make up`"}
    production = (
        {"version": promotion.version, "week": promotion.week, "reason": promotion.reason}
        if promotion
        else "no model yet"
    )
    return found | {"in production": production, "buffer": status}
