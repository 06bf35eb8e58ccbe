"""The promotion gate: whether a challenger replaces the champion."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from cinematch_dagster.recommenders.evaluation import Scores

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Thresholds:
    """What a challenger must show; names and defaults are those of the promotion settings.

    Attributes:
        minimum_gain: RMSE on the held-out rows that it must win by more than.
        mae_tolerance: MAE that it may lose there.
        precision_tolerance: Precision@10 that it may lose there.
        standing_tolerance: RMSE that it may lose on the standing test rows.
    """

    minimum_gain: float
    mae_tolerance: float
    precision_tolerance: float
    standing_tolerance: float


@dataclass(frozen=True)
class Contender:
    """A model as the gate sees it.

    Attributes:
        week: the Monday it was trained for.
        held_out: scores on the held-out rows since the last promotion, None without such rows.
        standing: scores on the standing test rows.
    """

    week: datetime.date
    held_out: Scores | None
    standing: Scores


@dataclass(frozen=True)
class Rule:
    """One comparison: a gain must exceed its limit, a loss must not, the rest must reach it."""

    name: str
    value: float
    limit: float
    passed: bool

    def __str__(self) -> str:
        words = {"gain": "more than", "loss": "at most"}
        needed = next((words[word] for word in words if word in self.name), "at least")
        return (
            f"{self.name.replace('_', ' ')} {self.value:.4f}, "
            f"{needed} {self.limit:.4f} was expected"
        )


@dataclass(frozen=True)
class Verdict:
    """The decision, a sentence with the numbers, and every rule that was looked at."""

    promoted: bool
    reason: str
    rules: tuple[Rule, ...]


def decide(
    challenger: Contender,
    champion: Contender | None,
    baseline: Scores,
    thresholds: Thresholds,
) -> Verdict:
    """Compare two models that were scored on the very same rows.

    The challenger is promoted when its RMSE on the held-out rows is lower by more than the minimum
    gain and no guard is broken: MAE and Precision@10 there, RMSE on the standing test rows. A tie
    keeps the champion, and so does a challenger trained for an older week or held-out rows that
    don't exist. The first model is promoted when its RMSE beats the sanity floor's.

    Args:
        challenger: the model just trained.
        champion: the model in production, None for the first model.
        baseline: the sanity floor's scores on the standing test rows.
        thresholds: from the settings.

    Raises:
        ValueError: the two were scored on different numbers of rows.
    """
    if champion is None:
        return _first(challenger.standing, baseline)
    weeks = (challenger.week - champion.week).days / 7
    newer = Rule("weeks_newer", weeks, 0.0, weeks >= 0)
    if not newer.passed:
        reason = f"trained for {challenger.week}, older than the champion's {champion.week}"
        return _verdict(reason, (newer,))
    if challenger.held_out is None or champion.held_out is None:
        nothing = Rule("held_out_rows", 0.0, 1.0, passed=False)
        return _verdict("no held-out rows since the last promotion", (newer, nothing))
    _same_rows(challenger.standing, champion.standing, "standing test")
    _same_rows(challenger.held_out, champion.held_out, "held-out")
    new, old = challenger.held_out, champion.held_out
    compared = f"RMSE {new.rmse:.4f} against {old.rmse:.4f} on {new.rows:,} held-out rows"
    standing_loss = challenger.standing.rmse - champion.standing.rmse
    return _verdict(compared, (newer, *_comparison(new, old, standing_loss, thresholds)))


def _comparison(
    new: Scores, old: Scores, standing_loss: float, thresholds: Thresholds
) -> tuple[Rule, ...]:
    """Compare scores on the held-out rows, with the RMSE lost on the standing ones as a guard."""
    precision_loss = old.precision_at_10 - new.precision_at_10
    return (
        _gain("rmse_gain", old.rmse - new.rmse, thresholds.minimum_gain),
        _loss("mae_loss", new.mae - old.mae, thresholds.mae_tolerance),
        _loss("precision_at_10_loss", precision_loss, thresholds.precision_tolerance),
        _loss("standing_rmse_loss", standing_loss, thresholds.standing_tolerance),
    )


def _first(standing: Scores, baseline: Scores) -> Verdict:
    _same_rows(standing, baseline, "standing test")
    rule = _gain("rmse_gain_over_baseline", baseline.rmse - standing.rmse, 0.0)
    compared = (
        f"first model, RMSE {standing.rmse:.4f} against the baseline predictor's "
        f"{baseline.rmse:.4f} on {standing.rows:,} test rows"
    )
    return _verdict(compared, (rule,))


def _verdict(compared: str, rules: tuple[Rule, ...]) -> Verdict:
    """Decide by all rules; the reason names those that failed."""
    broken = [str(rule) for rule in rules if not rule.passed]
    outcome = f"Kept: {compared}; {'; '.join(broken)}" if broken else f"Promoted: {compared}"
    return Verdict(not broken, f"{outcome}.", rules)


def _gain(name: str, value: float, limit: float) -> Rule:
    return Rule(name, value, limit, value > limit + _ROUNDING)


def _loss(name: str, value: float, limit: float) -> Rule:
    return Rule(name, value, limit, value <= limit + _ROUNDING)


def _same_rows(one: Scores, other: Scores, which: str) -> None:
    if one.rows != other.rows:
        raise ValueError(
            f"{one.rows} and {other.rows} {which} rows: both models scored on the same was expected"
        )
