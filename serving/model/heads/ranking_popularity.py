"""Order by popularity, the same for every user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from serving.model.arrays import Floats, Reals, Rows
from serving.model.profiles import Profiles


@dataclass(frozen=True)
class PopularityRanking:
    """One score a movie.

    Attributes:
        popularity: the scores, 0 to 1.
    """

    popularity: Annotated[Reals, "float32", "movies"]

    def scores(self, profiles: Profiles) -> Floats:
        """Return the same scores for each user; see `RankingHead`."""
        return np.tile(self.popularity.astype(np.float32), (len(profiles), 1))

    def similarity(self, movie: int) -> Floats:  # noqa: ARG002  # no rating counts
        """Return zeros: no movie speaks for another."""
        return np.zeros_like(self.popularity)

    def explain(self, movies: Rows, liked: Rows) -> npt.NDArray[np.intp]:  # noqa: ARG002
        """Return -1: no liked movie speaks for another."""
        return np.full(len(movies), -1, dtype=np.intp)
