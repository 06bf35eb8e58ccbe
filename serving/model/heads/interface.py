"""What the two heads of a served model can do, whatever their kind.

A head is a frozen dataclass: its annotated arrays are files, its other fields are numbers in the
manifest (see `serving.model.arrays`).
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from serving.model.arrays import Floats, Rows
from serving.model.profiles import Profiles


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class RatingHead(_Dataclass, Protocol):
    """Expects stars. It knows its users; `fold_in` gives the same head with other users."""

    def predict(self, profiles: Profiles, users: Rows, movies: Rows) -> Floats:
        """Return expected stars, not clipped, pairwise, (n,).

        Args:
            profiles: the ratings of the head's users.
            users: rows of users; an unknown one, -1, contributes nothing.
            movies: rows of movies; an unknown one, -1, contributes nothing.
        """

    def fold_in(self, profiles: Profiles) -> Self:
        """Return the head with these users instead of its own, its movie side unchanged."""


class RankingHead(_Dataclass, Protocol):
    """Orders the catalogue. It keeps nothing of users: an order follows from a profile alone."""

    def scores(self, profiles: Profiles) -> Floats:
        """Return each user's scores of the whole catalogue, (n, n_movies), each within ±65,000.

        A user with few ratings is pulled towards the order of the mean user.
        """

    def similarity(self, movie: int) -> Floats:
        """Return how similar each movie is to this one, (n_movies,), 0 for not at all.

        Negative where it speaks against; comparable within one answer only.
        """

    def explain(self, movies: Rows, liked: Rows) -> npt.NDArray[np.intp]:
        """Return for each movie the row of the liked movie that speaks most for it, or -1."""
