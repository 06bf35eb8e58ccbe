"""Measure the models, and write the figures into docs/benchmarks.md and docs/models.md.

Every figure is kept in a file as soon as it is measured: run again, the program goes on where it
was, and `--again` measures anew.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from benchmarks.models import page, speed
from benchmarks.models.quality import cases, measure, read
from benchmarks.models.speed import Size
from benchmarks.models.store import Figures, Store
from benchmarks.models.training import training_job
from benchmarks.report import DOCUMENT, write_section
from cinematch_dagster.movielens import Synthetic, write_synthetic
from cinematch_dagster.settings import ROOT

SPEED: Final = ("loading", "fitting", "one_user", "all_users", "training")
STORE: Final = ROOT / "var" / "bench-models.json"
GUIDE: Final = ROOT / "docs" / "models.md"
log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None, size: Size | None = None) -> None:
    """Measure what is asked for and missing, then write every section of it."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    store = Store(options.store)
    sources: dict[str, Path | None] = {"sample": None} if options.sample else {}
    sources |= {k: v for k, v in _given(options).items() if v is not None}
    for data, source in sources.items():
        _quality(store, data, source, options)
    for rows in options.rows:
        _speed(store, rows, size or Size(rounds=options.rounds), options)
    known = [name for name in ("sample", "ml-latest-small", "ml-1m") if page.means(store, name)]
    if known:
        write_section("models, published", page.published_section(), options.document)
        write_section("models, quality", page.summary(store, known), options.guide)
        write_section("models, targets", page.targets_section(store, known), options.guide)
        cold = page.cold_section(store, known)
        write_section("models, cold", f"### Movies that nobody rated\n\n{cold}", options.document)
        write_section("models, cold", cold, options.guide)


def _given(options: argparse.Namespace) -> dict[str, Path | None]:
    return {"ml-latest-small": options.ml_latest_small, "ml-1m": options.ml_1m}


def _quality(store: Store, data: str, source: Path | None, options: argparse.Namespace) -> None:
    found = read(source)
    left_out = frozenset(name for name in options.leave_out if "/" not in name)
    left_out |= {n.partition("/")[2] for n in options.leave_out if n.startswith(f"{data}/")}
    wanted = cases(data, len(found.ratings), options.seeds, left_out)
    for number, case in enumerate(wanted, start=1):
        log.info("%s: %d of %d of %s", case.name, number, len(wanted), data)
        store.measure(case.name, lambda c=case: measure(c, found), again=options.again)  # type: ignore[misc]
        write_section(f"models, {data}", page.quality_section(store, data), options.document)


def _speed(store: Store, rows: int, size: Size, options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="cinematch-bench-") as name:
        folder = Path(name) / "data"
        write_synthetic(folder, Synthetic(ratings=rows))
        path = folder / "ratings.parquet"
        parts: dict[str, Callable[[], Figures]] = {
            "loading": lambda: speed.loading(path, size.rounds),
            "fitting": lambda: speed.fitting(pd.read_parquet(path), size),
            "one_user": lambda: speed.one_user(size),
            "all_users": lambda: speed.all_users(pd.read_parquet(path), size),
            "training": lambda: training_job(folder),
        }
        for number, part in enumerate(options.parts, start=1):
            log.info("speed/%d/%s: %d of %d", rows, part, number, len(options.parts))
            store.measure(f"speed/{rows}/{part}", parts[part], again=options.again)
            body = page.speed_section(store, rows)
            write_section(f"models, speed, {rows}", body, options.document)
    if growth := page.growth_section(store):
        write_section("models, growth", growth, options.document)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.models")
    add = parser.add_argument
    add("--sample", action="store_true", help="quality on the shipped sample")
    add("--ml-latest-small", type=Path, help="quality on it: its zip or folder")
    add("--ml-1m", type=Path, help="quality on it: its zip or folder")
    add("--seeds", type=int, default=3, help="random splits")
    add("--leave-out", nargs="*", default=[], help="algorithms: svdpp, or ml-1m/svdpp")
    add("--rows", type=int, nargs="*", default=[], help="synthetic ratings for the speed")
    add("--parts", nargs="+", choices=SPEED, default=list(SPEED), help="of the speed")
    add("--rounds", type=int, default=3, help="how often a way is timed")
    add("--again", action="store_true", help="measure what is known already, too")
    add("--store", type=Path, default=STORE, help="where figures are kept")
    add("--document", type=Path, default=DOCUMENT, help="where the tables go")
    add("--guide", type=Path, default=GUIDE, help="where the short table goes")
    return parser


if __name__ == "__main__":
    main()
