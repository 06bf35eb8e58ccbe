import datetime
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinematch_dagster.recommenders.evaluation.scores import (
    FoldScores,
    RankingScores,
    RatingScores,
    SliceScores,
)
from cinematch_dagster.recommenders.gate import (
    Audit,
    Contender,
    Thresholds,
    Verdict,
    decide,
)
from cinematch_dagster.recommenders.gate.words import markdown, plain

WEEKS = [datetime.date(2024, 1, 1) + datetime.timedelta(weeks=k) for k in range(7)]
USERS = 40
LIMITS = Thresholds(
    primary="ndcg",
    minimum_gain=0.01,
    ndcg_tolerance=0.01,
    popularity_factor=1.15,
    minimum_ranked_users=USERS,
    minimum_slice_rows=100,
    rmse_tolerance=0.002,
    mae_tolerance=0.003,
    precision_tolerance=0.005,
    slice_tolerance=0.02,
    coverage_tolerance=0.2,
    standing_tolerance=0.02,
)
HONEST = Audit(0, 0, {"held_out": 0, "standing": 0}, same_hash=True)


def part(rows: int = 100, users: int = USERS, rmse: float = 0.95, ndcg: float = 0.2) -> SliceScores:
    return SliceScores(rows, users, rmse, 0.75, ndcg, 0.1, 0.1, 0.5, {})


def scores(
    ndcg: float = 0.2,
    rmse: float = 0.95,
    mae: float = 0.75,
    precision: float = 0.1,
    coverage: float = 0.5,
    users: int = USERS,
    rows: int = 4_795,
    noise: float = 0.0,
    doubt: float = 0.0,
    slices: dict[str, SliceScores] | None = None,
) -> FoldScores:
    """The same figure for each user, plus or minus some noise or doubt in turn: the mean stays."""
    spread = np.where(np.arange(users) % 2, noise, -noise)
    each = np.full(users, 1.0)
    ranking = RankingScores(
        users=np.arange(users, dtype=np.int32),
        ndcg_at_10=each * ndcg + spread,
        precision_at_10=each * precision,
        recall_at_10=each * 0.1,
        hit=each,
        coverage=coverage,
        novelty=7.0,
    )
    named = slices or {"all": part(), "warm": part(), "cold_user": part(rows=99, users=USERS - 1)}
    counts = np.full(10, rows / 10)
    squared = counts * rmse**2 * (1 + np.where(np.arange(10) % 2, doubt, -doubt))
    return FoldScores(RatingScores(rmse, mae, rows, squared, counts), ranking, named)


STANDING = scores(rmse=0.98, rows=10_792, users=88)
CHAMPION = Contender(WEEKS[0], scores(), STANDING)
FLOOR = Contender(
    WEEKS[6],
    scores(ndcg=0.16, rmse=0.97),
    replace(STANDING, rating=replace(STANDING.rating, rmse=0.99, mae=0.8)),
)


def floor(rmse: float) -> Contender:
    return replace(FLOOR, held_out=scores(ndcg=0.16, rmse=rmse))


def challenger(week: int = 6, standing: float = 0.98, **figures: Any) -> Contender:
    """Surely better by the order, and the same in all else."""
    held_out = scores(**{"ndcg": 0.21} | figures)
    rating = replace(STANDING.rating, rmse=standing)
    return Contender(WEEKS[week], held_out, replace(STANDING, rating=rating))


def judge(contender: Contender, limits: Thresholds = LIMITS, audit: Audit = HONEST) -> Verdict:
    return decide(contender, CHAMPION, FLOOR, audit, limits)


def broken(verdict: Verdict) -> list[str]:
    assert verdict.promoted is all(rule.passed for rule in verdict.rules)
    return [rule.name for rule in verdict.rules if not rule.passed]


def slices(**changed: SliceScores) -> dict[str, SliceScores]:
    return dict(CHAMPION.held_out.slices if CHAMPION.held_out else {}) | changed


