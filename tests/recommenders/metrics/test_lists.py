"""Metrics of ten-movie lists: by hand, against trec_eval, and what always holds."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cinematch_dagster.recommenders.metrics import (
    average_precision,
    coverage,
    diversity,
    hit,
    ndcg,
    novelty,
    popularity_bias,
    precision,
    recall,
    reciprocal_rank,
    top_k,
)

USERS, MOVIES, K = 4, 15, 10
MEASURES = {"P.10", "recall.10", "ndcg_cut.10", "map_cut.10", "success.10", "recip_rank"}


class Example(NamedTuple):
    scores: npt.NDArray[np.float32]
    marks: npt.NDArray[np.bool_]


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Different scores in any order, some never candidates, and a relevant movie for each user."""
    order = draw(st.permutations(range(USERS * MOVIES)))
    scores = np.array(order, dtype=np.float32).reshape(USERS, MOVIES) - 20
    scores[draw(hnp.arrays(np.bool_, scores.shape))] = -np.inf
    marks = draw(hnp.arrays(np.bool_, scores.shape))
    marks[:, draw(st.integers(0, MOVIES - 1))] = True
    return Example(scores, marks)


def hits_of(lists: npt.NDArray[np.integer], marks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.take_along_axis(marks, lists, axis=1) & (lists >= 0)


# Four users, k = 4: hits at places 1 and 3 of 3 relevant; none of 1; place 2 of 1; all of 6.
HITS = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0], [1, 1, 1, 1]], dtype=bool)
RELEVANT = np.array([3, 1, 1, 6])


def test_four_lists_worked_by_hand() -> None:
    assert precision(HITS).tolist() == [0.5, 0, 0.25, 1]
    assert recall(HITS, RELEVANT).tolist() == pytest.approx([2 / 3, 0, 1, 4 / 6])
    assert reciprocal_rank(HITS).tolist() == [1, 0, 0.5, 1]
    assert hit(HITS).tolist() == [1, 0, 1, 1]
    assert average_precision(HITS, RELEVANT).tolist() == pytest.approx(
        [(1 + 2 / 3) / 3, 0, 1 / 2, 4 / 6]
    )
    ideal_of_three = 1 + 1 / np.log2(3) + 1 / 2
    assert ndcg(HITS, RELEVANT).tolist() == pytest.approx(
        [(1 + 1 / 2) / ideal_of_three, 0, 1 / np.log2(3), 1]
    )


@given(examples())
def test_they_are_those_of_trec_eval(example: Example) -> None:
    lists = top_k(example.scores, K)
    hits, relevant = hits_of(lists, example.marks), example.marks.sum(axis=1)
    ours = {
        "P_10": precision(hits),
        "recall_10": recall(hits, relevant),
        "ndcg_cut_10": ndcg(hits, relevant),
        "map_cut_10": average_precision(hits, relevant),
        "success_10": hit(hits),
        "recip_rank": reciprocal_rank(hits),
    }
    qrels = {
        f"u{user}": {f"m{movie}": int(mark) for movie, mark in enumerate(row)}
        for user, row in enumerate(example.marks)
    }
    for user, row in enumerate(example.scores):
        finite = {f"m{m}": float(s) for m, s in enumerate(row) if np.isfinite(s)}
        best = dict(sorted(finite.items(), key=lambda item: -item[1])[:K])
        # With an empty list trec_eval leaves the user out; a miss is meant.
        run = {f"u{user}": best or {"nothing": 1.0}}
        theirs = pytrec_eval.RelevanceEvaluator(qrels, MEASURES).evaluate(run)[f"u{user}"]
        for name, values in ours.items():
            assert values[user] == pytest.approx(theirs[name], abs=1e-12), name


@given(examples())
def test_every_figure_is_between_0_and_1(example: Example) -> None:
    hits, relevant = hits_of(top_k(example.scores, K), example.marks), example.marks.sum(axis=1)
    for values in (
        precision(hits),
        recall(hits, relevant),
        ndcg(hits, relevant),
        average_precision(hits, relevant),
        reciprocal_rank(hits),
    ):
        assert values.shape == (USERS,)
        assert ((values >= 0) & (values <= 1 + 1e-12)).all()
        assert ((values > 0) == hits.any(axis=1)).all()


@given(examples(), st.integers(0, 8))
def test_a_hit_one_place_higher_is_never_worse(example: Example, place: int) -> None:
    hits, relevant = hits_of(top_k(example.scores, K), example.marks), example.marks.sum(axis=1)
    better = hits.copy()
    better[:, place] |= hits[:, place + 1]
    better[:, place + 1] &= hits[:, place]
    assert (precision(better) == precision(hits)).all()
    assert (ndcg(better, relevant) >= ndcg(hits, relevant) - 1e-12).all()
    assert (average_precision(better, relevant) >= average_precision(hits, relevant) - 1e-12).all()
    assert (reciprocal_rank(better) >= reciprocal_rank(hits)).all()


