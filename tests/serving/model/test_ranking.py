import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cinematch_dagster.recommenders.metrics import top_k
from serving.model.id_index import find, find_all
from serving.model.scoring.top import best, nearest
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


SCORES = st.floats(-5, 5, width=32) | st.sampled_from([-np.inf, 0.0, 1.0])


@given(st.lists(SCORES, min_size=1, max_size=30), st.integers(1, 40))
def test_best_are_the_first_of_a_sort_the_lower_row_first_among_equals(
    values: list[float], k: int
) -> None:
    rows = [row for row, value in enumerate(values) if value > -np.inf]
    expected = sorted(rows, key=lambda row: (-values[row], row))[:k]
    assert best(np.array(values, dtype=np.float32), k).tolist() == expected


def test_what_is_served_is_what_is_evaluated_where_many_scores_are_equal() -> None:
    scores = np.zeros(500, dtype=np.float32)
    scores[[3, 7]] = 1.0
    assert best(scores, 10).tolist() == top_k(scores[np.newaxis], 10)[0].tolist()
    assert best(scores, 10).tolist() == best(scores, 100)[:10].tolist()


def test_nearest_is_by_angle() -> None:
    picks = floats([3.0, 0.1], [0.1, 1.0], [-1.0, -1.0], [0.0, 0.0])
    liked = floats([0.0, 9.0], [0.1, 0.0])
    assert nearest(picks, liked).tolist() == [1, 0, -1, -1]


def test_without_a_liked_movie_none_is_near() -> None:
    assert nearest(np.ones((2, 3), np.float32), np.empty((0, 3), np.float32)).tolist() == [-1, -1]
