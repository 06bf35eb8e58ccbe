import argparse
import datetime
import json
import re
from pathlib import Path

import pytest

from benchmarks.common.bench import Bench, options
from benchmarks.common.machine import measured_today
from benchmarks.common.results import Measured, Results

HERE: Measured = {"days": ["2026-01-02"], "machine": "M", "versions": "V"}
LATER: Measured = {"days": ["2026-01-04"], "machine": "M", "versions": "V"}
ELSEWHERE: Measured = {"days": ["2026-01-03"], "machine": "N", "versions": "V"}


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "made" / "results.json")


@pytest.fixture
def given(results: Results, tmp_path: Path) -> argparse.Namespace:
    return options("data", None, ("a",)).parse_args(
        ["--results", str(results.path), "--docs", str(tmp_path)]
    )


def test_an_entry_is_replaced_and_the_others_stay(results: Results) -> None:
    results.keep("b/2", {"x": 1}, HERE)
    results.keep("a", [1.5], HERE)
    results.keep("b/2", {"x": 2}, LATER)
    assert results.figures() == {"a": [1.5], "b": {"2": {"x": 2}}}
    assert results.entries()["b/2"]["measured"] == LATER
    assert list(results.path.parent.iterdir()) == [results.path]


def test_figures_have_nine_digits_and_nothing_else_is_touched(results: Results) -> None:
    results.keep("a", {"x": (1 / 3, 12345678912, "1.23456789012", None, {"y": [2 / 3]})}, HERE)
    assert results.figures() == {
        "a": {"x": [0.333333333, 12345678912, "1.23456789012", None, {"y": [0.666666667]}]}
    }


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused_and_the_file_stays(results: Results, number: float) -> None:
    results.keep("a", 1, HERE)
    with pytest.raises(ValueError, match="not JSON compliant"):
        results.keep("b", number, HERE)
    assert results.figures() == {"a": 1}


def test_days_on_one_machine_are_one_line(results: Results) -> None:
    results.keep("a/1", 1, LATER)
    results.keep("a/2", 1, HERE)
    assert results.measured("a/") == "Measured on 2026-01-02 to 2026-01-04 on M. V."
    results.keep("b", 1, ELSEWHERE)
    assert results.measured("b") == "Measured on 2026-01-03 on N. V."
    assert results.measured("a/", "b").splitlines() == [
        "Measured on 2026-01-02 to 2026-01-04 on M. V.",
        "Measured on 2026-01-03 on N. V.",
    ]
    assert results.measured("c") == ""


def test_what_is_measured_is_kept_and_not_measured_again(
    results: Results, given: argparse.Namespace
) -> None:
    calls = []

    def work() -> int:
        calls.append(1)
        return len(calls)

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Bench("data", [], given).measure({"1": work, "2": interrupted})
    assert results.figures() == {"1": 1}
    Bench("data", [], given).measure({"1": work, "2": work})
    assert results.figures() == {"1": 1, "2": 2}
    given.again = True
    Bench("data", [], given).measure({"1": work})
    assert results.figures() == {"1": 3, "2": 2}


def test_date_machine_and_versions_are_noted() -> None:
    found = measured_today(["numpy"], "PostgreSQL 18.4")
    assert found["days"] == [datetime.datetime.now(datetime.UTC).date().isoformat()]
    assert re.fullmatch(r".+, \d+ cores, \d+ GiB, .+", found["machine"])
    assert re.fullmatch(r"Python 3\.11\.\d+, numpy [\d.]+; PostgreSQL 18\.4", found["versions"])
    assert json.dumps(found)


def test_the_options_are_the_same_everywhere_rows_only_where_they_mean_something() -> None:
    parser = options("data", None, ("a", "b"), rows=[5], rounds=2)
    found = parser.parse_args([])
    assert (found.parts, found.rows, found.rounds, found.again) == (["a", "b"], [5], 2, False)
    assert not hasattr(options("reliability", None, ("a",)).parse_args([]), "rows")
    with pytest.raises(SystemExit):
        parser.parse_args(["--parts", "c"])


def test_a_guide_stays_until_everything_that_it_shows_is_known(
    given: argparse.Namespace, tmp_path: Path
) -> None:
    guide = tmp_path / "guide.md"
    guide.write_text("<!-- platform/figures -->\nold\n<!-- end of platform/figures -->\n")
    bench = Bench("platform", [], given)
    bench.keep("import", {"seconds": 1.0})
    assert "\nold\n" in guide.read_text()
    weeks = {"first_start": 1.0, "second_start": 1.0, "single": 1.0, "backfill": 1.0}
    bench.keep("weeks", {**weeks, "rows": 1, "weeks": 1, "memory_mb": {"API": 1.0}})
    assert "| API | 1 |" in guide.read_text()
