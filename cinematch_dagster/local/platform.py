"""Dagster, MLflow and the API on this machine, as one thing that is started and stopped."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from cinematch_dagster.local import processes
from cinematch_dagster.local.databases import neighbour_url, prepare_warehouse
from cinematch_dagster.local.processes import ProcessError, Service
from cinematch_dagster.settings import ROOT, Settings
from cinematch_dagster.warehouse import embedded


def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def services(settings: Settings, mlflow_store: str) -> tuple[Service, ...]:
    """Return the three servers, in the order in which they start."""
    mlflow = Service(
        "mlflow",
        (
            _program("mlflow"), "server", "--host", "127.0.0.1",
            "--port", str(settings.mlflow_port), "--workers", "1",
            "--backend-store-uri", mlflow_store,
            "--artifacts-destination", str(settings.state_dir / "mlflow"),
        ),
        settings.mlflow_port, "/health", "CINEMATCH_MLFLOW_PORT",
    )  # fmt: skip
    dagster = Service(
        "dagster",
        (
            _program("dagster"), "dev", "--workspace", str(ROOT / "workspace.yaml"),
            "--host", "127.0.0.1", "--port", str(settings.dagster_port),
            "--log-level", "warning",
        ),
        settings.dagster_port, "/server_info", "CINEMATCH_DAGSTER_PORT",
    )  # fmt: skip
    api = Service(
        "api",
        (sys.executable, "-m", "serving"),
        settings.api_port, "/health", "CINEMATCH_API_PORT",
    )  # fmt: skip
    return mlflow, dagster, api


def environment(settings: Settings, warehouse: str) -> dict[str, str]:
    """Return the environment of every process of the platform."""
    state = settings.state_dir
    return os.environ | {
        "CINEMATCH_PROFILE": settings.profile,
        "CINEMATCH_DATABASE_URL": warehouse,
        "CINEMATCH_STATE_DIR": str(state),
        "CINEMATCH_DATA_DIR": str(settings.data_dir),
        "CINEMATCH_MLFLOW_TRACKING_URI": settings.tracking_uri,
        "CINEMATCH_DAGSTER_POSTGRES_URL": neighbour_url(warehouse, "dagster"),
        "CINEMATCH_SERVING_TRACKING_URI": settings.tracking_uri,
        "CINEMATCH_SERVING_PORT": str(settings.api_port),
        "CINEMATCH_SERVING_CACHE_DIR": str(state / "serving"),
        "DAGSTER_HOME": str(state / "dagster"),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_TRACKING_URI": settings.tracking_uri,
        "OPENBLAS_NUM_THREADS": "1",
    }


def _memory(settings: Settings) -> Path:
    return settings.state_dir / "run" / "processes.json"


def _prepare_state(settings: Settings) -> None:
    for name in ("dagster", "mlflow", "serving", "landing"):
        (settings.state_dir / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "workflow_config" / "dagster.yaml", settings.state_dir / "dagster")


def is_running(settings: Settings) -> bool:
    """Whether any server of the platform runs."""
    return bool(processes.remembered(_memory(settings)))


@contextmanager
def running(settings: Settings, on_ready: Callable[[Service], None]) -> Iterator[dict[str, str]]:
    """Run the platform inside a `with` block; yields its environment.

    Raises:
        ProcessError: when it runs already, a port is taken or a server does not come up.
    """
    if is_running(settings):
        raise ProcessError("the platform runs already: stop it with `make down`")
    _prepare_state(settings)
    logs = settings.state_dir / "logs"
    with ExitStack() as reaped:  # its end waits for what `stop` has ended
        try:
            warehouse = prepare_warehouse(settings)
            variables = environment(settings, warehouse)
            servers = services(settings, neighbour_url(warehouse, "mlflow"))
            processes.require_free_ports(servers)
            started = {
                s.name: reaped.enter_context(processes.start(s, variables, logs)) for s in servers
            }
            processes.remember(_memory(settings), {name: p.pid for name, p in started.items()})
            for service in servers:
                processes.wait_until_healthy(service, started[service.name], logs)
                on_ready(service)
            yield variables
        finally:
            stop(settings)


def stop(settings: Settings) -> list[str]:
    """Stop whatever runs, the embedded Postgres last; return the names of what was stopped."""
    running_now = processes.remembered(_memory(settings))
    processes.stop([p for p in running_now.values() if p.pid != os.getpid()])
    _memory(settings).unlink(missing_ok=True)
    cluster = settings.state_dir / "postgres"
    if settings.database_url is None and embedded.running(cluster):
        embedded.stop(cluster)
        return [*running_now, "postgres"]
    return list(running_now)


def memory_megabytes(settings: Settings) -> dict[str, float]:
    """Return the resident memory of each server with its children, in MB."""
    sizes = {}
    for name, process in processes.remembered(_memory(settings)).items():
        family = [process, *process.children(recursive=True)]
        sizes[name] = sum(p.memory_info().rss for p in family if _alive(p)) / 1e6
    return sizes


def _alive(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
