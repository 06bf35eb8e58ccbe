"""The platform's figures as Markdown."""

from __future__ import annotations

import statistics
from typing import Final

from benchmarks.platform.measure import Results
from benchmarks.report import against_target, measured_on, table

PACKAGES: Final = ("dagster", "dagster-webserver", "mlflow", "fastapi")
IMPORT_SECONDS: Final = 4.0
START_SECONDS: Final = 60.0
BACKFILL_SECONDS: Final = 180.0
MEMORY_MB: Final = 2_000.0


def section(found: Results, rows: int) -> str:
    """Return the body of the section: figures with their targets, then memory by server."""
    return "\n".join([measured_on(PACKAGES), _figures(found, rows), _memory(found)])


def _figures(found: Results, rows: int) -> str:
    importing = statistics.median(found.importing)
    total = sum(found.memory.values()) / 1e6
    single = statistics.median(found.single)
    one_by_one = f"a week of {rows} ratings as a run of its own, seconds (median)"
    by_range = f"{found.range_weeks} such weeks by one backfill, seconds"
    return table(
        ("figure", "measured", "target"),
        [
            (
                "import of the code location, seconds (median)",
                f"{importing:.1f}",
                against_target(importing, IMPORT_SECONDS, " s", at_most=True),
            ),
            _start("`make up` to the last first answer, no state yet, seconds", found.first_start),
            _start("the same, on the state of the day before, seconds", found.second_start),
            (
                "memory of all servers, MB (PSS)",
                f"{total:,.0f}",
                against_target(total, MEMORY_MB, " MB", at_most=True),
            ),
            (one_by_one, f"{single:.1f}", ""),
            (
                by_range,
                f"{found.range_seconds:.0f}",
                against_target(found.range_seconds, BACKFILL_SECONDS, " s", at_most=True),
            ),
            (
                "a week of it, seconds",
                f"{found.range_seconds / found.range_weeks:.2f}",
                "",
            ),
        ],
    )


def _start(name: str, measured: float) -> tuple[str, str, str]:
    target = against_target(measured, START_SECONDS, " s", at_most=True)
    return name, f"{measured:.1f}", target


def _memory(found: Results) -> str:
    rows = sorted(found.memory.items(), key=lambda item: -item[1])
    return table(("server", "MB (PSS)"), [(name, f"{size / 1e6:,.0f}") for name, size in rows])
