from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cinematch_dagster.drift.page import Side, WeekReport, week_page, week_picture
from cinematch_dagster.drift.page.performance_panel import NO_MODEL, answer
from cinematch_dagster.drift.page.render import WEEKS_ON_A_PAGE
from cinematch_dagster.drift.performance import WeekPerformance
from tests.drift.report_weeks import BASE, EMPTY, LOUD, QUIET, performance, week_report
from tests.drift.test_page import MOST_BYTES, Page

TITLE = "Does this drift hurt the model?"
SVG = "{http://www.w3.org/2000/svg}"


def shown(*weeks: WeekReport) -> Page:
    html = week_page(weeks, Side(BASE), Side(QUIET), Side(QUIET))
    assert len(html.encode()) < MOST_BYTES
    return Page(html.replace("\N{NARROW NO-BREAK SPACE}", " "))


def section(page: Page) -> str:
    return page.text.partition(TITLE)[2].partition("Over the weeks")[0]


def picture(*weeks: WeekReport) -> ElementTree.Element:
    return ElementTree.fromstring(week_picture(weeks, BASE, LOUD, QUIET))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, NO_MODEL),
        (performance(0.9, 0.8), "No. RMSE is 10.0 % lower and MAE is 0.0 % higher than"),
        (performance(1.1, 0.8), "Not yet, but it is close. RMSE is 10.0 % higher and"),
        (performance(1.1001, 0.8), "Yes. RMSE is 10.0 % higher and MAE is 0.0 % higher than"),
        (performance(1.0, 1.0), "Yes. RMSE is 0.0 % higher and MAE is 25.0 % higher than"),
        (performance(9.0, 9.0, rows=9), "Too few ratings to say. RMSE is 800.0 % higher"),
    ],
)
def test_the_answer_is_said_first(found: WeekPerformance | None, said: str) -> None:
    assert answer(found).replace("\N{NARROW NO-BREAK SPACE}", " ").startswith(said)


def test_the_answer_is_in_the_verdict_and_heads_its_section() -> None:
    page = shown(week_report(1, performance=performance(1.2, 0.8)))
    said = "Yes. RMSE is 20.0 % higher and MAE is 0.0 % higher than on version 7's own test."
    assert section(page).startswith(f" {said}")
    assert f"Does it hurt the model? {said} What changed" in page.text


def test_the_section_has_each_error_and_each_slice_with_its_counts() -> None:
    text = section(shown(week_report(1, performance=performance(1.2, 0.8))))
    for told in (
        "Version 7 was in production when the week came in. It predicted the week's 300 ratings",
        "It was 0.80 stars off on average (MAE), against 0.80",
        "Of the 40 users who liked a movie that was new to them, 12.5 % had one among",
        "RMSE 1.2000 1.0000 +20.0 % 10.0 % \N{BLACK UP-POINTING TRIANGLE} alert",
        "MAE 0.8000 0.8000 +0.0 % 10.0 % \N{BLACK CIRCLE} within",
        "All 300 1.200 0.800 12.5 % of 40",
        "Known users 0 \N{EN DASH} \N{EN DASH} \N{EN DASH}",
        "New users 300 1.200 0.800 12.5 % of 40",
        "New movies 12 1.500 1.250 \N{EN DASH} of 0",
    ):
        assert told in text


def test_a_machine_reads_all_digits_of_the_errors() -> None:
    page = shown(week_report(1, performance=performance(1.23456789, 0.87654321)))
    change = page.data.index(1.23456789)
    assert page.data[change : change + 4] == [1.23456789, 1.0, 0.23456789, 0.1]
    assert 0.87654321 in page.data


def test_without_a_model_the_section_is_one_sentence() -> None:
    page = shown(week_report(1, performance=performance(1.2, 0.8)), week_report(2))
    assert section(page).strip() == NO_MODEL
    assert "hit rate" not in page.text


def test_the_errors_are_drawn_over_the_weeks_and_weeks_without_a_model_left_out() -> None:
    found = (None, performance(1.05, 0.8), performance(1.2, 0.8))
    weeks = [week_report(n, performance=each) for n, each in enumerate(found, start=1)]
    html = week_page(weeks, Side(BASE), Side(QUIET), Side(QUIET))
    for name in ("RMSE", "MAE"):
        chart = html.partition(f"<title>{name}: by how much")[2].partition("</svg>")[0]
        assert chart.count('class="alone"') == 2
        assert 'class="total"' not in chart


def test_a_year_of_predicted_weeks_stays_small() -> None:
    week = [week_report(n, performance=performance(1.05, 0.9)) for n in range(1, 80)]
    assert "RMSE 1.0500 1.0000 +5.0 %" in section(shown(*week))


def test_a_picture_has_the_three_histograms_and_each_test_over_the_weeks() -> None:
    drawn = picture(week_report(1), week_report(2, LOUD, QUIET))
    charts = [chart for chart in drawn if chart.tag == f"{SVG}svg"]
    stars, *scores = ([one.get("class") for one in chart.iter()] for chart in charts)
    assert [stars.count(style) for style in ("base", "alone", "total")] == [10, 10, 10]
    for score in scores:
        assert [score.count(style) for style in ("alone", "total")] == [2, 2]
        assert score.count("threshold-line") == 1
    titles = [(chart[0].text or "").replace("\N{NARROW NO-BREAK SPACE}", " ") for chart in charts]
    assert titles == [
        "Shares of the ratings by stars",
        "Distribution over the weeks, threshold 5 %",
        "Mean over the weeks, threshold 10 %",
        "Spread over the weeks, threshold 15 %",
    ]


def test_a_picture_needs_nothing_else_and_stays_small() -> None:
    weeks = [week_report(n, injected="shift") for n in range(1, WEEKS_ON_A_PAGE + 20)]
    text = week_picture(weeks, BASE, LOUD, EMPTY)
    assert len(text.encode()) < 30_000
    assert text.count("http") == 1  # the name space
    assert "--total: #" in text
    assert ElementTree.fromstring(text).tag == f"{SVG}svg"
