"""Measure the data layer, and write the figures into docs/benchmarks.md.

Each number of ratings has a section of its own in the document; others stay as they are.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.data.page import MILLION, growth, section
from benchmarks.data.ratings import WEEKLY
from benchmarks.data.results import measure
from benchmarks.data.server import scratch, server_version
from benchmarks.report import DOCUMENT, write_section


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    with scratch() as (folder, server):
        version = server_version(server)
        results = {
            rows: measure(folder / str(rows), server, rows, options.rounds, options.weekly)
            for rows in sorted(options.rows)
        }
    for rows, found in results.items():
        body = section(found, options.rounds, version)
        write_section(f"data, {rows} ratings", body, options.document)
    if len(results) > 1:
        write_section("data, growth", growth(results), options.document)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.data")
    parser.add_argument(
        "--rows",
        type=int,
        nargs="+",
        default=[MILLION],
        help="ratings of the baseline; of several numbers the growth is shown, too",
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often a way is timed")
    parser.add_argument("--weekly", type=int, default=WEEKLY, help="ratings in a week")
    parser.add_argument("--document", type=Path, default=DOCUMENT, help="where the figures go")
    return parser


if __name__ == "__main__":
    main()
