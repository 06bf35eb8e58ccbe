import io
from typing import Any

import pytest
from rich.console import Console

from cinematch_dagster.demo.show import Section, sections, show, weeks

KS, MEAN, STD = "rating_distribution_ks", "rating_mean", "rating_std"
CHALLENGER = {"rmse": 0.9, "mae": 0.7, "ndcg_at_10": 0.25, "precision_at_10": 0.12}
CHAMPION = {"rmse": 0.95, "mae": 0.75, "ndcg_at_10": 0.2, "precision_at_10": 0.1}


def week(number: int, injected: str | bool, verdict: str) -> dict[str, Any]:
    return {
        "week": f"2024-01-0{number}",
        "batch_id": f"batch_w{number}",
        "rows": 4796,
        "injected": injected,
        "verdict": verdict,
        "alerts": [],
        "per_batch": {KS: 0.02947, MEAN: -0.00704, STD: 0.01177},
        "cumulative": {KS: 0.5, MEAN: 0.25, STD: -0.125},
        "performance": None,
    }


@pytest.fixture
def report() -> dict[str, Any]:
    first = {"version": "1", "data_size": 25_179, "promoted": True, "reason": "Promoted: first"}
    second = {"version": "2", "data_size": 48_000, "promoted": False, "reason": "Kept out: worse"}
    before = [{"title": "[rec] (2007)", "reason": "r"}, {"title": "Alien (1979)", "reason": "r"}]
    after = [{"title": "Face/Off (1997)", "reason": "liked"}, {"title": "M|A (1931)", "reason": ""}]
    second_week = week(2, "shift +1.0", "DRIFT DETECTED - RETRAINING RECOMMENDED")
    against = {"rmse": 0.8, "mae": 0.6}
    performance = {"version": "1", "rmse": 1.0, "mae": 0.7, "against": against, "alert": True}
    return {
        "weeks": [
            week(1, False, "NO DRIFT - CONTINUE MONITORING"),
            second_week | {"performance": performance},
        ],
        "decisions": [
            {
                "weeks": ["2024-01-01", "2024-01-08"],
                "decision": "trigger_actual",
                "buffer_size": 28_779,
                "reason": "Retraining up to week 2024-01-08",
            }
        ],
        "models": [
            first | CHAMPION | {"champion": None},
            second | CHALLENGER | {"champion": CHAMPION},
        ],
        "profile": "sample",
        "database_megabytes": 23,
        "serving": {
            "user_id": 547,
            "requests": 1234,
            "by_status": {"200": 1234},
            "by_version": {"1": 1000, "2": 234},
            "seconds_to_new_version": 2.04,
            "recommendations_before": before,
            "recommendations_after": after,
        },
        "dropped_again": {"batch_id": "batch_w6", "runs_started": 0, "said": "nothing changes"},
        "seconds": {"prepare": 10.4, "train": 20.0},
    }


def rows(report: dict[str, Any], title: str) -> list[tuple[str, ...]]:
    (section,) = [s for s in sections(report) if s.title.startswith(title)]
    assert {len(row) for row in section.rows} == {len(section.columns)}
    return list(section.rows)


ALONE, SO_FAR = ("0.0295", "-0.0070", "+0.0118"), ("0.5000", "+0.2500", "-0.1250")
INJECTED = "batch_w2 (injected: shift +1.0)"
WORSE = "1.0000 (version 1: +25.0%, alert)"


def test_the_weeks_show_both_views_and_what_was_injected(report: dict[str, Any]) -> None:
    assert weeks(report).rows == (
        ("batch_w1", "4,796", *ALONE, *SO_FAR, "no drift", "no model"),
        (INJECTED, "4,796", *ALONE, *SO_FAR, "drift detected", WORSE),
    )


def test_a_terminal_shows_the_two_views_one_below_the_other(report: dict[str, Any]) -> None:
    assert rows(report, "Each week alone") == [
        ("batch_w1", "4,796", *ALONE, "no model"),
        (INJECTED, "4,796", *ALONE, WORSE),
    ]
    assert rows(report, "All weeks since") == [
        ("batch_w1", *SO_FAR, "no drift"),
        (INJECTED, *SO_FAR, "drift detected"),
    ]


def test_a_decision_shows_its_weeks_and_its_reason(report: dict[str, Any]) -> None:
    assert rows(report, "Decisions") == [
        (
            "2024-01-01, 2024-01-08",
            "trigger_actual",
            "28,779",
            "Retraining up to week 2024-01-08",
        )
    ]


def test_a_model_stands_beside_its_champion_on_the_same_rows(report: dict[str, Any]) -> None:
    assert rows(report, "Models") == [
        ("1 (promoted)", "25,179", "0.9500", "0.7500", "0.2000", "0.1000", "Promoted: first"),
        ("2 (kept out)", "48,000", "0.9000", "0.7000", "0.2500", "0.1200", "Kept out: worse"),
        ("champion, same rows", "", "0.9500", "0.7500", "0.2000", "0.1000", ""),
    ]


def test_serving_counts_answers_by_status_and_version(report: dict[str, Any]) -> None:
    assert rows(report, "Serving") == [
        ("requests during the story", "1,234"),
        ("by status", "200: 1,234"),
        ("by model version", "1: 1,000, 2: 234"),
        ("promotion to first answer", "2.0 s"),
        ("batch_w6 dropped again", "0 runs: nothing changes"),
        ("size of the warehouse", "23 MB"),
        ("the whole story", "30 s"),
    ]


def test_the_lists_before_and_after_stand_side_by_side(report: dict[str, Any]) -> None:
    assert rows(report, "Recommendations for user 547") == [
        ("1", "[rec] (2007)", "Face/Off (1997)", "liked"),
        ("2", "Alien (1979)", "M|A (1931)", ""),
    ]


def test_markdown_escapes_what_would_be_a_cell() -> None:
    section = Section("title", ("a", "b|c"), (("1", "x | y"), ("2", "")))
    assert section.markdown() == "| a | b\\|c |\n| --- | --- |\n| 1 | x \\| y |\n| 2 |  |"


def test_every_section_is_a_table_in_markdown(report: dict[str, Any]) -> None:
    for section in sections(report):
        header, rule, *lines = section.markdown().splitlines()
        assert len(lines) == len(section.rows)
        bars = {line.replace("\\|", "").count("|") for line in (header, rule, *lines)}
        assert bars == {len(section.columns) + 1}


def test_a_terminal_shows_every_cell_as_it_is(report: dict[str, Any]) -> None:
    console = Console(file=io.StringIO(), width=250)
    show(report, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for section in sections(report):
        assert section.title in text
        assert all(cell in text for row in section.rows for cell in row)