POPULAR = 1.15 * 0.16
BY_ORDER = [
    (challenger(), []),
    (challenger(week=0), []),
    # the order: not worse, far enough above popularity
    (challenger(ndcg=0.19, rmse=0.9), ["figures_really_better"]),  # surely worse, if by little
    (challenger(ndcg=0.1899, rmse=0.9), ["ndcg_lowest_gain", "figures_really_better"]),
    (challenger(ndcg=POPULAR, rmse=0.9), ["ndcg_lowest_gain", "figures_really_better"]),
    (
        challenger(ndcg=POPULAR - 1e-6, rmse=0.9),
        ["ndcg_lowest_gain", "ndcg_against_popularity", "figures_really_better"],
    ),
    # something has to be better: the order beyond doubt, or the stars by more than the minimum
    (challenger(ndcg=0.2), ["figures_really_better"]),
    (challenger(ndcg=0.2, rmse=0.94), ["figures_really_better"]),
    (challenger(ndcg=0.2, rmse=0.9399), []),
    (challenger(ndcg=0.203, noise=0.02), ["figures_really_better"]),
    (challenger(ndcg=0.203, noise=0.02, rmse=0.93), []),
    (challenger(ndcg=0.203, noise=0.02, rmse=0.93, doubt=0.2), ["figures_really_better"]),
    (challenger(ndcg=0.21, noise=0.02), []),
    (challenger(ndcg=0.21, noise=0.2, rmse=0.93), ["ndcg_lowest_gain"]),
    # guards
    (challenger(rmse=0.952), []),
    (challenger(rmse=0.9521), ["rmse_loss"]),
    (challenger(mae=0.753), []),
    (challenger(mae=0.7531), ["mae_loss"]),
    (challenger(precision=0.095), []),
    (challenger(precision=0.0949), ["precision_at_10_loss"]),
    (challenger(coverage=0.4), []),
    (challenger(coverage=0.3999), ["coverage"]),
    (challenger(standing=1.0), []),
    (challenger(standing=1.0001), ["standing_rmse_loss"]),
    (challenger(slices=slices(warm=part(rmse=0.97))), []),
    (challenger(slices=slices(warm=part(rmse=0.9701))), ["warm_rmse_loss"]),
    (challenger(slices=slices(warm=part(ndcg=0.18))), []),
    (challenger(slices=slices(warm=part(ndcg=0.1799))), ["warm_ndcg_loss"]),
    (challenger(slices=slices(cold_user=part(99, USERS - 1, rmse=3.0, ndcg=0.0))), []),
    (challenger(slices=slices(all=part(rmse=3.0))), []),  # the totals' rules stand for it
    (challenger(mae=0.8, standing=1.1), ["mae_loss", "standing_rmse_loss"]),
    # no figure that is none passes
    (challenger(ndcg=math.nan), ["ndcg_lowest_gain", "ndcg_against_popularity",
                                 "figures_really_better"]),
    (challenger(rmse=math.nan), ["rmse_loss", "rmse_gain_over_baseline"]),
    (challenger(precision=math.nan), ["precision_at_10_loss"]),
    (challenger(coverage=math.nan), ["coverage"]),
    (replace(challenger(), held_out=None), ["held_out_rows"]),
]  # fmt: skip


@pytest.mark.parametrize(("contender", "names"), BY_ORDER)
def test_the_order_decides_when_enough_users_are_ranked(
    contender: Contender, names: list[str]
) -> None:
    verdict = judge(contender)
    assert broken(verdict) == names
    assert verdict.basis == ("order" if contender.held_out else "nothing")


