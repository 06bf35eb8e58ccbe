from __future__ import annotations

import datetime
import itertools
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup

from serving.kit.charts import (
    MOST_LABELS,
    MOST_MARKERS,
    Level,
    Series,
    columns,
    few,
    gauge,
    lines,
    rows,
    week_labels,
)
from serving.kit.svg import Plot, element, path, picture, round_step, text

SHARES = st.floats(0, 1)


def parsed(svg: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(svg))


def weeks(n: int) -> list[datetime.date]:
    return [datetime.date(2024, 1, 1) + datetime.timedelta(weeks=week) for week in range(n)]


def of_class(svg: Markup, style: str) -> list[dict[str, str]]:
    return [one.attrib for one in parsed(svg).iter() if one.get("class") == style]


def texts(svg: Markup) -> list[str]:
    found = [one.text or "" for one in parsed(svg).iter("text")]
    return [text.replace("\N{NARROW NO-BREAK SPACE}", " ") for text in found]


def test_elements_escape_their_texts_and_attributes() -> None:
    assert element("text", "<a>", class_='"x"', stroke_width=1.25) == (
        '<text class="&#34;x&#34;" stroke-width="1.2">&lt;a&gt;</text>'
    )
    assert "&lt;b&gt;" in picture(10, "<b>", text(1, 2, "c"))


def test_a_path_is_short() -> None:
    assert path([(1.0, 2.04), (3.26, 4)]) == "M1,2L3.3,4"


def test_a_plot_places_zero_at_the_bottom_and_its_top_at_the_top() -> None:
    plot = Plot(0.5)
    assert plot.y(0) == plot.lower
    assert plot.y(0.5) == plot.upper
    assert plot.y(0.25) == (plot.lower + plot.upper) / 2
    assert (plot.x(0), plot.x(1)) == (plot.left, plot.right)


@pytest.mark.parametrize(
    ("top", "labels"),
    [
        (0.4, ["0 %", "10 %", "20 %", "30 %", "40 %"]),
        (0.056, ["0 %", "2 %", "4 %"]),
        (0.02, ["0.0 %", "0.5 %", "1.0 %", "1.5 %", "2.0 %"]),
        (9.5, ["0 %", "500 %"]),
    ],
)
def test_the_scale_has_a_few_round_labels(top: float, labels: list[str]) -> None:
    assert texts(element("g", Plot(top).scale())) == labels


def test_columns_are_as_high_as_their_shares() -> None:
    series = [Series("base", [0.1, 0.0]), Series("alone", [0.2, 0.4])]
    chart = columns(["1", "2"], series, "title", axis="stars")
    base, alone = (
        [float(bar["height"]) for bar in of_class(chart, style)] for style in ("base", "alone")
    )
    full = Plot(0.42).lower - Plot(0.42).y(0.4)
    assert alone == pytest.approx([full / 2, full], abs=0.06)
    assert base == pytest.approx([full / 4, 0], abs=0.06)
    assert parsed(chart)[0].text == "title"


def chart_of(values: list[float | None], injected: list[bool] | None = None) -> Markup:
    n = len(values)
    return lines(
        week_labels(weeks(n)),
        [Series("alone", values), Series("total", values)],
        "t",
        levels={"threshold-line": 0.05, "early-line": [0.04] * n},
        marked=injected or [False] * n,
        note="shaded: injected",
    )


def test_the_threshold_line_is_drawn_at_the_threshold() -> None:
    chart = chart_of([0.01, 0.1])
    plot = Plot(0.1 * 1.12)
    for style, score in (("threshold-line", 0.05), ("early-line", 0.04)):
        ends = [(plot.left, plot.y(score)), (plot.right, plot.y(score))]
        assert of_class(chart, style)[0]["d"] == path(ends)


def test_a_threshold_that_was_changed_is_a_step_and_one_that_is_not_known_a_gap() -> None:
    thresholds = [0.05, 0.05, None, 0.1]
    levels: dict[str, Level] = {"threshold-line": thresholds, "early-line": [None] * 4}
    series = [Series("total", [0.01] * 4)]
    chart = lines(week_labels(weeks(4)), series, "t", levels=levels)
    plot = Plot(0.1 * 1.12)
    stretches = [(0, 0.5, 0.05), (0.75, 1, 0.1)]
    drawn = [path([(plot.x(a), plot.y(y)), (plot.x(b), plot.y(y))]) for a, b, y in stretches]
    assert of_class(chart, "threshold-line")[0]["d"] == "".join(drawn)
    assert of_class(chart, "early-line")[0]["d"] == ""


def test_a_week_without_scores_breaks_the_line() -> None:
    chart = chart_of([0.01, None, 0.02, 0.03, None])
    line = of_class(chart, "line total-line")[0]["d"]
    assert line.count("M") == 2
    assert line.count("L") == 1
    assert len(of_class(chart, "total")) == 3


def test_views_differ_in_shape_and_not_in_colour_alone() -> None:
    chart = parsed(chart_of([0.01]))
    shapes = {one.get("class"): one.tag for one in chart.iter() if one.get("class")}
    assert (shapes["alone"], shapes["total"]) == ("rect", "circle")


