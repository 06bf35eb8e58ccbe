"""A trained model that answers: recommendations, predicted stars and whole-catalogue scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from serving import reasons
from serving.answers import Answer, Recommendation, Strategy
from serving.artifact import Artifact, Floats, Ints, ModelError, ModelInfo
from serving.lookup import find, find_all
from serving.ranking import best, nearest
from serving.taste import Taste, anonymous, folded_in, history, trained

__all__ = ["Answer", "Model", "ModelError", "ModelInfo", "Recommendation", "Strategy"]

LOWEST, HIGHEST = 0.5, 5.0
_BLOCK = 65_536


class _Picks(NamedTuple):
    """Rows of movies, best first, their scores, and each one's nearest liked movie's row or -1."""

    rows: npt.NDArray[np.integer]
    scores: Floats
    nearest: npt.NDArray[np.integer]


class Model:
    r"""Two heads over one catalogue: stars by biased matrix factorization, order by implicit ALS.

    Stars: :math:`\hat r_{ui} = \mu + b_u + b_i + p_u \cdot q_i`; an unknown user or movie
    contributes 0. Order: :math:`x_u \cdot y_i`. Known users without new wishes are answered from
    lists made at training time; a user who sends ratings is folded in (`serving.foldin`);
    an unknown one without gets the best by damped mean, of the genres named if any.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.info = artifact.info
        self._parameters = artifact.parameters
        self._arrays = arrays = artifact.arrays
        self._titles, self._genre_texts = artifact.titles, artifact.genres
        self._genre_rows = {g.casefold(): row for row, g in enumerate(artifact.parameters.genres)}
        self._anonymous = anonymous(arrays)
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
    def genres(self) -> tuple[str, ...]:
        """The genres that `recommend` knows, in any case of letters."""
        return self._parameters.genres

    @property
    def top_n(self) -> int:
        """Length of the lists made for known users."""
        return int(self._arrays.list_movies.shape[1])

    def seen(self, user_id: int) -> Ints:
        """Return the ids of the movies that a user had rated in training, ascending."""
        rated, _ = history(self._arrays, find(self.user_ids, user_id))
        return self.movie_ids[rated]

    def predict(
        self, user_ids: npt.NDArray[np.integer], movie_ids: npt.NDArray[np.integer]
    ) -> Floats:
        """Return the stars expected from each user for each movie, pairwise, (n,), 0.5 to 5."""
        users, movies = find_all(self.user_ids, user_ids), find_all(self.movie_ids, movie_ids)
        stars = np.empty(len(users), dtype=np.float32)
        for start in range(0, len(users), _BLOCK):
            block = slice(start, start + _BLOCK)
            stars[block] = self._stars(users[block], movies[block])
        return stars

    def scores(self, user_ids: npt.NDArray[np.integer]) -> Floats:
        """Return the ranking scores of the whole catalogue, (n, n_movies), rated movies included.

        A user not known to the model gets the damped means. Movies without a training rating
        are -inf: they are never recommended.
        """
        rows = find_all(self.user_ids, user_ids)
        scores = self._arrays.user_ranking[rows] @ self._arrays.movie_ranking.T
        scores[rows < 0] = self._arrays.movie_damped_mean
        scores[:, self._unrated] = -np.inf
        return scores

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
        if given:
            taste = folded_in(self._arrays, self._parameters, user, given)
        else:
            taste = trained(self._arrays, user)
        if given or allowed is not None or top_k > self.top_n:
            picks = self._scored(taste, top_k, allowed)
        else:
            picks = self._listed(user, top_k)
        return Answer(user_id, user < 0, strategy, self._describe(picks, taste, strategy))

    def _fallback(self, user_id: int, top_k: int, allowed: npt.NDArray[np.bool_] | None) -> Answer:
        """Answer somebody of whom nothing is known."""
        strategy: Strategy = "popular"
        rows = self._popular
        if allowed is not None and allowed[rows].any():
            strategy, rows = "genre", rows[allowed[rows]]
        rows = rows[:top_k]
        picks = _Picks(rows, self._arrays.movie_damped_mean[rows], np.full(len(rows), -1))
        return Answer(user_id, True, strategy, self._describe(picks, self._anonymous, strategy))

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

    def _listed(self, user: int, top_k: int) -> _Picks:
        """Look up the list made at training time."""
        rows = self._arrays.list_movies[user, :top_k]
        rows = rows[rows >= 0]
        listed = slice(len(rows))
        return _Picks(
            rows,
            self._arrays.list_scores[user, listed],
            self._arrays.list_nearest[user, listed],
        )

    def _scored(self, taste: Taste, top_k: int, allowed: npt.NDArray[np.bool_] | None) -> _Picks:
        """Score the whole catalogue, rated movies out."""
        movies = self._arrays.movie_ranking
        scores = movies @ taste.ranking
        scores[self._unrated] = -np.inf
        scores[taste.rated] = -np.inf
        if allowed is not None:
            scores[~allowed] = -np.inf
        rows = best(scores, top_k)
        closest = nearest(movies[rows], movies[taste.liked])
        found = closest >= 0
        closest[found] = taste.liked[closest[found]]
        return _Picks(rows, scores[rows], closest)

    def _describe(
        self, picks: _Picks, taste: Taste, strategy: Strategy
    ) -> tuple[Recommendation, ...]:
        """Turn rows into recommendations with titles, stars and reasons."""
        arrays, rows = self._arrays, picks.rows.tolist()
        stars = arrays.movie_factors[picks.rows] @ taste.factors + arrays.movie_bias[picks.rows]
        stars = np.clip(stars + (taste.bias + self._parameters.global_mean), LOWEST, HIGHEST)
        columns = zip(
            arrays.movie_ids[picks.rows].tolist(),
            [self._titles[row].as_py() for row in rows],
            [self._genre_texts[row].as_py() for row in rows],
            picks.scores.tolist(),
            stars.tolist(),
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

    def _stars(self, users: npt.NDArray[np.intp], movies: npt.NDArray[np.intp]) -> Floats:
        """Return expected stars for rows, where -1 contributes nothing, (n,)."""
        arrays = self._arrays
        known_user, known_movie = users >= 0, movies >= 0
        both = known_user & known_movie
        stars = np.full(len(users), self._parameters.global_mean, dtype=np.float32)
        stars[known_user] += arrays.user_bias[users[known_user]]
        stars[known_movie] += arrays.movie_bias[movies[known_movie]]
        stars[both] += np.einsum(
            "nf,nf->n", arrays.user_factors[users[both]], arrays.movie_factors[movies[both]]
        )
        return np.clip(stars, LOWEST, HIGHEST)
