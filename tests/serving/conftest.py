import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serving.registry import Release
from tests.serving.support import free_port, process, wait_for

Publish = Callable[..., Release]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("CINEMATCH_SERVING_"):
            monkeypatch.delenv(name)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real tracking server for the whole session; tests use model names of their own."""
    folder = tmp_path_factory.mktemp("mlflow")
    port, log = free_port(), folder / "mlflow.log"
    command = [
        str(Path(sys.executable).with_name("mlflow")), "server",
        "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination", str(folder / "artifacts"),
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with process(command, log, **quiet) as running:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/health", running, log)
        yield url


@pytest.fixture
def registered_model(request: pytest.FixtureRequest) -> str:
    name: str = request.node.name
    return f"model_of_{name}"


@pytest.fixture
def publish(
    mlflow_server: str, registered_model: str, monkeypatch: pytest.MonkeyPatch
) -> Publish:
    """Register a folder as the next version of the test's model, and move the alias to it."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    pyfunc = Path(__file__).parents[2] / "serving" / "pyfunc.py"

    def log_model(folder: Path, *, alias: str | None = "production") -> Release:
        with warnings.catch_warnings(action="ignore"), mlflow.start_run():  # MLflow's own
            logged = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(pyfunc),
                artifacts={"model": str(folder)},
                registered_model_name=registered_model,
                pip_requirements=[],
            )
        version = str(logged.registered_model_version)
        client = mlflow.MlflowClient()
        if alias:
            client.set_registered_model_alias(registered_model, alias, version)
        found = client.get_model_version(registered_model, version)
        return Release(version, found.creation_timestamp)

    return log_model
