"""`cinematch` with light servers: `BEHAVIOURS` says how they behave, by name, as JSON."""

import json
import os

from cinematch_dagster import cli
from cinematch_dagster.local import platform
from cinematch_dagster.local.processes import Service
from cinematch_dagster.settings import Settings
from tests.local.fakes import fake


def fake_services(settings: Settings) -> tuple[Service, ...]:
    """Stand in for `platform.services`."""
    behaviours = json.loads(os.environ.get("BEHAVIOURS", "{}"))
    ports = {
        "mlflow": settings.mlflow_port,
        "dagster": settings.dagster_port,
        "api": settings.api_port,
    }
    return tuple(fake(name, port, *behaviours.get(name, ())) for name, port in ports.items())


if __name__ == "__main__":
    platform.services = fake_services
    cli.main()
