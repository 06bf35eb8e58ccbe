import pandas as pd
import pytest
from hypothesis import given, settings

from cinematch_dagster.recommenders.gate import Audit, audit
from tests.recommenders.frames import ratings_frame, ratings_frames

EXPECTED = ratings_frame((1, 10, 4.0), (1, 11, 3.5), (2, 10, 0.5))
HELD_OUT = ratings_frame((2, 11, 5.0), (1, 10, 2.0))  # user 1 has rated movie 10 again
STANDING = ratings_frame((3, 10, 1.0))
TESTS = {"held_out": HELD_OUT, "standing": STANDING}


def found(trained: pd.DataFrame) -> Audit:
    return audit(trained, EXPECTED, TESTS, same_hash=True)


def leaked(held_out: int, standing: int) -> dict[str, int]:
    return {"held_out": held_out, "standing": standing}


def test_the_expected_rows_in_another_order_are_honest() -> None:
    assert found(EXPECTED.iloc[::-1]) == Audit(0, 0, leaked(0, 0), same_hash=True)


@pytest.mark.parametrize(
    ("cheat", "unexpected", "missing", "leaks"),
    [
        (ratings_frame((2, 11, 5.0)), 1, 0, leaked(1, 0)),
        (STANDING, 1, 0, leaked(0, 1)),
        (pd.concat([HELD_OUT[:1], STANDING]), 2, 0, leaked(1, 1)),
        (ratings_frame((9, 99, 1.0)), 1, 0, leaked(0, 0)),  # from nowhere
    ],
)
def test_rows_that_are_added_are_found(
    cheat: pd.DataFrame, unexpected: int, missing: int, leaks: dict[str, int]
) -> None:
    trained = pd.concat([EXPECTED, cheat])
    assert found(trained) == Audit(unexpected, missing, leaks, same_hash=True)


def test_the_held_out_stars_of_a_pair_that_was_rated_before_are_found() -> None:
    trained = ratings_frame((1, 10, 2.0), (1, 11, 3.5), (2, 10, 0.5))
    assert found(trained) == Audit(1, 0, leaked(1, 0), same_hash=True)


def test_rows_left_out_and_replaced_are_found() -> None:
    trained = ratings_frame((1, 11, 3.5), (2, 10, 0.5), (3, 10, 1.0))
    assert found(trained) == Audit(1, 1, leaked(0, 1), same_hash=True)


def test_nothing_expected_and_nothing_trained_on() -> None:
    none = EXPECTED[:0]
    assert audit(none, EXPECTED, TESTS, same_hash=False) == Audit(0, 3, leaked(0, 0), False)
    assert audit(EXPECTED, none, TESTS, same_hash=True) == Audit(3, 0, leaked(1, 0), True)


@settings(max_examples=15)
@given(ratings_frames(), ratings_frames(), ratings_frames())
def test_it_counts_as_sets_of_rows_do(
    trained: pd.DataFrame, expected: pd.DataFrame, test: pd.DataFrame
) -> None:
    def rows(frame: pd.DataFrame) -> set[tuple[int, int, float]]:
        return set(frame[["userId", "movieId", "rating"]].itertuples(index=False, name=None))

    def pairs(frame: pd.DataFrame) -> set[tuple[int, int]]:
        return set(frame[["userId", "movieId"]].itertuples(index=False, name=None))

    strange = {(user, movie) for user, movie, _ in rows(trained) - rows(expected)}
    assert audit(trained, expected, {"test": test}, same_hash=True) == Audit(
        unexpected=len(strange),
        missing=len(pairs(expected) - pairs(trained)),
        leaked={"test": len(strange & pairs(test))},
        same_hash=True,
    )
