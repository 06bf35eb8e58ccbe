"""`make demo` as the first command in a fresh clone, by a user who has set nothing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cinematch_dagster.postgres import embedded
from cinematch_dagster.settings import ROOT
from tests.e2e.support import processes_of

pytestmark = [pytest.mark.slow, pytest.mark.lifecycle, pytest.mark.timeout(1_300)]


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", f"safe.directory={folder}", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """A repository of what belongs to ours, changes that are not committed included."""
    folder = tmp_path / "clone"
    for name in git(ROOT, "ls-files", "-co", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    yield folder
    embedded.destroy(folder / "var" / "demo" / "state" / "postgres")


def test_make_demo_in_a_fresh_clone(clone: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if "CINEMATCH" not in name}
    # The packages are ours, the platform's code is the clone's.
    variables = {"PYTHONPATH": str(clone), "COLUMNS": "200"}
    programs = Path(sys.executable).parent
    done = subprocess.run(
        ["make", "demo", f"BIN={programs}", "READY="],
        cwd=clone, env=clean | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    said = " ".join(done.stdout.split())
    assert f"All of it: {clone}/var/demo/report.json" in said
    assert "drift detected" in said.lower()
    assert (clone / "var" / "demo" / "report.json").is_file()
    assert processes_of(clone) == []
    changed = git(clone, "diff", "--stat"), git(clone, "ls-files", "-o", "--exclude-standard")
    assert changed == ("", "")  # whatever it leaves, git does not see it
