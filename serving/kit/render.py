"""From templates to pages: Jinja2 with the kit's filters, and the frame of the reports."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from serving.kit import formats

STATIC = Path(__file__).parent / "static"
"""Style sheets that a page of the API links and a report holds."""


def environment(package: str) -> jinja2.Environment:
    """Return an environment of a package's templates and the kit's.

    Reports extend `report.html`, which holds all that it shows: style and a typeface for headings.
    """
    loaders = [
        jinja2.PackageLoader(package),
        jinja2.PackageLoader("serving.kit"),
        jinja2.FileSystemLoader(STATIC),
    ]
    found = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (
        formats.number,
        formats.percent,
        formats.change,
        formats.p_value,
        formats.day,
        formats.moment,
    )
    found.filters |= {function.__name__: function for function in filters}
    found.globals |= {"exact": formats.exact, "headings": _headings}
    return found


def document(title: str, charts: Sequence[tuple[str, Markup]], *, key: bool = False) -> str:
    """Return charts with their names, two side by side, as one SVG document.

    Args:
        title: what is read out in place of the picture.
        charts: names and charts of `serving.kit.charts`, each 200 high.
        key: whether a key to the styles stands above.
    """
    template = _kit().get_template("picture.svg")
    return template.render(title=title, charts=charts, key=key, rows=-(-len(charts) // 2))


@cache
def _kit() -> jinja2.Environment:
    return environment("serving.kit")


@cache
def _headings() -> str:
    """Return the typeface of the headings, WOFF2 in base64."""
    return base64.b64encode((STATIC / "headings.woff2").read_bytes()).decode()
