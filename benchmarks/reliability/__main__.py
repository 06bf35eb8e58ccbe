"""Try every fault on a running platform, and show in docs/reliability.md whether it lost anything.

Half an hour a round.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.common.bench import Bench, options
from cinematch_dagster.settings import ROOT

FAULTS: Final = ROOT / "tests" / "e2e" / "faults"
PARTS: Final = {path.stem.split("_")[-1]: path for path in sorted(FAULTS.glob("test_*.py"))}
"""Files of tests by the last word of their name."""
PACKAGES: Final = ("dagster", "mlflow", "psycopg")
Tried = dict[str, Any]


class LogError(ValueError):
    """There is nothing to show; the message names the file."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Try what is asked for and not known yet."""
    given = options("reliability", __doc__, tuple(PARTS), rounds=1).parse_args(arguments)
    bench = Bench("reliability", PACKAGES, given)
    bench.measure({part: partial(tried, PARTS[part], given.rounds) for part in given.parts})
    bench.show()
    rows = [row for part in bench.results.figures().values() for row in part]
    if lost := [f"{row['name']}, {row['done']}" for row in rows if row["lost"]]:
        raise SystemExit(f"Lost: {'; '.join(lost)}")


def tried(tests: Path, rounds: int) -> list[Tried]:
    """Run a file of tests so often; return a row for each of its faults.

    Raises:
        LogError: the tests tried no fault.
    """
    with tempfile.TemporaryDirectory(prefix="cinematch-bench-") as folder:
        log = Path(folder) / "faults.jsonl"
        log.touch()
        for _ in range(rounds):
            command = [sys.executable, "-m", "pytest", str(tests), "-m", "slow"]
            subprocess.run(command, cwd=ROOT, env=os.environ | {"FAULT_LOG": str(log)}, check=False)
        lines = log.read_text(encoding="utf-8").splitlines()
    if not lines:
        raise LogError(f"{tests}: no fault was tried (expected a line for each in FAULT_LOG)")
    return summary([json.loads(line) for line in lines])


def summary(lines: Sequence[dict[str, Any]]) -> list[Tried]:
    """Count the tries of each kind of fault, in their first order."""
    rows: dict[tuple[str, str, str], Tried] = {}
    for line in lines:
        kind = {what: line[what] for what in ("name", "done", "holds")}
        row = rows.setdefault((*kind.values(),), {**kind, "tried": 0, "lost": 0})
        row["tried"] += 1
        row["lost"] += line["lost"]
    return list(rows.values())


if __name__ == "__main__":
    main()
