import json
from pathlib import Path

import pytest

from benchmarks.reliability import LogError, main, section

KILLED = {"name": "killed", "done": "in a load", "holds": "counted once"}
AWAY = {"name": "away", "done": "a while", "holds": "goes on"}


def test_tries_of_a_fault_are_one_row_in_their_first_order() -> None:
    tries = [
        {**KILLED, "lost": False, "at": "2026-01-02"},
        {**AWAY, "lost": True, "at": "2026-01-03"},
        {**KILLED, "lost": False, "at": "2026-01-03"},
    ]
    first, *_, one, other = section(tries).splitlines()
    assert first.startswith("Tried on 2026-01-02 to 2026-01-03 on ")
    assert one == "| killed | in a load | counted once | 2 | 0 |"
    assert other == "| away | a while | goes on | 1 | 1 |"


def test_the_table_stands_in_the_document_and_the_text_around_it_stays(tmp_path: Path) -> None:
    log, document = tmp_path / "log.jsonl", tmp_path / "reliability.md"
    log.write_text(json.dumps({**AWAY, "lost": False, "at": "2026-01-02"}) + "\n")
    document.write_text("# R\n\n<!-- faults -->\nstale\n<!-- end of faults -->\n\nAfter.\n")
    main([str(log), "--document", str(document)])
    text = document.read_text()
    assert "| away | a while | goes on | 1 | 0 |" in text
    assert "stale" not in text
    assert text.endswith("\nAfter.\n")


def test_without_a_try_there_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"log\.jsonl: no fault was tried"):
        main([str(tmp_path / "log.jsonl")])


def test_a_fault_that_was_lost_is_named_at_the_end(tmp_path: Path) -> None:
    log, document = tmp_path / "log.jsonl", tmp_path / "reliability.md"
    log.write_text(json.dumps({**AWAY, "lost": True, "at": "2026-01-02"}) + "\n")
    with pytest.raises(SystemExit, match="Lost: away, a while"):
        main([str(log), "--document", str(document)])
    assert "| away | a while | goes on | 1 | 1 |" in document.read_text()
