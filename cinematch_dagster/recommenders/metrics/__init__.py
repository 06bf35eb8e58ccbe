"""Metrics: errors of predicted stars, and hits of ranked lists."""

from cinematch_dagster.recommenders.metrics.ranking import hits_at_k
from cinematch_dagster.recommenders.metrics.rating import mae, rmse

__all__ = ["hits_at_k", "mae", "rmse"]