def test_many_weeks_have_no_markers_and_few_dates() -> None:
    assert of_class(chart_of([0.01] * MOST_MARKERS), "total") != []
    assert of_class(chart_of([0.01] * (MOST_MARKERS + 1)), "total") == []
    dates = [label for label in texts(chart_of([0.01] * 100)) if label.startswith("20")]
    assert dates == ["2024-01", "2024-05", "2024-10", "2025-02", "2025-07"]


def test_marked_weeks_are_shaded() -> None:
    bands = of_class(chart_of([0.01] * 4, [False, True, False, True]), "marked")
    assert bands[0]["d"].count("M") == 2
    assert float(bands[0]["stroke-width"]) == (334 - 40) / 4
    assert of_class(chart_of([0.01]), "marked") == []
    assert "shaded: injected" in texts(chart_of([0.01] * 2, [False, True]))
    assert "shaded: injected" not in texts(chart_of([0.01]))


def test_rows_show_each_share_in_digits() -> None:
    chart = rows(["War", "<b>"], [Series("base", [0.25, 0.0]), Series("total", [0.5, 0.1])], "t")
    assert texts(chart) == ["War", "<b>", "25.0 %", "0.0 %", "50.0 %", "10.0 %"]
    long, short = (float(bar["width"]) for bar in of_class(chart, "total"))
    assert long / short == pytest.approx(5, rel=0.01)


def test_a_gauge_has_room_for_its_threshold_and_its_score() -> None:
    low, high = gauge(0.01, 0.05, 0.04, "total"), gauge(0.2, 0.05, 0.04, "total")
    assert float(of_class(low, "tick")[0]["x"]) == pytest.approx(340 * 0.8 - 1.5, abs=0.06)
    assert float(of_class(low, "early-tick")[0]["x"]) == pytest.approx(340 * 0.64 - 1, abs=0.06)
    assert float(of_class(low, "total")[0]["width"]) == pytest.approx(340 * 0.16, abs=0.06)
    assert float(of_class(high, "total")[0]["width"]) == 340
    assert float(of_class(high, "tick")[0]["x"]) == pytest.approx(340 / 4 - 1.5, abs=0.06)


@given(st.lists(st.none() | st.floats(0, 9), min_size=1, max_size=60))
def test_any_scores_stay_inside_the_picture(values: list[float | None]) -> None:
    line = of_class(chart_of(values), "line total-line")[0]["d"]
    points = [tuple(map(float, p.split(","))) for p in line.replace("M", "L").split("L") if p]
    assert len(points) == sum(value is not None for value in values)
    assert all(40 <= x <= 334 and 12 <= y <= 164 for x, y in points)


@given(st.lists(SHARES, min_size=1, max_size=20))
def test_any_shares_are_well_formed(values: list[float]) -> None:
    labels = [str(row) for row in range(len(values))]
    for chart in (
        columns(labels, [Series("base", values)], "t", axis="a"),
        rows(labels, [Series("base", values)], "t"),
    ):
        assert all(float(bar["width"]) >= 0 for bar in of_class(chart, "base"))
        assert all(float(bar["height"]) >= 0 for bar in of_class(chart, "base"))


@pytest.mark.parametrize(
    ("top", "labels"),
    [
        (4.4, ["0", "2", "4"]),
        (80_000, ["0", "20k", "40k", "60k", "80k"]),
        (5_000, ["0", "2,000", "4,000"]),
    ],
)
def test_a_scale_of_numbers_has_no_percent(top: float, labels: list[str]) -> None:
    assert texts(element("g", Plot(top, percent=False).scale())) == labels


def test_several_charts_can_have_one_scale() -> None:
    (low,) = of_class(columns(["1"], [Series("total", [0.1])], "t", top=0.4), "total")
    (full,) = of_class(columns(["1"], [Series("total", [0.4])], "t"), "total")
    assert float(full["height"]) == pytest.approx(4 * float(low["height"]), abs=0.3)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=60))
def test_a_few_labels_stay_evenly_spread(labels: list[str]) -> None:
    shown = few(labels)
    places = [n for n, label in enumerate(shown) if label]
    assert len(shown) == len(labels)
    assert len(places) <= MOST_LABELS
    assert len({after - before for before, after in itertools.pairwise(places)}) <= 1


@given(st.lists(st.none() | st.floats(0, 1e7), min_size=1, max_size=60))
@example([5e-324])
def test_any_numbers_stay_inside_the_picture(values: list[float | None]) -> None:
    chart = columns([""] * len(values), [Series("total", values)], "t", percent=False)
    assert all(12 <= float(bar["y"]) <= 164 for bar in of_class(chart, "total"))
    assert len(of_class(chart, "grid")) <= 6


@given(st.floats(1e-6, 1e9))
def test_a_round_step_is_not_below_and_not_far_above(least: float) -> None:
    assert least * (1 - 1e-9) <= round_step(least) <= least * 2.5 * (1 + 1e-9)
