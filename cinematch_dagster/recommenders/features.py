"""What is known of a movie before anybody has rated it: its genres and its decade."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from serving.base.titles import YEAR

NO_GENRES = "(no genres listed)"


def genre_membership(genres: pd.Series[str]) -> pd.DataFrame:
    """Return which movies have which genre, a column a genre, from pipe-separated texts."""
    return genres.replace(NO_GENRES, "").str.get_dummies("|").astype(bool)


def movie_features(titles: pd.Series[str], genres: pd.Series[str]) -> npt.NDArray[np.float64]:
    """Return 1.0 where a movie is of a genre or of a decade, (n_movies, g + d), else 0.0.

    The year stands at the end of a title; without it a movie is of no decade.
    """
    years = titles.str.extract(YEAR, expand=False)
    decades = pd.get_dummies(years.str[:3])
    return np.column_stack((genre_membership(genres), decades)).astype(np.float64)
