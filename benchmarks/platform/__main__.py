"""Measure what the platform costs, and show it in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.common.bench import Bench, options
from benchmarks.platform.measure import import_seconds, run_weeks

PARTS: Final = ("import", "weeks")
PACKAGES: Final = ("dagster", "dagster-webserver", "mlflow", "fastapi")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for and not known yet."""
    parser = options("platform", __doc__, PARTS, rows=[200])
    parser.add_argument("--singles", type=int, default=5, help="weeks loaded one by one")
    parser.add_argument("--weeks", type=int, default=520, help="weeks by one backfill")
    given = parser.parse_args(arguments)
    bench = Bench("platform", PACKAGES, given)
    work = {
        "import": lambda: {"seconds": import_seconds(given.rounds)},
        "weeks": lambda: run_weeks(given.singles, given.weeks, given.rows[0]),
    }
    bench.measure({part: work[part] for part in given.parts})
    bench.show()


if __name__ == "__main__":
    main()
