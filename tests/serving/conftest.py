import datetime
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.follow.loader import Served
from serving.follow.registry import Release
from serving.model import Model
from tests.serving.support import Publish, tiny_model


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("CINEMATCH_SERVING_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    model = Model.load(tiny_model(tmp_path_factory.mktemp("model"), "v3"))
    now = datetime.datetime(2024, 1, 8, tzinfo=datetime.UTC)
    return Served(model, Release("3", 300), "registry", now)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def registered_model(request: pytest.FixtureRequest) -> str:
    name: str = request.node.name
    return f"model_of_{name}"


@pytest.fixture
def publish(
    mlflow_server: str, registered_model: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Publish]:
    """Register a folder as the next version of the test's model, and move the alias to it."""
    import mlflow

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(mlflow_server)
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    entry = Path(__file__).parents[2] / "serving" / "model" / "mlflow_entry.py"

    def log_model(folder: Path, *, alias: str | None = "production") -> Release:
        with warnings.catch_warnings(action="ignore"), mlflow.start_run():  # MLflow's own
            logged = mlflow.pyfunc.log_model(
                name="model",
                python_model=str(entry),
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

    yield log_model
    mlflow.set_tracking_uri(before)
