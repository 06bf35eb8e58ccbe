"""The servers that are compared, each a process on a core of its own."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from benchmarks.serving.others import CONSTANT, MODEL
from cinematch_dagster.local.ports import reserved
from cinematch_dagster.local.processes import (
    ProcessError,
    Service,
    family,
    start,
    stop,
)
from cinematch_dagster.local.watchdog import end_with_us

NAME, ALIAS = "cinematch_recommender", "production"
ROOT: Final = Path(__file__).parents[2]
QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
UVICORN: Final = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--factory")


@dataclass(frozen=True)
class Server:
    """A server that answers.

    Attributes:
        port: where.
        first_answer: seconds from its start to its first answer.
        process: the worker: of all processes of the server the one with most memory.
    """

    port: int
    first_answer: float
    process: psutil.Process

    @property
    def resident(self) -> int:
        """Bytes of memory of the worker, with what it touched of mapped files."""
        return int(self.process.memory_info().rss)

    @property
    def own(self) -> int:
        """Bytes of them that no other worker could share."""
        lines = Path("/proc", str(self.process.pid), "status").read_text().splitlines()
        return 1024 * next(int(n.split()[1]) for n in lines if n.startswith("RssAnon:"))


def register(uri: str, folder: Path) -> None:
    """Register a folder as the version in production."""
    with warnings.catch_warnings(action="ignore"):  # MLflow's own
        import mlflow

        import serving.model.pyfunc

    os.environ.update(MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false")
    mlflow.set_tracking_uri(uri)
    ignored = warnings.catch_warnings(action="ignore")
    with ignored, mlflow.start_run(experiment_id="0"):  # whatever was chosen before
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(serving.model.pyfunc.__file__).with_name("mlflow_entry.py")),
            artifacts={"model": str(folder)},
            registered_model_name=NAME,
            signature=serving.model.pyfunc.SIGNATURE,
            pip_requirements=[],
        )
    version = str(logged.registered_model_version)
    mlflow.MlflowClient().set_registered_model_alias(NAME, ALIAS, version)


@contextlib.contextmanager
def ours(folder: Path, uri: str) -> Iterator[Server]:
    """Run the API with its own settings and one worker; its copies of models are in `folder`."""
    with reserved() as (port,):
        settings = {
            "PORT": str(port),
            "TRACKING_URI": uri,
            "CACHE_DIR": str(folder / "cache"),
            "REPORTS_DIR": str(folder / "reports"),
            "RATINGS_FILE": str(folder / "ratings.jsonl"),
        }
        environment = {f"CINEMATCH_SERVING_{name}": value for name, value in settings.items()}
        with _server(
            "ours", (sys.executable, "-m", "serving"), port, environment, folder, "/recommend"
        ) as server:
            yield server


@contextlib.contextmanager
def mlflow_serve(folder: Path, uri: str) -> Iterator[Server]:
    """Run `mlflow models serve` of the version in production, with one worker."""
    with reserved() as (port,):
        command = (
            _program("mlflow"), "models", "serve", "-m", f"models:/{NAME}@{ALIAS}",
            "--env-manager", "local", "--workers", "1", "--host", "127.0.0.1", "--port", str(port),
        )  # fmt: skip
        path = str(Path(sys.executable).parent)
        environment = {
            "MLFLOW_TRACKING_URI": uri,
            "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
        }
        with _server("mlflow-serve", command, port, environment, folder, "/invocations") as server:
            yield server


@contextlib.contextmanager
def bare(folder: Path, constant: str) -> Iterator[Server]:
    """Run FastAPI alone, which answers a constant."""
    path = folder / "constant.json"
    path.write_text(constant, encoding="utf-8")
    with _uvicorn("bare", {CONSTANT: str(path)}, folder) as server:
        yield server


@contextlib.contextmanager
def first_version(folder: Path, model: Path) -> Iterator[Server]:
    """Run the first version's way."""
    with _uvicorn("first_version", {MODEL: str(model)}, folder) as server:
        yield server


@contextlib.contextmanager
def _uvicorn(name: str, environment: Mapping[str, str], folder: Path) -> Iterator[Server]:
    with reserved() as (port,):
        command = (
            sys.executable, "-m", "uvicorn", f"benchmarks.serving.others:{name}", *UVICORN,
            "--port", str(port),
        )  # fmt: skip
        with _server(name, command, port, environment, folder, "/recommend") as server:
            yield server


@contextlib.contextmanager
def _server(
    name: str,
    command: tuple[str, ...],
    port: int,
    environment: Mapping[str, str],
    folder: Path,
    path: str,
) -> Iterator[Server]:
    end_with_us()
    service = Service(name, command, port, path, "none")
    begin = time.perf_counter()
    with _first_core():
        process = start(service, {**os.environ, **QUIET, **environment}, folder)
    root = psutil.Process(process.pid)
    try:
        _wait_for_answer(service, process.poll, folder)
        taken = time.perf_counter() - begin
        yield Server(port, taken, max(family(root), key=lambda p: p.memory_info().rss))
    finally:
        stop([root])
        process.wait()


def _wait_for_answer(service: Service, ended: Any, folder: Path, seconds: float = 300) -> None:
    """Ask until a recommendation comes."""
    body: object = {"user_id": 1, "top_k": 10}
    if service.health == "/invocations":
        body = {"dataframe_records": [body]}
    deadline = time.monotonic() + seconds
    with httpx.Client(timeout=60) as client:
        while time.monotonic() < deadline and ended() is None:
            with contextlib.suppress(httpx.TransportError):
                if client.post(service.url + service.health, json=body).is_success:
                    return
            time.sleep(0.02)
    raise ProcessError(f"{service.name} does not answer: see {folder / service.name}.log")


@contextlib.contextmanager
def _first_core() -> Iterator[None]:
    """Let what is started meanwhile run on the first core, and this process on the others."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[:1])
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@contextlib.contextmanager
def off_the_first_core() -> Iterator[None]:
    """Keep this process off the servers' core."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[1:] or cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
