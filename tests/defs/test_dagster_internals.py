"""A newer Dagster may have moved what it never promised: these tests say what breaks then."""

import importlib
import re
import tomllib
from pathlib import Path

import dagster as dg
import pytest
from packaging.requirements import Requirement

from cinematch_dagster.settings import ROOT

STORED_TAGS = "dagster._core.storage.tags"
USED = {
    (STORED_TAGS, "ASSET_PARTITION_RANGE_START_TAG"): "no sensor can request a range of weeks",
    (STORED_TAGS, "ASSET_PARTITION_RANGE_END_TAG"): "no sensor can request a range of weeks",
    (STORED_TAGS, "PARTITION_NAME_TAG"): "a notice of a failed run does not name its week",
    (STORED_TAGS, "WILL_RETRY_TAG"): "a run that is tried again counts as failed for good",
    (
        "dagster._core.definitions.assets.job.asset_job", "IMPLICIT_ASSET_JOB_NAME",
    ): "sensors do not wait for what a person materializes",
    (
        "dagster._core.errors", "DagsterAssetCheckFailedError",
    ): "a notice of a failed check does not name the check",
    (
        "dagster._core.execution.backfill", "BulkActionsFilter",
    ): "`follow_up_sensor` does not wait for backfills",
    (
        "dagster._core.execution.backfill", "BulkActionStatus",
    ): "`follow_up_sensor` does not wait for backfills",
    (
        "dagster._core.scheduler.instigation", "TickStatus",
    ): "the check `sensors_tick` takes ticks that failed for good ones",
    ("dagster_shared.error", "SerializableErrorInfo"): "a notice does not say why a step failed",
}  # fmt: skip
INTERNALS = {"cinematch_dagster/defs/dagster_internals.py", "tests/defs/dagster_states.py"}


def private_imports(path: Path) -> set[tuple[str, str]]:
    """Module and name of each import from Dagster's private modules."""
    lines = re.findall(
        r"^from (dagster(?:\._|_shared)[\w.]*) import (?:\(([^)]*)\)|(.+))$",
        path.read_text(), re.MULTILINE,
    )  # fmt: skip
    return {(m, name) for m, many, one in lines for name in re.findall(r"\w+", many or one)}


@pytest.mark.parametrize(("module", "name"), USED)
def test_dagster_still_has_what_we_use(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name), (
        f"Dagster {dg.__version__} has no {module}.{name}: {USED[module, name]}"
    )


@pytest.mark.parametrize("method", ["get_backfills", "all_instigator_state", "get_ticks"])
def test_an_instance_still_answers_what_we_ask(method: str) -> None:
    assert hasattr(dg.DagsterInstance, method), (
        f"Dagster {dg.__version__} has no DagsterInstance.{method}: see `dagster_internals.py`"
    )


def test_every_private_name_is_in_the_table() -> None:
    assert private_imports(ROOT / "cinematch_dagster/defs/dagster_internals.py") == set(USED)


def test_no_other_file_reaches_into_dagster() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("cinematch_dagster", "benchmarks", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^\s*(from|import) dagster(\._|_shared)", path.read_text(), re.MULTILINE)
    }
    assert found == INTERNALS


def test_pyproject_allows_no_version_that_was_not_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (allowed,) = (
        requirement.specifier
        for requirement in map(Requirement, project["dependencies"])
        if requirement.name == "dagster"
    )
    assert dg.__version__ in allowed
    major, minor, _ = dg.__version__.split(".")
    assert f"{major}.{int(minor) + 1}.0" not in allowed
