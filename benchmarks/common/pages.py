"""Sections of the guides, made from results by templates.

What stands between `<!-- data/sizes -->` and `<!-- end of data/sizes -->` in a file of docs/ is
benchmarks/data/sizes.md.jinja, filled with benchmarks/data/results.json. The text around such a
section is by hand.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Final

import jinja2

from benchmarks.common.results import Results
from cinematch_dagster.settings import ROOT

BENCHMARKS: Final = ROOT / "benchmarks"
DOCS: Final = ROOT / "docs"


class SectionError(ValueError):
    """A document's markers don't enclose a section; the message names the marker."""


def results_of(part: str) -> Results:
    """Return the results that are kept in the repository."""
    return Results(BENCHMARKS / part / "results.json")


def write(part: str, results: Results, docs: Path = DOCS) -> None:
    """Bring the part's sections up to date in every document of a folder that has any."""
    for path in sorted(docs.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if (filled := fill(text, part, results)) != text:
            path.write_text(filled, encoding="utf-8")


def fill(text: str, part: str, results: Results) -> str:
    """Return a document with the sections of a part rendered.

    Raises:
        SectionError: one of a section's markers is missing, or there is one too many.
    """
    names = re.findall(rf"<!-- (?:end of )?({part}/\w+) -->", text)
    for name in dict.fromkeys(names):
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->\n")
        if not (begin and end) or names.count(name) != 2:
            raise SectionError(
                f"markers <!-- {name} --> and <!-- end of {name} -->: expected each once, in this "
                f"order, a line each"
            )
        text = f"{before}{begin}{render(name, results)}{end}{after}"
    return text


def render(name: str, results: Results) -> str:
    """Return a section, such as `data/sizes`, that ends with its last line."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(BENCHMARKS),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "fmt": fmt, "percent": percent, "up": up, "at_least": at_least, "at_most": at_most,
    }  # fmt: skip
    template = environment.get_template(f"{name}.md.jinja")
    text = template.render(results=results.figures(), measured=results.measured)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def fmt(number: float | None, spec: str = ",.0f") -> str:
    """Return a number by Python's format; nothing for None."""
    return "" if number is None else format(number, spec)


def percent(share: float, digits: int = 1) -> str:
    """Return a share as per cent: 0.0435 is '4.3 %' (half to even)."""
    return f"{100 * share:.{digits}f} %"


def up(score: float) -> str:
    """Return a score with three digits, rounded up: a threshold must not end up below it."""
    return f"{math.ceil(round(score * 1000, 6)) / 1000:.3f}"


def at_least(value: float, target: float, unit: str = "") -> str:
    """Say whether a figure reaches its target, and if not by how much it misses it."""
    share = math.floor(round(value / target * 100, 6)) / 100  # 29.99 of 30 is not 1.00 of it
    return _verdict(f"at least {target:g}{unit}", value >= target, share)


def at_most(value: float, target: float, unit: str = "") -> str:
    """Say whether a figure stays below its target, and if not by how much it misses it."""
    share = math.ceil(round(value / target * 100, 6)) / 100
    return _verdict(f"at most {target:g}{unit}", value <= target, share)


def _verdict(wanted: str, met: bool, share: Any) -> str:
    return f"{wanted}: met" if met else f"{wanted}: missed, {share:.2f} of it"
