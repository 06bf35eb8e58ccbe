"""What can be scored."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float32]


class Scorer(Protocol):
    """What predicts stars and orders a catalogue."""

    @property
    def movie_ids(self) -> npt.NDArray[np.int32]:
        """The catalogue, ascending; the columns of `scores`."""

    def predict(self, user_ids: Integers, movie_ids: Integers) -> Floats:
        """Return expected stars, pairwise, (n,)."""

    def scores(self, user_ids: Integers) -> Floats:
        """Return ranking scores of the catalogue, (n, n_movies); -inf is never a candidate.

        The caller may write to the array.
        """


class Predictor(Scorer, Protocol):
    """A served model, the sanity floor, or whatever else can learn what users have rated since."""

    def fold_in(self, user_ids: Integers, movie_ids: Integers, stars: Floats) -> Scorer:
        """Return a scorer that knows these ratings as well, (n,) each; its movie side is fixed.

        The protocols give a user's whole profile. What the predictor has kept of it from training
        makes a difference only where it was trained on ratings that are gone since.
        """
