"""Seconds and memory of a piece of work."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, TypedDict, TypeVar

K = TypeVar("K")
T = TypeVar("T")
STATUS: Final = Path("/proc/self/status")
MB: Final = 2**20
GB: Final = 2**30


class Timed(TypedDict):
    """How many rows took how many seconds."""

    rows: int
    seconds: float


def timed(rows: int, seconds: float) -> Timed:
    """Return both."""
    return Timed(rows=rows, seconds=seconds)


def seconds(work: Callable[[], object]) -> float:
    """Do the work once and return how long it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def medians(cases: Mapping[K, Callable[[], float]], rounds: int) -> dict[K, float]:
    """Return the median of what each case returns.

    Every round runs each case once, so that a busy moment of the machine meets all of them and
    ratios stay fair.
    """
    found: dict[K, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            found[name].append(case())
    return {name: statistics.median(values) for name, values in found.items()}


def in_child(work: Callable[..., T], *arguments: Any) -> T:
    """Do the work in a new process, whose memory is its own, and return the result."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def memory_now() -> int:
    """Return the bytes of memory that this process has in use."""
    return _status("VmRSS")


def memory_peak() -> int:
    """Return the most bytes that this process ever had in use.

    Unlike `ru_maxrss` of `getrusage`, which a child starts with its parent's, it counts from the
    start of this program.
    """
    return _status("VmHWM")


def _status(key: str) -> int:
    lines = STATUS.read_text().splitlines()
    value = next(line.split()[1] for line in lines if line.startswith(f"{key}:"))
    return int(value) * 1024
