"""Weeks that drift goes on before it is noticed, in the week's batch and in the buffer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.drift.false_positives import THRESHOLDS
from benchmarks.drift.resampling import Population, draw_by_user
from benchmarks.drift.scores import rating_scores, severity
from benchmarks.drift.tilt import mean_factors

HORIZON: Final = 26  # drifted weeks that are looked at

SCENARIOS: Final[Mapping[str, Callable[[int], float]]] = {
    "+5 % at once": lambda _week: 0.05,
    "+10 % at once": lambda _week: 0.10,
    "+20 % at once": lambda _week: 0.20,
    "+1 % more each week": lambda week: 0.01 * week,
}
"""Relative change of the mean in drifted week 1, 2, …."""


@dataclass(frozen=True)
class Delay:
    """When the policy `any` alerted for the first time after the drift began.

    Attributes:
        scenario: key of `SCENARIOS`.
        quiet: weeks without drift before it, all in the buffer.
        view: `per_batch` or `cumulative`.
        median: drifted weeks needed; 1 is the first of them. None where most saw none.
        ninetieth: 90th percentile.
        missed: share of the histories without an alert in `HORIZON` drifted weeks.
        false_alarms: share of the quiet weeks with an alert.
    """

    scenario: str
    quiet: int
    view: str
    median: float | None
    ninetieth: float | None
    missed: float
    false_alarms: float


def measure(
    population: Population,
    baseline_size: int,
    n: int,
    quiet_weeks: Sequence[int],
    trials: int,
    seed: int,
) -> list[Delay]:
    """Draw `trials` histories of weeks of n ratings by whole users, with a baseline each.

    From the drift on, a rating counts as often as the factor of its stars says. Nothing
    is retrained meanwhile, so the buffer keeps its quiet weeks.
    """
    rng = np.random.default_rng(seed)
    baseline = draw_by_user(population, baseline_size, trials, rng).stars[:, None]
    results = []
    for quiet in quiet_weeks:
        weeks = quiet + HORIZON
        drawn = draw_by_user(population, n, trials * weeks, rng).stars.reshape(trials, weeks, -1)
        for scenario, change in SCENARIOS.items():
            factors = [mean_factors(population.shares, change(week + 1)) for week in range(HORIZON)]
            per_batch = drawn.copy()
            per_batch[:, quiet:] *= np.stack(factors)
            views = {"per_batch": per_batch, "cumulative": np.cumsum(per_batch, axis=1)}
            for view, buffer in views.items():
                alerts = severity(rating_scores(baseline, buffer), THRESHOLDS) > 1
                results.append(summarise(scenario, quiet, view, alerts))
    return results


def summarise(scenario: str, quiet: int, view: str, alerts: NDArray[np.bool_]) -> Delay:
    """Summarise alerts, shape (trials, weeks), of which the first `quiet` are without drift."""
    drifted = alerts[:, quiet:]
    first = np.where(drifted.any(axis=1), drifted.argmax(axis=1) + 1.0, np.inf)
    # a percentile between two values would be infinite minus infinite: take one that occurred
    median, ninetieth = (
        float(weeks) if np.isfinite(weeks) else None
        for weeks in np.quantile(first, [0.5, 0.9], method="higher")
    )
    return Delay(
        scenario,
        quiet,
        view,
        median,
        ninetieth,
        missed=float(np.isinf(first).mean()),
        false_alarms=float(alerts[:, :quiet].mean()),
    )
