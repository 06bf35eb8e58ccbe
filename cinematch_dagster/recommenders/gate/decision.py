"""The decision: one pure function of two models' scores on the very same rows."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cinematch_dagster.recommenders.evaluation.scores import (
    FoldScores,
    Interval,
    RankingScores,
    RatingScores,
    SliceScores,
)
from cinematch_dagster.recommenders.gate import words
from cinematch_dagster.recommenders.gate.audit import Audit
from cinematch_dagster.recommenders.gate.interval import paired_interval, rmse_interval
from cinematch_dagster.recommenders.gate.rules import Rule, at_least, at_most, more_than
from cinematch_dagster.recommenders.gate.thresholds import Thresholds

EVERYTHING = "all"
"""The slice that holds all rows: the totals say the same."""

Basis = Literal["nothing", "first model", "order", "stars", "stars, too few ranked users"]


@dataclass(frozen=True)
class Contender:
    """A model or the sanity floor as the gate sees it, scored by the fold protocol.

    Attributes:
        week: the Monday it was trained for.
        held_out: on the held-out rows since the last promotion, None without such rows.
        standing: on the standing test rows.
    """

    week: datetime.date
    held_out: FoldScores | None
    standing: FoldScores


@dataclass(frozen=True)
class Verdict:
    """The decision, two sentences with the numbers, and every rule that was looked at.

    Attributes:
        promoted: whether the challenger replaces the champion: no rule was broken.
        reason: what was compared, and which rules decided.
        rules: in the order in which they were looked at.
        basis: what was compared.
        interval: of NDCG@10's mean difference, challenger less champion; None without one.
        rmse_gain: interval of RMSE's gain, champion less challenger; None without one.
    """

    promoted: bool
    reason: str
    rules: tuple[Rule, ...]
    basis: Basis
    interval: Interval | None = None
    rmse_gain: Interval | None = None


def decide(
    challenger: Contender,
    champion: Contender | None,
    floor: Contender,
    audit: Audit,
    thresholds: Thresholds,
) -> Verdict:
    """Compare two models that were scored on the very same rows; all rules have to pass.

    The floor, scored on them too, predicts stars from biases and orders by popularity.

    By the order: the challenger's NDCG@10 is not worse (the lower bound of the paired bootstrap
    interval of its mean difference reaches minus the tolerance) and far enough above popularity's,
    and something is really better: that bound is above 0, or the interval holds 0 and RMSE is
    surely lower (the lower bound of the interval of its gain is above the minimum gain). So a tie
    keeps the champion, and of two models never each is better than the other. Guards are RMSE,
    MAE, Precision@10, coverage, slices, and the RMSE on the standing test.

    With fewer ranked users than the threshold, or when stars are primary: RMSE is surely lower,
    with the guards that such data allows.

    A challenger trained for an older week or on other data than the warehouse has for its week is
    never promoted, and none without held-out rows. The first model has to beat the baseline
    predictor's RMSE.

    Raises:
        ValueError: the two were scored on different rows or users.
    """
    trusted = _trusted(audit)
    if champion is None:
        return _first(challenger.standing.rating, floor.standing.rating, trusted)
    weeks = (challenger.week - champion.week).days // 7
    trusted = (at_least("weeks_newer", weeks, 0), *trusted)
    if not trusted[0].passed:
        compared = f"trained for {challenger.week}, older than the champion's {champion.week}"
        return _verdict(compared, trusted, "nothing")
    new, old, least = challenger.held_out, champion.held_out, floor.held_out
    if new is None or old is None or least is None:
        nothing = at_least("held_out_rows", 0, 1)
        return _verdict("no held-out rows since the last promotion", (*trusted, nothing), "nothing")
    _same_rows(challenger.standing, champion.standing, "standing test")
    _same_rows(new, old, "held-out")
    _same_rows(new, least, "held-out")
    loss = challenger.standing.rating.rmse - champion.standing.rating.rmse
    standing = at_most("standing_rmse_loss", loss, thresholds.standing_tolerance)
    return _weighed(new, old, least, trusted, standing, thresholds)


def _weighed(
    new: FoldScores,
    old: FoldScores,
    least: FoldScores,
    trusted: tuple[Rule, ...],
    standing: Rule,
    thresholds: Thresholds,
) -> Verdict:
    """Judge by the held-out rows; `least` are the floor's scores on them."""
    interval = paired_interval(new.ranking.ndcg_at_10, old.ranking.ndcg_at_10)
    gain = rmse_interval(new.rating, old.rating)
    basis = _basis(len(new.ranking.users), thresholds)
    rules = (
        *trusted,
        *_primary(basis, new, old, least.ranking, interval, gain, thresholds),
        more_than("rmse_gain_over_baseline", least.rating.rmse - new.rating.rmse, 0.0),
        *_guards(basis, new, old, thresholds),
        *_slices(new, old, thresholds),
        standing,
    )
    few = thresholds.minimum_ranked_users if basis == "stars, too few ranked users" else None
    compared = words.compared(new, old, interval, gain, few)
    return _verdict(compared, rules, basis, interval, gain)


