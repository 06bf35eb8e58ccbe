"""Movie features: principal components of the genres."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

N_COMPONENTS: Final = 10
NO_GENRES: Final = "(no genres listed)"
DECIMALS: Final = 6


class MovieFeatures(NamedTuple):
    """Features of every movie.

    frame: movieId int32, title, genres, pca_features (list of 10 float), by movieId.
    explained_variance: share of the genres' variance in each component, shape (10,), descending.
    """

    frame: pd.DataFrame
    explained_variance: np.ndarray


def movie_features(movies: pd.DataFrame) -> MovieFeatures:
    """Reduce each movie's multi-hot genres to their first 10 principal components.

    The components come from a full singular value decomposition and have a fixed sign: the
    largest loading of each is positive. A movie without genres is the zero vector before the
    reduction. The features depend on the set of genres alone, not on their order in the text, and
    are rounded to six decimals. With fewer than 10 genres or movies the last ones are 0, and
    all of them where every movie has the same genres or none.

    Args:
        movies: columns movieId, title, genres (pipe-separated; '(no genres listed)' or null: none).
    """
    frame = movies[["movieId", "title", "genres"]].astype({"movieId": "int32"})
    frame = frame.sort_values("movieId", ignore_index=True)
    sets, which = np.unique(_multi_hot(frame["genres"]), axis=0, return_inverse=True)
    scores, explained = _components(sets, which)
    features = np.round(_padded(scores), DECIMALS) + 0.0  # turns -0.0 into 0.0
    return MovieFeatures(frame.assign(pca_features=features[which].tolist()), _padded(explained))


def _components(sets: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of each set of genres, shape (sets, ≤ 10), and the explained variance."""
    from sklearn.decomposition import PCA  # a second to import: only those who reduce pay for it

    if len(sets) <= 1:  # nothing varies
        return np.zeros((len(sets), 0)), np.zeros(0)
    pca = PCA(min(N_COMPONENTS, len(which), sets.shape[1]), svd_solver="full").fit(sets[which])
    return pca.transform(sets), pca.explained_variance_ratio_


def _multi_hot(genres: pd.Series) -> np.ndarray:
    """Return 1.0 where a movie has a genre, shape (movies, genres); genres by name."""
    dummies = genres.str.get_dummies("|").drop(columns=NO_GENRES, errors="ignore")
    return dummies.to_numpy(dtype=np.float64)


def _padded(values: np.ndarray) -> np.ndarray:
    """Fill the last axis with zeros up to 10."""
    missing = N_COMPONENTS - values.shape[-1]
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])
