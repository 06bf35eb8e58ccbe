"""Training: from a ratings frame to the two heads, popularity and the sanity floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cinematch_dagster.recommenders.als import fit_als
from cinematch_dagster.recommenders.baseline import BaselinePredictor, fit_baseline
from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.popularity import damped_mean
from cinematch_dagster.recommenders.svd import fit_svd
from serving.arrays import as_stored
from serving.heads import FactorRating, RankingHead, RatingHead

ALGORITHM = "svd+als"
NO_GENRES = "(no genres listed)"


@dataclass(frozen=True)
class Hyperparameters:
    """What training can be told; names, meanings and defaults are those of the settings.

    Attributes:
        seed: of every random choice.
        svd_factors: rating head, factors.
        svd_epochs: rating head, passes over the ratings.
        svd_learning_rate: rating head, step size.
        svd_regularization: rating head, L2 penalty per rating.
        svd_init_std: rating head, spread of the initial factors.
        als_factors: ranking head, factors.
        als_iterations: ranking head, alternations.
        als_regularization: ranking head, L2 penalty.
        als_alpha: ranking head, confidence per star above 2.
        top_n: length of the list made for every known user.
    """

    seed: int
    svd_factors: int
    svd_epochs: int
    svd_learning_rate: float
    svd_regularization: float
    svd_init_std: float
    als_factors: int
    als_iterations: int
    als_regularization: float
    als_alpha: float
    top_n: int


@dataclass(frozen=True)
class Trained:
    """What training gives; rows of users and movies are those of `interactions`.

    Attributes:
        interactions: the ratings trained on.
        titles: of the catalogue, (n_movies,).
        genres: of the catalogue, pipe-separated, (n_movies,).
        rating: the head that predicts stars.
        ranking: the head that orders.
        popularity: damped mean in stars, (n_movies,).
        baseline: the sanity floor, fitted to the same ratings.
        hyperparameters: as given.
    """

    interactions: Interactions
    titles: pd.Series[str]
    genres: pd.Series[str]
    rating: RatingHead
    ranking: RankingHead
    popularity: npt.NDArray[np.float64]
    baseline: BaselinePredictor
    hyperparameters: Hyperparameters


def fit_rating(interactions: Interactions, hyperparameters: Hyperparameters) -> FactorRating:
    """Fit the rating head alone."""
    h = hyperparameters
    return fit_svd(
        interactions,
        factors=h.svd_factors,
        epochs=h.svd_epochs,
        learning_rate=h.svd_learning_rate,
        regularization=h.svd_regularization,
        init_std=h.svd_init_std,
        seed=h.seed,
    )


def fit(ratings: pd.DataFrame, movies: pd.DataFrame, hyperparameters: Hyperparameters) -> Trained:
    """Train on a ratings frame.

    Args:
        ratings: ratings frame, each (userId, movieId) once.
        movies: columns movieId, title, genres; a rated movie that it lacks gets its id for a title.
        hyperparameters: of both heads.
    """
    h = hyperparameters
    interactions = Interactions.from_frame(ratings, movies["movieId"].to_numpy())
    catalogue = movies.set_index("movieId").reindex(interactions.movie_ids)
    known = catalogue["title"].notna()
    rating = fit_rating(interactions, h)
    ranking = fit_als(
        interactions,
        factors=h.als_factors,
        iterations=h.als_iterations,
        regularization=h.als_regularization,
        alpha=h.als_alpha,
        seed=h.seed,
    )
    n_movies = len(interactions.movie_ids)
    return Trained(
        interactions=interactions,
        titles=catalogue["title"].where(known, "Movie " + catalogue.index.astype(str)),
        genres=catalogue["genres"].fillna(NO_GENRES),
        rating=as_stored(rating, n_movies),
        ranking=as_stored(ranking, n_movies),
        popularity=damped_mean(interactions),
        baseline=fit_baseline(interactions),
        hyperparameters=h,
    )
