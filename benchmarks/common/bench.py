"""The one form of every benchmark's program: its options, and what it does with a measurement."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from benchmarks.common import pages
from benchmarks.common.machine import measured_today
from benchmarks.common.results import Results

log = logging.getLogger(__name__)


def options(
    part: str,
    words: str | None,
    parts: Sequence[str],
    rows: Sequence[int] | None = None,
    rounds: int = 5,
) -> argparse.ArgumentParser:
    """Return the options that all benchmarks have.

    Args:
        part: the benchmark's name, that of its package.
        words: what it does.
        parts: what it can measure.
        rows: numbers of ratings by default; None where they play no part.
        rounds: how often everything is timed by default.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{part}", description=words)
    add = parser.add_argument
    add("--parts", nargs="+", choices=parts, default=list(parts), help="what is measured")
    if rows is not None:
        add("--rows", type=int, nargs="+", default=[*rows], help="numbers of ratings")
    add("--rounds", type=int, default=rounds, help="how often everything is timed")
    add("--again", action="store_true", help="measure what is known already, too")
    add("--results", type=Path, default=pages.results_of(part).path, help="where figures are kept")
    add("--docs", type=Path, default=pages.DOCS, help="the folder of the guides that show them")
    return parser


class Bench:
    """A run of a benchmark: keeps each figure and brings the guides up to date with it."""

    def __init__(self, part: str, packages: Sequence[str], given: argparse.Namespace) -> None:
        logging.basicConfig(format="%(asctime)s %(message)s")
        logging.getLogger("benchmarks").setLevel(logging.INFO)
        self.results = Results(given.results)
        self._part, self._packages = part, packages
        self._docs, self._again = given.docs, given.again

    def todo(self, names: Iterable[str]) -> list[str]:
        """Return those of the names that are to be measured; the others are known."""
        names, known = list(names), self.results.entries()
        wanted = [name for name in names if self._again or name not in known]
        if left := len(names) - len(wanted):
            log.info("%d of %d are known; --again measures them anew", left, len(names))
        return wanted

    def measure(self, work: Mapping[str, Callable[[], Any]], server: str = "") -> None:
        """Do each piece of work that is to be done, and keep its figures under its name."""
        wanted = self.todo(work)
        for number, name in enumerate(wanted, start=1):
            log.info("%s: %d of %d", name, number, len(wanted))
            self.keep(name, work[name](), server)

    def keep(self, name: str, figures: Any, server: str = "") -> None:
        """Keep figures of today, and show them if the others are known."""
        self.results.keep(name, figures, measured_today(self._packages, server))
        self.show()

    def show(self) -> None:
        """Bring the guides up to date, once everything that they show is known."""
        try:
            pages.write(self._part, self.results, self._docs)
        except jinja2.UndefinedError as error:
            log.info("the guides stay as they are: %s", error)
