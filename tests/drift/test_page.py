from __future__ import annotations

import datetime
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinematch_dagster.drift.histogram import Histogram
from cinematch_dagster.drift.page import Decided, Side, WeekReport, index_page, week_page
from cinematch_dagster.drift.page.render import WEEKS_ON_A_PAGE, WEEKS_ON_THE_INDEX
from cinematch_dagster.drift.verdict import DriftPolicy, Level
from serving.kit.render import STATIC
from tests.drift.report_weeks import (
    BASE,
    BASELINE,
    EMPTY,
    GENRES,
    LOUD,
    POLICY,
    QUIET,
    counts,
    history,
    rich,
    week_report,
)

VOID = {"meta", "br"}
MOST_BYTES = 200_000
HOSTILE = "<script>alert('x')</script>&\"'{{ 7 * 7 }}</title>"
AT = datetime.datetime(2024, 2, 5, 6, 30, tzinfo=datetime.UTC)


class Page(HTMLParser):
    """Reads a page, and fails where an element is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.data: list[float] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        if tag == "data":
            self.data.append(float(dict(attrs)["value"] or ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    @property
    def links(self) -> list[str | None]:
        return [value for name, value in self.attributes if name == "href"]


def shown(*args: Any, **kwargs: Any) -> Page:
    html = week_page(*args, **kwargs)
    assert len(html.encode()) < MOST_BYTES
    return Page(html)


def plain(weeks: list[WeekReport], per_batch: Histogram, cumulative: Histogram) -> Page:
    return shown(weeks, Side(BASE), Side(per_batch), Side(cumulative))


def test_a_page_holds_every_number_of_its_report_to_the_last_digit() -> None:
    weeks = history(3)
    report = weeks[-1].report
    batch, so_far = rich(LOUD), rich(QUIET)
    expected: list[float | None] = [
        report.baseline_n,
        report.baseline_mean,
        report.baseline_std,
    ]
    for view in (report.per_batch, report.cumulative):
        expected.append(view.n)
        expected += [number for test in view.tests for number in (test.change, test.threshold)]
        expected.append(view.ks_p_value)
    assert batch.secondary
    assert so_far.secondary
    assert batch.secondary.chi_square
    assert so_far.secondary.chi_square
    for one, other in zip(
        batch.secondary.ratings + batch.secondary.genres,
        so_far.secondary.ratings + so_far.secondary.genres,
        strict=True,
    ):
        expected += [one.score, other.score]
    for chi in (batch.secondary.chi_square, so_far.secondary.chi_square):
        expected += [chi.statistic, chi.p_value]
    assert shown(weeks, BASELINE, batch, so_far).data == expected


def test_the_verdict_comes_first_and_the_rest_in_its_order() -> None:
    weeks = history(2, last=(LOUD, LOUD))
    text = shown(weeks, BASELINE, rich(LOUD), rich(LOUD)).text
    parts = [
        Level.DRIFT.value,
        "What changed",
        "Both views",
        "Does this drift hurt the model?",
        "Over the weeks",
        "Secondary metrics",
        "Users and movies",
        "Genres The genres",
        "What was decided",
        weeks[-1].report.input_digest,
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_users_movies_and_genres_are_told() -> None:
    text = shown(history(1), BASELINE, rich(LOUD), rich(QUIET)).text
    text = text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    for told in (
        "Ratings per active user 25.0 25.0 10.0",
        "Share of ratings by new users 25.0 % 25.0 % 0.0 %",
        "Share of ratings of new movies 10.5 % 10.5 % 0.0 %",
        "Most changed: Drama from 60.0 % to 30.0 %; Comedy from 40.0 % to 60.0 %; War from 0.0 %",
    ):
        assert told in text


def test_what_is_not_known_has_no_section() -> None:
    text = plain(history(2), LOUD, QUIET).text
    for title in ("Secondary metrics", "Users and movies", "Genres"):
        assert title not in text
    assert "Nothing yet." in text


def test_only_the_view_with_evidence_shows_some() -> None:
    text = shown(history(2), BASELINE, rich(LOUD), Side(QUIET)).text
    assert "Ratings: PSI 0.4159 \N{BLACK DIAMOND} high \N{EN DASH} 0.25" in text  # 0.3 ln(4)


def test_decisions_are_told_in_their_order() -> None:
    decisions = [
        Decided(AT, "Retraining triggered", "1 open alert"),
        Decided(AT + datetime.timedelta(minutes=2), "Version 2 promoted", "RMSE 0.91 < 0.98"),
    ]
    sides = (Side(BASE), Side(LOUD), Side(QUIET))
    text = shown(history(2), *sides, decisions).text
    assert "Retraining triggered on 5 February 2024 at 06:30 UTC 1 open alert" in text
    assert "Version 2 promoted on 5 February 2024 at 06:32 UTC RMSE 0.91 < 0.98" in text


def test_injected_drift_is_labelled_on_its_page_in_the_charts_and_in_the_index() -> None:
    weeks = [week_report(1), week_report(2, LOUD, LOUD, injected="shift +1.0")]
    text = plain(weeks, LOUD, LOUD).text
    assert "Injected drift: shift +1.0." in text
    assert text.count("shaded: injected drift") == 3
    assert "2024-01-08 (injected)" in text
    assert "2024-01-08 injected" in Page(index_page(weeks)).text
    assert "njected" not in plain(weeks[:1], QUIET, QUIET).text


def test_pages_link_to_each_other() -> None:
    weeks = history(3)
    site: list[str | None] = ["../", "../", "../dashboard", "index.html"]
    assert plain(weeks, LOUD, QUIET).links == [*site, "index.html", "2024-01-08.html"]
    assert plain(weeks[:1], QUIET, QUIET).links == [*site, "index.html"]
    first, second, third = (week.file_name for week in weeks)
    assert Page(index_page(weeks)).links == [*site, third, third, second, first]


@pytest.mark.parametrize(
    ("baseline", "per_batch", "cumulative", "said"),
    [
        (BASE, EMPTY, EMPTY, "EMPTY BUFFER - NOTHING TO COMPARE"),
        (EMPTY, EMPTY, EMPTY, "The buffer holds no ratings. No verdict."),
        (EMPTY, LOUD, LOUD, "Baseline holds 0 ratings, 10 needed. No verdict."),
        (BASE, counts({3.0: 1}), counts({3.0: 1}), "1 ratings, 3.00 stars on average; too few"),
        (BASE, counts({3.0: 9}), counts({3.0: 9}), "INSUFFICIENT DATA - CONTINUE MONITORING"),
        (BASE, counts({3.0: 9}), counts({3.0: 9}), "\N{WHITE CIRCLE} not counted"),
        (BASE, EMPTY, LOUD, "No ratings came in."),
        (counts({3.0: 50}), counts({3.0: 50}), counts({3.0: 50}), "NO DRIFT"),
    ],
)
def test_weeks_with_little_or_nothing(
    baseline: Histogram, per_batch: Histogram, cumulative: Histogram, said: str
) -> None:
    weeks = [week_report(1, per_batch, cumulative, baseline=baseline)]
    page = shown(weeks, Side(baseline), Side(per_batch), Side(cumulative))
    assert said in page.text
    assert " nan" not in page.text
    assert "None" not in page.text
    assert weeks[0].report.level.value in Page(index_page(weeks)).text


def test_nothing_is_loaded_or_run() -> None:
    html = week_page(history(2), BASELINE, rich(LOUD), rich(QUIET))
    for text in (html, index_page(history(2))):
        page = Page(text)
        assert page.tags.isdisjoint({"script", "link", "img", "iframe", "object", "image", "use"})
        assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
        for way_out in ("http", "@import"):
            assert way_out not in text
        assert re.findall(r"url\((\w+:?)", text) == ["data:"]  # the typeface


def test_hostile_texts_are_shown_and_not_obeyed() -> None:
    report = week_report(1, LOUD, LOUD).report
    weeks = [WeekReport(datetime.date(2024, 1, 1), HOSTILE, HOSTILE, report, policy=POLICY)]
    sides = [Side(BASE, {HOSTILE: 3}), Side(LOUD, {HOSTILE: 1, "War": 2}), Side(LOUD, GENRES)]
    page = shown(weeks, *sides, [Decided(AT, HOSTILE, HOSTILE)])
    for each in (page, Page(index_page(weeks))):
        assert "script" not in each.tags
        assert HOSTILE in each.text
        assert each.text.count("{{ 7 * 7 }}") == each.text.count("<script>")
    assert page.text.count(HOSTILE) == 8  # batch, label, genres in words and chart twice, decision


def test_ten_years_fit_and_the_oldest_weeks_give_way() -> None:
    shifted = counts({2.0: 7, 4.0: 2}) * 2_500_000
    weeks = [
        week_report(n, shifted, shifted, injected="shift -1.0" if n % 3 else None)
        for n in range(1, WEEKS_ON_THE_INDEX + 10)
    ]
    index = index_page(weeks)
    assert len(index.encode()) < MOST_BYTES
    assert f"{len(weeks)} weeks:" in Page(index).text
    assert index.count("<tr>") == WEEKS_ON_THE_INDEX + 1
    assert f"the last {WEEKS_ON_THE_INDEX}" in Page(index).text
    page = shown(weeks, Side(BASE), Side(shifted), Side(shifted))
    assert str(weeks[-WEEKS_ON_A_PAGE].week) in page.text
    assert str(weeks[-WEEKS_ON_A_PAGE - 1].week) not in page.text


def test_one_week_is_enough_for_an_index() -> None:
    text = Page(index_page([week_report(1)])).text
    assert "1 week: \N{BLACK CIRCLE} No drift 1" in text
    assert "Latest week: 1 January 2024 ." in text


def test_the_index_counts_every_level_and_shows_both_views_newest_first() -> None:
    weeks = history(3, last=(LOUD, LOUD))
    text = Page(index_page(weeks)).text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "3 weeks: \N{BLACK UP-POINTING TRIANGLE} Drift 1, \N{BLACK CIRCLE} No drift 2" in text
    assert "Latest week: 15 January 2024 . Distribution shift; Mean change; Variance ch" in text
    table = text[text.index("Newest first") :]
    assert table.index("2024-01-15") < table.index("2024-01-08") < table.index("2024-01-01")
    mixed = [week_report(1, LOUD, QUIET)]
    text = Page(index_page(mixed)).text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "300 100 0.33 % 30.00 % +0.22 % +20.00 %" in text


def test_the_style_is_shipped_with_its_page() -> None:
    page = index_page([week_report(1)])
    for name in ("tokens.css", "type.css", "parts.css", "charts.css"):
        assert (STATIC / name).read_text().strip() in page


histograms = st.lists(st.integers(0, 40), min_size=10, max_size=10).map(
    lambda c: np.array(c, dtype=np.int64)
)


@settings(max_examples=40, deadline=None)
@given(histograms, histograms, histograms, st.integers(1, 3), st.booleans())
def test_any_report_makes_a_page(
    baseline: Histogram, per_batch: Histogram, cumulative: Histogram, minimum: int, alerting: bool
) -> None:
    policy = DriftPolicy(
        count_threshold=20,
        minimum_tests=minimum,
        alerting_views=("cumulative", "per_batch") if alerting else (),
    )
    week = week_report(4, per_batch, cumulative, baseline=baseline, policy=policy)
    sides = (Side(baseline), Side(per_batch), Side(cumulative))
    page = shown([week_report(3), week], *sides)
    assert week.report.level.value in page.text
    assert page.text.count("\N{BLACK UP-POINTING TRIANGLE} alert") == len(week.report.alerts)
