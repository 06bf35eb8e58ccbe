"""Start the platform as a user does, watch it, and let weeks go through it."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from benchmarks.common.timing import seconds
from benchmarks.platform.backfill import Backfills
from cinematch_dagster.batches import batch_id, write_batch
from cinematch_dagster.demo.orchestrator import OrchestrationError
from cinematch_dagster.local import platform, processes
from cinematch_dagster.local.ports import reserved
from cinematch_dagster.local.watchdog import end_with_us
from cinematch_dagster.postgres import embedded
from cinematch_dagster.settings import ROOT, Settings, load_settings

IMPORT = """
import time
start = time.perf_counter()
import cinematch_dagster.definitions
print(time.perf_counter() - start)
"""
JOB = "buffer_ingestion_weekly"
FIRST_WEEK = datetime.date(2010, 1, 4)
_SERVERS = ("DAGSTER", "MLFLOW", "API")
ROLES = {
    "web server": "dagster_webserver",
    "daemon": "dagster._daemon",
    "code server": "code-server",
    "code server's worker": " api grpc",
    "`dagster dev`, which starts them": "dagster dev",
    "MLflow": "mlflow",
    "API": "-m serving",
}
"""What the command line of a server's process holds."""
OTHERS = "helpers"


def import_seconds(rounds: int) -> float:
    """Return the median of the seconds that the code location's import takes in a new process."""
    command = [sys.executable, "-W", "ignore", "-c", IMPORT]
    return statistics.median(
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(rounds)
    )


def run_weeks(singles: int, weeks: int, rows: int) -> dict[str, Any]:
    """Start the platform twice on a state of its own, which goes at the end, and load weeks.

    Args:
        singles: weeks loaded one by one.
        weeks: weeks after them, by one backfill.
        rows: ratings of a week.

    Returns:
        Seconds from `cinematch up` to the answer of the last server, without a state and on the
        one that the first start left; median of a week that is a run of its own; seconds of the
        backfill, the daemon's looks every half a minute included; MB (PSS) of each server
        afterwards, the largest first.
    """
    with _scratch(singles + weeks) as settings:
        with _up(settings) as first_start:
            pass
        with _up(settings) as second_start:
            single, backfill = _load_weeks(settings, singles, weeks, rows)
            memory = sorted(_memory(settings).items(), key=lambda server: -server[1])
    return {
        "rows": rows,
        "first_start": first_start,
        "second_start": second_start,
        "single": statistics.median(single),
        "weeks": weeks,
        "backfill": backfill,
        "memory_mb": {name: size / 1e6 for name, size in memory},
    }


def _load_weeks(
    settings: Settings, singles: int, weeks: int, rows: int
) -> tuple[list[float], float]:
    """Return the seconds of each week that was a run of its own, and of the others' backfill."""
    dagster = Backfills(f"http://127.0.0.1:{settings.dagster_port}")
    dagster.run_job("data_preparation")
    for number in range(1, singles + weeks + 1):
        _drop(settings, number, rows)
    keys = [_monday(number).isoformat() for number in range(1, singles + 1)]
    single = [seconds(partial(dagster.run_job, JOB, key)) for key in keys]
    others = [_monday(number) for number in range(singles + 1, singles + weeks + 1)]
    ended: list[str] = []
    ranged = seconds(lambda: ended.append(dagster.backfill(others, seconds=1_800)))
    dagster.close()
    if ended != ["COMPLETED_SUCCESS"]:
        raise OrchestrationError(f"the backfill of {weeks} weeks ended as {ended[0]}")
    return single, ranged


@contextmanager
def _scratch(weeks: int) -> Iterator[Settings]:
    """Give settings of a state of its own, whose sensors look once and then not for a day."""
    end_with_us()
    scratch = tempfile.TemporaryDirectory(prefix="cinematch-bench-")
    with scratch as name, reserved(len(_SERVERS)) as found:
        ports = {f"CINEMATCH_{s}_PORT": str(port) for s, port in zip(_SERVERS, found, strict=True)}
        os.environ |= ports | {
            "CINEMATCH_STATE_DIR": f"{name}/var",
            "CINEMATCH_DATA_DIR": f"{name}/data",
            "CINEMATCH_DATA__FIRST_WEEK": FIRST_WEEK.isoformat(),
            "CINEMATCH_DATA__WEEKS": str(weeks),
            "CINEMATCH_DRIFT__COUNT_THRESHOLD": "2",
            "CINEMATCH_RETRAINING__MINIMUM_BUFFER": "1000000000",
            "CINEMATCH_ORCHESTRATION__SENSOR_INTERVAL_SECONDS": "86400",
        }
        shutil.copytree(ROOT / "data" / "sample", Path(name) / "data" / "sample")
        load_settings.cache_clear()
        settings = load_settings()
        try:
            yield settings
        finally:
            embedded.destroy(settings.state_dir / "postgres")


@contextmanager
def _up(settings: Settings) -> Iterator[float]:
    """Run the platform; give the seconds until all its servers have answered."""
    started = time.perf_counter()
    with platform.running(settings, lambda _: None):
        yield time.perf_counter() - started
    platform.stop(settings)


def _monday(number: int) -> datetime.date:
    return FIRST_WEEK + datetime.timedelta(weeks=number - 1)


def _drop(settings: Settings, number: int, rows: int) -> None:
    """Put the file of a week into the landing folder."""
    n = np.arange(rows)
    frame = pd.DataFrame(
        {
            "userId": (number * 100_000 + n).astype("int32"),
            "movieId": np.ones(rows, "int32"),
            "rating": (n % 10 / 2 + 0.5).astype("float32"),
            "timestamp": 1_300_000_000 + number * 100_000 + n.astype("int64"),
        }
    )
    write_batch(settings.landing_dir, batch_id(_monday(number), FIRST_WEEK), frame, None)


def _memory(settings: Settings) -> dict[str, int]:
    """Return the bytes (PSS: shared pages count once in all) of each server."""
    found: dict[str, int] = {}
    for roots in processes.found(platform.logs(settings)).values():
        for process in (member for root in roots for member in processes.family(root)):
            with contextlib.suppress(psutil.NoSuchProcess):
                name = role(process.cmdline())
                found[name] = found.get(name, 0) + process.memory_full_info().pss
    return found


def role(command: list[str]) -> str:
    """Return the name of the server that a process with this command line belongs to."""
    text = " ".join(command)
    return next((name for name, part in ROLES.items() if part in text), OTHERS)
