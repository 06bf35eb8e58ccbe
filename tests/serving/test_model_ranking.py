import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serving.lookup import find, find_all
from serving.ranking import best, nearest
from tests.serving.hand_made import floats

IDS = st.lists(st.integers(0, 60), min_size=1, max_size=20, unique=True).map(sorted)


@given(IDS, st.lists(st.integers(-5, 70) | st.just(10**12), max_size=20))
def test_rows_are_found_one_by_one_and_all_at_once(ids: list[int], wanted: list[int]) -> None:
    array = np.array(ids, dtype=np.int32)
    expected = [ids.index(w) if w in ids else -1 for w in wanted]
    assert [find(array, w) for w in wanted] == expected
    assert find_all(array, np.array(wanted, dtype=np.int64)).tolist() == expected


def test_best_leaves_out_what_is_never_recommended() -> None:
    scores = floats(1.0, -np.inf, 3.0, 2.0)
    assert best(scores, 2).tolist() == [2, 3]
    assert best(scores, 9).tolist() == [2, 3, 0]
    assert best(floats(-np.inf), 1).tolist() == []


SCORES = st.floats(-5, 5, width=32) | st.just(-np.inf)


@given(st.lists(SCORES, min_size=1, max_size=30), st.integers(1, 40))
def test_best_are_the_first_of_a_sort(values: list[float], k: int) -> None:
    scores = np.array(values, dtype=np.float32)
    rows = best(scores, k)
    finite = [value for value in values if value > -np.inf]
    assert scores[rows].tolist() == sorted(finite, reverse=True)[:k]
    assert len(set(rows.tolist())) == len(rows)


def test_nearest_is_by_angle() -> None:
    picks = floats([3.0, 0.1], [0.1, 1.0], [-1.0, -1.0], [0.0, 0.0])
    liked = floats([0.0, 9.0], [0.1, 0.0])
    assert nearest(picks, liked).tolist() == [1, 0, -1, -1]


def test_without_a_liked_movie_none_is_near() -> None:
    assert nearest(np.ones((2, 3), np.float32), np.empty((0, 3), np.float32)).tolist() == [-1, -1]
