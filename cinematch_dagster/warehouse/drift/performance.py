"""How each week was predicted by the version that it found, as `weekly_performance` measured it."""

import datetime
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from cinematch_dagster.warehouse.statements import query


@dataclass(frozen=True)
class Measured:
    """A week's predictions.

    Attributes:
        version: of the registry.
        scores: ready for JSON: `own`, the version's errors on its own test rows, `overall`, and
            each slice of the week with its scores; None for a slice without ratings.
    """

    week: datetime.date
    version: str
    scores: dict[str, Any]


def record_performance(connection: psycopg.Connection, measured: Measured) -> None:
    """Write a week's row; the newest computation replaces the one before."""
    values = asdict(measured) | {"scores": Jsonb(measured.scores)}
    connection.execute(query("drift/performance_upsert"), values)


def recorded_performance(connection: psycopg.Connection) -> dict[datetime.date, Measured]:
    """Return every week that a version was there to predict."""
    with connection.cursor(row_factory=class_row(Measured)) as cursor:
        found = cursor.execute("SELECT week, version, scores FROM weekly_performance").fetchall()
    return {measured.week: measured for measured in found}
