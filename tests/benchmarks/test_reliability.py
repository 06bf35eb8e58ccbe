import json
from pathlib import Path

import pytest

from benchmarks.reliability import __main__ as program
from benchmarks.reliability.__main__ import FAULTS, PARTS, LogError, main, summary, tried
from cinematch_dagster.settings import ROOT

KILLED = {"name": "killed", "done": "in a load", "holds": "counted once"}
AWAY = {"name": "away", "done": "a while", "holds": "goes on"}
TEST = """
import json, os
def test_a_fault():
    with open(os.environ["FAULT_LOG"], "a") as log:
        log.write(json.dumps({"name": "n", "done": "d", "holds": "h", "lost": False}) + "\\n")
test_a_fault.pytestmark = __import__("pytest").mark.slow
"""


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    guide = (
        "# R\n\n<!-- reliability/faults -->\nstale\n<!-- end of reliability/faults -->\n\nAfter.\n"
    )
    (tmp_path / "reliability.md").write_text(guide)
    return ["--docs", str(tmp_path), "--results", str(tmp_path / "results.json")]


def test_tries_of_a_fault_are_one_row_in_their_first_order() -> None:
    found = summary([{**KILLED, "lost": False}, {**AWAY, "lost": True}, {**KILLED, "lost": False}])
    assert found == [{**KILLED, "tried": 2, "lost": 0}, {**AWAY, "tried": 1, "lost": 1}]


def test_every_file_of_faults_is_a_part() -> None:
    assert len(PARTS) == len(list(FAULTS.glob("test_*.py"))) > 1
    assert "postgres" in PARTS


def test_the_table_stands_in_the_guide_and_the_text_around_it_stays(
    tmp_path: Path, places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "tried", lambda *_: [{**AWAY, "tried": 1, "lost": 0}])
    main(["--parts", "mlflow", *places])
    text = (tmp_path / "reliability.md").read_text()
    assert "| away | a while | goes on | 1 | 0 |" in text
    assert "stale" not in text
    assert text.endswith("\nAfter.\n")


def test_a_fault_that_was_lost_is_named_at_the_end(
    tmp_path: Path, places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "tried", lambda *_: [{**AWAY, "tried": 1, "lost": 1}])
    with pytest.raises(SystemExit, match="Lost: away, a while"):
        main(["--parts", "mlflow", *places])
    assert "| away | a while | goes on | 1 | 1 |" in (tmp_path / "reliability.md").read_text()


def test_a_file_of_tests_is_run_in_each_round(tmp_path: Path) -> None:
    tests = tmp_path / "test_one.py"
    tests.write_text(TEST)
    assert tried(tests, 2) == [{"name": "n", "done": "d", "holds": "h", "tried": 2, "lost": 0}]


def test_without_a_try_there_is_no_table(tmp_path: Path) -> None:
    tests = tmp_path / "test_none.py"
    tests.write_text("def test_quick() -> None:\n    pass\n")
    with pytest.raises(LogError, match=r"test_none\.py: no fault was tried"):
        tried(tests, 1)


def test_the_kept_table_has_a_row_for_each_fault_that_is_tried() -> None:
    kept = json.loads((ROOT / "benchmarks" / "reliability" / "results.json").read_text())
    assert set(kept) == set(PARTS)
