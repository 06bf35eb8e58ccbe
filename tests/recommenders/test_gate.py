import datetime
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinematch_dagster.recommenders import Contender, Scores, Thresholds, decide

WEEKS = [datetime.date(2024, 1, 1) + datetime.timedelta(weeks=k) for k in range(7)]
LIMITS = Thresholds(
    minimum_gain=0.01, mae_tolerance=0.002, precision_tolerance=0.005, standing_tolerance=0.02
)
NONE = Thresholds(0.0, 0.0, 0.0, 0.0)
HELD_OUT = Scores(rmse=0.95, mae=0.75, precision_at_10=0.2, rows=4_795, users=57)
STANDING = Scores(rmse=0.98, mae=0.76, precision_at_10=0.3, rows=10_792, users=88)
CHAMPION = Contender(WEEKS[0], HELD_OUT, STANDING)


def challenger(
    rmse: float = 0.93,
    mae: float = 0.74,
    precision: float = 0.21,
    standing: float = 0.97,
    week: datetime.date = WEEKS[6],
) -> Contender:
    held_out = replace(HELD_OUT, rmse=rmse, mae=mae, precision_at_10=precision)
    return Contender(week, held_out, replace(STANDING, rmse=standing))


@pytest.mark.parametrize(
    ("contender", "promoted", "broken"),
    [
        (challenger(), True, []),
        (challenger(week=WEEKS[0]), True, []),
        (challenger(rmse=0.9399), True, []),
        (challenger(rmse=0.94), False, ["rmse_gain"]),
        (challenger(rmse=0.95), False, ["rmse_gain"]),
        (challenger(rmse=0.96), False, ["rmse_gain"]),
        (challenger(mae=0.752), True, []),
        (challenger(mae=0.7521), False, ["mae_loss"]),
        (challenger(precision=0.195), True, []),
        (challenger(precision=0.1949), False, ["precision_at_10_loss"]),
        (challenger(standing=1.0), True, []),
        (challenger(standing=1.0001), False, ["standing_rmse_loss"]),
        (challenger(mae=0.8, standing=1.1), False, ["mae_loss", "standing_rmse_loss"]),
        (challenger(rmse=math.nan), False, ["rmse_gain"]),
        (challenger(precision=math.nan), False, ["precision_at_10_loss"]),
        (replace(challenger(), held_out=None), False, ["held_out_rows"]),
    ],
)
def test_each_rule_decides(contender: Contender, promoted: bool, broken: list[str]) -> None:
    verdict = decide(contender, CHAMPION, STANDING, LIMITS)
    assert verdict.promoted is promoted
    assert [rule.name for rule in verdict.rules if not rule.passed] == broken


def test_a_tie_keeps_the_champion_even_without_a_minimum_gain() -> None:
    same = replace(CHAMPION, week=WEEKS[6])
    verdict = decide(same, CHAMPION, STANDING, NONE)
    assert not verdict.promoted
    assert [rule.name for rule in verdict.rules if not rule.passed] == ["rmse_gain"]


def test_an_older_week_is_never_promoted_however_good() -> None:
    champion = replace(CHAMPION, week=WEEKS[3])
    verdict = decide(challenger(rmse=0.1, week=WEEKS[2]), champion, STANDING, LIMITS)
    assert not verdict.promoted
    assert verdict.reason == (
        "Kept: trained for 2024-01-15, older than the champion's 2024-01-22; "
        "weeks newer -1.0000, at least 0.0000 was expected."
    )


@pytest.mark.parametrize(("rmse", "promoted"), [(0.97, True), (0.98, False), (0.99, False)])
def test_the_first_model_has_to_beat_the_baseline_predictor(rmse: float, promoted: bool) -> None:
    first = Contender(WEEKS[0], None, replace(STANDING, rmse=rmse))
    verdict = decide(first, None, STANDING, LIMITS)
    assert verdict.promoted is promoted
    assert [rule.name for rule in verdict.rules] == ["rmse_gain_over_baseline"]


def test_the_first_model_may_have_any_gain_that_is_one() -> None:
    first = Contender(WEEKS[0], None, replace(STANDING, rmse=0.9799))
    assert decide(first, None, STANDING, LIMITS).promoted


def test_the_reason_has_the_numbers() -> None:
    promoted = decide(challenger(), CHAMPION, STANDING, LIMITS)
    assert promoted.reason == "Promoted: RMSE 0.9300 against 0.9500 on 4,795 held-out rows."
    kept = decide(challenger(rmse=0.955, mae=0.76), CHAMPION, STANDING, LIMITS)
    assert kept.reason == (
        "Kept: RMSE 0.9550 against 0.9500 on 4,795 held-out rows; "
        "rmse gain -0.0050, more than 0.0100 was expected; "
        "mae loss 0.0100, at most 0.0020 was expected."
    )


def test_the_rules_have_values_and_limits() -> None:
    rules = decide(challenger(), CHAMPION, STANDING, LIMITS).rules
    found = {rule.name: (rule.value, rule.limit) for rule in rules}
    assert found == {
        "weeks_newer": (6.0, 0.0),
        "rmse_gain": (pytest.approx(0.02), 0.01),
        "mae_loss": (pytest.approx(-0.01), 0.002),
        "precision_at_10_loss": (pytest.approx(-0.01), 0.005),
        "standing_rmse_loss": (pytest.approx(-0.01), 0.02),
    }


@pytest.mark.parametrize("which", ["held_out", "standing"])
def test_other_rows_are_refused(which: str) -> None:
    fewer = replace(getattr(challenger(), which), rows=17)
    contender = replace(challenger(), **{which: fewer})
    with pytest.raises(ValueError, match=r"17 and [\d]+ (held-out|standing test) rows"):
        decide(contender, CHAMPION, STANDING, LIMITS)


STARS = st.floats(0.1, 3.0)
ANY = st.builds(
    challenger,
    rmse=STARS,
    mae=STARS,
    precision=st.floats(0, 1),
    standing=STARS,
    week=st.sampled_from(WEEKS),
)
LIMITS_OF_ANY_SIZE = st.builds(Thresholds, *[st.floats(0, 0.5)] * 4)


@given(ANY, ANY, LIMITS_OF_ANY_SIZE)
def test_promoted_is_all_rules_passed(a: Contender, b: Contender, limits: Thresholds) -> None:
    verdict = decide(a, b, STANDING, limits)
    assert verdict.promoted is all(rule.passed for rule in verdict.rules)
    assert verdict.reason.startswith("Promoted" if verdict.promoted else "Kept")


@given(ANY, ANY, LIMITS_OF_ANY_SIZE)
def test_two_models_never_replace_each_other(
    a: Contender, b: Contender, limits: Thresholds
) -> None:
    both = decide(a, b, STANDING, limits).promoted and decide(b, a, STANDING, limits).promoted
    assert not both
