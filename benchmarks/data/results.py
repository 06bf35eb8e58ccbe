"""All that is measured at one number of ratings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.data.ingest import Timed, load_once, time_baseline, time_week
from benchmarks.data.preparation import Preparation, time_preparation
from benchmarks.data.ratings import WEEKLY, make_history, write_raw
from benchmarks.data.read import Memory, read_memory, time_read
from benchmarks.data.server import warehouse
from benchmarks.data.size import Size, measure_size, simulate


@dataclass(frozen=True)
class Results:
    """Results with `rows` ratings; the ways of loading and reading are by their name."""

    rows: int
    preparation: Preparation
    baseline: dict[str, Timed]
    week: dict[str, Timed]
    reading: dict[str, Timed]
    reading_memory: Memory
    size: Size


def measure(folder: Path, server: str, rows: int, rounds: int, weekly: int = WEEKLY) -> Results:
    """Measure with files in an empty folder and warehouses on a server.

    Args:
        folder: where files may be written.
        server: DSN of a server, used by nobody else.
        rows: ratings of the baseline.
        rounds: how often each way of loading and reading is timed.
        weekly: ratings in a week.
    """
    preparation = time_preparation(write_raw(folder / "preparation", rows))
    history = make_history(folder / "history", rows, weekly)
    baseline = time_baseline(server, history.baseline, rounds)
    week = time_week(server, folder, history.weeks[0], rounds)
    with warehouse(server) as dsn:
        load_once(dsn, history.baseline)
        reading, memory = time_read(dsn, rounds), read_memory(dsn)
    with warehouse(server) as dsn:
        simulate(dsn, history)
        size = measure_size(dsn)
    return Results(rows, preparation, baseline, week, reading, memory, size)
