import json
import re
from pathlib import Path

import pytest

from benchmarks.common import pages
from benchmarks.common.pages import (
    BENCHMARKS,
    DOCS,
    SectionError,
    at_least,
    at_most,
    fill,
    fmt,
    percent,
    results_of,
    up,
)
from benchmarks.common.results import Results

PARTS = sorted(path.parent.name for path in BENCHMARKS.glob("*/results.json"))
DOCUMENTS = sorted(path for path in DOCS.glob("*.md") if "<!-- end of " in path.read_text())
MEASURED = {"days": ["2026-01-02"], "machine": "M", "versions": "V"}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    """Results of a part `tiny`, whose template shows the figure x."""
    monkeypatch.setattr(pages, "BENCHMARKS", tmp_path)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "page.md.jinja").write_text("x is {{ results.x }}\n\n\n\nend\n\n")
    path = tmp_path / "tiny" / "results.json"
    path.write_text(json.dumps({"x": {"figures": 7, "measured": MEASURED}}))
    return Results(path)


def test_every_part_has_results() -> None:
    assert PARTS == ["data", "drift", "models", "platform", "reliability", "serving"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_guide_shows_the_figures_that_are_kept(document: Path, part: str) -> None:
    text = document.read_text()
    assert fill(text, part, results_of(part)) == text


@pytest.mark.parametrize("part", PARTS)
def test_another_figure_changes_a_guide(part: str, tmp_path: Path) -> None:
    entries = json.loads(results_of(part).path.read_text())
    text = json.dumps(entries).replace("5", "6").replace("2026", "2025")
    (tmp_path / "results.json").write_text(text)
    changed = Results(tmp_path / "results.json")
    assert any(fill(path.read_text(), part, changed) != path.read_text() for path in DOCUMENTS)


def test_every_template_is_shown_in_a_guide() -> None:
    made = {
        f"{p.parent.name}/{p.name.removesuffix('.md.jinja')}" for p in BENCHMARKS.rglob("*.jinja")
    }
    shown = {
        name for path in DOCUMENTS for name in re.findall(r"<!-- (\w+/\w+) -->", path.read_text())
    }
    assert made - {"models/macros"} == shown


def test_a_section_is_replaced_and_everything_else_stays(results: Results, tmp_path: Path) -> None:
    document = tmp_path / "guide.md"
    text = "# Ours\n\nBy hand, é.\n\n<!-- tiny/page -->\n{}<!-- end of tiny/page -->\n\nAfter.\n"
    document.write_text(text.format("old\n"), encoding="utf-8")
    (tmp_path / "other.md").write_text("<!-- end of nothing of ours\n")
    pages.write("tiny", results, tmp_path)
    assert document.read_text() == text.format("x is 7\n\nend\n")
    assert (tmp_path / "other.md").read_text() == "<!-- end of nothing of ours\n"


def test_rendering_again_changes_nothing(results: Results) -> None:
    once = fill("<!-- tiny/page -->\n<!-- end of tiny/page -->\n", "tiny", results)
    assert fill(once, "tiny", results) == once


def test_sections_of_other_parts_stay(results: Results) -> None:
    text = "<!-- data/figures -->\nkept\n<!-- end of data/figures -->\n"
    assert fill(text, "tiny", results) == text


@pytest.mark.parametrize(
    "text",
    [
        "<!-- tiny/page -->\n",
        "<!-- end of tiny/page -->\n",
        "<!-- end of tiny/page -->\n<!-- tiny/page -->\n",
        "<!-- tiny/page -->\n<!-- tiny/page -->\n<!-- end of tiny/page -->\n",
    ],
)
def test_markers_that_enclose_nothing_are_refused(results: Results, text: str) -> None:
    with pytest.raises(SectionError, match="markers <!-- tiny/page --> and"):
        fill(text, "tiny", results)


def test_a_missed_target_says_by_how_much() -> None:
    assert at_least(31, 30) == "at least 30: met"
    assert at_least(30, 30) == "at least 30: met"
    assert at_least(29.99, 30) == "at least 30: missed, 0.99 of it"
    assert at_most(2.001, 2) == "at most 2: missed, 1.01 of it"
    assert at_least(21, 30) == "at least 30: missed, 0.70 of it"
    assert at_most(1.5, 2, " GB") == "at most 2 GB: met"
    assert at_most(3, 2, " GB") == "at most 2 GB: missed, 1.50 of it"


def test_a_threshold_is_never_rounded_below_the_score() -> None:
    assert [up(score) for score in (0.0481, 0.048, 0.0999, 0.279)] == [
        "0.049",
        "0.048",
        "0.100",
        "0.279",
    ]


def test_numbers_have_the_form_that_is_asked_and_nothing_is_an_empty_cell() -> None:
    assert [fmt(1234.5), fmt(0.12345, ".4f"), fmt(None)] == ["1,234", "0.1235", ""]
    assert [percent(0.0435), percent(0.85, 0)] == ["4.3 %", "85 %"]
