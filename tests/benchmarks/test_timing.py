import os
import time

import numpy as np
import pytest

from benchmarks.common.timing import in_child, medians, memory_now, memory_peak, seconds

MB = 2**20


def test_seconds_are_those_of_the_work() -> None:
    assert seconds(lambda: time.sleep(0.02)) >= 0.02


def test_a_round_runs_every_case_once_and_the_median_counts() -> None:
    order: list[str] = []
    given = {"a": iter([5.0, 1.0, 3.0]), "b": iter([2.0, 9.0, 4.0])}

    def case(name: str) -> float:
        order.append(name)
        return next(given[name])

    cases = {"a": lambda: case("a"), "b": lambda: case("b")}
    assert medians(cases, 3) == {"a": 3.0, "b": 4.0}
    assert order == ["a", "b"] * 3


def test_the_child_is_another_process_and_its_error_is_raised_here() -> None:
    assert in_child(os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        in_child(divmod, 1, 0)


def hold_and_release(n_bytes: int) -> tuple[int, int, int]:
    before = memory_now()
    np.ones(n_bytes, np.uint8)
    return before, memory_now(), memory_peak()


def test_the_peak_counts_what_was_released_but_not_the_parents_memory() -> None:
    held = np.ones(500 * MB, np.uint8)
    before, after, peak = in_child(hold_and_release, 200 * MB)
    assert 190 * MB <= peak - before <= 260 * MB
    assert after - before < 50 * MB
    assert before < len(held)
