"""What scoring needs of one user: known to the model, folded in, or anonymous."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from serving.base.scale import HIGHEST, LIKED, LOWEST
from serving.model.arrays import Floats, Rows
from serving.model.heads import RatingHead
from serving.model.profiles import Profiles


@dataclass(frozen=True, slots=True)
class UserState:
    """One user of a rating head.

    Attributes:
        rating: the head.
        profiles: the ratings of its users.
        user: the row of this one; -1 is a user without ratings.
    """

    rating: RatingHead
    profiles: Profiles
    user: int

    @property
    def profile(self) -> Profiles:
        """The user's ratings alone."""
        return self.profiles.take(np.array([self.user]))

    @property
    def rated(self) -> Rows:
        """Rows of the movies that the user rated."""
        return self.profiles.rated(self.user)

    @property
    def liked(self) -> Rows:
        """Rows of the movies that the user rated 4 stars or more."""
        return self.rated[self.profiles.stars(self.user) >= LIKED]

    def stars(self, movies: Rows) -> Floats:
        """Return the stars expected for each movie, 0.5 to 5."""
        users = np.full(len(movies), self.user)
        return np.clip(self.rating.predict(self.profiles, users, movies), LOWEST, HIGHEST)