def test_the_best_possible_list_has_an_ndcg_of_1() -> None:
    hits = np.array([[True, True, False, False]])
    assert ndcg(hits, np.array([2])).tolist() == [1.0]
    assert ndcg(np.full((1, 4), True), np.array([100])).tolist() == pytest.approx([1.0])


class TestTopK:
    def test_worked_by_hand(self) -> None:
        scores = np.array([[0.9, 0.1, 0.8, 0.2], [-0.2, -0.1, -np.inf, -np.inf]], dtype=np.float32)
        assert top_k(scores, 3).tolist() == [[0, 2, 3], [1, 0, -1]]
        assert top_k(scores, 6).tolist() == [[0, 2, 3, 1, -1, -1], [1, 0, -1, -1, -1, -1]]

    def test_of_equal_scores_the_lower_row_comes_first(self) -> None:
        scores = np.array([[1, 2, 2, 2, 1, 2], [0.0, -0.0, 0.0, -1, -0.0, 1]], dtype=np.float32)
        assert top_k(scores, 3).tolist() == [[1, 2, 3], [5, 0, 1]]

    @given(
        hnp.arrays(
            np.float32, (3, 9), elements=st.sampled_from([-np.inf, -2.5, -0.0, 0.0, 1e-30, 7.0])
        ),
        st.integers(1, 12),
    )
    def test_is_a_stable_sort(self, scores: npt.NDArray[np.float32], k: int) -> None:
        before = scores.copy()
        for row, found in zip(scores, top_k(scores, k).tolist(), strict=True):
            candidates = [m for m in range(9) if np.isfinite(row[m])]
            expected = sorted(candidates, key=lambda m: -row[m])[:k]
            assert found == expected + [-1] * (k - len(expected))
        np.testing.assert_array_equal(scores, before)

    def test_a_missing_score_is_never_skipped(self) -> None:
        with pytest.raises(ValueError, match="1 of 2 scores are missing"):
            top_k(np.array([[np.nan, 1.0]], dtype=np.float32), 1)

    def test_nobody_has_no_list(self) -> None:
        assert top_k(np.empty((0, 5), dtype=np.float32), 10).shape == (0, 10)


# Five movies: 8, 4, 2, 0 and 2 of 8 users have rated them.
COUNTS = np.array([8, 4, 2, 0, 2])
LISTS = np.array([[0, 1], [2, 3], [1, -1], [-1, -1]])


class TestBeyondAccuracy:
    def test_coverage_by_hand(self) -> None:
        assert coverage(LISTS, 5) == 0.8
        assert coverage(LISTS[3:], 5) == 0

    def test_novelty_by_hand(self) -> None:
        # In bits 0, 1, 2 and 2; the never rated counts as rated once: 3.
        assert novelty(LISTS, COUNTS, 8).tolist() == pytest.approx(
            [0.5, 2.5, 1, np.nan], nan_ok=True
        )

    def test_popularity_bias_by_hand(self) -> None:
        average = (64 + 16 + 4 + 4) / 16  # of the movies of the 16 ratings
        assert popularity_bias(LISTS, COUNTS).tolist() == pytest.approx(
            [6 / average, 1 / average, 4 / average, np.nan], nan_ok=True
        )

    def test_lists_drawn_like_training_ratings_are_not_biased(self) -> None:
        random = np.random.default_rng(3)
        lists = random.choice(5, size=(20_000, 10), p=COUNTS / COUNTS.sum())
        assert popularity_bias(lists, COUNTS).mean() == pytest.approx(1, abs=0.01)

    def test_diversity_by_hand(self) -> None:
        genres = np.array([[1, 0], [1, 0], [0, 1], [0, 0], [1, 1]])
        lists = np.array([[0, 1, 2], [0, 4, -1], [0, 3, -1], [2, -1, -1]])
        # Cosines 1, 0, 0; then 1/sqrt(2); nothing resembles a movie without genres; no pair.
        expected = [2 / 3, 1 - 1 / np.sqrt(2), 1, np.nan]
        assert diversity(lists, genres).tolist() == pytest.approx(expected, nan_ok=True)

    @given(
        hnp.arrays(np.float64, (6, 3), elements=st.integers(-3, 3).map(float)),
        st.lists(st.permutations(range(6)), min_size=1, max_size=4),
        st.integers(2, 6),
    )
    def test_diversity_is_that_of_all_pairs(
        self, vectors: npt.NDArray[np.float64], orders: list[list[int]], k: int
    ) -> None:
        lists = np.array(orders)[:, :k]
        for row, found in zip(lists, diversity(lists, vectors), strict=True):
            norms = np.linalg.norm(vectors[row], axis=1)
            norms[norms == 0] = 1
            cosines = (vectors[row] @ vectors[row].T) / np.outer(norms, norms)
            pairs = cosines[~np.eye(k, dtype=bool)]
            assert found == pytest.approx(1 - pairs.mean(), abs=1e-12)
