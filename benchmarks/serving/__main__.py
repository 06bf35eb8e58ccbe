"""Measure the API beside other ways to serve, and write the figures into docs/benchmarks.md.

Each size has a section of its own, which is written as soon as it is measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Final

from benchmarks.report import DOCUMENT, write_section
from benchmarks.serving.measure import Effort, grow, measure
from benchmarks.serving.page import growth, section
from benchmarks.serving.synthetic import SIZES, Size

GROWTH: Final = "growth"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for."""
    options = _parser().parse_args(arguments)
    effort = Effort(options.rounds, options.seconds)
    for part in options.parts:
        if part == GROWTH:
            found = {name: grow(size, effort) for name, size in corners().items()}
            write_section("serving, growth", growth(found), options.document)
        else:
            body = section(part, measure(SIZES[part], effort), effort)
            write_section(f"serving, {part}", body, options.document)


def corners() -> dict[str, Size]:
    """Return few and many movies with few and many users, the ratings in proportion to these."""
    few, many = SIZES.values()
    return {
        f"{movies}, {users.users}": Size(movies, users.users, users.ratings)
        for users, movies in product((few, many), (few.movies, many.movies))
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.serving")
    parts = [*SIZES, GROWTH]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, help="what is measured")
    parser.add_argument("--rounds", type=int, default=Effort.rounds, help="how often a way runs")
    parser.add_argument("--seconds", type=float, default=Effort.seconds, help="of a way in a round")
    parser.add_argument("--document", type=Path, default=DOCUMENT, help="where the figures go")
    return parser


if __name__ == "__main__":
    main()
