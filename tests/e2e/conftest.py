import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cinematch_dagster.postgres import embedded
from cinematch_dagster.settings import ROOT, Settings, load_settings
from tests.ports import free_port


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the sample as its `data/`; state goes to `var/` beside it."""
    folder = tmp_path_factory.mktemp("platform")
    shutil.copytree(ROOT / "data" / "sample", folder / "data" / "sample")
    yield folder
    for cluster in folder.glob("var/**/postgres"):
        embedded.destroy(cluster)


@pytest.fixture(scope="module")
def environment(home: Path) -> dict[str, str]:
    """Of a user who has set nothing but where things lie and free ports."""
    clean = {name: value for name, value in os.environ.items() if "CINEMATCH" not in name}
    ports = {f"CINEMATCH_{name}_PORT": str(free_port()) for name in ("DAGSTER", "MLFLOW", "API")}
    return (
        clean
        | ports
        | {
            "CINEMATCH_STATE_DIR": str(home / "var"),
            "CINEMATCH_DATA_DIR": str(home / "data"),
        }
    )


@pytest.fixture(scope="module")
def settings(environment: dict[str, str]) -> Iterator[Settings]:
    """The settings of that user; this process has the same environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        load_settings.cache_clear()
        yield load_settings()
    load_settings.cache_clear()
