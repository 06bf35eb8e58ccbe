"""Where the definitions load: in a checkout, with Dagster's programs, and without one."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cinematch_dagster.settings import ROOT

PROGRAMS = Path(sys.executable).parent
LOAD = """
import sys
import warnings

warnings.simplefilter("ignore")
from cinematch_dagster.definitions import __file__, defs

heavy = {"mlflow", "scipy", "sklearn", "surprise", "matplotlib", "implicit"} & set(sys.modules)
print(__file__, len(defs.resolve_asset_graph().get_all_asset_keys()), *heavy)
"""


def test_an_installed_package_finds_them_without_a_checkout(tmp_path: Path) -> None:
    for folder in ("cinematch_dagster", "serving", "workflow_config"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    ours = {name: v for name, v in os.environ.items() if not name.startswith("CINEMATCH_")}
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        capture_output=True, text=True, cwd="/", check=False,
        env=ours | {"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    expected = f"{tmp_path}/cinematch_dagster/definitions.py 16"
    assert done.stdout.strip() == expected, done.stderr[-2_000:]


def test_a_checkout_and_a_package_are_the_same_project() -> None:
    checkout = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]
    package = tomllib.loads((ROOT / "cinematch_dagster" / "dg.toml").read_text())
    assert {key: checkout[key] for key in package} == package


@pytest.mark.parametrize(
    "program",
    [
        ["dagster", "definitions", "validate", "--workspace", str(ROOT / "workspace.yaml")],
        ["dg", "check", "defs", "--target-path", str(ROOT)],
    ],
    ids=["dagster", "dg"],
)
def test_dagster_s_programs_load_them(program: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [PROGRAMS / program[0], *program[1:]],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
