"""The charts of the report pages, as inline SVG."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from cinematch_dagster.drift.page.formats import percent
from cinematch_dagster.drift.page.svg import WIDTH, Plot, element, path, picture, text

MOST_MARKERS = 30
MOST_LABELS = 5
HEIGHT = 200
ROW, LABEL_END = 26, 112


@dataclass(frozen=True)
class Series:
    """What is drawn in one style.

    Attributes:
        style: CSS class: `base`, `alone` or `total`.
        values: one a group or week; None where nothing is known.
    """

    style: str
    values: Sequence[float | None]


def columns(
    labels: Sequence[str], series: Sequence[Series], top: float, title: str, axis: str
) -> Markup:
    """Draw shares as columns in groups.

    Args:
        labels: one a group.
        series: the columns of a group, from left to right.
        top: the largest share that the scale has to hold; several charts can so have one scale.
        title: what is read out in place of the picture.
        axis: name of the groups.
    """
    plot = Plot(max(top, 0.01) * 1.05)
    width = 0.8 / len(labels) / len(series)
    bars = [
        _bar(plot, one.style, (group + 0.1) / len(labels) + width * place, width, share or 0.0)
        for place, one in enumerate(series)
        for group, share in enumerate(one.values)
    ]
    names = [
        text(plot.x((group + 0.5) / len(labels)), plot.lower + 15, label)
        for group, label in enumerate(labels)
    ]
    axis_name = text(plot.x(0.5), HEIGHT - 4, axis, class_="soft")
    return picture(HEIGHT, title, plot.scale(), *bars, *names, axis_name)


def _bar(plot: Plot, style: str, place: float, width: float, share: float) -> Markup:
    top = plot.y(share)
    left, right = plot.x(place), plot.x(place + width)
    return element("rect", x=left, y=top, width=right - left, height=plot.lower - top, class_=style)


def progression(
    weeks: Sequence[datetime.date],
    series: Sequence[Series],
    threshold: Sequence[float | None],
    early: Sequence[float | None],
    injected: Sequence[bool],
    title: str,
) -> Markup:
    """Draw scores over the weeks, with the thresholds and the marks where early signals start.

    Args:
        weeks: in order, at least one.
        series: scores, one a week.
        threshold: of the scores, one a week, as it was when the week was judged.
        early: score from which there was an early signal, likewise.
        injected: whether a week's ratings were altered on purpose.
        title: what is read out in place of the picture.
    """
    shown = [threshold, *(one.values for one in series)]
    known = [value for values in shown for value in values if value is not None]
    plot = Plot(max(known, default=0.01) * 1.12)
    return picture(
        HEIGHT,
        title,
        *_injected(plot, injected),
        plot.scale(),
        _level(plot, early, "early-line"),
        _level(plot, threshold, "threshold-line"),
        *(line for one in series for line in _line(plot, one)),
        *_dates(plot, weeks),
    )


def _level(plot: Plot, scores: Sequence[float | None], style: str) -> Markup:
    """Draw a score that stays until it is changed as steps, with a gap where it is not known."""
    drawn, week = "", 0
    for score, same in groupby(scores):
        before, week = week, week + len(list(same))
        if score is not None:
            ends = (plot.x(place / len(scores)) for place in (before, week))
            drawn += path([(x, plot.y(score)) for x in ends])
    return element("path", d=drawn, class_=style)


def _place(week: int, weeks: int) -> float:
    """Return where a week is drawn, between 0 and 1, with half a week free at either end."""
    return (week + 0.5) / weeks


def _injected(plot: Plot, injected: Sequence[bool]) -> list[Markup]:
    """Draw a band behind each week whose ratings were altered on purpose, and say what it is."""
    places = [plot.x(_place(week, len(injected))) for week, is_ in enumerate(injected) if is_]
    if not places:
        return []
    bands = element(
        "path",
        d="".join(path([(x, plot.upper), (x, plot.lower)]) for x in places),
        stroke_width=(plot.right - plot.left) / len(injected),
        class_="injected",
    )
    return [bands, text(plot.right, plot.upper - 3, "shaded: injected drift", "end", "soft")]


def _line(plot: Plot, series: Series) -> list[Markup]:
    """Draw a series as one path, broken where a value is missing, with markers if they fit."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for week, value in enumerate(series.values):
        if value is None:
            stretches.append([])
        else:
            stretches[-1].append((plot.x(_place(week, len(series.values))), plot.y(value)))
    drawn = [stretch for stretch in stretches if stretch]
    points = [point for stretch in drawn for point in stretch]
    line = element("path", d="".join(map(path, drawn)), class_=f"line {series.style}-line")
    crowded = len(series.values) > MOST_MARKERS
    markers = [] if crowded else [_marker(series.style, *point) for point in points]
    return [line, *markers]


def _marker(style: str, x: float, y: float) -> Markup:
    """Draw a square for a week alone and a dot for all weeks, so that colour is not needed."""
    if style == "alone":
        return element("rect", x=x - 3, y=y - 3, width=6, height=6, class_=style)
    return element("circle", cx=x, cy=y, r=3.5, class_=style)


def _dates(plot: Plot, weeks: Sequence[datetime.date]) -> list[Markup]:
    every = -(-len(weeks) // MOST_LABELS)
    form = "{:%Y-%m}" if len(weeks) > 52 else "{:%m-%d}"
    return [
        text(plot.x(_place(week, len(weeks))), plot.lower + 15, form.format(weeks[week]))
        for week in range(0, len(weeks), every)
    ] + [text(plot.x(0.5), HEIGHT - 4, "week", class_="soft")]


def rows(labels: Sequence[str], series: Sequence[Series], title: str) -> Markup:
    """Draw shares as horizontal bars: a row a label, a bar a series, with the shares in digits."""
    top = max([value or 0.0 for one in series for value in one.values] + [0.01])
    height = (ROW - 6) / len(series)
    content = [
        text(LABEL_END, row * ROW + ROW / 2 + 1, label, "end") for row, label in enumerate(labels)
    ]
    content += [
        _row(row * ROW + place * height, height, one.style, one.values[row] or 0.0, top)
        for place, one in enumerate(series)
        for row in range(len(labels))
    ]
    return picture(len(labels) * ROW, title, *content)


def _row(y: float, height: float, style: str, share: float, top: float) -> Markup:
    """Draw a bar with its share in digits; the longest, `top`, ends before the right edge."""
    start = LABEL_END + 6
    width = (WIDTH - 64 - start) * share / top
    bar = element("rect", x=start, y=y, width=width, height=height - 1, class_=style)
    return bar + text(start + width + 4, y + height - 2, percent(share, 1), "start", "small")


def gauge(score: float, threshold: float, early: float | None, style: str) -> Markup:
    """Draw a score as a bar, with a tick at its threshold and one where early signals start.

    The latter only where it is known.
    """
    full = max(score, threshold * 1.25)
    scale = WIDTH / full
    return element(
        "svg",
        element("rect", x=0, y=3, width=WIDTH, height=8, class_="track"),
        element("rect", x=0, y=3, width=score * scale, height=8, class_=style),
        "" if early is None else _early_tick(early * scale),
        element("rect", x=threshold * scale - 1.5, y=0, width=3, height=14, class_="tick"),
        viewBox=f"0 0 {WIDTH} 14",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_="gauge",
    )


def _early_tick(x: float) -> Markup:
    return element("rect", x=x - 1, y=3, width=2, height=8, class_="early-tick")
