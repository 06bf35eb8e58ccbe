"""Postgres: the server, the schema, and every statement of the platform."""

from cinematch_dagster.warehouse.connection import connect, ensure_database, migrate

__all__ = ["connect", "ensure_database", "migrate"]
