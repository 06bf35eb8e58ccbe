"""Write docs/reliability.md's table from what the tests of faults have logged.

`make reliability` runs those tests and then this.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import machine, versions
from benchmarks.report import table, write_section
from cinematch_dagster.settings import ROOT

DOCUMENT: Final = ROOT / "docs" / "reliability.md"
PACKAGES: Final = ("dagster", "mlflow", "psycopg")


class LogError(ValueError):
    """There is nothing to show; the message names the file."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.reliability")
    parser.add_argument("log", type=Path, help="a JSON object a line: name, done, holds, lost, at")
    parser.add_argument("--document", type=Path, default=DOCUMENT, help="where the table goes")
    options = parser.parse_args(arguments)
    lines = options.log.read_text(encoding="utf-8").splitlines() if options.log.is_file() else []
    if not lines:
        raise LogError(f"{options.log}: no fault was tried (expected a line for each)")
    tries = [json.loads(line) for line in lines]
    write_section("faults", section(tries), options.document)
    if lost := [f"{one['name']}, {one['done']}" for one in tries if one["lost"]]:
        raise SystemExit(f"Lost: {'; '.join(lost)}")


def section(tries: Iterable[dict[str, Any]]) -> str:
    """Return when and where the faults were tried, and a row for each kind, in its first order."""
    tries = list(tries)
    days = sorted({str(one["at"]) for one in tries})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    kinds: dict[tuple[str, str, str], list[bool]] = {}
    for one in tries:
        kinds.setdefault((one["name"], one["done"], one["holds"]), []).append(one["lost"])
    rows = [(*kind, len(lost), sum(lost)) for kind, lost in kinds.items()]
    shown = table(("fault", "what was done", "what must hold", "tried", "lost"), rows, texts=3)
    return f"Tried on {when} on {machine()}. {versions(PACKAGES)}.\n\n{shown}"


if __name__ == "__main__":
    main()
