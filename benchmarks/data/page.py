"""The results in words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.data.ingest import COPY, LIMIT, PLATFORM, TO_SQL, Timed
from benchmarks.data.read import READ_SQL
from benchmarks.data.results import Results
from benchmarks.report import against_target, measured_on, table

PACKAGES: Final = ("numpy", "pandas", "psycopg", "psycopg2-binary", "pyarrow", "SQLAlchemy")
MILLION: Final = 1_000_000
MB: Final = 2**20
GB: Final = 2**30


def section(found: Results, rounds: int, server: str) -> str:
    """Render one number of ratings: what the targets ask for, then every figure."""
    return "\n".join(
        (
            f"### {found.rows:,} ratings\n",
            f"{measured_on(PACKAGES, server)}Medians of {rounds} rounds; in each round every way "
            "runs once.\n",
            _targets(found),
            f"A baseline of {found.rows:,} ratings, and a weekly file of "
            f"{found.week[PLATFORM].rows:,}:\n",
            _loading(found),
            "Training ratings:\n",
            _reading(found),
            "Preparation, and the database after a simulation of "
            f"{found.rows:,} ratings and seven merged weeks of {found.week[PLATFORM].rows:,}:\n",
            _preparing(found),
            _sizes(found),
        )
    )


def growth(results: Mapping[int, Results]) -> str:
    """Render how the cost of a million ratings changes with their number."""
    columns = ("ratings", "prepare, s", "load, s", "read, s", "database, MB", "bytes a row")
    return "### Growth\n\nEach a million ratings, but for the last column.\n\n" + table(
        columns, [_cost(found) for found in results.values()]
    )


def _targets(found: Results) -> str:
    """Compare with the targets; some of them are for a million ratings, or for many more."""
    rate = {name: timed.rate for name, timed in found.baseline.items()}
    reading = found.reading[PLATFORM].rate / found.reading[READ_SQL].rate
    beyond, peak = found.reading_memory.beyond / GB, found.preparation.peak / GB
    to_sql, limit = rate[PLATFORM] / rate[TO_SQL], rate[PLATFORM] / rate[LIMIT]
    prepared, database = found.preparation.rate / MILLION, found.size.database / MB
    rows = [
        ("baseline, times pandas.to_sql", f"{to_sql:.1f}", against_target(to_sql, 30)),
        ("training read, times pandas.read_sql", f"{reading:.1f}", against_target(reading, 5)),
    ]
    if found.rows <= MILLION:
        size = against_target(database, 512, " MB", at_most=True)
        rows += [
            ("baseline, share of raw COPY", f"{limit:.2f}", against_target(limit, 0.5)),
            ("database after the simulation", f"{database:.0f} MB", size),
        ]
    else:
        read_memory = against_target(beyond, 2, " GB", at_most=True)
        memory = against_target(peak, 4, " GB", at_most=True)
        speed = against_target(prepared, 1)
        rows += [
            ("training read, memory beyond the result", f"{beyond:.2f} GB", read_memory),
            ("preparation, million ratings a second", f"{prepared:.2f}", speed),
            ("preparation, memory of the process", f"{peak:.2f} GB", memory),
        ]
    return table(("figure", "measured", "target"), rows)


def _loading(found: Results) -> str:
    columns = ("way", "rows", "seconds", "rows/s", "of raw COPY", "times to_sql")
    rows = [
        *_loaded("baseline", found.baseline, (PLATFORM, COPY, LIMIT, TO_SQL)),
        *_loaded("week", found.week, (PLATFORM, LIMIT, TO_SQL)),
    ]
    return table(columns, rows)


def _loaded(what: str, ways: Mapping[str, Timed], names: tuple[str, ...]) -> list[tuple[str, ...]]:
    limit, slowest = ways[LIMIT].rate, ways[TO_SQL].rate
    return [
        (f"{what}: {n}", *_timed(t := ways[n]), f"{t.rate / limit:.2f}", f"{t.rate / slowest:.1f}")
        for n in names
    ]


def _reading(found: Results) -> str:
    slowest = found.reading[READ_SQL].rate
    return table(
        ("way", "rows", "seconds", "rows/s", "times read_sql"),
        [(n, *_timed(t), f"{t.rate / slowest:.1f}") for n, t in found.reading.items()],
    )


def _preparing(found: Results) -> str:
    done = found.preparation
    parts = [
        ("ratings: clean, reduce, cut, split, batches", done.rows, done.ratings_seconds),
        ("movies: features", done.movies, done.features_seconds),
    ]
    rows = [(name, f"{n:,}", f"{s:.2f}", f"{n / s:,.0f}") for name, n, s in parts]
    memory = f"The process had at most {done.peak / GB:.2f} GB in use"
    beyond = f"the training read {found.reading_memory.beyond / GB:.2f} GB beyond its result"
    columns = ("part", "rows", "seconds", "rows/s")
    return f"{table(columns, rows)}\n{memory}, {beyond}.\n"


def _sizes(found: Results) -> str:
    size = found.size
    rows = [("the database", f"{size.database / MB:.1f}", "")]
    for name, n_bytes in size.tables.items():
        per_row = f"{size.per_row:.1f}" if name == "ratings" else ""
        if n_bytes >= MB:
            rows.append((f"`{name}`", f"{n_bytes / MB:.1f}", per_row))
    return table(("with indexes", "MB", "bytes a row"), rows)


def _cost(found: Results) -> tuple[str, ...]:
    done, loading, reading = found.preparation, found.baseline[PLATFORM], found.reading[PLATFORM]
    seconds = (MILLION / rate for rate in (done.rate, loading.rate, reading.rate))
    database = found.size.database / MB / (found.size.rows / MILLION)
    return (
        f"{found.rows:,}",
        *(f"{s:.2f}" for s in seconds),
        f"{database:.0f}",
        f"{found.size.per_row:.1f}",
    )


def _timed(timed: Timed) -> tuple[str, ...]:
    return f"{timed.rows:,}", f"{timed.seconds:.3f}", f"{timed.rate:,.0f}"
