"""The charts of all pages, as inline SVG; `static/charts.css` has their colours."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from serving.kit.formats import percent as percent_text
from serving.kit.svg import WIDTH, Plot, element, path, picture, text, upright

MOST_MARKERS = 30
MOST_LABELS = 5
HEIGHT = 200
ROW, LABEL_END = 26, 112
LEAST = 1e-9
Level = float | Sequence[float | None]


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
    labels: Sequence[str],
    series: Sequence[Series],
    title: str,
    *,
    axis: str = "",
    top: float | None = None,
    percent: bool = True,
    marked: Sequence[bool] = (),
) -> Markup:
    """Draw values as columns in groups.

    Args:
        labels: one a group; an empty one is not written.
        series: the columns of a group, from left to right.
        title: what is read out in place of the picture.
        axis: name of the groups.
        top: the largest value that the scale has to hold, so that several charts have one scale;
            None for that of the series.
        percent: whether values are shares.
        marked: whether a group is shaded.
    """
    plot = Plot(_top([_largest(series) if top is None else top], 1.05), percent)
    width = 0.8 / len(labels) / len(series)
    bars = [
        _bar(plot, one.style, (group + 0.1) / len(labels) + width * place, width, value or 0.0)
        for place, one in enumerate(series)
        for group, value in enumerate(one.values)
    ]
    below = _labels(plot, labels, axis)
    return picture(HEIGHT, title, *_marked(plot, marked), plot.scale(), *bars, *below)


def _largest(series: Sequence[Series]) -> float:
    return max((value for one in series for value in one.values if value is not None), default=0.0)


def _top(values: Sequence[float], room: float) -> float:
    """Return the upper end of a scale, above 0; 1 where no value is above 1e-9."""
    highest = max(values)
    return highest * room if highest > LEAST else 1.0


def _bar(plot: Plot, style: str, place: float, width: float, value: float) -> Markup:
    top = plot.y(value)
    left, right = plot.x(place), plot.x(place + width)
    return element("rect", x=left, y=top, width=right - left, height=plot.lower - top, class_=style)


def lines(
    labels: Sequence[str],
    series: Sequence[Series],
    title: str,
    *,
    axis: str = "",
    levels: Mapping[str, Level] | None = None,
    percent: bool = True,
    marked: Sequence[bool] = (),
    note: str = "",
) -> Markup:
    """Draw values over the weeks as lines.

    Args:
        labels: one a week, at least one; a few of them are written.
        series: values, one a week.
        title: what is read out in place of the picture.
        axis: name of the labels.
        levels: values to compare with, by the CSS class of their line: one for all weeks, or one a
            week, None where it is not known.
        percent: whether values are shares.
        marked: whether a week is shaded.
        note: what the shading means, written where there is any.
    """
    steps = [Series(style, _each(level, len(labels))) for style, level in (levels or {}).items()]
    plot = Plot(_top([_largest([*series, *steps])], 1.12), percent)
    return picture(
        HEIGHT,
        title,
        *_marked(plot, marked, note),
        plot.scale(),
        *(_level(plot, one) for one in steps),
        *(line for one in series for line in _line(plot, one)),
        *_labels(plot, few(labels), axis),
    )


def few(labels: Sequence[str], most: int = MOST_LABELS) -> list[str]:
    """Return the labels with all but at most `most`, evenly spread, made empty."""
    every = -(-len(labels) // most)
    return [label if n % every == 0 else "" for n, label in enumerate(labels)]


def week_labels(weeks: Sequence[datetime.date]) -> list[str]:
    """Write weeks as month and day, and more than a year of them as year and month."""
    form = "{:%Y-%m}" if len(weeks) > 52 else "{:%m-%d}"
    return [form.format(week) for week in weeks]


def _each(level: Level, weeks: int) -> Sequence[float | None]:
    return level if isinstance(level, Sequence) else [level] * weeks


def _level(plot: Plot, level: Series) -> Markup:
    """Draw a value that stays until it is changed as steps, with a gap where it is not known."""
    drawn, week = "", 0
    for value, same in groupby(level.values):
        before, week = week, week + len(list(same))
        if value is not None:
            ends = (plot.x(place / len(level.values)) for place in (before, week))
            drawn += path([(x, plot.y(value)) for x in ends])
    return element("path", d=drawn, class_=level.style)


def _place(number: int, of: int) -> float:
    """Return where a group is drawn, between 0 and 1, with half a group at either end."""
    return (number + 0.5) / of


def _labels(plot: Plot, labels: Sequence[str], axis: str) -> list[Markup]:
    below = [
        text(plot.x(_place(number, len(labels))), plot.lower + 15, label)
        for number, label in enumerate(labels)
        if label
    ]
    return [*below, text(plot.x(0.5), HEIGHT - 4, axis)] if axis else below


def _marked(plot: Plot, marked: Sequence[bool], note: str = "") -> list[Markup]:
    """Draw a band behind each group that is marked, and say what it means."""
    places = [plot.x(_place(number, len(marked))) for number, is_ in enumerate(marked) if is_]
    if not places:
        return []
    bands = element(
        "path",
        d="".join(upright(x, plot.upper, plot.lower) for x in places),
        stroke_width=(plot.right - plot.left) / len(marked),
        class_="marked",
    )
    return [bands, *([text(plot.right, plot.upper - 3, note, "end")] if note else [])]


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
    """Draw a square for `alone` and a dot for the others, so that colour is not needed."""
    if style == "alone":
        return element("rect", x=x - 3, y=y - 3, width=6, height=6, class_=style)
    return element("circle", cx=x, cy=y, r=3.5, class_=style)


def rows(labels: Sequence[str], series: Sequence[Series], title: str) -> Markup:
    """Draw shares as horizontal bars: a row a label, a bar a series, with the shares in digits."""
    top = max(_largest(series), 0.01)
    height = (ROW - 6) / len(series)
    content = [
        text(LABEL_END, row * ROW + ROW / 2 + 1, label, "end", "name")
        for row, label in enumerate(labels)
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
    digits = text(start + width + 4, y + height - 2, percent_text(share, 1), "start", "small")
    return bar + digits


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
