"""Verdicts as they were decided: one row per week and view, and the row that each one replaces."""

import datetime
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from cinematch_dagster.drift import (
    DriftPolicy,
    DriftReport,
    Level,
    PerformanceVerdict,
    TestResult,
    ViewResult,
)
from cinematch_dagster.drift.secondary_metrics import SecondaryThresholds
from cinematch_dagster.warehouse.statements import query


@dataclass(frozen=True)
class Verdict:
    """What was decided about one view of a week; None is what nobody knows any more.

    Attributes:
        view: one of the ratings, or the predictions of the week alone.
        alerting: whether this view could alert on that day.
        tests: `TestResult` as JSON.
        policy: `DriftPolicy` of that day as JSON, and `secondary_thresholds` likewise.
        n: ratings in the view, of which `mean` and `std` are, as those of the baseline.
        version: that predicted the week.
        input_digest: sha256 (hex) of what was compared.
        decided_at: given by the database, as `id` and `replaces`, the verdict before it.
    """

    week: datetime.date
    view: Literal["cumulative", "per_batch", "performance"]
    level: str | None
    reasons: list[str] | None
    alerting: bool | None
    tests: list[dict[str, Any]] | None
    policy: dict[str, Any] | None
    secondary_thresholds: dict[str, Any] | None = None
    n: int | None = None
    mean: float | None = None
    std: float | None = None
    ks_p_value: float | None = None
    baseline_n: int | None = None
    baseline_mean: float | None = None
    baseline_std: float | None = None
    version: str | None = None
    input_digest: str | None = None
    decided_at: datetime.datetime | None = None
    id: int = 0
    replaces: int | None = None

    @classmethod
    def decided(
        cls,
        week: datetime.date,
        view: Literal["cumulative", "per_batch", "performance"],
        found: ViewResult | PerformanceVerdict,
        policy: DriftPolicy,
        **known: Any,
    ) -> Self:
        """Return what was found under a policy; `known` are further columns."""
        return cls(
            week,
            view,
            found.level.value,
            list(found.reasons),
            view == "performance" or view in policy.alerting_views,
            [asdict(test) for test in found.tests],
            policy.model_dump(mode="json"),
            **known,
        )

    @property
    def decided_level(self) -> Level:
        """The level; `UNKNOWN` where none was kept."""
        return Level(self.level) if self.level else Level.UNKNOWN

    @property
    def results(self) -> tuple[TestResult, ...]:
        """The tests."""
        found = [test | {"change": _known(test["change"])} for test in self.tests or ()]
        return tuple(TestResult(**test) for test in found)

    @property
    def decided_under(self) -> DriftPolicy | None:
        """The policy of that day."""
        return None if self.policy is None else DriftPolicy.model_validate(self.policy)

    @property
    def secondary(self) -> SecondaryThresholds | None:
        """The marks of that day."""
        found = self.secondary_thresholds
        return None if found is None else SecondaryThresholds.model_validate(found)

    def as_view(self) -> ViewResult:
        """Return the verdict on ratings as it was assessed."""
        assert self.view != "performance"
        return ViewResult(
            view=self.view,
            n=self.n or 0,
            mean=self.mean,
            std=self.std,
            tests=self.results,
            ks_p_value=self.ks_p_value,
            level=self.decided_level,
            reasons=tuple(self.reasons or ()),
        )

    def as_performance(self) -> PerformanceVerdict:
        """Return the verdict on predictions as it was judged."""
        return PerformanceVerdict(self.results, self.decided_level, tuple(self.reasons or ()))


def _known(change: float | None) -> float:
    return math.nan if change is None else change


Verdicts = Mapping[str, Verdict]
"""Those of one week by view."""


def record_report(
    connection: psycopg.Connection,
    week: datetime.date,
    report: DriftReport,
    policy: DriftPolicy,
    secondary: SecondaryThresholds,
) -> None:
    """Append the verdicts of both views; each names the one that it replaces."""
    for view in (report.cumulative, report.per_batch):
        verdict = Verdict.decided(
            week,
            view.view,
            view,
            policy,
            secondary_thresholds=secondary.model_dump(mode="json"),
            n=view.n,
            mean=view.mean,
            std=view.std,
            ks_p_value=view.ks_p_value,
            baseline_n=report.baseline_n,
            baseline_mean=report.baseline_mean,
            baseline_std=report.baseline_std,
            input_digest=report.input_digest,
        )
        record_verdict(connection, verdict)


def record_verdict(connection: psycopg.Connection, verdict: Verdict) -> None:
    """Append a verdict.

    Raises:
        psycopg.errors.UniqueViolation: another transaction has replaced the same one meanwhile.
    """
    values = asdict(verdict)
    for name in ("tests", "policy", "secondary_thresholds"):
        values[name] = None if values[name] is None else Jsonb(values[name])
    connection.execute(query("drift/verdict_insert"), values)


def latest_verdicts(
    connection: psycopg.Connection,
    first: datetime.date | None = None,
    last: datetime.date | None = None,
) -> dict[datetime.date, dict[str, Verdict]]:
    """Return the verdicts that hold by week and view, in order; of some weeks or of all."""
    found: dict[datetime.date, dict[str, Verdict]] = {}
    with connection.cursor(row_factory=class_row(Verdict)) as cursor:
        for verdict in cursor.execute(
            query("drift/verdicts_latest"), {"first": first, "last": last}
        ):
            found.setdefault(verdict.week, {})[verdict.view] = verdict
    return found


def recorded_report(verdicts: Verdicts) -> DriftReport | None:
    """Return a week's report as it was decided; None where there is none."""
    cumulative, per_batch = verdicts.get("cumulative"), verdicts.get("per_batch")
    if cumulative is None or per_batch is None:
        return None
    known = cumulative if cumulative.input_digest else per_batch
    return DriftReport(
        baseline_n=known.baseline_n,
        baseline_mean=known.baseline_mean,
        baseline_std=known.baseline_std,
        per_batch=per_batch.as_view(),
        cumulative=cumulative.as_view(),
        input_digest=known.input_digest or "",
    )
