"""Measure what the platform costs, and write the figures into docs/benchmarks.md."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.platform.measure import measure
from benchmarks.platform.page import section
from benchmarks.report import DOCUMENT, write_section


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.platform")
    parser.add_argument("--rounds", type=int, default=5, help="imports of the code location")
    parser.add_argument("--singles", type=int, default=5, help="weeks loaded one by one")
    parser.add_argument("--weeks", type=int, default=520, help="weeks by one backfill")
    parser.add_argument("--rows", type=int, default=200, help="ratings of a week")
    parser.add_argument("--document", type=Path, default=DOCUMENT, help="where the figures go")
    options = parser.parse_args(arguments)
    found = measure(options.rounds, options.singles, options.weeks, options.rows)
    write_section("platform", section(found, options.rows), options.document)


if __name__ == "__main__":
    main()
