"""Whether open drift alerts are followed by a retraining."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class RetrainingCriteria(BaseModel):
    """What is required before an alert is acted on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum_buffer: int = Field(50_000, ge=0)
    alert_max_age_hours: float = Field(168.0, gt=0)


@dataclass(frozen=True)
class Alert:
    """A triggered drift test that no retraining has consumed yet, as the database keeps it.

    Attributes:
        week: the Monday of the week that alerted.
        alert_date: when that was found out, with its time zone.
        input_digest: of the report that raised it (`DriftReport.input_digest`).
        current: whether it still rests on what a model in production would be compared with.
    """

    id: int
    week: datetime.date
    feature_name: str
    drift_score: float
    threshold: float
    alert_date: datetime.datetime
    input_digest: str
    current: bool = True

    @property
    def severity(self) -> float:
        """Score in units of its threshold: comparable between tests."""
        return self.drift_score / self.threshold


@dataclass(frozen=True)
class RetrainingDecision:
    """What to do about the open alerts, and why.

    Attributes:
        reason: one readable sentence.
        target_week: the newest alerting week, which the model is trained up to; None for no action,
            unless all that is missing is the end of a retraining.
        drift_score: score of the alert that is the most times above its threshold; None without
            recent alerts.
        alert_ids: the alerts consumed; none for no action.
    """

    decision: Literal["trigger_actual", "no_action"]
    reason: str
    target_week: datetime.date | None
    drift_score: float | None
    alert_ids: tuple[int, ...]


def decide(
    alerts: Sequence[Alert],
    last_check: datetime.datetime | None,
    buffer_size: int,
    now: datetime.datetime,
    criteria: RetrainingCriteria,
    running: datetime.date | None = None,
) -> RetrainingDecision:
    """Decide on one retraining for all alerts at once; it needs all of the criteria.

    Args:
        alerts: every unconsumed alert of any age; those older than `alert_max_age_hours` (exactly
            that age is not older) neither count nor are consumed, nor do those that are not
            current: they were measured against a baseline or a file that has changed since.
        last_check: when drift was last checked, whatever the outcome; None for never.
        buffer_size: ratings in the buffer.
        now: with its time zone.
        criteria: what is required.
        running: the week of a retraining that was decided on and has not ended: one at a time.
    """
    oldest = now - datetime.timedelta(hours=criteria.alert_max_age_hours)
    recent = [alert for alert in alerts if alert.alert_date >= oldest and alert.current]
    obsolete = sum(alert.alert_date >= oldest and not alert.current for alert in alerts)
    worst = max(recent, key=lambda a: (a.severity, a.week, a.id), default=None)
    score = worst.drift_score if worst else None
    checked = last_check is not None and last_check >= oldest
    unmet = _unmet(worst, checked, buffer_size, criteria, obsolete)
    if worst is None or unmet:
        return RetrainingDecision(
            "no_action", f"No retraining: {'; '.join(unmet)}", None, score, ()
        )
    target_week = max(alert.week for alert in recent)
    if running:
        reason = f"No retraining yet: the one of week {running} has not ended"
        return RetrainingDecision("no_action", reason, target_week, score, ())
    reason = (
        f"Retraining up to week {target_week}: {len(recent)} open "
        f"{'alert' if len(recent) == 1 else 'alerts'}, worst {worst.feature_name} "
        f"{worst.drift_score:.4f} > {worst.threshold:g} in week {worst.week}; "
        f"{buffer_size:,} ratings in the buffer"
    )
    ids = tuple(sorted(alert.id for alert in recent))
    return RetrainingDecision("trigger_actual", reason, target_week, score, ids)


def _unmet(
    worst: Alert | None,
    checked: bool,
    buffer_size: int,
    criteria: RetrainingCriteria,
    obsolete: int,
) -> list[str]:
    """Name the criteria that are not met."""
    hours = criteria.alert_max_age_hours
    left_out = f" ({obsolete} measured against what has changed since)" if obsolete else ""
    met = {
        f"no drift check within {hours:g} hours": checked,
        f"no unconsumed drift alert within {hours:g} hours{left_out}": worst is not None,
        f"{buffer_size:,} ratings in the buffer, {criteria.minimum_buffer:,} needed": (
            buffer_size >= criteria.minimum_buffer
        ),
    }
    return [shortcoming for shortcoming, ok in met.items() if not ok]
