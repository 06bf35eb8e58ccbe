"""Measure how fast data goes in and out, and show it in docs/benchmarks.md."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.common.bench import Bench, options
from benchmarks.data.ingest import load_once, time_baseline, time_week
from benchmarks.data.preparation import time_preparation
from benchmarks.data.ratings import WEEKLY, make_history, write_raw
from benchmarks.data.read import read_memory, time_read
from benchmarks.data.server import scratch, server_version, warehouse
from benchmarks.data.size import measure_size, simulate

PARTS: Final = ("preparation", "loading", "reading", "size")
PACKAGES: Final = ("numpy", "pandas", "psycopg", "psycopg2-binary", "pyarrow", "SQLAlchemy")
MILLION: Final = 1_000_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for and not known yet."""
    parser = options("data", __doc__, PARTS, rows=[MILLION])
    parser.add_argument("--weekly", type=int, default=WEEKLY, help="ratings in a week")
    given = parser.parse_args(arguments)
    bench = Bench("data", PACKAGES, given)
    with scratch() as (folder, server):
        for rows in sorted(given.rows):
            work = pieces(folder / str(rows), server, rows, given.rounds, given.weekly)
            asked = {f"{rows}/{part}": work[part] for part in given.parts}
            bench.measure(asked, server_version(server))
    bench.show()


def pieces(
    folder: Path, server: str, rows: int, rounds: int, weekly: int
) -> dict[str, Callable[[], Any]]:
    """Return what measures each part, by its name.

    Args:
        folder: where files may be written; there is none yet.
        server: DSN of a server, used by nobody else.
        rows: ratings of the baseline.
        rounds: how often each way of loading and reading is timed.
        weekly: ratings in a week.
    """
    history = functools.cache(lambda: make_history(folder / "history", rows, weekly))

    def loading() -> dict[str, Any]:
        baseline = time_baseline(server, history().baseline, rounds)
        week = time_week(server, folder, history().weeks[0], rounds)
        return {"rounds": rounds, "baseline": baseline, "week": week}

    def reading() -> dict[str, Any]:
        with warehouse(server) as dsn:
            load_once(dsn, history().baseline)
            return {"ways": time_read(dsn, rounds), **read_memory(dsn)}

    def size() -> dict[str, Any]:
        with warehouse(server) as dsn:
            simulate(dsn, history())
            return {"weekly": weekly, **measure_size(dsn)}

    def preparation() -> dict[str, Any]:
        return time_preparation(write_raw(folder / "preparation", rows))

    return {f.__name__: f for f in (preparation, loading, reading, size)}


if __name__ == "__main__":
    main()