@pytest.mark.parametrize(
    ("contender", "names"),
    [
        (challenger(rmse=0.9399), []),
        (challenger(rmse=0.94), ["rmse_lowest_gain"]),
        (challenger(rmse=0.95), ["rmse_lowest_gain"]),
        (challenger(rmse=0.93, doubt=0.2), ["rmse_lowest_gain"]),  # lower, but not surely
        (challenger(rmse=0.9, doubt=0.01), []),
        (challenger(ndcg=0.2, rmse=0.93), []),
        (challenger(ndcg=0.19, rmse=0.93), ["ndcg_highest_gain"]),  # surely worse
        (challenger(ndcg=0.19, noise=0.1, rmse=0.93), []),  # nobody can tell
        (challenger(ndcg=0.2, rmse=0.93, precision=0.0, coverage=0.0), []),
        (challenger(rmse=0.93, mae=0.7531), ["mae_loss"]),
        (challenger(rmse=0.93, standing=1.0001), ["standing_rmse_loss"]),
        (challenger(rmse=0.93, slices=slices(warm=part(rmse=0.9701))), ["warm_rmse_loss"]),
        (challenger(rmse=0.93, slices=slices(warm=part(ndcg=0.0))), []),
    ],
)
def test_with_fewer_ranked_users_rmse_and_the_floors_decide(
    contender: Contender, names: list[str]
) -> None:
    verdict = judge(contender, replace(LIMITS, minimum_ranked_users=USERS + 1))
    assert broken(verdict) == names
    assert verdict.basis == "stars, too few ranked users"
    assert "fewer ranked users (40) than the 41 that comparing the order needs" in verdict.reason
    assert "RMSE and the floors decided" in verdict.reason


def test_one_user_is_too_few_to_be_sure_of_stars() -> None:
    def of_one(contender: Contender) -> Contender:
        assert contender.held_out is not None
        rating = contender.held_out.rating
        one = replace(rating, squared=rating.squared[:1], counts=rating.counts[:1])
        return replace(contender, held_out=replace(contender.held_out, rating=one))

    limits = replace(LIMITS, primary="rmse")
    verdict = decide(of_one(challenger(rmse=0.5)), of_one(CHAMPION), of_one(FLOOR), HONEST, limits)
    assert (broken(verdict), verdict.rmse_gain) == (["users_with_held_out_ratings"], None)


@pytest.mark.parametrize("users", [0, 1])
def test_nobody_or_one_to_rank_gives_no_interval(users: int) -> None:
    champion = replace(CHAMPION, held_out=scores(users=users))
    few = challenger(rmse=0.93, users=users)
    least = replace(FLOOR, held_out=scores(rmse=0.97, users=users))
    verdict = decide(few, champion, least, HONEST, LIMITS)
    assert (broken(verdict), verdict.interval) == ([], None)


@pytest.mark.parametrize(
    ("contender", "names"),
    [
        (challenger(rmse=0.9399), []),
        (challenger(rmse=0.94), ["rmse_lowest_gain"]),
        (challenger(ndcg=0.0, rmse=0.93), []),
        (challenger(rmse=0.93, mae=0.7531), ["mae_loss"]),
        (challenger(rmse=0.93, precision=0.0949), ["precision_at_10_loss"]),
        (challenger(rmse=0.93, standing=1.0001), ["standing_rmse_loss"]),
    ],
)
def test_stars_may_be_what_decides(contender: Contender, names: list[str]) -> None:
    verdict = judge(contender, replace(LIMITS, primary="rmse"))
    assert broken(verdict) == names
    assert verdict.basis == "stars"


@pytest.mark.parametrize("few", [USERS, USERS + 1])
@pytest.mark.parametrize(("least", "passed"), [(0.9301, True), (0.93, False), (0.9, False)])
def test_a_challenger_has_to_beat_the_baseline_predictor(
    few: int, least: float, passed: bool
) -> None:
    limits = replace(LIMITS, minimum_ranked_users=few)
    verdict = decide(challenger(rmse=0.93), CHAMPION, floor(least), HONEST, limits)
    assert broken(verdict) == ([] if passed else ["rmse_gain_over_baseline"])


@pytest.mark.parametrize(
    ("audit", "name"),
    [
        (replace(HONEST, leaked={"held_out": 1, "standing": 0}), "leaked_held_out_rows"),
        (replace(HONEST, leaked={"held_out": 0, "standing": 1}), "leaked_standing_rows"),
        (replace(HONEST, unexpected=1), "unexpected_training_rows"),
        (replace(HONEST, missing=1), "missing_training_rows"),
        (replace(HONEST, same_hash=False), "other_training_data_digests"),
    ],
)
@pytest.mark.parametrize("champion", [CHAMPION, None])
def test_other_training_data_is_refused_however_good_the_model(
    audit: Audit, name: str, champion: Contender | None
) -> None:
    perfect = challenger(ndcg=1.0, rmse=0.1, mae=0.1, standing=0.1)
    verdict = decide(perfect, champion, FLOOR, audit, LIMITS)
    assert broken(verdict) == [name]
    assert f"Broken: {name.replace('_', ' ')} 1, at most 0 was expected." in verdict.reason


