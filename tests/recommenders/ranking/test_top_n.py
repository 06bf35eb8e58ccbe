import numpy as np
import pytest

from cinematch_dagster.recommenders.fit import Trained
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.top_n import make_lists
from serving.model.arrays import Floats
from serving.model.heads import FactorRanking
from serving.model.profiles import Profiles
from tests.recommenders.frames import ratings_frame


class FixedRanking(FactorRanking):
    """Gives users the vectors it is told, in the order of profiles in one block."""

    def scores(self, profiles: Profiles) -> Floats:
        return np.asarray(self.mean @ self.movie_factors.T)[: len(profiles)]


def head(users: list[list[float]], movies: list[list[float]]) -> FixedRanking:
    factors = np.array(movies, dtype=np.float32)
    return FixedRanking(1.0, 1.0, factors, factors.T @ factors, np.array(users, dtype=np.float32))


def test_lists_worked_by_hand() -> None:
    # Movies 1, 2, 3 point right, up, and between; nobody rated movie 4, which points up.
    frame = ratings_frame((7, 1, 5.0), (8, 2, 3.0), (8, 3, 4.5))
    interactions = Interactions.from_frame(frame, np.array([4]))
    factors = [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.0, 0.25]]
    lists = make_lists(interactions, head([[1.0, 0.5], [0.0, 1.0]], factors), top_n=4)
    assert lists.movies.tolist() == [[3, 2, 4, 0], [4, 1, 0, 0]]
    expected = [[1.0, 0.5, 0.125, 0.0], [0.25, 0.0, 0.0, 0.0]]
    np.testing.assert_allclose(lists.scores, expected, rtol=1e-3)
    # User 7 liked movie 1, at a right angle to movies 2 and 4; user 8 liked movie 3 only.
    assert lists.nearest.tolist() == [[1, 0, 0, 0], [3, 3, 0, 0]]


def test_a_user_who_liked_nothing_has_no_nearest_movie() -> None:
    interactions = Interactions.from_frame(ratings_frame((1, 1, 3.5), (2, 2, 5.0)))
    lists = make_lists(interactions, head([[1.0], [1.0]], [[1.0], [1.0]]), top_n=1)
    assert lists.movies.tolist() == [[2], [1]]
    assert lists.nearest.tolist() == [[0], [2]]


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_of_users_make_no_difference(
    trained: Trained, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinematch_dagster.recommenders.ranking.top_n._BLOCK", block)
    lists = make_lists(trained.interactions, trained.ranking, 12)
    scores = trained.ranking.scores(trained.interactions.profiles)
    scores[trained.interactions.matrix.nonzero()] = -np.inf
    best = -np.sort(-scores, axis=1)[:, :12]
    np.testing.assert_allclose(lists.scores, np.where(np.isfinite(best), best, 0), atol=1e-3)
    np.testing.assert_array_equal(lists.movies > 0, np.isfinite(best))


def test_the_matrix_is_read_only_used(trained: Trained) -> None:
    before = trained.interactions.matrix.toarray()
    make_lists(trained.interactions, trained.ranking, 5)
    np.testing.assert_array_equal(trained.interactions.matrix.toarray(), before)
