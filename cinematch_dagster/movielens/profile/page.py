"""The profile to look at: one self-contained HTML page, and its charts as one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from cinematch_dagster.movielens.profile.statistics import QUANTILES, Distribution, Profile
from serving.kit import charts
from serving.kit.charts import Series
from serving.kit.formats import number, percent
from serving.kit.render import document, environment

if TYPE_CHECKING:
    from markupsafe import Markup

STARS: Final = [f"{half / 2:.1f}" for half in range(1, 11)]
MOST_LABELS: Final = 7


def profile_page(profile: Profile, name: str) -> str:
    """Write the page of a dataset; nothing in it is loaded from elsewhere.

    Args:
        profile: what was found.
        name: of the dataset, for the headline.
    """
    template = environment("cinematch_dagster.movielens").get_template("profile.html")
    return template.render(
        profile=profile,
        name=name,
        charts=_charts(profile),
        star_rows=list(zip(STARS, profile.histogram, strict=True)),
        rows=[(name, row(profile.users), row(profile.movies)) for name, row in _rows().items()],
    )


def profile_picture(profile: Profile, name: str) -> str:
    """Draw stars, months, activity and popularity as one SVG document."""
    titles = ("Ratings by stars", "Ratings by month", "Users by ratings", "Movies by ratings")
    drawn = zip(titles, _charts(profile).values(), strict=True)
    return document(f"Profile of {name}", list(drawn))


def _charts(profile: Profile) -> dict[str, Markup]:
    return {
        "stars": _columns(STARS, profile.histogram, "Ratings by stars", "stars"),
        "months": _columns(_years(profile), profile.by_month, "Ratings by month", "month"),
        "users": _doubling(profile.users, "Users by their number of ratings"),
        "movies": _doubling(profile.movies, "Movies by their number of ratings"),
    }


def _columns(labels: Sequence[str], counts: Sequence[int], title: str, axis: str) -> Markup:
    shares = [count / max(1, sum(counts)) for count in counts]
    return charts.columns(labels, [Series("total", shares)], title, axis=axis)


def _doubling(part: Distribution, title: str) -> Markup:
    shown = charts.few([number(2**n) for n in range(len(part.by_doubling))], MOST_LABELS)
    return _columns(shown, part.by_doubling, title, "ratings, from this number to its double")


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
