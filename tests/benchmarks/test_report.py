import datetime
import re
from pathlib import Path

import pytest

from benchmarks.report import SectionError, against_target, measured_on, table, write_section


def test_a_table_has_its_numbers_aligned_right() -> None:
    assert table(("way", "rows"), [("COPY", 1), ("to_sql", 23)]) == (
        "| way | rows |\n| --- | ---: |\n| COPY | 1 |\n| to_sql | 23 |\n"
    )


def test_the_first_section_begins_the_document(tmp_path: Path) -> None:
    document = tmp_path / "docs" / "benchmarks.md"
    write_section("data", "one\n\n", document)
    assert document.read_text() == ("# Benchmarks\n\n<!-- data -->\none\n<!-- end of data -->\n")


def test_a_section_is_replaced_and_everything_else_stays(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    write_section("data", "old", document)
    write_section("serving", "kept", document)
    document.write_text(document.read_text().replace("# Benchmarks", "# Ours\n\nBy hand, é."))
    before = document.read_text()
    write_section("data", "new\n\nwith two parts", document)
    assert document.read_text() == before.replace("old", "new\n\nwith two parts")
    assert list(tmp_path.iterdir()) == [document]


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    write_section("data", "same", document)
    before = document.read_text()
    write_section("data", "same", document)
    assert document.read_text() == before


def test_a_name_that_begins_another_is_another_section(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    write_section("data, 10 ratings", "ten", document)
    write_section("data", "all", document)
    write_section("data, 10 ratings", "10", document)
    assert re.findall(r"-->\n(\w+)\n<!-- end", document.read_text()) == ["10", "all"]


@pytest.mark.parametrize(
    "text",
    [
        "<!-- data -->\n",
        "<!-- end of data -->\n",
        "<!-- end of data -->\n<!-- data -->\n",
        "<!-- data -->\n<!-- data -->\n<!-- end of data -->\n",
    ],
)
def test_markers_that_enclose_nothing_are_refused_and_the_document_stays(
    tmp_path: Path, text: str
) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(text)
    with pytest.raises(SectionError, match=r"benchmarks\.md: markers <!-- data --> and"):
        write_section("data", "new", document)
    assert document.read_text() == text


def test_a_missed_target_says_by_how_much() -> None:
    assert against_target(31, 30) == "at least 30: met"
    assert against_target(30, 30) == "at least 30: met"
    assert against_target(29.99, 30) == "at least 30: missed, 0.99 of it"
    assert against_target(2.001, 2, at_most=True) == "at most 2: missed, 1.01 of it"
    assert against_target(21, 30) == "at least 30: missed, 0.70 of it"
    assert against_target(1.5, 2, " GB", at_most=True) == "at most 2 GB: met"
    assert against_target(3, 2, " GB", at_most=True) == "at most 2 GB: missed, 1.50 of it"


def test_the_line_names_date_machine_and_versions() -> None:
    line = measured_on(["numpy"], "PostgreSQL 18.4")
    today = datetime.datetime.now(datetime.UTC).date()
    assert re.fullmatch(
        rf"Measured on {today} on .+ cores, .+\. "
        r"Python 3\.11\.\d+, numpy [\d.]+; PostgreSQL 18\.4\.\n",
        line,
    )
