"""A trained model that answers: recommendations, predicted stars and whole-catalogue scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from serving.model.answers.build import RankedRows, build_recommendations
from serving.model.answers.types import Answer, Recommendation, Strategy
from serving.model.arrays import Floats, Ints, ModelError
from serving.model.artifact import Artifact, ModelInfo
from serving.model.catalogue import Catalogue, Mask, Movie, Rows
from serving.model.heads import RankingHead, RatingHead
from serving.model.id_index import find, find_all
from serving.model.profiles import Profiles
from serving.model.scoring.diversify import POOL, diversify
from serving.model.scoring.scorer import FoldedIn, Scorer
from serving.model.scoring.top import best
from serving.model.scoring.user_state import UserState

__all__ = ["Answer", "FoldedIn", "Model", "ModelError", "ModelInfo", "Recommendation", "Strategy"]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a request asks for beside genres.

    Attributes:
        year_from: no older movie.
        year_to: no newer movie.
        most_popular: only this many of the best by damped mean.
        diversity: from 0 (the best) to 1 (as varied as can be), see `scoring.diversify`.
    """

    year_from: int | None = None
    year_to: int | None = None
    most_popular: int | None = None
    diversity: float = 0.0


ANYTHING = Filters()


class Model:
    """Two heads over one catalogue: one expects stars, the other orders (`serving.model.heads`).

    Known users without filters are answered from lists made at training time; a user who sends
    ratings is folded in; an unknown one without gets the best by damped mean, of the genres named
    if any.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.info = artifact.info
        self.rating: RatingHead = artifact.rating
        self.ranking: RankingHead = artifact.ranking
        self.genres = artifact.genre_names
        """The genres that `recommend` knows, in any case of letters."""
        self._arrays = arrays = artifact.arrays
        self._history = Profiles(arrays.rated_offsets, arrays.rated_movies, arrays.rated_halves)
        self._scorer = Scorer(
            movie_ids=arrays.movie_ids,
            user_ids=arrays.user_ids,
            profiles=self._history,
            rating=artifact.rating,
            ranking=artifact.ranking,
            candidates=artifact.candidates,
            popularity=np.where(arrays.movie_counts > 0, arrays.movie_damped_mean, -np.inf),
        )
        self.catalogue = Catalogue(artifact)
        self._never = np.flatnonzero(~artifact.candidates)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map the model in a folder into memory.

        Raises:
            ModelError: a file is missing, of the wrong shape or not finite.
        """
        return cls(Artifact.read(folder))

    @property
    def movie_ids(self) -> Ints:
        """The catalogue, ascending; the columns of `scores`."""
        return self._arrays.movie_ids

    @property
    def rated_movie_ids(self) -> Ints:
        """The movies with a training rating, ascending."""
        return self.movie_ids[self._arrays.movie_counts > 0]

    @property
    def user_ids(self) -> Ints:
        """The users known to the model, ascending."""
        return self._arrays.user_ids

    @property
    def top_n(self) -> int:
        """Length of the lists made for known users."""
        return int(self._arrays.list_movies.shape[1])

    def seen(self, user_id: int) -> Ints:
        """Return the ids of the movies that a user had rated in training, ascending."""
        return self.movie_ids[self._history.rated(find(self.user_ids, user_id))]

    def left(self, user_id: int) -> int:
        """Count the movies that may be recommended to a user: those not rated in training."""
        candidates = self._scorer.candidates
        rated = self._history.rated(find(self.user_ids, user_id))
        return int(candidates.sum()) - int(candidates[rated].sum())

    def listed(self, user_ids: npt.NDArray[np.integer]) -> Ints:
        """Return the lists of known users, ids of movies, best first, (n, top_n); -1 pads."""
        lists = self._arrays.list_movies[find_all(self.user_ids, user_ids)]
        return np.append(np.int32(-1), self.movie_ids)[lists]

    def rated_pairs(self, user_ids: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
        """Return the pairs of (user id, movie id) that these users had rated in training."""
        rows = find_all(self.user_ids, user_ids)
        known = rows[rows >= 0]
        profiles = self._history.take(known)
        return self.user_ids[known][profiles.owners()], self.movie_ids[profiles.movies]

    def predict(
        self, user_ids: npt.NDArray[np.integer], movie_ids: npt.NDArray[np.integer]
    ) -> Floats:
        """Return the stars expected from each user for each movie, pairwise, (n,), 0.5 to 5.

        An unknown user or movie contributes nothing: what is left is the mean and one bias.
        """
        return self._scorer.predict(user_ids, movie_ids)

    def expected(
        self, user_ids: npt.NDArray[np.integer], movie_ids: npt.NDArray[np.integer]
    ) -> Floats:
        """Return what `predict` cuts to the scale of the stars, (n,)."""
        return self._scorer.expected(user_ids, movie_ids)

    def scores(self, user_ids: npt.NDArray[np.integer]) -> Floats:
        """Return the ranking scores of the whole catalogue, (n, n_movies), rated movies included.

        A user not known to the model gets the damped means, and -inf for movies without a
        training rating; they are -inf for every user where the model holds no guesses for them.
        """
        return self._scorer.scores(user_ids)

    def fold_in(
        self,
        user_ids: npt.NDArray[np.integer],
        movie_ids: npt.NDArray[np.integer],
        stars: npt.NDArray[np.floating],
    ) -> FoldedIn:
        """Return the model as it is when it knows these ratings too, (n,) each, pairwise.

        The movie side stays as trained. What a user had rated in training counts as well, a new
        rating replacing the old one; movies that are never recommended are ignored.
        """
        return self._scorer.fold_in(user_ids, movie_ids, stars)

    def recommend(
        self,
        user_id: int,
        top_k: int,
        ratings: Mapping[int, float | None] | None = None,
        genres: Sequence[str] = (),
        filters: Filters = ANYTHING,
    ) -> Answer:
        """Answer for a user, known or not.

        Args:
            user_id: known to the model or not.
            top_k: how many at most; fewer when the catalogue has no more.
            ratings: movie id to stars, given by the user since training, or None to take a rating
                back; movies that the model doesn't know are ignored.
            genres: only movies with at least one of these; unknown names are ignored, and an
                unknown user gets all genres when none has a movie.
            filters: what else is wanted.
        """
        user = find(self.user_ids, user_id)
        profile = self._changed(user, self._known(ratings or {}))
        named = self.catalogue.of_genres(genres)
        others = self._allowed(filters)
        if not profile and (user < 0 or profile is not None):
            return self._fallback(user_id, top_k, named, others, filters.diversity)
        strategy: Strategy = "known_user" if user >= 0 else "fold_in"
        user_state = self._user_state(user, profile)
        if profile or named is not None or filters != ANYTHING or top_k > self.top_n:
            ranked = self._scored(user_state, top_k, both(named, others), filters.diversity)
        else:
            ranked = self._listed(user_state, top_k)
        return Answer(
            user_id,
            user < 0,
            strategy,
            build_recommendations(self.catalogue, ranked, user_state, strategy),
        )

    def expect(
        self, user_id: int, movie_ids: Sequence[int], ratings: Mapping[int, float | None]
    ) -> list[float]:
        """Return the stars expected from any user for each movie, 0.5 to 5.

        `ratings` are as in `recommend`; an unknown user or movie contributes nothing.
        """
        user = find(self.user_ids, user_id)
        user_state = self._user_state(user, self._changed(user, self._known(ratings)))
        movies = find_all(self.movie_ids, np.array(movie_ids, dtype=np.int64))
        return [float(stars) for stars in user_state.stars(movies)]

    def similar(self, movie_id: int, top_k: int) -> list[tuple[Movie, float]]:
        """Return the movies most similar to this one with their similarity, best first.

        Where the ranking head has nothing to say (the movie has no rating), those of the most
        genres in common, the best damped mean first. An unknown movie has none.
        """
        row = self.catalogue.row(movie_id)
        if row < 0:
            return []
        scores = np.where(self.catalogue.counts > 0, self.ranking.similarity(row), -np.inf)
        scores[row] = -np.inf
        if self.catalogue.counts[row] == 0 or scores.max() <= 0:
            shares = self.catalogue.genre_likeness(row)
            scores = np.where(np.isfinite(scores), shares + self.catalogue.means / 1000, -np.inf)
        scores[scores <= 0] = -np.inf
        rows = best(scores, top_k)
        return [(self.catalogue.movie(r), float(scores[r])) for r in rows.tolist()]

    def profile(self, user_id: int) -> dict[int, float]:
        """Return what a user had rated in training: movie id to stars."""
        user = find(self.user_ids, user_id)
        rated = self.movie_ids[self._history.rated(user)].tolist()
        return dict(zip(rated, self._history.stars(user).tolist(), strict=True))

    def _fallback(
        self, user_id: int, top_k: int, named: Mask | None, others: Mask | None, diversity: float
    ) -> Answer:
        """Answer a user without ratings."""
        strategy: Strategy = "popular"
        rows: Rows = self.catalogue.popular
        if others is not None:
            rows = rows[others[rows]]
        if named is not None and named[rows].any():
            strategy, rows = "genre", rows[named[rows]]
        rows = self._varied(rows, self.catalogue.means[rows], top_k, diversity)
        ranked = RankedRows(rows, self.catalogue.means[rows], np.full(len(rows), -1))
        user_state = self._user_state(-1, None)
        return Answer(
            user_id,
            True,
            strategy,
            build_recommendations(self.catalogue, ranked, user_state, strategy),
        )

    def _user_state(self, user: int, profile: Mapping[int, float] | None) -> UserState:
        """Return a user of the training data, or one folded in from a profile (row to stars)."""
        if profile is None:
            return UserState(self.rating, self._history, user)
        single = Profiles.single(profile)
        return UserState(self.rating.fold_in(single), single, 0)

    def _known(self, ratings: Mapping[int, float | None]) -> dict[int, float | None]:
        """Return row to stars of the movies that the heads know something of."""
        rows = {find(self.movie_ids, movie): stars for movie, stars in ratings.items()}
        usable = self._scorer.candidates
        return {row: stars for row, stars in rows.items() if row >= 0 and usable[row]}

    def _changed(self, user: int, given: Mapping[int, float | None]) -> dict[int, float] | None:
        """Return row to stars with what was given since, None where that changes nothing."""
        if not given:
            return None
        stars = self._history.stars(user).tolist()
        trained = dict(zip(self._history.rated(user).tolist(), stars, strict=True))
        profile = {row: s for row, s in {**trained, **given}.items() if s is not None}
        return None if profile == trained else profile

    def _allowed(self, filters: Filters) -> Mask | None:
        """Return which movies are of the years and the popularity asked for, None for all."""
        allowed = self.catalogue.of_years(filters.year_from, filters.year_to)
        if filters.most_popular is None:
            return allowed
        popular = np.zeros(len(self.movie_ids), dtype=np.bool_)
        popular[self.catalogue.popular[: filters.most_popular]] = True
        return both(allowed, popular)

    def _varied(
        self, rows: Rows, scores: npt.NDArray[np.floating], top_k: int, diversity: float
    ) -> Rows:
        """Choose from rows in the order of their scores."""
        if diversity == 0:
            return rows[:top_k]
        pool = rows[: POOL * top_k]
        genres = self.catalogue.genre_movies[:, pool]
        return pool[diversify(scores[: len(pool)], genres, top_k, diversity)]

    def _listed(self, user_state: UserState, top_k: int) -> RankedRows:
        """Look up the list made at training time."""
        arrays, user = self._arrays, user_state.user
        rows = arrays.list_movies[user, :top_k].astype(np.intp) - 1
        rows = rows[rows >= 0]
        closest = arrays.list_nearest[user, : len(rows)].astype(np.intp) - 1
        if len(closest) < len(rows):
            closest = self.ranking.explain(rows, user_state.liked)
        return RankedRows(rows, arrays.list_scores[user, : len(rows)], closest)

    def _scored(
        self, user_state: UserState, top_k: int, allowed: Mask | None, diversity: float
    ) -> RankedRows:
        """Score the whole catalogue, rated movies out."""
        scores = self.ranking.scores(user_state.profile)[0]
        scores[self._never] = -np.inf
        scores[user_state.rated] = -np.inf
        if allowed is not None:
            scores[~allowed] = -np.inf
        rows: Rows = best(scores, top_k if diversity == 0 else POOL * top_k)
        rows = self._varied(rows, scores[rows], top_k, diversity)
        return RankedRows(rows, scores[rows], self.ranking.explain(rows, user_state.liked))


def both(first: Mask | None, second: Mask | None) -> Mask | None:
    """Return what two masks allow, where None allows all."""
    if first is None or second is None:
        return second if first is None else first
    return first & second