@pytest.mark.parametrize("primary", ["ndcg", "rmse"])
@pytest.mark.parametrize("few", [USERS, USERS + 1])
def test_an_identical_model_is_a_tie_and_keeps_the_champion(primary: Any, few: int) -> None:
    limits = replace(LIMITS, primary=primary, minimum_gain=0.0, minimum_ranked_users=few)
    verdict = judge(replace(CHAMPION, week=WEEKS[6]), limits)
    assert broken(verdict) in (["figures_really_better"], ["rmse_lowest_gain"])


def test_an_older_week_is_never_promoted_however_good() -> None:
    champion = replace(CHAMPION, week=WEEKS[3])
    verdict = decide(challenger(week=2, ndcg=1.0), champion, FLOOR, HONEST, LIMITS)
    assert verdict.reason == (
        "Kept: trained for 2024-01-15, older than the champion's 2024-01-22. "
        "Broken: weeks newer -1, at least 0 was expected."
    )


@pytest.mark.parametrize(("rmse", "promoted"), [(0.9899, True), (0.99, False), (1.0, False)])
def test_the_first_model_has_to_beat_the_baseline_predictor(rmse: float, promoted: bool) -> None:
    first = replace(challenger(standing=rmse), held_out=None)
    verdict = decide(first, None, FLOOR, HONEST, LIMITS)
    assert broken(verdict) == ([] if promoted else ["rmse_gain_over_baseline"])
    assert verdict.basis == "first model"
    assert f"first model, RMSE {rmse:.4f} against the baseline predictor's" in verdict.reason


def test_the_reason_is_two_sentences_with_the_numbers() -> None:
    assert judge(challenger(noise=0.02)).reason == (
        "Promoted: NDCG@10 0.2100 against 0.2000 for 40 users (difference +0.0100, 95 % interval "
        "+0.0040 to +0.0160), RMSE 0.9500 against 0.9500 on 4,795 held-out rows "
        "(gain +0.0000, 95 % interval +0.0000 to +0.0000). "
        "All 17 rules passed."
    )
    assert judge(challenger(ndcg=0.2, mae=0.76)).reason == (
        "Kept: NDCG@10 0.2000 against 0.2000 for 40 users (difference +0.0000, 95 % interval "
        "+0.0000 to +0.0000), RMSE 0.9500 against 0.9500 on 4,795 held-out rows "
        "(gain +0.0000, 95 % interval +0.0000 to +0.0000). "
        "Broken: figures really better 0, at least 1 was expected; "
        "mae loss 0.0100, at most 0.0030 was expected."
    )


def test_the_rules_have_values_and_limits() -> None:
    rules = judge(challenger(rmse=0.93, noise=0.02)).rules
    assert {rule.name: (rule.value, rule.needs, rule.limit) for rule in rules} == {
        "weeks_newer": (6, "at least", 0),
        "leaked_held_out_rows": (0, "at most", 0),
        "leaked_standing_rows": (0, "at most", 0),
        "unexpected_training_rows": (0, "at most", 0),
        "missing_training_rows": (0, "at most", 0),
        "other_training_data_digests": (0, "at most", 0),
        "ndcg_lowest_gain": (pytest.approx(0.004), "at least", -0.01),
        "ndcg_against_popularity": (pytest.approx(0.21), "at least", pytest.approx(POPULAR)),
        "figures_really_better": (2, "at least", 1),
        "rmse_loss": (pytest.approx(-0.02), "at most", 0.002),
        "rmse_gain_over_baseline": (pytest.approx(0.04), "more than", 0.0),
        "mae_loss": (0.0, "at most", 0.003),
        "precision_at_10_loss": (0.0, "at most", 0.005),
        "coverage": (0.5, "at least", 0.4),
        "warm_rmse_loss": (0.0, "at most", 0.02),
        "warm_ndcg_loss": (0.0, "at most", 0.02),
        "standing_rmse_loss": (0.0, "at most", 0.02),
    }