def _trusted(audit: Audit) -> tuple[Rule, ...]:
    """Refuse a model that was trained on other rows than those of its week, tested ones first."""
    leaks = (at_most(f"leaked_{name}_rows", n, 0) for name, n in audit.leaked.items())
    return (
        *leaks,
        at_most("unexpected_training_rows", audit.unexpected, 0),
        at_most("missing_training_rows", audit.missing, 0),
        at_most("other_training_data_digests", int(not audit.same_hash), 0),
    )


def _first(standing: RatingScores, floor: RatingScores, trusted: tuple[Rule, ...]) -> Verdict:
    _same(standing.rows, floor.rows, "standing test rows")
    compared = (
        f"first model, RMSE {standing.rmse:.4f} against the baseline predictor's "
        f"{floor.rmse:.4f} on {standing.rows:,} test rows"
    )
    gain = more_than("rmse_gain_over_baseline", floor.rmse - standing.rmse, 0.0)
    return _verdict(compared, (*trusted, gain), "first model")


def _basis(ranked_users: int, thresholds: Thresholds) -> Basis:
    if thresholds.primary == "rmse":
        return "stars"
    enough = ranked_users >= thresholds.minimum_ranked_users
    return "order" if enough else "stars, too few ranked users"


def _primary(
    basis: Basis,
    new: FoldScores,
    old: FoldScores,
    popularity: RankingScores,
    interval: Interval | None,
    rmse_gain: Interval | None,
    limits: Thresholds,
) -> tuple[Rule, ...]:
    """Return what decides; the guards come on top."""
    gain = (
        more_than("rmse_lowest_gain", rmse_gain.low, limits.minimum_gain)
        if rmse_gain
        else at_least("users_with_held_out_ratings", len(new.rating.counts), 2)
    )
    if basis == "stars":
        return (gain,)
    if basis != "order" or interval is None:  # too few to be sure of anything but a clear loss
        return (gain, *([at_least("ndcg_highest_gain", interval.high, 0.0)] if interval else []))
    ndcg = float(new.ranking.ndcg_at_10.mean())
    floor = limits.popularity_factor * float(popularity.ndcg_at_10.mean())
    better = interval.low > 0.0, interval.high >= 0.0 and gain.passed
    return (
        at_least("ndcg_lowest_gain", interval.low, -limits.ndcg_tolerance),
        at_least("ndcg_against_popularity", ndcg, floor),
        at_least("figures_really_better", sum(better), 1),
        at_most("rmse_loss", new.rating.rmse - old.rating.rmse, limits.rmse_tolerance),
    )


def _guards(basis: Basis, new: FoldScores, old: FoldScores, limits: Thresholds) -> tuple[Rule, ...]:
    """Return what must not be lost; lists are looked at where there are enough of them."""
    mae = at_most("mae_loss", new.rating.mae - old.rating.mae, limits.mae_tolerance)
    if basis == "stars, too few ranked users":
        return (mae,)
    precision = words.mean(old.ranking.precision_at_10) - words.mean(new.ranking.precision_at_10)
    coverage = (1.0 - limits.coverage_tolerance) * old.ranking.coverage
    return (
        mae,
        at_most("precision_at_10_loss", precision, limits.precision_tolerance),
        at_least("coverage", new.ranking.coverage, coverage),
    )


def _slices(new: FoldScores, old: FoldScores, limits: Thresholds) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for name in sorted((new.slices.keys() & old.slices.keys()) - {EVERYTHING}):
        rules += _slice(name, new.slices[name], old.slices[name], limits)
    return tuple(rules)


def _slice(name: str, new: SliceScores, old: SliceScores, limits: Thresholds) -> list[Rule]:
    """Compare a slice's stars and its order, each where the slice is large enough for it."""
    _same(new.rows, old.rows, f"rows of slice {name}")
    _same(new.users, old.users, f"ranked users of slice {name}")
    rules = []
    if new.rmse is not None and old.rmse is not None and new.rows >= limits.minimum_slice_rows:
        loss = new.rmse - old.rmse
        rules.append(at_most(f"{name}_rmse_loss", loss, limits.slice_tolerance))
    enough = new.users >= limits.minimum_ranked_users
    if new.ndcg_at_10 is not None and old.ndcg_at_10 is not None and enough:
        loss = old.ndcg_at_10 - new.ndcg_at_10
        rules.append(at_most(f"{name}_ndcg_loss", loss, limits.slice_tolerance))
    return rules


def _verdict(
    compared: str,
    rules: tuple[Rule, ...],
    basis: Basis,
    interval: Interval | None = None,
    rmse_gain: Interval | None = None,
) -> Verdict:
    promoted = all(rule.passed for rule in rules)
    reason = words.reason(promoted, compared, rules)
    return Verdict(promoted, reason, rules, basis, interval, rmse_gain)


def _same_rows(one: FoldScores, other: FoldScores, which: str) -> None:
    _same(one.rating.rows, other.rating.rows, f"{which} rows")
    if not np.array_equal(one.rating.counts, other.rating.counts):
        raise ValueError(f"other users on the {which} rows: the same were expected")
    if not np.array_equal(one.ranking.users, other.ranking.users):
        raise ValueError(f"other ranked users on the {which} rows: the same were expected")


def _same(one: int, other: int, which: str) -> None:
    if one != other:
        raise ValueError(f"{one} and {other} {which}: both scored on the same was expected")
