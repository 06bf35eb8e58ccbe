"""The dashboard's charts: what is drawn where. `charts.html` draws it as SVG.

Places are in a picture of `WIDTH` by `HEIGHT`, about a phone's width, so that text stays readable.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 352, 14, 166
LEAST = 1e-9
MOST_LABELS = 5

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """Values in one style (`total`, `alone` or `base`); None where nothing is known."""

    style: str
    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """A chart of some series over labels.

    Attributes:
        title: what it shows, read out in place of the picture.
        description: what it says, in a sentence.
        labels: one a place from left to right, at least one.
        series: of as many values.
        percent: whether values are shares.
        threshold: a line to compare with.
        marked: whether a place is shaded.
    """

    title: str
    description: str
    labels: Sequence[str]
    series: Sequence[Series]
    percent: bool = False
    threshold: float | None = None
    marked: Sequence[bool] = ()

    @property
    def key(self) -> str:
        """The title as a name in the page."""
        return re.sub(r"\W+", "-", self.title.lower())

    @property
    def top(self) -> float:
        """The upper end of the scale, above 0; values that nobody could see count as none."""
        values = [v for one in self.series for v in one.values if v is not None]
        highest = max([*values, self.threshold or 0.0])
        return highest * 1.1 if highest > LEAST else 1.0

    @property
    def step(self) -> float:
        """How far two places are apart."""
        return (RIGHT - LEFT) / len(self.labels)

    def x(self, place: int) -> float:
        """Return the middle of a place."""
        return round(LEFT + (place + 0.5) * self.step, 1)

    def y(self, value: float) -> float:
        """Return the height of a value."""
        return round(BOTTOM - (BOTTOM - TOP) * value / self.top, 1)

    def stretches(self, series: Series) -> list[list[Point]]:
        """Return the points of a series, parted where a value is missing."""
        found: list[list[Point]] = [[]]
        for place, value in enumerate(series.values):
            if value is None:
                found.append([])
            else:
                found[-1].append((self.x(place), self.y(value)))
        return [stretch for stretch in found if stretch]

    def ticks(self) -> list[tuple[float, str]]:
        """Return the heights of about four round values, and what is written beside them."""
        step = round_step(self.top / 4)
        return [(self.y(step * n), self.text(step * n)) for n in range(int(self.top / step) + 1)]

    def text(self, value: float) -> str:
        """Write a value as the scale does."""
        if self.percent:
            return f"{value * 100:.4g} %"
        return (
            f"{value / 1000:g}k"
            if value >= 10_000
            else f"{value:.3g}"
            if value < 100
            else f"{value:,.0f}"
        )

    def named(self) -> list[tuple[float, str]]:
        """Return where labels are written, few enough to be read."""
        every = -(-len(self.labels) // MOST_LABELS)
        return [(self.x(n), self.labels[n]) for n in range(0, len(self.labels), every)]


def round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, … (times a power of ten) that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= least * (1 - 1e-9))
