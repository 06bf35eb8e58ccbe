"""What a measurement ran on, and when."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from benchmarks.common.results import Measured

CPU_INFO: Final = Path("/proc/cpuinfo")


def measured_today(packages: Sequence[str], server: str = "") -> Measured:
    """Return today, this machine, and the versions of Python, of installed packages and a server's.

    Args:
        packages: whose versions matter.
        server: its name and version, where one matters.
    """
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    parts = [
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in packages),
    ]
    versions = "; ".join(filter(None, (", ".join(parts), server)))
    return Measured(days=[today], machine=machine(), versions=versions)


def machine() -> str:
    """Return processor, cores that this process may use, memory and operating system."""
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.machine()}"
    return f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, {system}"


def _processor() -> str:
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown processor")
