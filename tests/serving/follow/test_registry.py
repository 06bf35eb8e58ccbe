import traceback
from pathlib import Path

import pytest

from serving.follow.registry import Registry, RegistryError, Release
from serving.model import Model
from tests.ports import free_port
from tests.serving.support import Publish, tiny_model


@pytest.fixture
def registry(mlflow_server: str, registered_model: str) -> Registry:
    return Registry(mlflow_server, registered_model, "production")


def test_a_model_that_is_not_registered(registry: Registry) -> None:
    with pytest.raises(RegistryError, match=r"^no version of model_of_.* has the alias production"):
        registry.release()


def test_an_alias_that_is_missing(registry: Registry, publish: Publish, tmp_path: Path) -> None:
    publish(tiny_model(tmp_path / "v1", "v1"), alias="candidate")
    with pytest.raises(RegistryError, match="has the alias production"):
        registry.release()


def test_the_alias_names_the_release(registry: Registry, publish: Publish, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "v1", "v1")
    first, second = publish(folder), publish(folder)
    assert (first.version, second.version) == ("1", "2")
    assert registry.release() == second


def test_the_download_is_a_model(registry: Registry, publish: Publish, tmp_path: Path) -> None:
    release = publish(tiny_model(tmp_path / "any_name", "v1"))
    folder = registry.download(release, tmp_path / "scratch")
    assert folder.is_relative_to(tmp_path / "scratch")
    titles = [r.title for r in Model.load(folder).recommend(1, 1).recommendations]
    assert titles[0].endswith("(v1)")


def test_a_version_that_is_missing(registry: Registry, publish: Publish, tmp_path: Path) -> None:
    publish(tiny_model(tmp_path / "v1", "v1"))
    with pytest.raises(RegistryError, match=r"^version 77 of model_of_.* can't be fetched"):
        registry.download(Release("77", 0), tmp_path / "scratch")


def test_a_registry_that_is_down_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    address = f"127.0.0.1:{free_port()}"
    registry = Registry(f"http://user:secret@{address}", "a_model", "production")
    with pytest.raises(RegistryError) as raised:
        registry.release()
    assert str(raised.value) == f"MLflow does not answer at http://{address}"
    assert "secret" in "".join(traceback.format_exception(raised.value))  # so it is not logged


def test_a_version_is_found_whatever_its_aliases(
    publish: Publish, mlflow_server: str, registered_model: str, tmp_path: Path
) -> None:
    first = publish(tiny_model(tmp_path / "1", "v1"))
    publish(tiny_model(tmp_path / "2", "v2"))
    registry = Registry(mlflow_server, registered_model, "production")
    assert registry.release_of(first.version) == first
    assert registry.release().version == "2"
    with pytest.raises(RegistryError, match=f"{registered_model} has no version 77"):
        registry.release_of("77")
