"""From three histograms to a verdict: no drift, early signals, or drift, and why.

Levels, for one view (a week's batch alone, or the buffer accumulated since the last promotion):

- empty: the view has no ratings; nothing is computed;
- insufficient data: the view or the baseline has fewer ratings than `count_threshold`; scores are
  shown from two ratings a side on, but none of them counts;
- drift: at least `minimum_tests` scores are above their thresholds (strictly), and the view may
  alert; these tests are its alerts;
- early: otherwise, some score is at or above `early_share` of its threshold;
- no drift: otherwise.

A view that may not alert therefore says "early" at most. The report's level is the highest of both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cinematch_dagster.drift.histogram import Histogram
from cinematch_dagster.drift.statistics import (
    ks_p_value,
    ks_statistic,
    mean,
    mean_change,
    std,
    std_change,
)

View = Literal["per_batch", "cumulative"]
Share = Annotated[float, Field(gt=0, lt=1)]

TESTS: Mapping[str, Callable[[Histogram, Histogram], float]] = {
    "rating_distribution_ks": ks_statistic,
    "rating_mean": mean_change,
    "rating_std": std_change,
}
REASONS: Mapping[str, str] = {
    "rating_distribution_ks": "Distribution shift",
    "rating_mean": "Mean change",
    "rating_std": "Variance change",
}


class Level(StrEnum):
    """Verdicts, from nothing known to drift, in the order of their weight.

    `UNKNOWN` is never assessed: it stands for a verdict of a time when none were kept.
    """

    UNKNOWN = "VERDICT UNKNOWN - DECIDED BEFORE VERDICTS WERE KEPT"
    EMPTY = "EMPTY BUFFER - NOTHING TO COMPARE"
    INSUFFICIENT = "INSUFFICIENT DATA - CONTINUE MONITORING"
    NO_DRIFT = "NO DRIFT - CONTINUE MONITORING"
    EARLY = "EARLY DRIFT SIGNALS - CONTINUE MONITORING"
    DRIFT = "DRIFT DETECTED - RETRAINING RECOMMENDED"


class DriftPolicy(BaseModel):
    """When ratings count as drifted (scores and thresholds are fractions: 0.05 is 5 %)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ks_threshold: Share = 0.05
    mean_threshold: Share = 0.10
    std_threshold: Share = 0.15
    performance_threshold: Share = 0.10
    early_share: Share = 0.8
    count_threshold: int = Field(10_000, ge=2)
    minimum_tests: int = Field(1, ge=1, le=3)
    alerting_views: tuple[View, ...] = ("cumulative",)

    @property
    def thresholds(self) -> dict[str, float]:
        """Threshold by test name."""
        values = (self.ks_threshold, self.mean_threshold, self.std_threshold)
        return dict(zip(TESTS, values, strict=True))

    def early_threshold(self, threshold: float) -> float:
        """Share of a threshold from which a score is an early signal.

        The product of the two decimals as written: 0.8 * 0.05 is 0.04, not 0.04000000000000001.
        """
        return float(Fraction(str(self.early_share)) * Fraction(str(threshold)))


@dataclass(frozen=True)
class TestResult:
    """One test in one view.

    Attributes:
        feature_name: a key of `TESTS`, or an error of `drift.performance`.
        score: what is compared: the KS statistic, the absolute relative change of mean and std, or
            by how much an error is worse.
        change: the same with its sign (the KS statistic has none); NaN where of a recorded test
            only the score is known.
        threshold: what the score is compared with.
        triggered: whether it raises an alert; a high score in a view that may not alert, or that
            has too little data or too few such tests, does not.
    """

    feature_name: str
    score: float
    change: float
    threshold: float
    triggered: bool = False

    @property
    def exceeded(self) -> bool:
        """Whether the score is strictly above its threshold."""
        return self.score > self.threshold


