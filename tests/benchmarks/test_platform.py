from pathlib import Path

import pytest

from benchmarks.common.pages import render
from benchmarks.common.results import Measured, Results
from benchmarks.platform.measure import OTHERS, role

MEASURED: Measured = {"days": ["2026-01-02"], "machine": "M", "versions": "V"}


@pytest.fixture
def shown(tmp_path: Path) -> str:
    results = Results(tmp_path / "results.json")
    results.keep("import", {"seconds": 3.5}, MEASURED)
    weeks = {
        "rows": 200,
        "first_start": 31.25,
        "second_start": 90.0,
        "single": 6.0,
        "weeks": 50,
        "backfill": 10.0,
        "memory_mb": {"web server": 1_500, "daemon": 250},
    }
    results.keep("weeks", weeks, MEASURED)
    return render("platform/figures", results)


def test_every_figure_stands_beside_its_target(shown: str) -> None:
    assert "median) | 3.5 | at most 4 s: met |" in shown
    assert "| 31.2 | at most 60 s: met |" in shown
    assert "| 90.0 | at most 60 s: missed, 1.50 of it |" in shown
    assert "| 1,750 | at most 2000 MB: met |" in shown
    assert "a week of 200 ratings as a run of its own, seconds (median) | 6.0 |" in shown
    assert "50 such weeks by one backfill, seconds | 10 | at most 180 s: met |" in shown
    assert "a week of it, seconds | 0.20 |" in shown


def test_the_servers_keep_the_order_in_which_they_were_measured(shown: str) -> None:
    assert shown.splitlines()[-2:] == ["| web server | 1,500 |", "| daemon | 250 |"]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python -m dagster_webserver --port 1", "web server"),
        ("python -m dagster._daemon run", "daemon"),
        ("python /bin/dagster dev --workspace w.yaml", "`dagster dev`, which starts them"),
        ("python /bin/mlflow server --port 1", "MLflow"),
        ("python -m serving", "API"),
        ("python -c from multiprocessing.resource_tracker import main", OTHERS),
    ],
)
def test_a_process_belongs_to_the_server_that_its_command_line_names(
    command: str, name: str
) -> None:
    assert role(command.split(" ")) == name
