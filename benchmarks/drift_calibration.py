"""Write `docs/drift-calibration.md`: `python -m benchmarks.drift_calibration [--ml-1m FOLDER]`.

Minutes of work for one core. `--rows 1000000 25000000` measures the speed at both sizes.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.drift import speed
from benchmarks.drift.document import render
from benchmarks.drift.results import Plan, measure_all
from benchmarks.report import measured_on
from cinematch_dagster.settings import ROOT

PACKAGES = ("numpy", "scipy", "pandas", "psycopg")
log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None, plan: Plan | None = None) -> None:
    """Measure everything and write the document."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    plan = plan or Plan()
    with tempfile.TemporaryDirectory(prefix="cinematch-bench-") as scratch:
        log.info("false alarms, power and delays: %d trials", plan.trials)
        results = measure_all(plan, options.ml_1m, Path(scratch))
    speeds = []
    for rows in options.rows:
        log.info("speed at %d rows", rows)
        speeds.append(speed.measure(rows, plan.weeks, plan.rounds_at(rows), plan.seed))
    measured = measured_on(PACKAGES, *{found.server for found in speeds})
    options.output.write_text(render(results, speeds, plan, measured))
    log.info("wrote %s", options.output)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ml-1m", type=Path, help="folder with ml-1m's ratings.dat and movies.dat")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000], help="sizes for speed")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "drift-calibration.md")
    return parser


if __name__ == "__main__":
    main()
