"""Measure how good and fast the models are, and show it in docs/benchmarks.md and docs/models.md.

The quality is measured on the shipped sample, and on the data sets that are given.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchmarks.common.bench import Bench, options
from benchmarks.models import speed
from benchmarks.models.quality import cases, measure, read
from benchmarks.models.speed import Size
from benchmarks.models.training import training_job
from cinematch_dagster.movielens import Synthetic, write_synthetic

QUALITY: Final = "quality"
PARTS: Final = (QUALITY, "loading", "fitting", "one_user", "all_users", "training")
SAMPLE: Final[dict[str, Path | None]] = {"sample": None}
PACKAGES: Final = ("numpy", "scipy", "pandas", "scikit-surprise", "implicit", "numba")


def main(arguments: Sequence[str] | None = None, size: Size | None = None) -> None:
    """Measure what is asked for and not known yet."""
    parser = options("models", __doc__, PARTS, rows=[1_000_000], rounds=3)
    add = parser.add_argument
    add("--ml-latest-small", type=Path, help="quality on it, too: its zip or folder")
    add("--ml-1m", type=Path, help="quality on it, too: its zip or folder")
    add("--seeds", type=int, default=3, help="random splits")
    add("--leave-out", nargs="*", default=[], help="algorithms: svdpp, or ml-1m/svdpp")
    given = parser.parse_args(arguments)
    bench = Bench("models", PACKAGES, given)
    if QUALITY in given.parts:
        sources = SAMPLE | {"ml-latest-small": given.ml_latest_small, "ml-1m": given.ml_1m}
        for data, source in sources.items():
            if data in SAMPLE or source is not None:
                measure_quality(bench, data, source, given.seeds, given.leave_out)
    parts = [part for part in given.parts if part != QUALITY]
    for rows in given.rows if parts else ():
        measure_speed(bench, rows, parts, size or Size(rounds=given.rounds))
    bench.show()


def measure_quality(
    bench: Bench, data: str, source: Path | None, seeds: int, leave_out: Sequence[str]
) -> None:
    """Measure every algorithm on a data set; `source` is its zip or folder, None the sample."""
    found = read(source)
    left_out = {n.removeprefix(f"{data}/") for n in leave_out}
    wanted = cases(data, len(found.ratings), seeds, left_out)
    bench.measure({case.name: partial(measure, case, found) for case in wanted})


def measure_speed(bench: Bench, rows: int, parts: Sequence[str], size: Size) -> None:
    """Measure parts of the speed with so many synthetic ratings."""
    with tempfile.TemporaryDirectory(prefix="cinematch-bench-") as name:

        @cache
        def folder() -> Path:
            write_synthetic(Path(name) / "data", Synthetic(ratings=rows))
            return Path(name) / "data"

        def ratings() -> Path:
            return folder() / "ratings.parquet"

        work: dict[str, Callable[[], Any]] = {
            "loading": lambda: speed.loading(ratings(), size.rounds),
            "fitting": lambda: speed.fitting(pd.read_parquet(ratings()), size),
            "one_user": lambda: speed.one_user(size),
            "all_users": lambda: speed.all_users(pd.read_parquet(ratings()), size),
            "training": lambda: training_job(folder()),
        }
        bench.measure({f"speed/{rows}/{part}": work[part] for part in parts})


if __name__ == "__main__":
    main()
