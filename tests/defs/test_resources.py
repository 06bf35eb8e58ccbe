"""Every definition gets its settings as a resource, so that a run may be given others."""

import re
from pathlib import Path

import dagster as dg
import pytest

from cinematch_dagster.definitions import defs
from cinematch_dagster.defs.ingestion.sensors import landing_folder_sensor
from cinematch_dagster.defs.resources import WarehouseResource
from cinematch_dagster.settings import ROOT, load_settings

DEFS = ROOT / "cinematch_dagster" / "defs"


def test_a_sensor_looks_where_the_settings_that_it_was_given_say(
    platform_settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere" / "landing").mkdir(parents=True)
    (tmp_path / "elsewhere" / "landing" / "batch_w1.parquet").touch()
    theirs = load_settings().model_copy(update={"state_dir": tmp_path / "elsewhere"})
    monkeypatch.setenv("CINEMATCH_DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")
    load_settings.cache_clear()
    with dg.build_sensor_context(
        resources={"settings": theirs, "warehouse": WarehouseResource(settings=theirs)},
        instance=dg.DagsterInstance.ephemeral(),
        definitions=defs,
    ) as context:
        (request,) = landing_folder_sensor.evaluate_tick(context).run_requests or ()
    assert request.tags["cinematch/batches"] == "batch_w1"
    assert not any((platform_settings / "landing").iterdir())


def test_settings_are_read_for_imports_in_one_file_and_for_runs_in_another() -> None:
    found = {
        str(path.relative_to(DEFS))
        for path in DEFS.rglob("*.py")
        if re.search(r"\b(load|read)_settings\(", path.read_text())
    }
    assert found == {"definition_settings.py", "resources.py"}


def test_every_resource_that_is_asked_for_is_defined() -> None:
    assert set(defs.resources or ()) == {"settings", "warehouse", "mlflow"}
    dg.Definitions.validate_loadable(defs)
