import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.ease import fit_ease
from serving.model.arrays import Floats
from serving.model.heads import ItemRanking
from tests.recommenders.frames import ratings_frame

# Users 1, 2, 3; movies 10, 20, 30; nobody rated 40. Weights are stars less 2.
WEIGHTS = np.array([[3.0, 1.0, 0.0, 0.0], [2.0, 0.0, 2.5, 0.0], [0.0, 3.0, 0.5, 0.0]])
PENALTY = 1.5
Matrix = npt.NDArray[np.float64]


@pytest.fixture
def frame() -> pd.DataFrame:
    users, movies = WEIGHTS.nonzero()
    rows = zip(users + 1, 10 * (movies + 1), WEIGHTS[users, movies] + 2, strict=True)
    return ratings_frame(*((int(u), int(m), float(s)) for u, m, s in rows), (1, 30, 1.5))


def dense(head: ItemRanking) -> Floats:
    return np.array([head.similarity(movie) for movie in range(len(head.mean))])


def closed_form() -> Matrix:
    """Return B of the rated movies by the formula of the paper, the diagonal zero."""
    gram = WEIGHTS[:, :3].T @ WEIGHTS[:, :3]
    inverse = np.linalg.inv(gram + PENALTY * np.eye(3))
    weights: Matrix = np.eye(3) - inverse @ np.diag(1 / np.diag(inverse))
    np.fill_diagonal(weights, 0.0)
    return weights


def test_it_is_the_closed_form(frame: pd.DataFrame) -> None:
    interactions = Interactions.from_frame(frame, np.array([40]))
    head = fit_ease(interactions, regularization=PENALTY, links=10, max_movies=10)
    found, expected = dense(head), closed_form()
    np.testing.assert_allclose(found[:3, :3], expected, rtol=0, atol=1e-6)
    assert not found.diagonal().any()
    assert not found[3].any()
    assert not found[:, 3].any()


def test_no_other_weights_with_a_zero_diagonal_fit_better(frame: pd.DataFrame) -> None:
    interactions = Interactions.from_frame(frame)
    head = fit_ease(interactions, regularization=PENALTY, links=10, max_movies=10)
    x, best = WEIGHTS[:, :3], dense(head).astype(np.float64)

    def loss(weights: Matrix) -> float:
        return float(((x - x @ weights) ** 2).sum() + PENALTY * (weights**2).sum())

    random = np.random.default_rng(0)
    for _ in range(50):
        step = random.normal(scale=0.01, size=(3, 3))
        np.fill_diagonal(step, 0.0)
        assert loss(best + step) > loss(best)


def test_scores_are_a_person_s_weights_times_the_movies(frame: pd.DataFrame) -> None:
    # Each has two ratings of ten above 2 stars: that share is the own order, the rest the mean one.
    interactions = Interactions.from_frame(frame)
    head = fit_ease(interactions, regularization=PENALTY, links=10, max_movies=10)
    own = WEIGHTS[:, :3] @ closed_form()
    share = 0.2
    expected = share * own + (1 - share) * own.mean(axis=0)
    np.testing.assert_allclose(head.scores(interactions.profiles), expected, rtol=0, atol=1e-5)


def test_only_the_strongest_weights_are_kept(frame: pd.DataFrame) -> None:
    interactions = Interactions.from_frame(frame)
    head = fit_ease(interactions, regularization=PENALTY, links=1, max_movies=10)
    everything = closed_form()
    strongest = np.abs(everything) == np.abs(everything).max(axis=1, keepdims=True)
    np.testing.assert_allclose(dense(head), np.where(strongest, everything, 0), rtol=0, atol=1e-6)
