"""Measure how often the drift tests are right, and show it in docs/drift-calibration.md.

Minutes of work for one core. `--rows 1000000 25000000` measures the speed at both sizes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from benchmarks.common.bench import Bench, options
from benchmarks.data.server import scratch, server_version, warehouse
from benchmarks.drift import delay, power, real_weeks, speed
from benchmarks.drift.false_positives import SECONDARY, THRESHOLDS, false_alarms
from benchmarks.drift.plan import (
    DELAY_SIZE,
    GENRES,
    QUIET_WEEKS,
    REFERENCE_BASELINE,
    SAMPLE,
    SAMPLE_BASELINE,
    SAMPLE_SIZES,
    SIZES,
    Plan,
    ml_1m_population,
    sample_population,
    synthetic_population,
)
from benchmarks.drift.resampling import WAYS, Population
from cinematch_dagster.drift import DriftPolicy

PARTS: Final = ("false_alarms", "power", "genres", "delay", "real_weeks", "speed")
PACKAGES: Final = ("numpy", "scipy", "pandas", "psycopg")
Work = Mapping[str, Callable[[], Any]]


def main(arguments: Sequence[str] | None = None, plan: Plan | None = None) -> None:
    """Measure what is asked for and not known yet."""
    parser = options("drift", __doc__, PARTS, rows=[1_000_000], rounds=Plan.rounds)
    parser.add_argument("--ml-1m", type=Path, help="folder with ml-1m's ratings.dat and movies.dat")
    given = parser.parse_args(arguments)
    plan = plan or Plan(rounds=given.rounds)
    bench = Bench("drift", PACKAGES, given)
    with tempfile.TemporaryDirectory(prefix="cinematch-bench-") as scratch_folder:
        work = pieces(plan, given.ml_1m, Path(scratch_folder))
        asked = {name: f for name, f in work.items() if name.partition("/")[0] in given.parts}
        if bench.todo(asked):
            bench.keep("plan", described(plan))
        bench.measure(asked)
    for rows in given.rows if "speed" in given.parts else ():
        if bench.todo([f"speed/{rows}"]):
            measure_speed(bench, rows, plan)
    bench.show()


def pieces(plan: Plan, ml_1m: Path | None, scratch: Path) -> Work:
    """Return what measures each part but the speed; those of ml-1m where its folder is given."""
    sample = cache(sample_population)
    synthetic = cache(lambda: synthetic_population(plan, scratch / "synthetic"))
    populations: dict[str, Callable[[], Population]] = {"sample": sample, "synthetic": synthetic}
    work: dict[str, Callable[[], Any]] = {}
    if ml_1m is not None:
        populations["ml-1m"] = partial(ml_1m_population, ml_1m)
        work["real_weeks"] = lambda: real_weeks.summary(real_weeks.load_year(ml_1m), DriftPolicy())
    draws = plan.trials, plan.seed

    def alarms(made: Callable[[], Population]) -> dict[str, Any]:
        population = made()
        return false_alarms(population, baselines(population), *draws)

    def genres(way: str) -> list[dict[str, Any]]:
        found = power.genre_power(sample(), way, REFERENCE_BASELINE, SIZES, GENRES, *draws)
        return [asdict(row) for row in found]

    def delays() -> list[dict[str, Any]]:
        histories = REFERENCE_BASELINE, DELAY_SIZE, QUIET_WEEKS, plan.histories, plan.seed
        return [asdict(row) for row in delay.measure(synthetic(), *histories)]

    work |= {f"false_alarms/{key}": partial(alarms, made) for key, made in populations.items()}
    work["power"] = lambda: power.by_thresholds(sample(), REFERENCE_BASELINE, SIZES, *draws)
    work["genres"] = lambda: {way: genres(way) for way in WAYS}
    work["delay"] = delays
    return work


def baselines(population: Population) -> dict[int, Sequence[int]]:
    """Return the batches' sizes for both baselines; the sample has its own sizes, too."""
    own = SAMPLE_SIZES if population.name == SAMPLE else ()
    return {REFERENCE_BASELINE: SIZES, SAMPLE_BASELINE: sorted((*SIZES, *own))}


def described(plan: Plan) -> dict[str, Any]:
    """Return the thresholds of today, and how much is measured."""
    return {
        "seed": plan.seed,
        "trials": plan.trials,
        "histories": plan.histories,
        "weeks": sorted(plan.weeks),
        "thresholds": dict(THRESHOLDS),
        "evidence": dict(SECONDARY),
        "count_threshold": DriftPolicy().count_threshold,
    }


def measure_speed(bench: Bench, rows: int, plan: Plan) -> None:
    """Time the drift of weeks with so many ratings in a server of its own."""
    with scratch() as (folder, server), warehouse(server) as dsn:
        work = partial(
            speed.measure, dsn, folder / "data", rows, plan.weeks, plan.rounds_at(rows), plan.seed
        )
        bench.measure({f"speed/{rows}": work}, server_version(server))


if __name__ == "__main__":
    main()
