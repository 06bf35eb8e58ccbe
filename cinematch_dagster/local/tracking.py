"""An MLflow server by itself, for what needs a registry and no platform."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from cinematch_dagster.local.ports import reserved
from cinematch_dagster.local.processes import Service, start, stop, wait_until_healthy
from cinematch_dagster.local.watchdog import end_with_us

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "OPENBLAS_NUM_THREADS": "1",
}


@contextmanager
def tracking_server(folder: Path) -> Iterator[str]:
    """Run an MLflow server inside a `with` block, its files and log in `folder`; give its address.

    It ends with this process, however that ends.

    Raises:
        ProcessError: when it does not come up.
    """
    end_with_us()
    with reserved() as (port,):
        service = _service(folder, port)
        process = start(service, os.environ | _QUIET, folder)
        try:
            wait_until_healthy(service, process, folder)
            yield service.url
        finally:
            stop([psutil.Process(process.pid)])
            process.wait()


def _service(folder: Path, port: int) -> Service:
    command = (
        str(Path(sys.executable).with_name("mlflow")), "server", "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination", str(folder / "artifacts"),
        "--host", "127.0.0.1", "--port", str(port),
    )  # fmt: skip
    return Service("mlflow", command, port, "/health", "none")
