"""Two heads asked by ids: stars of pairs, and scores of the whole catalogue."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from serving.base.scale import HIGHEST, LOWEST
from serving.model.arrays import Floats, Ints
from serving.model.heads import RankingHead, RatingHead
from serving.model.id_index import find_all
from serving.model.profiles import Profiles

_BLOCK = 4_096
"""Pairs at once: their factors stay in the cache, and memory is used again."""
_UNKNOWN = -1

Ids = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Scorer:
    """The heads over a catalogue and some users.

    Attributes:
        movie_ids: the catalogue, ascending; the columns of `scores`.
        user_ids: the users, ascending.
        profiles: their ratings.
        rating: the head that expects stars, with these users.
        ranking: the head that orders.
        candidates: whether a movie may be recommended, and its ratings count.
        popularity: scores for the other users; -inf for a movie without a training rating.
    """

    movie_ids: Ints
    user_ids: Ints
    profiles: Profiles
    rating: RatingHead
    ranking: RankingHead
    candidates: npt.NDArray[np.bool_]
    popularity: Floats

    def predict(self, user_ids: Ids, movie_ids: Ids) -> Floats:
        """Return the stars expected from each user for each movie, pairwise, (n,), 0.5 to 5.

        An unknown user or movie contributes nothing: what is left is the mean and one bias.
        """
        return np.clip(self.expected(user_ids, movie_ids), LOWEST, HIGHEST)

    def expected(self, user_ids: Ids, movie_ids: Ids) -> Floats:
        """Return what `predict` cuts to the scale of the stars, (n,)."""
        users, movies = find_all(self.user_ids, user_ids), find_all(self.movie_ids, movie_ids)
        stars = np.empty(len(users), dtype=np.float32)
        for start in range(0, len(users), _BLOCK):
            block = slice(start, start + _BLOCK)
            stars[block] = self.rating.predict(self.profiles, users[block], movies[block])
        return stars

    def scores(self, user_ids: Ids) -> Floats:
        """Return the ranking scores, (n, n_movies), rated movies included.

        An unknown user gets `popularity`. What is no candidate is -inf.
        """
        users = find_all(self.user_ids, user_ids)
        known = users >= 0
        scores = np.empty((len(users), len(self.movie_ids)), dtype=np.float32)
        scores[known] = self.ranking.scores(self.profiles.take(users[known]))
        scores[~known] = self.popularity
        scores[:, ~self.candidates] = -np.inf
        return scores

    def fold_in(self, user_ids: Ids, movie_ids: Ids, stars: npt.NDArray[np.floating]) -> FoldedIn:
        """Return what the heads say when they know these ratings too, (n,) each."""
        movies = find_all(self.movie_ids, movie_ids)
        usable = (movies >= 0) & self.candidates[movies]
        ids, owners = np.unique(user_ids[usable], return_inverse=True)
        profiles = self.profiles.take(find_all(self.user_ids, ids)).with_ratings(
            owners, movies[usable], stars[usable]
        )
        folded = replace(
            self,
            user_ids=ids.astype(np.int32),
            profiles=profiles,
            rating=self.rating.fold_in(profiles),
        )
        return FoldedIn(self, folded)


@dataclass(frozen=True)
class FoldedIn:
    """Heads that know more ratings of some users; all others are answered as before.

    Attributes:
        trained: the heads as trained.
        folded: the same with the users whose ratings are new.
    """

    trained: Scorer
    folded: Scorer

    @property
    def movie_ids(self) -> Ints:
        """The catalogue, ascending; the columns of `scores`."""
        return self.trained.movie_ids

    def predict(self, user_ids: Ids, movie_ids: Ids) -> Floats:
        """Return expected stars, pairwise; see `Scorer.predict`."""
        new = self._new(user_ids)
        stars = self.trained.predict(np.where(new, _UNKNOWN, user_ids), movie_ids)
        stars[new] = self.folded.predict(user_ids[new], movie_ids[new])
        return stars

    def scores(self, user_ids: Ids) -> Floats:
        """Return the ranking scores of the whole catalogue; see `Scorer.scores`."""
        new = self._new(user_ids)
        scores = self.trained.scores(np.where(new, _UNKNOWN, user_ids))
        scores[new] = self.folded.scores(user_ids[new])
        return scores

    def _new(self, user_ids: Ids) -> npt.NDArray[np.bool_]:
        return np.isin(user_ids, self.folded.user_ids)