def test_other_rows_or_users_are_refused() -> None:
    with pytest.raises(ValueError, match="17 and 4795 held-out rows"):
        judge(challenger(rows=17))
    with pytest.raises(ValueError, match="other ranked users on the held-out rows"):
        judge(challenger(users=USERS + 1))
    one = challenger()
    assert one.held_out is not None
    moved = replace(one.held_out.rating, counts=one.held_out.rating.counts[::-1] + np.arange(10))
    with pytest.raises(ValueError, match="other users on the held-out rows"):
        judge(replace(one, held_out=replace(one.held_out, rating=moved)))
    with pytest.raises(ValueError, match="101 and 100 rows of slice warm"):
        judge(challenger(slices=slices(warm=part(rows=101))))
    other = replace(challenger(), standing=scores(rows=17, users=88))
    with pytest.raises(ValueError, match="17 and 10792 standing test rows"):
        judge(other)
    least = replace(FLOOR, held_out=scores(users=USERS + 1))
    with pytest.raises(ValueError, match="other ranked users on the held-out rows"):
        decide(challenger(), CHAMPION, least, HONEST, LIMITS)


def test_the_tables_have_every_figure_and_every_rule() -> None:
    new = challenger(rmse=0.93)
    assert new.held_out is not None
    assert CHAMPION.held_out is not None
    rules = [vars(rule) for rule in judge(new).rules]
    text = markdown(
        {
            "held_out": {"challenger": plain(new.held_out), "champion": plain(CHAMPION.held_out)},
            "standing": {"challenger": plain(new.standing)},
            "rules": [*rules, rules[0] | {"passed": False}],
        }
    )
    assert (
        "| champion, held-out | 0.9500 | 0.7500 | 0.2000 | 0.1000 | 0.1000 | 1.0000 | 0.5000 | "
        "7.0000 | 4,795 |" in text
    )
    assert "| challenger, standing | 0.9800 |" in text
    assert "| rmse loss | -0.0200 | at most 0.0020 | pass |" in text
    assert "| weeks newer | 6 | at least 0 | **fail** |" in text


FIGURE = st.floats(0.1, 0.9)
ANY = st.builds(
    challenger,
    week=st.integers(0, 6),
    standing=FIGURE,
    ndcg=FIGURE,
    noise=st.floats(0, 0.1),
    rmse=FIGURE,
    doubt=st.floats(0, 0.5),
    mae=FIGURE,
    precision=FIGURE,
    coverage=FIGURE,
)
TOLERANCE = st.floats(0, 0.5)
ANY_LIMITS = st.builds(
    Thresholds,
    primary=st.sampled_from(["ndcg", "rmse"]),
    minimum_gain=TOLERANCE,
    ndcg_tolerance=TOLERANCE,
    popularity_factor=st.floats(0, 2),
    minimum_ranked_users=st.sampled_from([2, USERS, USERS + 1]),
    minimum_slice_rows=st.just(100),
    rmse_tolerance=TOLERANCE,
    mae_tolerance=TOLERANCE,
    precision_tolerance=TOLERANCE,
    slice_tolerance=TOLERANCE,
    coverage_tolerance=TOLERANCE,
    standing_tolerance=TOLERANCE,
)


@settings(max_examples=40)
@given(ANY, ANY, ANY_LIMITS)
def test_two_models_never_replace_each_other(
    a: Contender, b: Contender, limits: Thresholds
) -> None:
    one, other = (decide(x, y, FLOOR, HONEST, limits) for x, y in ((a, b), (b, a)))
    assert not (one.promoted and other.promoted)
    for verdict in (one, other):
        assert verdict.promoted is all(rule.passed for rule in verdict.rules)
        assert verdict.reason.startswith("Promoted" if verdict.promoted else "Kept")
