"""What has happened since a row: for notices."""

import datetime

import psycopg

from cinematch_dagster.warehouse.statements import query, scalar


def newest_rows(connection: psycopg.Connection) -> tuple[int, int]:
    """Return the ids of the newest drift alert and the newest promotion; 0 without any."""
    alert = scalar(connection, b"SELECT coalesce(max(id), 0) FROM drift_alerts_history")
    promotion = scalar(connection, b"SELECT coalesce(max(id), 0) FROM promotions")
    return int(alert), int(promotion)


def drift_since(
    connection: psycopg.Connection, alert_id: int
) -> list[tuple[int, datetime.date, str]]:
    """Return newest alert id, week and triggered tests of every week that alerted since."""
    return connection.execute(query("operations/news_drift"), {"after": alert_id}).fetchall()


def promotions_since(
    connection: psycopg.Connection, promotion_id: int
) -> list[tuple[int, str, str, bool]]:
    """Return id, version, reason, and whether it is a return to a version that served before."""
    return connection.execute(
        query("operations/news_promotions"), {"after": promotion_id}
    ).fetchall()
