"""Dagster, MLflow and the API on this machine, as one thing that is started and stopped."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cinematch_dagster.local import ports, processes
from cinematch_dagster.local.databases import fingerprint, neighbour_url, prepare_warehouse
from cinematch_dagster.local.owner_pid import claim, release, starter
from cinematch_dagster.local.processes import ProcessError, Service
from cinematch_dagster.local.signals import uninterrupted
from cinematch_dagster.postgres import embedded
from cinematch_dagster.settings import ROOT, STARTED_WITH, Settings, variables_for_servers

RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def services(settings: Settings) -> tuple[Service, ...]:
    """Return the servers, in the order in which they start; MLflow only where none is named."""
    mlflow = Service(
        "mlflow",
        (
            _program("mlflow"), "server", "--host", "127.0.0.1",
            "--port", str(settings.mlflow_port), "--workers", "1",
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
    return (dagster, api) if settings.mlflow_tracking_uri else (mlflow, dagster, api)


def environment(settings: Settings, warehouse: str) -> dict[str, str]:
    """Return the environment of every server.

    Addresses of databases are here and in no command line, which others on the machine can read.
    """
    state = settings.state_dir
    return {
        "DAGSTER_EVENT_BATCH_SIZE": "1000",  # a range's events in one statement, not hundreds
        RETRIES: "5",  # a minute; its own 7 are four, for each request
        **variables_for_servers(),
        "CINEMATCH_PROFILE": settings.profile,
        "CINEMATCH_DATABASE_URL": warehouse,
        STARTED_WITH: fingerprint(warehouse),
        "CINEMATCH_STATE_DIR": str(state),
        "CINEMATCH_DATA_DIR": str(settings.data_dir),
        "CINEMATCH_PREPARED_ROOT": str(settings.prepared_dir.parent),
        "CINEMATCH_MLFLOW_TRACKING_URI": settings.tracking_uri,
        "CINEMATCH_DAGSTER_POSTGRES_URL": neighbour_url(warehouse, "dagster"),
        "CINEMATCH_SERVING_TRACKING_URI": settings.tracking_uri,
        "CINEMATCH_SERVING_PORT": str(settings.api_port),
        "CINEMATCH_SERVING_CACHE_DIR": str(state / "serving"),
        "CINEMATCH_SERVING_REPORTS_DIR": str(settings.reports_dir),
        "CINEMATCH_SERVING_METRICS_DIR": str(state / "metrics"),
        "CINEMATCH_SERVING_DATABASE_URL": warehouse,
        "CINEMATCH_SERVING_RATINGS_FILE": str(settings.live_ratings_file),
        "DAGSTER_HOME": str(state / "dagster"),
        "MLFLOW_BACKEND_STORE_URI": neighbour_url(warehouse, "mlflow"),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_TRACKING_URI": settings.tracking_uri,
        "OPENBLAS_NUM_THREADS": "1",
    }


def _of(service: Service, variables: dict[str, str]) -> dict[str, str]:
    """Return a server's environment: the API's next poll is its retry, unless the user sets one."""
    if service.name != "api":
        return variables
    return {**variables, RETRIES: os.environ.get(RETRIES, "0")}


def logs(settings: Settings) -> Path:
    """Return the folder of the servers' logs."""
    return settings.state_dir / "logs"


def _run_folder(settings: Settings) -> Path:
    return settings.state_dir / "run"


def _prepare_state(settings: Settings) -> None:
    for name in ("dagster", "mlflow", "serving", "landing"):
        (settings.state_dir / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "workflow_config" / "dagster.yaml", settings.state_dir / "dagster")


def is_running(settings: Settings) -> bool:
    """Whether the platform, or any server of it, runs."""
    return bool(starter(_run_folder(settings)) or processes.found(logs(settings)))


@contextmanager
def running(
    settings: Settings, on_ready: Callable[[Service], None]
) -> Iterator[Callable[[], None]]:
    """Run the platform inside a `with` block.

    Yields:
        A check that raises ProcessError once a server has ended on its own.

    Raises:
        PortTakenError: when another process uses a port, or was faster than our server.
        ProcessError: when it runs already or a server does not come up.
    """
    servers = services(settings)

    def permitted() -> None:
        if is_running(settings):
            raise ProcessError("the platform runs already: stop it with `make down`")
        ports.require_free(servers)

    claim(_run_folder(settings), permitted)
    started = {}
    try:
        _prepare_state(settings)
        variables = environment(settings, prepare_warehouse(settings))
        for service in servers:
            started[service] = processes.start(service, _of(service, variables), logs(settings))
        for service, process in started.items():
            _wait_until_healthy(service, process, logs(settings))
            on_ready(service)

        def check() -> None:
            for service, process in started.items():
                processes.require_running(service, process, logs(settings))

        yield check
    finally:
        with uninterrupted():
            stop(settings)
            for process in started.values():
                process.poll()
            release(_run_folder(settings))


def _wait_until_healthy(service: Service, process: subprocess.Popen[bytes], logs: Path) -> None:
    try:
        processes.wait_until_healthy(service, process, logs)
    except ProcessError:
        if process.poll() is not None and service.name not in processes.found(logs):
            ports.require_free([service])
        raise


def stop(settings: Settings) -> list[str]:
    """Stop whatever runs, the embedded Postgres last; return the names of what was stopped."""
    cluster = settings.state_dir / "postgres"
    embedded_here = settings.database_url is None
    names = list(processes.found(logs(settings)))
    names += ["postgres"] if embedded_here and embedded.running(cluster) else []
    if other := starter(_run_folder(settings)):
        processes.stop([other])
    for _ in range(2):  # the second time whatever was started during the first
        left = processes.found(logs(settings)).values()
        processes.stop([process for roots in left for process in roots])
    if embedded_here:
        embedded.stop(cluster)  # also one that was about to start
    return names


def memory_megabytes(settings: Settings) -> dict[str, float]:
    """Return the resident memory of each server with its children, in MB."""
    return {
        name: sum(processes.resident_bytes(root) for root in roots) / 1e6
        for name, roots in processes.found(logs(settings)).items()
    }
