"""The results in words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.report import against_target, measured_on, table
from benchmarks.serving.measure import (
    ALONE_KNOWN,
    ALONE_RATINGS,
    BARE,
    BATCH,
    COLD,
    FILTERED,
    FIRST,
    KNOWN,
    MLFLOW,
    RATINGS,
    Effort,
    Figures,
    Results,
)

PACKAGES: Final = (
    "fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools", "numpy", "mlflow",
    "scikit-surprise",
)  # fmt: skip
MB: Final = 2**20
NAMES: Final = {
    BARE: f"{BARE} of the same size",
    FIRST: f"the first version's way: {FIRST}",
    MLFLOW: f"`{MLFLOW}`, known user",
} | {name: f"CineMatch: {name}" for name in (KNOWN, COLD, RATINGS, FILTERED, BATCH)}
ORDER: Final = (
    BARE, KNOWN, COLD, RATINGS, FILTERED, BATCH, MLFLOW, FIRST, ALONE_KNOWN, ALONE_RATINGS,
)  # fmt: skip
SERVERS: Final = {
    "ours": "CineMatch",
    BARE: "bare FastAPI",
    MLFLOW: f"`{MLFLOW}`",
    FIRST: "the first version's way",
}
EXACT_TARGETS: Final = (10_000, 0.35, 0.10)
"""Movies from which on the second target holds, and the two."""


def section(name: str, found: Results, effort: Effort) -> str:
    """Render one size: what the targets ask for, then every figure."""
    size = found.size
    return "\n".join(
        (
            f"### {size.movies:,} movies, {size.users:,} users (as {name})\n",
            f"{measured_on(PACKAGES)}Medians of {effort.rounds} rounds of {effort.seconds:g} s a "
            f"way; the model's files have {found.model_bytes / MB:.0f} MB.\n",
            _targets(found),
            _rates(found.ways),
            _memory(found),
        )
    )


def growth(found: Mapping[str, Results]) -> str:
    """Render how the API's cost grows with movies and with users."""
    columns = (
        "movies", "users", "files, MB", "known/s", "20 ratings/s", "RSS, MB", "own, MB",
        "first answer, s", "with download, s",
    )  # fmt: skip
    rows = []
    for r in found.values():
        m = r.servers["ours"]
        rows.append(
            (
                f"{r.size.movies:,}", f"{r.size.users:,}", f"{r.model_bytes / MB:.0f}",
                f"{r.ways[KNOWN].rate:,.0f}", f"{r.ways[RATINGS].rate:,.0f}",
                f"{m.resident / MB:.0f}", f"{m.own / MB:.0f}", f"{m.first_answer:.1f}",
                f"{r.download:.1f}",
            )
        )  # fmt: skip
    return f"### Growth of the API\n\n{measured_on(PACKAGES)}\n{table(columns, rows)}"


def _targets(found: Results) -> str:
    ways, bare = found.ways, found.ways[BARE]
    known, exact = ways[KNOWN].rate / bare.rate, ways[RATINGS].rate / bare.rate
    border, few, many = EXACT_TARGETS
    times = ways[KNOWN].rate / ways[MLFLOW].rate
    failures = sum(way.failures for way in ways.values())
    resident = found.servers["ours"].resident / MB
    tail = (ways[KNOWN].p99 or 0) / (bare.p99 or 1)
    wanted = few if found.size.movies < border else many
    rows = [
        ("known users, share of bare", f"{known:.2f}", against_target(known, 0.85)),
        ("known users, times `mlflow models serve`", f"{times:.1f}", against_target(times, 10)),
        ("20 ratings sent along, share of bare", f"{exact:.2f}", against_target(exact, wanted)),
        ("p99 of known users, times bare's", f"{tail:.2f}", against_target(tail, 2, at_most=True)),
        (
            "RSS of a worker",
            f"{resident:.0f} MB",
            against_target(resident, 512, " MB", at_most=True),
        ),
        ("answers that are not 2xx", f"{failures}", f"none: {'missed' if failures else 'met'}"),
    ]
    return table(("figure", "measured", "target"), rows)


def _rates(ways: Mapping[str, Figures]) -> str:
    bare = ways[BARE].rate
    rows = [
        (
            NAMES.get(name, name),
            _number(ways[name].rate),
            f"{ways[name].rate / bare:.3g}",
            "" if (p99 := ways[name].p99) is None else f"{1000 * p99:.1f}",
        )
        for name in ORDER
    ]
    return table(("way", "answers/s", "of bare", "p99 at a third, ms"), rows)


def _memory(found: Results) -> str:
    rows = [
        (SERVERS[name], f"{m.resident / MB:.0f}", f"{m.own / MB:.0f}", f"{m.first_answer:.1f}")
        for name, m in found.servers.items()
    ]
    columns = ("a worker after the load", "RSS, MB", "own, MB", "start to first answer, s")
    note = f"With the model still to be fetched from MLflow: {found.download:.1f} s.\n"
    return f"{table(columns, rows)}\n{note}"


def _number(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.2g}" if rate < 10 else f"{rate:.0f}"
