"""Whether a model was trained on what it says: the gate's own look for a leak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cinematch_dagster.recommenders.evaluation.pairs import keys_of

Pairs = npt.NDArray[np.int64]
HALF = 2.0


@dataclass(frozen=True)
class Audit:
    """Rows of a model's training data that are not those expected.

    Attributes:
        unexpected: rows that the warehouse doesn't have for the week, or has with other stars.
        missing: rows that the warehouse has and the model was not trained on.
        leaked: those of the unexpected rows whose pair is tested, by the name of the test rows.
        same_hash: whether the training run noted the expected data's digest.
    """

    unexpected: int
    missing: int
    leaked: Mapping[str, int]
    same_hash: bool


def audit(
    trained: pd.DataFrame,
    expected: pd.DataFrame,
    tests: Mapping[str, pd.DataFrame],
    *,
    same_hash: bool,
) -> Audit:
    """Compare what an artifact was trained on with what it should have been trained on.

    A tested pair may be in the training data too, when its user has rated the movie before. So a
    row counts as leaked only when it is tested and not expected.

    Args:
        trained: userId, movieId and rating of the artifact, each pair once.
        expected: ratings frame of the training data, each pair once.
        tests: the ratings frames that the gate scores on, by name.
        same_hash: whether the digest noted in training is the expected data's.
    """
    keys, stars = _by_pair(trained)
    expected_keys, expected_stars = _by_pair(expected)
    place = np.searchsorted(expected_keys, keys)
    place[place == len(expected_keys)] = 0
    known = expected_keys[place] == keys if len(expected_keys) else np.zeros(len(keys), np.bool_)
    same = known.copy()
    same[known] = stars[known] == expected_stars[place[known]]
    unexpected = keys[~same]
    return Audit(
        unexpected=len(unexpected),
        missing=len(expected_keys) - int(known.sum()),
        leaked={name: int(np.isin(keys_of(t), unexpected).sum()) for name, t in tests.items()},
        same_hash=same_hash,
    )


def _by_pair(ratings: pd.DataFrame) -> tuple[Pairs, npt.NDArray[np.uint8]]:
    """Return the pairs, ascending, and their ratings in half stars."""
    keys = keys_of(ratings)
    order = np.argsort(keys)
    halves = np.rint(ratings["rating"].to_numpy() * HALF).astype(np.uint8)
    return keys[order], halves[order]
