"""How a model reacts to what made-up users have rated, whatever algorithm it is.

Each check folds in users whom the model doesn't know and looks at the scores of the whole
catalogue. A ranking head that looks at no ratings (popularity) has nothing to show and passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from cinematch_dagster.recommenders.evaluation import Predictor
from cinematch_dagster.recommenders.interactions import Interactions
from serving.base.scale import LIKED
from serving.model.id_index import find_all

PEOPLE, PROFILE, SIMILAR = 50, 10, 10
SMALLEST_GENRE = 20
_ROUNDING = 1e-3

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer]
Profile = Mapping[int, float]


@dataclass(frozen=True)
class Observed:
    """What a check has seen, as a sentence."""

    passed: bool
    detail: str


def same_in_any_order(model: Predictor, training: pd.DataFrame, seed: int = 0) -> Observed:
    """Give users' ratings forwards and backwards: the scores must be the same."""
    profiles = [_first(rows, len(rows)) for rows in _active_users(training, seed)]
    forwards = _scores(model, profiles)
    backwards = _scores(model, [dict(reversed(list(p.items()))) for p in profiles])
    close = np.isclose(forwards, backwards, rtol=_ROUNDING, atol=_ROUNDING)
    same = np.asarray(close.all(axis=1))
    return Observed(
        bool(same.all()), f"{int((~same).sum())} of {len(same)} users get other scores backwards."
    )


def more_stars_raise_similar(model: Predictor, training: pd.DataFrame, seed: int = 0) -> Observed:
    """Give one much rated movie 1 star, then 5: what its fans like, too, must rise in the order.

    Similar are the movies with the highest cosine of who liked them in training. They must rise,
    by their mean place, for more users than they fall for.
    """
    random = np.random.default_rng(seed)
    interactions = Interactions.from_frame(training)
    movie_ids = interactions.movie_ids
    popular = np.argsort(-interactions.movie_counts, kind="stable")[:100]
    chosen = random.choice(popular, size=PEOPLE)
    similarity = _similarity(interactions, chosen)
    disliked, liked, similar = [], [], []
    for rows, movie, cosines in zip(
        _active_users(training, seed), chosen, similarity, strict=False
    ):
        base = _first(rows, PROFILE)
        disliked.append({**base, int(movie_ids[movie]): 1.0})
        liked.append({**base, int(movie_ids[movie]): 5.0})
        cosines[find_all(movie_ids, np.array(list(disliked[-1])))] = 0.0
        similar.append(movie_ids[np.argsort(-cosines, kind="stable")[:SIMILAR]])
    before, after = _scores(model, disliked), _scores(model, liked)
    columns = find_all(model.movie_ids, np.array(similar))
    change = _places(after, columns) - _places(before, columns)
    rose, fell = int((change > 0).sum()), int((change < 0).sum())
    moved = not np.array_equal(before, after)
    return Observed(
        rose > fell or not moved,
        f"Similar movies rose for {rose} of {len(change)} users and fell for {fell}.",
    )


def genre_finds_its_kind(
    model: Predictor, training: pd.DataFrame, genres: pd.Series[str]
) -> Observed:
    """Like the ten most rated movies of one genre: its other movies must stand higher for it.

    Chance is where they stand for the fans of other genres, so that a genre's popularity says
    nothing; places are counted among the movies that no fan has rated.

    Args:
        model: what is checked.
        training: the ratings frame that it was trained on.
        genres: movie id to its genres, separated by '|'; those with at least 20 rated movies, and
            with less than half of the catalogue, are tried.
    """
    counts = training["movieId"].value_counts().sort_index()
    counts = counts.sort_values(ascending=False, kind="stable")
    membership = genres.reindex(counts.index).fillna("").str.get_dummies("|").astype(bool)
    sizes = {str(genre): int(size) for genre, size in membership.sum().items()}
    tried = [g for g, size in sizes.items() if SMALLEST_GENRE <= size < len(counts) / 2]
    if len(tried) < 2:
        return Observed(passed=True, detail="No two genres have enough movies to try.")
    profiles = [dict.fromkeys(counts.index[membership[g]][:PROFILE].tolist(), 5.0) for g in tried]
    scores = _scores(model, profiles)
    candidates = np.isfinite(scores).all(axis=0)
    kinds = membership[tried].reindex(model.movie_ids[candidates], fill_value=False).to_numpy()
    order = rankdata(scores[:, candidates], axis=1) / candidates.sum()
    places = order @ kinds / np.maximum(kinds.sum(axis=0), 1)
    own = np.diagonal(places)
    gains = own - (places.sum(axis=0) - own) / (len(tried) - 1)
    return Observed(
        float(gains.mean()) > 0 or _all_alike(scores),
        f"Movies of a genre stand {gains.mean():+.1%} of the catalogue higher for its fans than "
        f"for others'; {int((gains > 0).sum())} of {len(tried)} genres do.",
    )


def _active_users(training: pd.DataFrame, seed: int) -> Iterator[pd.DataFrame]:
    """Yield the ratings of up to 50 users drawn from those who have given the most ratings."""
    counts = training["userId"].value_counts().sort_index()
    able = counts.index[counts >= min(PROFILE, counts.max())].to_numpy()
    random = np.random.default_rng(seed)
    drawn = random.choice(able, size=min(PEOPLE, len(able)), replace=False)
    rows = training[training["userId"].isin(drawn)]
    yield from (group for _, group in rows.groupby("userId"))


def _first(rows: pd.DataFrame, n: int) -> dict[int, float]:
    """Return movie id to stars of the first n rows."""
    first = rows.head(n)
    return dict(zip(first["movieId"].tolist(), first["rating"].tolist(), strict=True))


def _scores(model: Predictor, profiles: list[dict[int, float]]) -> Floats:
    """Fold in one unknown user a profile and return the scores, the rated movies -inf."""
    unknown = -1 - np.arange(len(profiles))
    users = np.repeat(unknown, [len(p) for p in profiles])
    movies = np.array([movie for p in profiles for movie in p])
    stars = np.array([star for p in profiles for star in p.values()], dtype=np.float32)
    scores = model.fold_in(users, movies, stars).scores(unknown)
    columns = find_all(model.movie_ids, movies)
    scores[(-1 - users)[columns >= 0], columns[columns >= 0]] = -np.inf
    return scores


def _similarity(interactions: Interactions, movies: Rows) -> Floats:
    """Return the cosines of who liked these movies and who liked each other one, (m, n_movies)."""
    likes = interactions.matrix.copy()
    likes.data = (likes.data >= LIKED).astype(np.float32)
    norms = np.sqrt(np.maximum(np.asarray(likes.sum(axis=0)).ravel(), 1.0))
    together = (likes[:, movies].T @ likes).toarray()
    cosines: Floats = together / norms / norms[movies][:, np.newaxis]
    return cosines


def _places(scores: Floats, columns: Rows) -> npt.NDArray[np.float64]:
    """Return how many movies are ranked below the columns of each row, on average, (n,)."""
    own = np.take_along_axis(scores, columns, axis=1)
    return np.array(
        [np.searchsorted(np.sort(row), mine).mean() for row, mine in zip(scores, own, strict=True)]
    )


def _all_alike(scores: Floats) -> bool:
    """Tell whether all users get the same scores, but for the movies that they have rated."""
    finite = np.isfinite(scores).all(axis=0)
    return bool((scores[:, finite] == scores[0, finite]).all())
