"""The profile for a person: one self-contained HTML page, and one PNG figure."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import jinja2

from cinematch_dagster.drift.page import charts
from cinematch_dagster.drift.page.charts import Series
from cinematch_dagster.drift.page.formats import day, number, percent
from cinematch_dagster.movielens.profile.statistics import QUANTILES, Distribution, Profile

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

STARS: Final = [f"{half / 2:.1f}" for half in range(1, 11)]
MOST_LABELS: Final = 7
COLOUR: Final = "#0a64a4"


def profile_page(profile: Profile, name: str) -> str:
    """Write the page of a dataset; nothing in it is loaded from elsewhere.

    Args:
        profile: what was found.
        name: of the dataset, for the headline.
    """
    # The frame and the style of a page are those of the drift reports.
    packages = ("cinematch_dagster.movielens", "cinematch_dagster.drift.page")
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "percent": percent, "day": day}
    return environment.get_template("profile.html").render(
        profile=profile,
        name=name,
        stars=_columns(STARS, profile.histogram, "Ratings by stars", "stars"),
        months=_columns(_years(profile), profile.by_month, "Ratings by month", "month"),
        users=_doubling(profile.users, "Users by their number of ratings"),
        movies=_doubling(profile.movies, "Movies by their number of ratings"),
        star_rows=list(zip(STARS, profile.histogram, strict=True)),
        rows=[(name, row(profile.users), row(profile.movies)) for name, row in _rows().items()],
    )


def profile_figure(profile: Profile) -> bytes:
    """Draw stars, months, activity and popularity in one PNG picture."""
    from matplotlib.figure import Figure  # half a second to import: only those who draw pay for it

    figure = Figure(figsize=(10, 6), layout="constrained")
    (stars, months), (users, movies) = figure.subplots(2, 2)
    _bars(stars, STARS, profile.histogram, "Ratings by stars")
    months.fill_between(profile.months, profile.by_month, color=COLOUR)
    months.set_title("Ratings by month")
    doublings = {"Users": (users, profile.users), "Movies": (movies, profile.movies)}
    for name, (axes, part) in doublings.items():
        title = f"{name} by their number of ratings (from)"
        _bars(axes, _doublings(part), part.by_doubling, title)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()


def _bars(axes: Axes, labels: Sequence[str], counts: Sequence[int], title: str) -> None:
    axes.bar(range(len(labels)), counts, color=COLOUR)
    axes.set_xticks(range(len(labels)), labels, rotation=60 if len(labels) > len(STARS) else 0)
    axes.set_title(title)


def _columns(labels: Sequence[str], counts: Sequence[int], title: str, axis: str) -> Markup:
    shares = [count / max(1, sum(counts)) for count in counts]
    return charts.columns(labels, [Series("total", shares)], max(shares), title, axis)


def _doubling(part: Distribution, title: str) -> Markup:
    labels = _doublings(part)
    every = -(-len(labels) // MOST_LABELS)
    shown = [label if n % every == 0 else "" for n, label in enumerate(labels)]
    return _columns(shown, part.by_doubling, title, "ratings, from this number to its double")


def _doublings(part: Distribution) -> list[str]:
    """Return the lower ends 1, 2, 4, … of the bins."""
    return [number(2**n) for n in range(len(part.by_doubling))]


def _years(profile: Profile) -> list[str]:
    """Return a label for each month: the year or the month itself at a few, else nothing."""
    is_long = len(profile.months) > 2 * 12
    places = [n for n, month in enumerate(profile.months) if month.month == 1 or not is_long]
    shown = places[:: -(-len(places) // MOST_LABELS)]
    form = "{:%Y}" if is_long else "{:%Y-%m}"
    return [form.format(m) if n in shown else "" for n, m in enumerate(profile.months)]


def _rows() -> dict[str, Callable[[Distribution], str]]:
    """Return the rows of the table of both distributions by their names."""
    at = {q: lambda part, n=n: number(part.quantiles[n]) for n, q in enumerate(QUANTILES)}
    between = {f"{percent(q, 0)} have at most": at[q] for q in QUANTILES[1:-1]}
    return {
        "Fewest": at[0.0],
        **between,
        "Most": at[1.0],
        "Mean": lambda part: number(part.mean, 1),
        f"Share of the upper {percent(0.01, 0)}": lambda part: percent(part.top_1_percent, 1),
        f"Share of the upper {percent(0.1, 0)}": lambda part: percent(part.top_10_percent, 1),
        "Gini coefficient": lambda part: number(part.gini, 3),
    }
