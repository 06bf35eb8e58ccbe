"""Results as Markdown, each benchmark in a section of its own of one document."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.machine import machine, versions
from cinematch_dagster.settings import ROOT
from serving.base.files import replace_text

DOCUMENT: Final = ROOT / "docs" / "benchmarks.md"
TITLE: Final = "# Benchmarks\n"


class SectionError(ValueError):
    """A document's markers don't enclose a section; the message names file and marker."""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], texts: int = 1) -> str:
    """Render a table; the first `texts` columns are text, the others are aligned right."""
    lines = [columns, ["---"] * texts + ["---:"] * (len(columns) - texts), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def measured_on(packages: Sequence[str], *others: str) -> str:
    """Return when and on what a benchmark ran: date, machine and versions.

    Args:
        packages: whose installed versions matter.
        others: further parts of the line, such as a server's version.
    """
    today = datetime.datetime.now(datetime.UTC).date()
    return f"Measured on {today} on {machine()}. {'; '.join((versions(packages), *others))}.\n"


def against_target(value: float, target: float, unit: str = "", *, at_most: bool = False) -> str:
    """Say whether a figure meets its target, and if not by how much it misses it."""
    is_met = value <= target if at_most else value >= target
    wanted = f"{'at most' if at_most else 'at least'} {target:g}{unit}"
    if is_met:
        return f"{wanted}: met"
    away = math.ceil if at_most else math.floor  # 29.99 of 30 is not 1.00 of it
    return f"{wanted}: missed, {away(value / target * 100) / 100:.2f} of it"


def write_section(name: str, body: str, document: Path = DOCUMENT) -> None:
    """Replace the section between `<!-- name -->` and `<!-- end of name -->`; the rest stays.

    A section that the document lacks is appended to it; a document that is missing is begun.

    Raises:
        SectionError: one of the markers is missing, or there is one too many.
    """
    text = document.read_text(encoding="utf-8") if document.is_file() else TITLE
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    counts = text.count(begin), text.count(end)
    if counts == (0, 0):
        text = f"{text}\n{begin}{end}"
    elif counts != (1, 1) or text.index(begin) > text.index(end):
        raise SectionError(
            f"{document}: markers {begin.strip()} and {end.strip()} are there {counts[0]} and "
            f"{counts[1]} times, expected each once, in this order"
        )
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    replace_text(document, f"{before}{begin}{body.rstrip()}\n{end}{after}")
