"""Parts of inline SVG pictures: escaped elements, texts, paths, a vertical scale.

Pictures are drawn for a width of 340, about a phone's, so that their text stays readable there;
colours come from the classes of the page they are put into.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 340


def element(tag: str, *content: str, **attributes: str | float) -> Markup:
    """Return an element; its texts and attributes are escaped unless they are Markup.

    Underscores in names of attributes become hyphens, and one at the end is dropped (`class_`).
    """
    pairs = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for name, value in attributes.items()
    )
    return Markup(f"<{tag}{pairs}>{''.join(map(escape, content))}</{tag}>")


def picture(height: float, title: str, *content: Markup) -> Markup:
    """Return an SVG picture; the title is what is read out in its place."""
    name = element("title", title)
    return element("svg", name, *content, viewBox=f"0 0 {WIDTH} {_short(height)}", role="img")


def text(x: float, y: float, content: str, anchor: str = "middle", class_: str = "") -> Markup:
    """Return a text at its baseline."""
    named = {"class_": class_} if class_ else {}
    return element("text", content, x=x, y=y, text_anchor=anchor, **named)


def path(points: list[tuple[float, float]]) -> str:
    """Return the path through some points, in the syntax of `d`."""
    return "M" + "L".join(f"{_short(x)},{_short(y)}" for x, y in points)


def upright(x: float, upper: float, lower: float) -> str:
    """Return the path of an upright line, in the syntax of `d`."""
    return f"{path([(x, upper)])}V{_short(lower)}"


def _short(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


@dataclass(frozen=True)
class Plot:
    """A rectangle with a vertical scale from 0 to `top` at its left.

    Attributes:
        top: upper end of the scale, above 0.
        percent: whether values are shares, and written as such.
    """

    top: float
    percent: bool = True
    left: float = 40
    right: float = WIDTH - 6
    upper: float = 12
    lower: float = 164

    def y(self, value: float) -> float:
        """Return the height at which a value is drawn."""
        return self.lower - (self.lower - self.upper) * value / self.top

    def x(self, place: float) -> float:
        """Return where a place between 0 (left) and 1 (right) is drawn."""
        return self.left + (self.right - self.left) * place

    def scale(self) -> Markup:
        """Draw a line and a label for each of about four round values."""
        step = round_step(self.top / 4)
        values = [step * n for n in range(int(self.top / step + 1e-9) + 1)]
        return Markup("").join(
            element("path", d=path([(self.left, y), (self.right, y)]), class_="grid")
            + text(self.left - 5, y + 4, self._label(value, step), "end")
            for value, y in ((value, self.y(value)) for value in values)
        )

    def _label(self, value: float, step: float) -> str:
        if self.percent:
            digits = max(0, -math.floor(math.log10(step * 100) + 1e-9))
            return f"{value * 100:.{digits}f} %"
        if value >= 10_000:
            return f"{value / 1000:g}k"
        return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def round_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, … (times a power of ten) that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= least * (1 - 1e-9))
