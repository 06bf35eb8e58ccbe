"""Training: from a ratings frame to the two heads, popularity and the sanity floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cinematch_dagster.recommenders.algorithms import Hyperparameters
from cinematch_dagster.recommenders.features import NO_GENRES, movie_features
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.cold_start import ColdStart
from cinematch_dagster.recommenders.ranking.popularity import damped_mean
from cinematch_dagster.recommenders.rating.baseline import BaselinePredictor, fit_baseline
from serving.model.arrays import as_stored
from serving.model.heads import RankingHead, RatingHead


@dataclass(frozen=True)
class Trained:
    """What training gives; rows of users and movies are those of `interactions`.

    Attributes:
        interactions: the ratings trained on.
        titles: of the catalogue, (n_movies,).
        genres: of the catalogue, pipe-separated, (n_movies,).
        rating: the head that predicts stars.
        ranking: the head that orders.
        cold_start: what both say of movies without a rating.
        popularity: damped mean in stars, (n_movies,).
        baseline: the sanity floor, fitted to the same ratings.
        hyperparameters: as given.
    """

    interactions: Interactions
    titles: pd.Series[str]
    genres: pd.Series[str]
    rating: RatingHead
    ranking: RankingHead
    cold_start: ColdStart
    popularity: npt.NDArray[np.float64]
    baseline: BaselinePredictor
    hyperparameters: Hyperparameters

    @property
    def algorithm(self) -> str:
        """Both heads' names, such as `svd+als`."""
        return f"{self.hyperparameters.rating.algorithm}+{self.hyperparameters.ranking.algorithm}"


def fit(ratings: pd.DataFrame, movies: pd.DataFrame, hyperparameters: Hyperparameters) -> Trained:
    """Train on a ratings frame.

    Args:
        ratings: ratings frame, each (userId, movieId) once.
        movies: columns movieId, title, genres; a rated movie that it lacks gets its id for a title.
        hyperparameters: of both heads, chosen with them.
    """
    h = hyperparameters
    interactions = Interactions.from_frame(ratings, movies["movieId"].to_numpy())
    catalogue = movies.set_index("movieId").reindex(interactions.movie_ids)
    known = catalogue["title"].notna()
    titles = catalogue["title"].where(known, "Movie " + catalogue.index.astype(str))
    genres = catalogue["genres"].fillna(NO_GENRES)
    cold_start = ColdStart.of(movie_features(titles, genres), interactions.movie_counts)
    rating = h.rating.fit(interactions, h.seed)
    ranking = h.ranking.fit(interactions, h.seed)
    n_movies = len(interactions.movie_ids)
    return Trained(
        interactions=interactions,
        titles=titles,
        genres=genres,
        rating=as_stored(cold_start.into(rating), n_movies),
        ranking=as_stored(cold_start.into(ranking), n_movies),
        cold_start=cold_start,
        popularity=damped_mean(interactions),
        baseline=fit_baseline(interactions),
        hyperparameters=h,
    )
