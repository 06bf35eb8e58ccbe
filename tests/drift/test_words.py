from __future__ import annotations

import datetime

import pytest

from cinematch_dagster.drift.histogram import Histogram
from cinematch_dagster.drift.page import words
from cinematch_dagster.drift.verdict import DriftPolicy, assess
from serving.kit import formats
from tests.drift.report_weeks import BASE, EMPTY, LOUD, POLICY, QUIET, counts

NARROW = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def spaced(text: str) -> str:
    return text.replace(NARROW, " ").replace(MINUS, "-")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.number(12345.678, 2), "12,345.68"),
        (formats.number(-3), f"{MINUS}3"),
        (formats.number(None), "\N{EN DASH}"),
        (formats.percent(0.0949), f"9.49{NARROW}%"),
        (formats.percent(1, 0), f"100{NARROW}%"),
        (formats.percent(None), "\N{EN DASH}"),
        (formats.change(0.0333), f"+3.33{NARROW}%"),
        (formats.change(-0.0304), f"{MINUS}3.04{NARROW}%"),
        (formats.change(None), "\N{EN DASH}"),
        (formats.p_value(0.0411), "0.041"),
        (formats.p_value(0.0), "< 0.001"),
        (formats.of_threshold(0.0949, 0.05), "1.9 times its threshold"),
        (formats.of_threshold(0.042, 0.05), f"84{NARROW}% of its threshold"),
        (formats.of_threshold(0.05, 0.05), f"100{NARROW}% of its threshold"),
        (formats.day(datetime.date(2024, 2, 5)), "5 February 2024"),
        (formats.exact(0.1, "<10>"), '<data value="0.1">&lt;10&gt;</data>'),
        (formats.exact(None, "-"), "-"),
    ],
)
def test_numbers_as_people_read_them(text: str, expected: str) -> None:
    assert text == expected


def status(cumulative: Histogram, per_batch: Histogram, minimum_tests: int = 1) -> tuple[str, str]:
    policy = DriftPolicy(count_threshold=10, minimum_tests=minimum_tests)
    report = assess(BASE, per_batch, cumulative, policy)
    return (
        spaced(words.status(report.cumulative, policy)),
        spaced(words.status(report.per_batch, policy)),
    )


def test_an_alert_names_every_test_above_and_an_early_signal_says_why_there_is_none() -> None:
    alert, early = status(LOUD, LOUD)
    assert alert == (
        "Alert: Distribution shift at 6.0 times its threshold, "
        "Mean change at 2.0 times its threshold, Variance change at 1.3 times its threshold."
    )
    assert early == (
        "Early signal: Distribution shift at 6.0 times its threshold. "
        "No alert: this view is for early signals only."
    )


def test_an_early_signal_below_its_threshold_says_so() -> None:
    close, quiet = status(counts({2.0: 54, 4.0: 46}), QUIET)
    assert close == (
        "Early signal: Distribution shift at 80 % of its threshold. No alert: below the threshold."
    )
    assert quiet == (
        "Nothing near a threshold: Distribution shift at 7 % of its threshold is the highest."
    )


def test_too_few_tests_above_say_how_many_are_needed() -> None:
    early, _ = status(counts({2.0: 44, 4.0: 56}), QUIET, minimum_tests=2)
    assert early.endswith("No alert: 1 above a threshold, 2 needed.")


def test_no_data_is_no_verdict() -> None:
    few, none = status(counts({3.0: 9}), EMPTY)
    assert few == "Buffer holds 9 ratings, 10 needed. No verdict."
    assert none == "The buffer holds no ratings. No verdict."


def test_what_changed_worked_by_hand() -> None:
    report = assess(BASE, EMPTY, LOUD, POLICY)
    said = [spaced(s) for s in words.changes(report.cumulative, report, BASE, LOUD)]
    assert said == [
        "100 ratings, 3.60 stars on average: 20.00 % more than the baseline's 3.00.",
        "Opinions are spread 20.00 % less: a standard deviation of 0.80 stars against 1.01.",
        "Widest gap, 30.00 %: 20.00 % of these ratings are 2 stars or lower, "
        "against 50.00 % in the baseline.",
        "Most changed: ratings of 2 stars, from 50.00 % to 20.00 % of all.",
    ]
    assert words.changes(report.per_batch, report, BASE, EMPTY) == ["No ratings came in."]


def test_the_widest_gap_is_the_ks_statistic_and_one_star_is_one() -> None:
    low = counts({1.0: 3, 4.0: 1})
    report = assess(BASE, low, low, DriftPolicy(count_threshold=2))
    said = spaced(" ".join(words.changes(report.per_batch, report, BASE, low)))
    assert "Widest gap, 75.00 %: 75.00 % of these ratings are 1 star or lower" in said
    assert report.per_batch.tests[0].score == 0.75
    assert "41.67 % less than the baseline's 3.00" in said


def test_the_genres_that_changed_most() -> None:
    before = {"Drama": 0.5, "Comedy": 0.3, "War": 0.2}
    after = {"Drama": 0.25, "Comedy": 0.3, "IMAX": 0.4, "War": 0.05}
    assert words.most_changed(before, after) == ["IMAX", "Drama", "War", "Comedy"]
    assert [spaced(s) for s in words.genre_changes(before, after)] == [
        "IMAX from 0.0 % to 40.0 %",
        "Drama from 50.0 % to 25.0 %",
        "War from 20.0 % to 5.0 %",
    ]
    assert words.genre_changes({}, after) == words.genre_changes(before, {}) == []
