"""Metrics, a family a file; all of a block of users at once, one figure for each user."""

from cinematch_dagster.recommenders.metrics.average_precision import average_precision
from cinematch_dagster.recommenders.metrics.coverage import coverage
from cinematch_dagster.recommenders.metrics.diversity import diversity
from cinematch_dagster.recommenders.metrics.hit_rate import hit
from cinematch_dagster.recommenders.metrics.ndcg import ndcg
from cinematch_dagster.recommenders.metrics.novelty import novelty
from cinematch_dagster.recommenders.metrics.popularity_bias import popularity_bias
from cinematch_dagster.recommenders.metrics.precision import precision, recall
from cinematch_dagster.recommenders.metrics.rating import mae, rmse
from cinematch_dagster.recommenders.metrics.reciprocal_rank import reciprocal_rank
from cinematch_dagster.recommenders.metrics.top import top_k

__all__ = [
    "average_precision",
    "coverage",
    "diversity",
    "hit",
    "mae",
    "ndcg",
    "novelty",
    "popularity_bias",
    "precision",
    "recall",
    "reciprocal_rank",
    "rmse",
    "top_k",
]
