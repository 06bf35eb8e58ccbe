"""Whether a week is predicted worse than the model's own test rows were: drift that hurts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cinematch_dagster.drift.verdict import DriftPolicy, Level, TestResult

PERFORMANCE_TESTS: Mapping[str, str] = {"performance_rmse": "RMSE", "performance_mae": "MAE"}
"""Name of a test to its reason."""

_DIGITS = 12


@dataclass(frozen=True)
class Errors:
    """Errors of predicted stars: `rmse` and `mae`, in stars."""

    rmse: float
    mae: float


@dataclass(frozen=True)
class PerformanceVerdict:
    """What follows from a model's errors on a week.

    Attributes:
        tests: RMSE and MAE. `change` is the relative change from the model's own test rows,
            positive when the week is worse, and `score` the same without gains, at least 0.
        level: with the meaning it has for a view that may alert (`drift.verdict`).
        reasons: why the level is what it is; empty for no drift.
    """

    tests: tuple[TestResult, ...]
    level: Level
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class WeekSlice:
    """A model's scores on some of a week's ratings.

    Attributes:
        rows: ratings predicted.
        rmse: in stars, over all rows.
        mae: in stars, over all rows.
        users: users with a relevant movie: 4 stars or more here, and not rated in training.
        hit_rate_at_10: share of `users` with such a movie among the 10 that the model ranks
            highest for them, out of the whole catalogue without what they had rated in training;
            None without such users.
    """

    rows: int
    rmse: float
    mae: float
    users: int
    hit_rate_at_10: float | None


@dataclass(frozen=True)
class WeekScores:
    """A model's scores on a week; a slice without ratings is None.

    Attributes:
        overall: every rating.
        warm_user: ratings of users whom the model knows.
        new_user: those of all others; `warm_user` and this one add up to `overall`.
        new_movie: ratings of movies without a training rating, whoever gave them. Of such a movie
            the model knows genres and decade at most, so this slice has few hits.
    """

    overall: WeekSlice
    warm_user: WeekSlice | None
    new_user: WeekSlice | None
    new_movie: WeekSlice | None


@dataclass(frozen=True)
class WeekPerformance:
    """How the version in production when a week arrived predicted that week.

    Attributes:
        version: of the registry.
        own: the version's errors on the standing test rows of its training.
        scores: on all of the week's ratings, none of which the version was trained on.
        verdict: the one compared with the other, as it was decided.
        policy: under which it was decided; None where that is not known.
        input_digest: sha256 (hex) of the version and the sha256 of the week's file; None likewise.
    """

    version: str
    own: Errors
    scores: WeekScores
    verdict: PerformanceVerdict
    policy: DriftPolicy | None = None
    input_digest: str | None = None


def judge_errors(week: Errors, own: Errors, rows: int, policy: DriftPolicy) -> PerformanceVerdict:
    """Compare a model's errors on a week with those on its own test rows.

    One error that is worse by more than `performance_threshold` is drift. Relative changes are
    rounded to 12 digits, so that 1.1 is not more than 10 % above 1.

    Args:
        week: errors on the week's rows.
        own: errors on the rows that the model was tested on; above 0.
        rows: ratings in the week; below `count_threshold` nothing alerts.
        policy: thresholds.
    """
    changes = (_change(own.rmse, week.rmse), _change(own.mae, week.mae))
    level = _level(max(changes), rows, policy)
    tests = tuple(
        TestResult(
            name,
            score=max(change, 0.0),
            change=change,
            threshold=policy.performance_threshold,
            triggered=level is Level.DRIFT and change > policy.performance_threshold,
        )
        for name, change in zip(PERFORMANCE_TESTS, changes, strict=True)
    )
    return PerformanceVerdict(tests, level, _reasons(tests, level, rows, policy))


def _change(own: float, week: float) -> float:
    return round(week / own - 1, _DIGITS)


def _level(worst: float, rows: int, policy: DriftPolicy) -> Level:
    if rows < policy.count_threshold:
        return Level.INSUFFICIENT
    if worst > policy.performance_threshold:
        return Level.DRIFT
    early = worst >= policy.early_threshold(policy.performance_threshold)
    return Level.EARLY if early else Level.NO_DRIFT


def _reasons(
    tests: tuple[TestResult, ...], level: Level, rows: int, policy: DriftPolicy
) -> tuple[str, ...]:
    if level is Level.INSUFFICIENT:
        return (f"Week holds {rows:,} ratings, {policy.count_threshold:,} needed",)
    early = policy.early_threshold(policy.performance_threshold)
    named = [t for t in tests if t.triggered or (level is Level.EARLY and t.score >= early)]
    return tuple(f"{PERFORMANCE_TESTS[t.feature_name]} {t.change:+.1%}" for t in named)
