import copy
import json
from pathlib import Path
from typing import Any

import pytest

from cinematch_dagster.demo.docs import documents, fill, lasting, simulation_file, tables
from cinematch_dagster.settings import ROOT
from tests.docs.support import name

Report = dict[str, Any]


PROFILES = ["sample", "movielens-1m"]


def kept(profile: str) -> Report:
    return dict(json.loads((ROOT / simulation_file(profile)).read_text()))


@pytest.fixture
def simulation() -> Report:
    return kept("sample")


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
    return simulation | {
        "serving": serving | measured,
        "seconds": {"train": 9.1},
        "database_megabytes": 25,
    }


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("path", documents(ROOT), ids=name)
def test_the_tables_are_those_of_the_simulation(path: Path, profile: str) -> None:
    text = path.read_text()
    assert fill(text, kept(profile)) == text


def test_every_simulation_is_shown_and_tells_of_no_user_but_the_samples() -> None:
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("simulation*.json")}
    assert files == {str(simulation_file(profile)) for profile in PROFILES}
    assert "user_id" in kept("sample")["serving"]
    assert set(kept("movielens-1m")["serving"]) == {"failed_requests", "versions"}


def test_a_table_of_another_profile_is_left_alone(simulation: Report) -> None:
    text = "<!-- table: movielens-1m weeks -->\nof another run\n<!-- end -->\n"
    assert fill(text, simulation) == text
    other = kept("movielens-1m")
    assert "50,010" in fill(text, other)
    assert fill(text, other).startswith("<!-- table: movielens-1m weeks -->\n")


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
