import copy
import json
from pathlib import Path
from typing import Any

import pytest

from cinematch_dagster.demo.docs import SIMULATION, documents, fill, lasting, tables
from cinematch_dagster.settings import ROOT
from tests.docs.docs_support import name

Report = dict[str, Any]


@pytest.fixture
def simulation() -> Report:
    return dict(json.loads((ROOT / SIMULATION).read_text()))


@pytest.fixture
def report(simulation: Report) -> Report:
    """As a run writes it: the same, with durations and numbers of requests."""
    serving = copy.deepcopy(simulation["serving"])
    failed, versions = serving.pop("failed_requests"), serving.pop("versions")
    measured = {
        "requests": 100 + failed,
        "by_status": {"200": 100, "503": failed},
        "by_version": dict.fromkeys(versions, 50),
        "seconds_to_new_version": 1.5,
    }
    return simulation | {"serving": serving | measured, "seconds": {"train": 9.1}}


@pytest.mark.parametrize("path", documents(ROOT), ids=name)
def test_the_tables_are_those_of_the_simulation(path: Path, simulation: Report) -> None:
    text = path.read_text()
    assert fill(text, simulation) == text


def test_the_readme_and_the_simulation_have_their_tables() -> None:
    shown = {p.name: p.read_text().count("<!-- table: ") for p in documents(ROOT)}
    assert shown["README.md"] == 2
    assert shown["simulation.md"] == 6
    assert all(p.read_text().count("<!-- end -->") == shown[p.name] for p in documents(ROOT))


def test_what_is_kept_of_a_report_is_what_another_run_measures_again(
    report: Report, simulation: Report
) -> None:
    assert lasting(report) == simulation


def test_a_failed_request_is_kept(report: Report) -> None:
    report["serving"]["by_status"]["ConnectError"] = 2
    assert lasting(report)["serving"]["failed_requests"] == 2


def test_numbers_have_six_digits(report: Report) -> None:
    report["weeks"][0]["per_batch"]["rating_mean"] = 0.123456789
    assert lasting(report)["weeks"][0]["per_batch"]["rating_mean"] == 0.123457


def test_another_number_changes_the_document(simulation: Report) -> None:
    text = "before\n<!-- table: weeks -->\nold\n<!-- end -->\nafter\n"
    simulation["weeks"][0]["cumulative"]["rating_distribution_ks"] = 0.4321
    filled = fill(text, simulation)
    assert "0.4321" in filled
    assert "old" not in filled
    assert filled.startswith("before\n<!-- table: weeks -->\n\n| week |")
    assert filled.endswith("|\n\n<!-- end -->\nafter\n")
    assert fill(filled, simulation) == filled


def test_a_marker_without_a_table_is_an_error(simulation: Report) -> None:
    with pytest.raises(KeyError, match="prices"):
        fill("<!-- table: prices -->\n<!-- end -->\n", simulation)


def test_injected_drift_is_labelled(simulation: Report) -> None:
    (line,) = [line for line in tables(simulation)["weeks"].splitlines() if "batch_w6" in line]
    assert "injected: shift +1.0" in line


def test_hits_are_the_precision_of_ten_for_each_user(simulation: Report) -> None:
    scores = simulation["models"][0]["standing"]["challenger"]
    scores |= {"users": 4, "precision_at_10": 0.175}
    line = next(line for line in tables(simulation)["scores"].splitlines() if "0.1750" in line)
    assert "7 of 40" in line
