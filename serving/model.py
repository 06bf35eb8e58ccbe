"""A trained model that answers: recommendations, predicted stars and whole-catalogue scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from serving import reasons
from serving.answers import Answer, Recommendation, Strategy
from serving.arrays import Floats, Ints, ModelError
from serving.artifact import Artifact, ModelInfo
from serving.heads import RankingHead, RatingHead
from serving.lookup import find, find_all
from serving.profiles import Profiles
from serving.ranking import best
from serving.scoring import FoldedIn, Scorer
from serving.taste import Taste

__all__ = ["Answer", "FoldedIn", "Model", "ModelError", "ModelInfo", "Recommendation", "Strategy"]


class _Picks(NamedTuple):
    """Rows of movies, best first, their scores, and the liked movie that explains each, or -1."""

    rows: npt.NDArray[np.integer]
    scores: npt.NDArray[np.floating]
    nearest: npt.NDArray[np.integer]


class Model:
    """Two heads over one catalogue: one expects stars, the other orders (`serving.heads`).

    Known users without new wishes are answered from lists made at training time; a user who sends
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
            popularity=np.where(arrays.movie_counts > 0, arrays.movie_damped_mean, -np.inf),
        )
        self._titles, self._genre_texts = artifact.titles, artifact.genres
        self._genre_rows = {g.casefold(): row for row, g in enumerate(self.genres)}
        self._unrated = np.flatnonzero(arrays.movie_counts == 0)
        popular = np.argsort(-arrays.movie_damped_mean, kind="stable")
        self._popular = popular[arrays.movie_counts[popular] > 0]

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
        """The movies with a training rating, ascending: those that are ever recommended."""
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

    def scores(self, user_ids: npt.NDArray[np.integer]) -> Floats:
        """Return the ranking scores of the whole catalogue, (n, n_movies), rated movies included.

        A user not known to the model gets the damped means. Movies without a training rating
        are -inf: they are never recommended.
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
        rating replacing the old one; movies without a training rating are ignored.
        """
        return self._scorer.fold_in(user_ids, movie_ids, stars)

    def recommend(
        self,
        user_id: int,
        top_k: int,
        ratings: Mapping[int, float] | None = None,
        genres: Sequence[str] | None = None,
    ) -> Answer:
        """Answer for anybody.

        Args:
            user_id: known to the model or not.
            top_k: how many at most; fewer when the catalogue has no more.
            ratings: movie id to stars, given by the user since training; movies that the model
                doesn't know are ignored.
            genres: only movies with at least one of these; unknown names are ignored, and an
                unknown user gets all genres when none has a movie.
        """
        user = find(self.user_ids, user_id)
        given = self._known(ratings or {})
        allowed = self._of_genres(genres or ())
        if user < 0 and not given:
            return self._fallback(user_id, top_k, allowed)
        strategy: Strategy = "known_user" if user >= 0 else "fold_in"
        taste = self._taste(user, given)
        if given or allowed is not None or top_k > self.top_n:
            picks = self._scored(taste, top_k, allowed)
        else:
            picks = self._listed(taste, top_k)
        return Answer(user_id, user < 0, strategy, self._describe(picks, taste, strategy))

    def _fallback(self, user_id: int, top_k: int, allowed: npt.NDArray[np.bool_] | None) -> Answer:
        """Answer somebody of whom nothing is known."""
        strategy: Strategy = "popular"
        rows = self._popular
        if allowed is not None and allowed[rows].any():
            strategy, rows = "genre", rows[allowed[rows]]
        rows = rows[:top_k]
        picks = _Picks(rows, self._arrays.movie_damped_mean[rows], np.full(len(rows), -1))
        return Answer(user_id, True, strategy, self._describe(picks, self._taste(-1, {}), strategy))

    def _taste(self, user: int, given: Mapping[int, float]) -> Taste:
        """Return a user as training left him, or as new ratings (row to stars) make him."""
        if not given:
            return Taste(self.rating, self._history, user)
        stars = self._history.stars(user).tolist()
        known = dict(zip(self._history.rated(user).tolist(), stars, strict=True))
        profile = Profiles.single(known | dict(given))
        return Taste(self.rating.fold_in(profile), profile, 0)

    def _known(self, ratings: Mapping[int, float]) -> dict[int, float]:
        """Return row to stars of the movies with training ratings."""
        rows = {find(self.movie_ids, movie): stars for movie, stars in ratings.items()}
        counts = self._arrays.movie_counts
        return {row: stars for row, stars in rows.items() if row >= 0 and counts[row] > 0}

    def _of_genres(self, genres: Sequence[str]) -> npt.NDArray[np.bool_] | None:
        """Return which movies have one of the genres, (n_movies,), or None for all."""
        names = (genre.casefold() for genre in genres)
        rows = [self._genre_rows[name] for name in names if name in self._genre_rows]
        return np.logical_or.reduce(self._arrays.genre_movies[rows]) if rows else None

    def _listed(self, taste: Taste, top_k: int) -> _Picks:
        """Look up the list made at training time."""
        arrays, user = self._arrays, taste.user
        rows = arrays.list_movies[user, :top_k].astype(np.intp) - 1
        rows = rows[rows >= 0]
        closest = arrays.list_nearest[user, : len(rows)].astype(np.intp) - 1
        if len(closest) < len(rows):
            closest = self.ranking.explain(rows, taste.liked)
        return _Picks(rows, arrays.list_scores[user, : len(rows)], closest)

    def _scored(self, taste: Taste, top_k: int, allowed: npt.NDArray[np.bool_] | None) -> _Picks:
        """Score the whole catalogue, rated movies out."""
        scores = self.ranking.scores(taste.profile)[0]
        scores[self._unrated] = -np.inf
        scores[taste.rated] = -np.inf
        if allowed is not None:
            scores[~allowed] = -np.inf
        rows = best(scores, top_k)
        return _Picks(rows, scores[rows], self.ranking.explain(rows, taste.liked))

    def _describe(
        self, picks: _Picks, taste: Taste, strategy: Strategy
    ) -> tuple[Recommendation, ...]:
        """Turn rows into recommendations with titles, stars and reasons."""
        rows = picks.rows.tolist()
        columns = zip(
            self.movie_ids[picks.rows].tolist(),
            [self._titles[row].as_py() for row in rows],
            [self._genre_texts[row].as_py() for row in rows],
            picks.scores.tolist(),
            taste.stars(picks.rows).tolist(),
            self._reasons(picks, strategy),
            strict=True,
        )
        return tuple(
            Recommendation(movie, title, genres, score, rating, strategy, reason)
            for movie, title, genres, score, rating, reason in columns
        )

    def _reasons(self, picks: _Picks, strategy: Strategy) -> list[str]:
        """Return a true sentence for each pick."""
        means = self._arrays.movie_damped_mean[picks.rows].tolist()
        counts = self._arrays.movie_counts[picks.rows].tolist()
        return [
            reasons.like(self._titles[near].as_py())
            if near >= 0
            else reasons.rated(strategy, mean, count)
            for near, mean, count in zip(picks.nearest.tolist(), means, counts, strict=True)
        ]