@dataclass(frozen=True)
class ViewResult:
    """One view's ratings against the baseline.

    Attributes:
        view: the week's batch alone, or the buffer accumulated since the last promotion.
        n: ratings in the view.
        mean: in stars; None without ratings.
        std: in stars, ddof=1; None with fewer than two ratings.
        tests: all three in the order of `TESTS`; none where a side has fewer than two ratings.
        ks_p_value: noted, never decided on: at these sizes it is almost always about 0.
        level: early at most for a view that may not alert.
        reasons: why the level is what it is; empty for no drift.
    """

    view: View
    n: int
    mean: float | None
    std: float | None
    tests: tuple[TestResult, ...]
    ks_p_value: float | None
    level: Level
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class DriftReport:
    """Both views against one baseline.

    Attributes:
        baseline_n: ratings in the baseline; its mean and std as in a view; None where a recorded
            report doesn't say.
        input_digest: sha256 (hex) of the baseline's and the cumulative histogram, int64 little
            endian: the same inputs looked at again have the same one.
    """

    baseline_n: int | None
    baseline_mean: float | None
    baseline_std: float | None
    per_batch: ViewResult
    cumulative: ViewResult
    input_digest: str

    @property
    def level(self) -> Level:
        """The highest level of both views."""
        return max(self.per_batch.level, self.cumulative.level, key=list(Level).index)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of the views that have the report's level, each once."""
        views = (self.cumulative, self.per_batch)
        return tuple(dict.fromkeys(r for v in views if v.level == self.level for r in v.reasons))

    @property
    def alerts(self) -> tuple[TestResult, ...]:
        """Every triggered test, the cumulative view's first."""
        return tuple(t for v in (self.cumulative, self.per_batch) for t in v.tests if t.triggered)


def assess(
    baseline: Histogram, per_batch: Histogram, cumulative: Histogram, policy: DriftPolicy
) -> DriftReport:
    """Compare a week's batch, and the buffer accumulated up to it, with the baseline."""
    digest = hashlib.sha256(b"".join(h.astype("<i8").tobytes() for h in (baseline, cumulative)))
    return DriftReport(
        *_summary(baseline),
        per_batch=_assess_view("per_batch", baseline, per_batch, policy),
        cumulative=_assess_view("cumulative", baseline, cumulative, policy),
        input_digest=digest.hexdigest(),
    )


def _assess_view(
    view: View, baseline: Histogram, buffer: Histogram, policy: DriftPolicy
) -> ViewResult:
    summary, baseline_n = _summary(buffer), int(baseline.sum())
    tests = _measure(baseline, buffer, policy)
    p_value = ks_p_value(tests[0].score, baseline_n, summary[0]) if tests else None
    level, reasons = _shortage(summary[0], baseline_n, policy) or _verdict(view, tests, policy)
    if level is Level.DRIFT:
        tests = tuple(replace(test, triggered=test.exceeded) for test in tests)
    return ViewResult(view, *summary, tests, p_value, level, reasons)


def _summary(histogram: Histogram) -> tuple[int, float | None, float | None]:
    n = int(histogram.sum())
    return n, mean(histogram) if n else None, std(histogram) if n > 1 else None


def _measure(baseline: Histogram, buffer: Histogram, policy: DriftPolicy) -> tuple[TestResult, ...]:
    if min(baseline.sum(), buffer.sum()) < 2:
        return ()
    changes = {name: statistic(baseline, buffer) for name, statistic in TESTS.items()}
    return tuple(
        TestResult(name, abs(change), change, policy.thresholds[name])
        for name, change in changes.items()
    )


def _shortage(n: int, baseline_n: int, policy: DriftPolicy) -> tuple[Level, tuple[str, ...]] | None:
    """The verdict on too few ratings, or None where there are enough."""
    if n == 0:
        return Level.EMPTY, ("The buffer holds no ratings",)
    sizes = {"Buffer": n, "Baseline": baseline_n}
    reasons = tuple(
        f"{side} holds {size:,} ratings, {policy.count_threshold:,} needed"
        for side, size in sizes.items()
        if size < policy.count_threshold
    )
    return (Level.INSUFFICIENT, reasons) if reasons else None


def _verdict(
    view: View, tests: Sequence[TestResult], policy: DriftPolicy
) -> tuple[Level, tuple[str, ...]]:
    exceeded = [test for test in tests if test.exceeded]
    if view in policy.alerting_views and len(exceeded) >= policy.minimum_tests:
        return Level.DRIFT, _reasons(exceeded)
    early = [test for test in tests if test.score >= policy.early_threshold(test.threshold)]
    return (Level.EARLY, _reasons(early)) if early else (Level.NO_DRIFT, ())


def _reasons(tests: Sequence[TestResult]) -> tuple[str, ...]:
    return tuple(REASONS[test.feature_name] for test in tests)
