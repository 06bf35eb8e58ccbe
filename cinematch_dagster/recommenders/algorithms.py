"""Every algorithm by its name in the settings: from ratings and hyperparameters to a head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cinematch_dagster.recommenders.interactions import Interactions
from cinematch_dagster.recommenders.ranking.als import fit_als
from cinematch_dagster.recommenders.ranking.ease import fit_ease
from cinematch_dagster.recommenders.ranking.item_knn import fit_item_knn
from cinematch_dagster.recommenders.ranking.popularity import fit_popularity
from cinematch_dagster.recommenders.rating.knn_baseline import fit_baseline_only, fit_knn_baseline
from cinematch_dagster.recommenders.rating.svd import Engine, fit_svd
from cinematch_dagster.recommenders.rating.svdpp import fit_svdpp
from serving.model.heads import RankingHead, RatingHead


@dataclass(frozen=True)
class Hyperparameters:
    """What training can be told; names, meanings and defaults are those of the settings."""

    seed: int
    rating_head: str
    ranking_head: str
    svd_factors: int
    svd_epochs: int
    svd_learning_rate: float
    svd_regularization: float
    svd_init_std: float
    svd_engine: Engine
    svdpp_factors: int
    svdpp_epochs: int
    svdpp_learning_rate: float
    svdpp_regularization: float
    knn_neighbours: int
    knn_links: int
    als_factors: int
    als_iterations: int
    als_regularization: float
    als_alpha: float
    ease_regularization: float
    ease_links: int
    ease_max_movies: int
    item_knn_links: int
    popularity_half_life_days: float
    top_n: int


def _svd(interactions: Interactions, h: Hyperparameters) -> RatingHead:
    return fit_svd(
        interactions,
        factors=h.svd_factors,
        epochs=h.svd_epochs,
        learning_rate=h.svd_learning_rate,
        regularization=h.svd_regularization,
        init_std=h.svd_init_std,
        seed=h.seed,
        engine=h.svd_engine,
    )


def _svdpp(interactions: Interactions, h: Hyperparameters) -> RatingHead:
    return fit_svdpp(
        interactions,
        factors=h.svdpp_factors,
        epochs=h.svdpp_epochs,
        learning_rate=h.svdpp_learning_rate,
        regularization=h.svdpp_regularization,
        init_std=h.svd_init_std,
        seed=h.seed,
    )


def _baseline(interactions: Interactions, _: Hyperparameters) -> RatingHead:
    return fit_baseline_only(interactions)


def _knn_baseline(interactions: Interactions, h: Hyperparameters) -> RatingHead:
    return fit_knn_baseline(interactions, neighbours=h.knn_neighbours, links=h.knn_links)


def _als(interactions: Interactions, h: Hyperparameters) -> RankingHead:
    return fit_als(
        interactions,
        factors=h.als_factors,
        iterations=h.als_iterations,
        regularization=h.als_regularization,
        alpha=h.als_alpha,
        seed=h.seed,
    )


def _ease(interactions: Interactions, h: Hyperparameters) -> RankingHead:
    return fit_ease(
        interactions,
        regularization=h.ease_regularization,
        links=h.ease_links,
        max_movies=h.ease_max_movies,
    )


def _item_knn(interactions: Interactions, h: Hyperparameters) -> RankingHead:
    return fit_item_knn(interactions, links=h.item_knn_links)


def _popularity(interactions: Interactions, h: Hyperparameters) -> RankingHead:
    return fit_popularity(interactions, half_life_days=h.popularity_half_life_days)


RATING_HEADS: dict[str, Callable[[Interactions, Hyperparameters], RatingHead]] = {
    "svd": _svd,
    "svdpp": _svdpp,
    "baseline": _baseline,
    "knn_baseline": _knn_baseline,
}
RANKING_HEADS: dict[str, Callable[[Interactions, Hyperparameters], RankingHead]] = {
    "als": _als,
    "ease": _ease,
    "item_knn": _item_knn,
    "popularity": _popularity,
}
