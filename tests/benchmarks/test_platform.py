import pytest

from benchmarks.platform.measure import OTHERS, Results, role
from benchmarks.platform.page import section

FOUND = Results(
    importing=[3.0, 9.0, 3.5],
    first_start=31.25,
    second_start=90.0,
    memory={"daemon": 250_000_000, "web server": 1_500_000_000},
    single=[8.0, 4.0, 6.0],
    range_weeks=50,
    range_seconds=10.0,
)


def test_every_figure_stands_beside_its_target() -> None:
    shown = section(FOUND, rows=200)
    assert "median) | 3.5 | at most 4 s: met |" in shown
    assert "| 31.2 | at most 60 s: met |" in shown
    assert "| 90.0 | at most 60 s: missed, 1.50 of it |" in shown
    assert "| 1,750 | at most 2000 MB: met |" in shown
    assert "a week of 200 ratings as a run of its own, seconds (median) | 6.0 |" in shown
    assert "50 such weeks by one backfill, seconds | 10 | at most 180 s: met |" in shown
    assert "a week of it, seconds | 0.20 |" in shown


def test_the_largest_server_comes_first() -> None:
    lines = section(FOUND, rows=200).splitlines()
    assert lines[-2:] == ["| web server | 1,500 |", "| daemon | 250 |"]


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
