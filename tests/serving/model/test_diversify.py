import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.model.scoring.diversify import diversify

# Three comedies, then a drama and a horror movie.
GENRES = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]], dtype=bool)
SCORES = np.array([1.0, 0.9, 0.8, 0.5, 0.0])


@pytest.mark.parametrize(
    ("diversity", "chosen"),
    [(0.0, [0, 1, 2]), (0.3, [0, 1, 3]), (0.5, [0, 3, 4]), (1.0, [0, 3, 4])],
)
def test_the_dial_trades_scores_for_other_genres(diversity: float, chosen: list[int]) -> None:
    # At .3, after 0 and 3: movie 1 has .7 * .9 - .3 = .33, movie 4 has 0.
    assert diversify(SCORES, GENRES, 3, diversity).tolist() == chosen


def test_there_is_nothing_to_choose_from() -> None:
    assert diversify(np.empty(0), np.empty((3, 0), dtype=bool), 3, 0.5).tolist() == []


def likeness(genres: np.ndarray, a: int, b: int) -> float:
    one, other = set(np.flatnonzero(genres[:, a])), set(np.flatnonzero(genres[:, b]))
    return len(one & other) / max(len(one | other), 1)


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0, 1), st.integers(0, 1000))
def test_as_the_formula_says(n: int, k: int, d: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    scores = np.sort(random.normal(size=n))[::-1]
    genres = random.random((3, n)) < 0.5
    spread = scores[0] - scores[-1]
    relevance = (scores - scores[-1]) / spread if spread > 0 else np.ones(n)
    taken: list[int] = []
    for _ in range(min(k, n)):
        values = {
            i: (1 - d) * relevance[i]
            - d * max((likeness(genres, i, j) for j in taken), default=0.0)
            for i in range(n)
            if i not in taken
        }
        best = max(values.values())
        chosen = diversify(scores, genres, len(taken) + 1, d).tolist()
        (new,) = set(chosen) - set(taken)
        assert values[new] == pytest.approx(best, abs=1e-6)
        taken.append(new)
